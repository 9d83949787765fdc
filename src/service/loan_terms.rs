//! The terms of a loan from its application: what is sent within the product's limits, everything else from the product.
//! A loan may override each of the product's conditions; whoever approves it sees its terms in full.

use chrono::{Days, Months, NaiveDate};
use lending::loan::{ChargeAmount, ChargeTiming, Field, LoanTerms, PeriodUnit};
use lending::money::Money;
use lending::rate::Rate;
use serde::Serialize;

use super::check::Check;
use super::conditions::{self, ConditionsInput};
use super::loan_products::LoanProductRecord;
use super::loans::ApplyForLoan;
use super::problem::{Detail, Problem, ProblemCode};

/// The first installment falls due within so many months after the application: the longest gap between installments is
/// a year, and as much again may pass until the money is paid out.
const MONTHS_TO_FIRST_DUE: u32 = 24;

const PPM: i128 = 1_000_000;

/// Terms as they come in; what is missing comes from the product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TermsInput {
    /// The annual rate in percent.
    pub annual_rate: Option<String>,
    /// The number of installments.
    pub installments: Option<i32>,
    /// An installment falls due every so many units.
    pub every: Option<i32>,
    /// The unit of `every`.
    pub unit: Option<PeriodUnit>,
    /// The first due date.
    pub first_due_on: Option<NaiveDate>,
    /// How interest, schedule and payments are worked out.
    pub conditions: ConditionsInput,
}

/// A value, and where in the input it came from.
struct Placed<T> {
    value: T,
    path: &'static [&'static str],
}

/// The terms that were applied for, or `None` with every problem noted.
pub(super) fn read(
    check: &mut Check,
    product: &LoanProductRecord,
    input: &ApplyForLoan,
    applied_on: NaiveDate,
) -> Option<LoanTerms> {
    let nothing = TermsInput::default();
    let given = input.terms.as_ref().unwrap_or(&nothing);
    let currency = product.limits.currency;
    let principal = check.money(&["input", "principal"], &input.principal);
    let annual_rate = annual_rate(check, product, input.annual_rate.as_deref(), given.annual_rate.as_deref());
    let installments = installments(check, product, input.installments, given.installments);
    let every = match given.every {
        Some(number) => check.positive(&["input", "terms", "every"], number),
        None => Some(product.every),
    };
    if let Some(first_due_on) = given.first_due_on {
        check_first_due_on(check, first_due_on, applied_on);
    }
    let conditions = given.conditions.lay_over(check, &["input", "terms"], currency, &product.conditions);
    let (annual_rate, installments) = (annual_rate?, installments?);
    conditions::check_violations(
        check,
        &["input", "terms"],
        installments.path,
        &given.conditions,
        (&conditions, installments.value, currency),
    );
    let terms = LoanTerms {
        principal: principal?,
        annual_rate: annual_rate.value,
        installments: installments.value,
        every: every?,
        unit: given.unit.unwrap_or(product.unit),
        first_due_on: given.first_due_on,
        conditions,
    };
    let violations = product.limits.check(&terms);
    let fits = violations.is_empty();
    check.terms(violations, |field| match field {
        Field::Principal => vec!["input", "principal", "amount"],
        Field::Currency => vec!["input", "principal", "currency"],
        Field::AnnualRate => annual_rate.path.to_vec(),
        Field::Installments => installments.path.to_vec(),
        Field::Every if given.every.is_some() => vec!["input", "terms", "every"],
        Field::Every if given.unit.is_some() => vec!["input", "terms", "unit"],
        Field::Every => vec!["input", "productId"],
    });
    if fits {
        check_amounts(check, &terms, &given.conditions);
    }
    fits.then_some(terms)
}

fn annual_rate(
    check: &mut Check,
    product: &LoanProductRecord,
    beside: Option<&str>,
    within: Option<&str>,
) -> Option<Placed<Rate>> {
    const BESIDE: &[&str] = &["input", "annualRate"];
    const WITHIN: &[&str] = &["input", "terms", "annualRate"];
    let beside = beside.map(|percent| check.rate(BESIDE, percent));
    let within = within.map(|percent| check.rate(WITHIN, percent));
    one_of(check, product.default_rate, beside, within, BESIDE, WITHIN)
}

fn installments(
    check: &mut Check,
    product: &LoanProductRecord,
    beside: Option<i32>,
    within: Option<i32>,
) -> Option<Placed<u32>> {
    const BESIDE: &[&str] = &["input", "installments"];
    const WITHIN: &[&str] = &["input", "terms", "installments"];
    let beside = beside.map(|number| check.positive(BESIDE, number));
    let within = within.map(|number| check.positive(WITHIN, number));
    one_of(check, product.default_installments, beside, within, BESIDE, WITHIN)
}

/// A value that may stand in two places of the input, where it must be the same. The inner `None` was noted before.
fn one_of<T: PartialEq>(
    check: &mut Check,
    default: T,
    beside: Option<Option<T>>,
    within: Option<Option<T>>,
    beside_path: &'static [&'static str],
    within_path: &'static [&'static str],
) -> Option<Placed<T>> {
    match (beside, within) {
        (None, None) => Some(Placed { value: default, path: beside_path }),
        (Some(value), None) => Some(Placed { value: value?, path: beside_path }),
        (None, Some(value)) => Some(Placed { value: value?, path: within_path }),
        (Some(beside), Some(within)) => {
            let (value, within) = (beside?, within?);
            if value != within {
                let message = "Send it once: here, or beside the terms.";
                check.note(Problem::new(ProblemCode::Contradiction, within_path, message));
            }
            Some(Placed { value, path: beside_path })
        }
    }
}

fn check_first_due_on(check: &mut Check, first_due_on: NaiveDate, applied_on: NaiveDate) {
    let earliest = applied_on.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    let latest = applied_on.checked_add_months(Months::new(MONTHS_TO_FIRST_DUE)).unwrap_or(NaiveDate::MAX);
    if !(earliest..=latest).contains(&first_due_on) {
        let message = format!("Let the first installment fall due from {earliest} to {latest}.");
        check.note(
            Problem::new(ProblemCode::DateOutOfRange, &["input", "terms", "firstDueOn"], message)
                .with(Detail::Date { earliest: Some(earliest), latest: Some(latest) }),
        );
    }
}

/// What only shows beside the principal: installments rounded to more than all of it, charges that eat it up.
fn check_amounts(check: &mut Check, terms: &LoanTerms, given: &ConditionsInput) {
    let path: &[&str] = match given.installment_multiple {
        super::check::Change::Set(_) => &["input", "terms", "installmentMultiple", "amount"],
        _ => &["input", "principal", "amount"],
    };
    conditions::check_multiple(check, path, terms.conditions.installment_multiple, terms.principal);
    if kept(terms) >= i128::from(terms.principal.minor()) {
        let path: &[&str] = match given.charges {
            Some(_) => &["input", "terms", "charges"],
            None => &["input", "principal", "amount"],
        };
        let message = "Keep less from the proceeds than the principal; nothing would be left to pay out.";
        check.note(Problem::new(ProblemCode::AmountOutOfRange, path, message));
    }
}

/// What the charges keep from the proceeds when all of the principal is disbursed at once, in minor units; halves up.
fn kept(terms: &LoanTerms) -> i128 {
    let principal: Money = terms.principal;
    let of = |amount: ChargeAmount| match amount {
        ChargeAmount::Flat(minor) => i128::from(minor),
        ChargeAmount::Share(ppm) => (i128::from(principal.minor()) * i128::from(ppm) + PPM / 2) / PPM,
    };
    let charges = terms.conditions.charges.iter();
    charges.filter(|charge| charge.timing == ChargeTiming::UpfrontKept).map(|charge| of(charge.amount)).sum()
}
