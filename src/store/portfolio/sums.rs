//! The sums that triggers keep of the portfolio, and which of them answer: totals by time zone where nothing but the
//! product, the status and the currency is asked for by someone who works everywhere, sums by branch where more is that
//! they are by, the loans themselves otherwise. What is not rolled up yet, and what is folded and must not count, is
//! part of the same statement, so that it sees all of it at one moment.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType};
use sea_orm::{Condition, DbBackend};
use uuid::Uuid;

use super::{Choice, GroupBy, Part, among, column, group_columns, grouped, is_active, sum};
use crate::store::entity::{branch, loan};
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
}

/// What sums are by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// The branch, the product, the status, the currency, and what the family knows besides.
    Sums,
    /// The time zone in place of the branch, and no officer.
    Totals,
}

/// Rows to sum over, grouped, and what counts loans in them.
pub(super) struct Source {
    pub query: SelectStatement,
    pub count: SimpleExpr,
}

impl Family {
    pub const ALL: [Self; 2] = [Self::Portfolio, Self::Arrears];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Portfolio => "portfolio",
            Self::Arrears => "arrears",
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

/// The rows that answer for a choice.
///
/// # Errors
/// [`StoreError::BadText`].
pub(super) fn source(
    choice: Choice<'_>,
    group: GroupBy,
    family: Family,
    backend: DbBackend,
) -> Result<Source, StoreError> {
    let Some(grain) = grain(&choice, group, family) else {
        return Ok(Source { query: grouped(choice, group, backend)?, count: column(loan::Column::Id).count() });
    };
    let except = if let Part::Except(ids) = choice.part { ids } else { &[] };
    let condition = match grain {
        Grain::Sums => choice.filter.within(choice.scope)?,
        Grain::Totals => of_totals(choice.filter)?,
    };
    let loans = || Expr::col(("loans", "loans"));
    let mut query = Query::select();
    query
        .from_subquery(rows(family, grain, except, backend), "loans")
        .cond_where(condition)
        // What is gone may still have a row.
        .and_having(Expr::expr(loans()).sum().ne(0));
    group_columns(&mut query, group);
    Ok(Source { query, count: sum(loans()) })
}

/// Which sums answer, if any do.
fn grain(choice: &Choice<'_>, group: GroupBy, family: Family) -> Option<Grain> {
    if !matches!(choice.part, Part::Everything | Part::Except(_)) {
        return None;
    }
    let of_all = |leaf: &Filter<LoanField>| match leaf {
        Filter::Field(field, _) => matches!(field, LoanField::Product | LoanField::Status | LoanField::Currency),
        other => matches!(other, Filter::InTimeZones(_)),
    };
    let of_branches = |leaf: &Filter<LoanField>| match leaf {
        Filter::Field(LoanField::Branch, _) | Filter::UnderBranches(_) => true,
        Filter::Field(LoanField::Officer, _) => family == Family::Portfolio,
        other => of_all(other),
    };
    let everywhere = *choice.scope == Scope::All && !matches!(group, GroupBy::Branch | GroupBy::Officer);
    if everywhere && choice.filter.asks_only(&of_all) {
        return Some(Grain::Totals);
    }
    let known = family == Family::Portfolio || group != GroupBy::Officer;
    (known && choice.filter.asks_only(&of_branches)).then_some(Grain::Sums)
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
    if family == Family::Arrears {
        query.and_where(is_active());
    }
    if grain == Grain::Totals {
        query.inner_join(branch::Entity, of_its_branch((loan::Entity, loan::Column::BranchId)));
    }
    for name in family.keys(grain) {
        match *name {
            "time_zone" => query.column((branch::Entity, branch::Column::TimeZone)),
            "oldest_unpaid_due_on" => query.expr(LoanField::OldestUnpaidDueOn.operand()),
            name => query.column((loan::Entity, Alias::new(name))),
        };
    }
    for name in family.figures() {
        match *name {
            "loans" => query.expr(Expr::cust("-1")),
            name => query.expr(Expr::cust(format!("-loans.{name}"))),
        };
    }
    query
}

fn of_its_branch(column: impl sea_orm::sea_query::IntoColumnRef) -> SimpleExpr {
    Expr::col((branch::Entity, branch::Column::Id)).equals(column)
}
