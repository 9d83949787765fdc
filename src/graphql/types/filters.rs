//! The operators of filters, and how they become the services' filter trees. All operators of one filter must hold.

use async_graphql::{ID, InputObject, Result};
use lending::money::{Currency, Money as Amount};

use super::id;
use super::loan::LoanStatus;
use super::money::MoneyInput;
use super::scalars::{CurrencyCode, Date, DateTime};
use crate::graphql::error::bad_input;
use crate::ids::Kind;
use crate::service::list::{Filter, SEARCH_LENGTH, Scalar, Test};

/// Filters may be nested this deep with and, or and not: enough for any question, too little for an expensive one.
const DEEPEST: usize = 3;

/// Tests an id.
#[derive(Debug, Clone, Default, InputObject)]
#[graphql(name = "IDFilter")]
pub struct IdFilter {
    /// It is this one.
    pub eq: Option<ID>,
    /// It is one of these.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<ID>>,
}

/// Tests text, letter by letter.
#[derive(Debug, Clone, Default, InputObject)]
pub struct StringFilter {
    /// It is this.
    pub eq: Option<String>,
    /// It is one of these.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<String>>,
    /// There is none (true), or there is one (false).
    pub is_null: Option<bool>,
}

/// Tests a telephone number or national id, whatever its punctuation and case.
#[derive(Default, InputObject)]
pub struct PersonalFilter {
    /// It is this.
    pub eq: Option<String>,
    /// There is none (true), or there is one (false).
    pub is_null: Option<bool>,
}

/// Tests a business date.
#[derive(Debug, Clone, Default, InputObject)]
pub struct DateFilter {
    /// It is this day.
    pub eq: Option<Date>,
    /// It is before this day.
    pub lt: Option<Date>,
    /// It is this day or before.
    pub lte: Option<Date>,
    /// It is after this day.
    pub gt: Option<Date>,
    /// It is this day or after.
    pub gte: Option<Date>,
    /// There is none (true), or there is one (false).
    pub is_null: Option<bool>,
}

/// Tests a number.
#[derive(Debug, Clone, Default, InputObject)]
pub struct IntFilter {
    /// It is this number.
    pub eq: Option<i32>,
    /// It is one of these.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<i32>>,
    /// It is less.
    pub lt: Option<i32>,
    /// It is this number or less.
    pub lte: Option<i32>,
    /// It is more.
    pub gt: Option<i32>,
    /// It is this number or more.
    pub gte: Option<i32>,
}

/// Tests a moment.
#[derive(Debug, Clone, Default, InputObject)]
pub struct DateTimeFilter {
    /// It is before this moment.
    pub lt: Option<DateTime>,
    /// It is this moment or before.
    pub lte: Option<DateTime>,
    /// It is after this moment.
    pub gt: Option<DateTime>,
    /// It is this moment or after.
    pub gte: Option<DateTime>,
}

/// Tests a currency.
#[derive(Debug, Clone, Default, InputObject)]
pub struct CurrencyFilter {
    /// It is this one.
    pub eq: Option<CurrencyCode>,
    /// It is one of these.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<CurrencyCode>>,
}

/// Tests an amount of money. Only amounts in the operators' currency can match: amounts of different currencies are never compared.
#[derive(Debug, Clone, Default, InputObject)]
pub struct MoneyFilter {
    /// It is this amount.
    pub eq: Option<MoneyInput>,
    /// It is less.
    pub lt: Option<MoneyInput>,
    /// It is this amount or less.
    pub lte: Option<MoneyInput>,
    /// It is more.
    pub gt: Option<MoneyInput>,
    /// It is this amount or more.
    pub gte: Option<MoneyInput>,
}

/// Tests a loan's status.
#[derive(Debug, Clone, Default, InputObject)]
pub struct LoanStatusFilter {
    /// It is this one.
    pub eq: Option<LoanStatus>,
    /// It is one of these.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<LoanStatus>>,
    /// It is none of these.
    pub not_in: Option<Vec<LoanStatus>>,
}

/// Collects the conditions of one filter input; all of them must hold.
pub struct Conditions<F> {
    all: Vec<Filter<F>>,
}

impl<F> Default for Conditions<F> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<F: Copy> Conditions<F> {
    /// Everything collected, as one filter.
    #[must_use]
    pub fn finish(self) -> Filter<F> {
        Filter::All(self.all)
    }

    /// Adds a condition as it is.
    pub fn add(&mut self, filter: Filter<F>) {
        self.all.push(filter);
    }

    fn test(&mut self, field: F, value: Option<Scalar>, test: fn(Scalar) -> Test) {
        if let Some(value) = value {
            self.add(Filter::Field(field, test(value)));
        }
    }

    fn is_null(&mut self, field: F, is_null: Option<bool>) {
        match is_null {
            Some(true) => self.add(Filter::Field(field, Test::IsMissing)),
            Some(false) => self.add(Filter::Not(Box::new(Filter::Field(field, Test::IsMissing)))),
            None => {}
        }
    }

    fn one_of(&mut self, field: F, values: Option<Vec<Scalar>>) {
        if let Some(values) = values {
            self.add(Filter::Field(field, Test::OneOf(values)));
        }
    }

    /// Adds the conditions of an [`IdFilter`] on a reference to rows of `kind`.
    ///
    /// # Errors
    /// BAD_USER_INPUT when an id belongs to something else.
    pub fn id(&mut self, field: F, filter: Option<IdFilter>, kind: Kind) -> Result<()> {
        let Some(filter) = filter else { return Ok(()) };
        let read = |text: &ID| id::read(text, kind).map(Scalar::Id);
        let eq = filter.eq.as_ref().map(read).transpose()?;
        let one_of = filter.one_of.map(|ids| ids.iter().map(read).collect::<Result<_>>()).transpose()?;
        self.test(field, eq, Test::Is);
        self.one_of(field, one_of);
        Ok(())
    }

    /// Adds the conditions of an [`IdFilter`] on the row's branch; with `below`, the branches below count too.
    ///
    /// # Errors
    /// BAD_USER_INPUT when an id belongs to something else.
    pub fn branch(&mut self, field: F, filter: Option<IdFilter>, below: bool) -> Result<()> {
        if !below {
            return self.id(field, filter, Kind::Branch);
        }
        let Some(filter) = filter else { return Ok(()) };
        for ids in [filter.eq.map(|id| vec![id]), filter.one_of].into_iter().flatten() {
            let ids = ids.iter().map(|id| id::read(id, Kind::Branch)).collect::<Result<_>>()?;
            self.add(Filter::UnderBranches(ids));
        }
        Ok(())
    }

    /// Adds the conditions of a [`StringFilter`].
    pub fn text(&mut self, field: F, filter: Option<StringFilter>) {
        let Some(filter) = filter else { return };
        self.test(field, filter.eq.map(Scalar::Text), Test::Is);
        self.one_of(field, filter.one_of.map(|texts| texts.into_iter().map(Scalar::Text).collect()));
        self.is_null(field, filter.is_null);
    }

    /// Adds the conditions of a [`PersonalFilter`].
    pub fn personal(&mut self, field: F, filter: Option<PersonalFilter>) {
        let Some(filter) = filter else { return };
        self.test(field, filter.eq.map(Scalar::Text), Test::Is);
        self.is_null(field, filter.is_null);
    }

    /// Adds the conditions of a [`DateFilter`].
    pub fn date(&mut self, field: F, filter: Option<DateFilter>) {
        let Some(filter) = filter else { return };
        let day = |date: Option<Date>| date.map(|date| Scalar::Date(date.0));
        self.test(field, day(filter.eq), Test::Is);
        self.test(field, day(filter.lt), Test::Below);
        self.test(field, day(filter.lte), Test::AtMost);
        self.test(field, day(filter.gt), Test::Above);
        self.test(field, day(filter.gte), Test::AtLeast);
        self.is_null(field, filter.is_null);
    }

    /// Adds the conditions of an [`IntFilter`].
    pub fn integer(&mut self, field: F, filter: Option<IntFilter>) {
        let Some(filter) = filter else { return };
        let number = |number: Option<i32>| number.map(|number| Scalar::Integer(number.into()));
        self.test(field, number(filter.eq), Test::Is);
        self.one_of(field, filter.one_of.map(|list| list.into_iter().map(|one| Scalar::Integer(one.into())).collect()));
        self.test(field, number(filter.lt), Test::Below);
        self.test(field, number(filter.lte), Test::AtMost);
        self.test(field, number(filter.gt), Test::Above);
        self.test(field, number(filter.gte), Test::AtLeast);
    }

    /// Adds the conditions of a [`DateTimeFilter`].
    pub fn time(&mut self, field: F, filter: Option<DateTimeFilter>) {
        let Some(filter) = filter else { return };
        let moment = |time: Option<DateTime>| time.map(|time| Scalar::Time(time.0));
        self.test(field, moment(filter.lt), Test::Below);
        self.test(field, moment(filter.lte), Test::AtMost);
        self.test(field, moment(filter.gt), Test::Above);
        self.test(field, moment(filter.gte), Test::AtLeast);
    }

    /// Adds the conditions of a [`CurrencyFilter`].
    ///
    /// # Errors
    /// BAD_USER_INPUT when there is no such currency.
    pub fn currency(&mut self, field: F, filter: Option<CurrencyFilter>) -> Result<()> {
        let Some(filter) = filter else { return Ok(()) };
        let read = |code: &CurrencyCode| currency(code).map(|currency| Scalar::Text(currency.code().to_owned()));
        let eq = filter.eq.as_ref().map(read).transpose()?;
        let one_of = filter.one_of.map(|codes| codes.iter().map(read).collect::<Result<_>>()).transpose()?;
        self.test(field, eq, Test::Is);
        self.one_of(field, one_of);
        Ok(())
    }

    /// Adds the conditions of a [`MoneyFilter`], each with its currency.
    ///
    /// # Errors
    /// BAD_USER_INPUT when an amount or a currency cannot be.
    pub fn money(&mut self, amount: F, currency: F, filter: Option<MoneyFilter>) -> Result<()> {
        let Some(filter) = filter else { return Ok(()) };
        let mut add = |input: Option<MoneyInput>, test: fn(Scalar) -> Test| -> Result<()> {
            let Some(input) = input else { return Ok(()) };
            let money = read_money(&input)?;
            self.add(Filter::Field(currency, Test::Is(Scalar::Text(money.currency().code().to_owned()))));
            self.add(Filter::Field(amount, test(Scalar::Integer(money.minor()))));
            Ok(())
        };
        add(filter.eq, Test::Is)?;
        add(filter.lt, Test::Below)?;
        add(filter.lte, Test::AtMost)?;
        add(filter.gt, Test::Above)?;
        add(filter.gte, Test::AtLeast)?;
        Ok(())
    }

    /// Adds the conditions of a [`LoanStatusFilter`].
    pub fn loan_status(&mut self, field: F, filter: Option<LoanStatusFilter>) {
        let Some(filter) = filter else { return };
        let name = |status: LoanStatus| Scalar::Text(lending::loan::LoanStatus::from(status).as_str().to_owned());
        let names = |statuses: Vec<LoanStatus>| statuses.into_iter().map(name).collect::<Vec<_>>();
        self.test(field, filter.eq.map(name), Test::Is);
        self.one_of(field, filter.one_of.map(names));
        if let Some(excluded) = filter.not_in {
            self.add(Filter::Not(Box::new(Filter::Field(field, Test::OneOf(names(excluded))))));
        }
    }

    /// Adds a test for one name of an enum.
    pub fn name(&mut self, field: F, name: Option<&'static str>) {
        self.test(field, name.map(|name| Scalar::Text(name.to_owned())), Test::Is);
    }

    /// Adds free text to look for.
    ///
    /// # Errors
    /// BAD_USER_INPUT when it is too long.
    pub fn search(&mut self, text: Option<String>) -> Result<()> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(()) };
        if text.chars().count() > SEARCH_LENGTH {
            return Err(bad_input(format!("Search for at most {SEARCH_LENGTH} characters.")));
        }
        self.add(Filter::Search(text));
        Ok(())
    }
}

fn currency(code: &CurrencyCode) -> Result<Currency> {
    Currency::parse(&code.0).map_err(|error| bad_input(error.to_string()))
}

fn read_money(input: &MoneyInput) -> Result<Amount> {
    Amount::parse_amount(&input.amount.0, currency(&input.currency)?).map_err(|error| bad_input(error.to_string()))
}

/// The filters that a filter holds.
pub struct Inner<N> {
    /// All of these must hold too.
    pub and: Option<Vec<N>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<N>>,
    /// This must not hold.
    pub not: Option<Box<N>>,
}

/// A filter input that can hold others of its kind.
pub trait Nested: Sized {
    /// The fields it can test.
    type Field: Copy;

    /// Takes the filters it holds out of it.
    fn take_inner(&mut self) -> Inner<Self>;

    /// The conditions of its own operators.
    ///
    /// # Errors
    /// BAD_USER_INPUT.
    fn own(self) -> Result<Conditions<Self::Field>>;
}

/// Reads a filter input, the nested ones included.
///
/// # Errors
/// BAD_USER_INPUT when it is nested too deep or an operator cannot be read.
pub fn read<N: Nested>(input: Option<N>) -> Result<Filter<N::Field>> {
    match input {
        Some(input) => read_nested(input, 0),
        None => Ok(Filter::default()),
    }
}

fn read_nested<N: Nested>(mut input: N, depth: usize) -> Result<Filter<N::Field>> {
    if depth > DEEPEST {
        return Err(bad_input(format!("Nest and, or and not at most {DEEPEST} deep.")));
    }
    let Inner { and, or, not } = input.take_inner();
    let mut conditions = input.own()?;
    let read_all =
        |inputs: Vec<N>| inputs.into_iter().map(|input| read_nested(input, depth + 1)).collect::<Result<_>>();
    if let Some(and) = and {
        conditions.add(Filter::All(read_all(and)?));
    }
    if let Some(or) = or {
        conditions.add(Filter::Any(read_all(or)?));
    }
    if let Some(not) = not {
        conditions.add(Filter::Not(Box::new(read_nested(*not, depth + 1)?)));
    }
    Ok(conditions.finish())
}
