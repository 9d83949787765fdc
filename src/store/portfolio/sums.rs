//! The sums that triggers keep of the portfolio, and which of them answer: totals by time zone where nothing but the
//! product, the status and the currency is asked for by someone who works everywhere, sums by branch where more is that
//! they are by, the loans themselves otherwise. What is not rolled up yet, and what is folded and must not count, is
//! part of the same statement, so that it sees all of it at one moment.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType};
use sea_orm::{Condition, DbBackend};
use uuid::Uuid;

use super::owed::{left, of_loan, something_left};
use super::{Choice, GroupBy, Part, among, column, group_columns, grouped, is_active, sum};
use crate::store::entity::{branch, loan, loan_installment};
use crate::store::error::StoreError;
use crate::store::filter::{Field, Filter};
use crate::store::loans::LoanField;
use crate::store::scope::Scope;

/// A family of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// How many loans, and what is owed on them.
    Portfolio,
    /// How much principal of active loans is due since when.
    Arrears,
    /// What is left of installments, by the day they fall due on.
    Dues,
}

/// What sums are by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// The branch, the product, the currency, and what the family knows besides.
    Sums,
    /// The time zone in place of the branch, and no officer.
    Totals,
}

/// Rows to sum over, grouped, and how many loans they stand for.
pub(super) struct Source {
    pub query: SelectStatement,
    pub count: SimpleExpr,
}

impl Family {
    pub const ALL: [Self; 3] = [Self::Portfolio, Self::Arrears, Self::Dues];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Portfolio => "portfolio",
            Self::Arrears => "arrears",
            Self::Dues => "dues",
        }
    }

    /// The first of the figures: how many there are of what is counted. Where it comes to 0 there is nothing.
    pub const fn count(self) -> &'static str {
        match self {
            Self::Portfolio | Self::Arrears => "loans",
            Self::Dues => "installments",
        }
    }

    pub const fn keys(self, grain: Grain) -> &'static [&'static str] {
        match (self, grain) {
            (Self::Portfolio, Grain::Sums) => &["branch_id", "product_id", "currency", "status", "officer"],
            (Self::Portfolio, Grain::Totals) => &["time_zone", "product_id", "currency", "status"],
            (Self::Arrears, Grain::Sums) => &["branch_id", "product_id", "currency", "status", "oldest_unpaid_due_on"],
            (Self::Arrears, Grain::Totals) => {
                &["time_zone", "product_id", "currency", "status", "oldest_unpaid_due_on"]
            }
            (Self::Dues, Grain::Sums) => &["branch_id", "due_on", "product_id", "currency"],
            (Self::Dues, Grain::Totals) => &["time_zone", "due_on", "product_id", "currency"],
        }
    }

    pub const fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Portfolio => &[
                "loans",
                "principal_minor",
                "outstanding_principal_minor",
                "outstanding_interest_minor",
                "outstanding_fees_minor",
                "outstanding_penalties_minor",
                "credit_minor",
            ],
            Self::Arrears => &["loans", "outstanding_principal_minor"],
            Self::Dues => &[
                "installments",
                "outstanding_principal_minor",
                "outstanding_interest_minor",
                "outstanding_fees_minor",
                "outstanding_penalties_minor",
            ],
        }
    }

    /// Whether sums of this family are by a field of their loans.
    const fn knows(self, field: LoanField) -> bool {
        match field {
            LoanField::Branch | LoanField::Product | LoanField::Currency => true,
            LoanField::Status => matches!(self, Self::Portfolio | Self::Arrears),
            LoanField::Officer => matches!(self, Self::Portfolio),
            _ => false,
        }
    }

    pub fn table(self, grain: Grain) -> String {
        match grain {
            Grain::Sums => format!("{}_sums", self.name()),
            Grain::Totals => format!("{}_totals", self.name()),
        }
    }

    pub fn changes(self) -> String {
        format!("{}_changes", self.name())
    }
}

impl Grain {
    pub const ALL: [Self; 2] = [Self::Sums, Self::Totals];
}

/// The rows that answer for a choice: sums, or else the loans.
///
/// # Errors
/// [`StoreError::BadText`].
pub(super) fn source(
    choice: Choice<'_>,
    group: GroupBy,
    family: Family,
    backend: DbBackend,
) -> Result<Source, StoreError> {
    if let Some(query) = kept(choice, group, family, backend)? {
        return Ok(Source { query, count: sum(count(family)) });
    }
    Ok(Source { query: grouped(choice, group, backend)?, count: column(loan::Column::Id).count() })
}

/// The sums that answer for a choice, grouped, if any do.
///
/// # Errors
/// [`StoreError::BadText`].
pub(super) fn kept(
    choice: Choice<'_>,
    group: GroupBy,
    family: Family,
    backend: DbBackend,
) -> Result<Option<SelectStatement>, StoreError> {
    let Some(grain) = grain(&choice, group, family) else { return Ok(None) };
    let except = if let Part::Except(ids) = choice.part { ids } else { &[] };
    let condition = match grain {
        Grain::Sums => choice.filter.within(choice.scope)?,
        Grain::Totals => of_totals(choice.filter)?,
    };
    let mut query = Query::select();
    query
        .from_subquery(rows(family, grain, except, backend), "loans")
        .cond_where(condition)
        // What is gone may still have a row.
        .and_having(count(family).sum().ne(0));
    group_columns(&mut query, group);
    Ok(Some(query))
}

fn count(family: Family) -> SimpleExpr {
    Expr::col(("loans", family.count()))
}

/// Which sums answer, if any do.
fn grain(choice: &Choice<'_>, group: GroupBy, family: Family) -> Option<Grain> {
    if !matches!(choice.part, Part::Everything | Part::Except(_)) {
        return None;
    }
    let by = match group {
        GroupBy::Nothing => None,
        GroupBy::Status => Some(LoanField::Status),
        GroupBy::Branch => Some(LoanField::Branch),
        GroupBy::Product => Some(LoanField::Product),
        GroupBy::Officer => Some(LoanField::Officer),
    };
    let is_of_branches = |field: LoanField| matches!(field, LoanField::Branch | LoanField::Officer);
    let of_all = |leaf: &Filter<LoanField>| match leaf {
        Filter::Field(field, _) => family.knows(*field) && !is_of_branches(*field),
        other => matches!(other, Filter::InTimeZones(_)),
    };
    let of_branches = |leaf: &Filter<LoanField>| match leaf {
        Filter::Field(field, _) => family.knows(*field),
        other => matches!(other, Filter::UnderBranches(_) | Filter::InTimeZones(_)),
    };
    if !by.is_none_or(|field| family.knows(field)) {
        return None;
    }
    let everywhere = *choice.scope == Scope::All && !by.is_some_and(is_of_branches);
    if everywhere && choice.filter.asks_only(&of_all) {
        return Some(Grain::Totals);
    }
    choice.filter.asks_only(&of_branches).then_some(Grain::Sums)
}

/// A filter on totals, which know time zones and no branches.
fn of_totals(filter: &Filter<LoanField>) -> Result<Condition, StoreError> {
    filter.with_leaves(&|leaf| match leaf {
        Filter::InTimeZones(zones) => {
            Ok(Condition::all().add(Expr::col(("loans", "time_zone")).is_in(zones.iter().cloned())))
        }
        other => other.within(&Scope::All),
    })
}

/// What is rolled up, what is not yet, and what is folded with a minus.
fn rows(family: Family, grain: Grain, except: &[Uuid], backend: DbBackend) -> SelectStatement {
    let mut rows = Query::select();
    rows.from(Alias::new(family.table(grain)));
    for name in family.keys(grain).iter().chain(family.figures()) {
        rows.column(Alias::new(*name));
    }
    rows.union(UnionType::All, recent(family, grain));
    if !except.is_empty() {
        rows.union(UnionType::All, folded(family, grain, except, backend));
    }
    rows
}

fn recent(family: Family, grain: Grain) -> SelectStatement {
    let changes = Alias::new(family.changes());
    let mut query = Query::select();
    query.from(changes.clone());
    if grain == Grain::Totals {
        query.inner_join(branch::Entity, of_its_branch((changes.clone(), Alias::new("branch_id"))));
    }
    for name in family.keys(grain).iter().chain(family.figures()) {
        match *name {
            "time_zone" => query.column((branch::Entity, branch::Column::TimeZone)),
            name => query.column((changes.clone(), Alias::new(name))),
        };
    }
    query
}

fn folded(family: Family, grain: Grain, ids: &[Uuid], backend: DbBackend) -> SelectStatement {
    let mut query = Query::select();
    query.from(loan::Entity).and_where(among(ids, backend));
    match family {
        Family::Portfolio => {}
        Family::Arrears => {
            query.and_where(is_active());
        }
        Family::Dues => {
            query.inner_join(loan_installment::Entity, of_loan()).and_where(something_left());
        }
    }
    if grain == Grain::Totals {
        query.inner_join(branch::Entity, of_its_branch((loan::Entity, loan::Column::BranchId)));
    }
    for name in family.keys(grain) {
        match *name {
            "time_zone" => query.column((branch::Entity, branch::Column::TimeZone)),
            "oldest_unpaid_due_on" => query.expr(LoanField::OldestUnpaidDueOn.operand()),
            "due_on" => query.column((loan_installment::Entity, loan_installment::Column::DueOn)),
            name => query.column((loan::Entity, Alias::new(name))),
        };
    }
    query.expr(Expr::cust("-1"));
    if family == Family::Dues {
        query.exprs(left().map(|left| Expr::val(0_i64).sub(left)));
    } else {
        let figures = family.figures().iter().filter(|name| **name != family.count());
        query.exprs(figures.map(|name| Expr::cust(format!("-loans.{name}"))));
    }
    query
}

fn of_its_branch(column: impl sea_orm::sea_query::IntoColumnRef) -> SimpleExpr {
    Expr::col((branch::Entity, branch::Column::Id)).equals(column)
}
