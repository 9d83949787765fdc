//! Sums over loans, each in one statement, always per currency and grouped by what the loans have in common: amounts of
//! different currencies are never added. Everything here reads projections; what they cannot tell exactly any more is
//! [`Part::Stale`], to be folded by whoever asks.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | which loans, and how sums are grouped |
//! | `owed` | counts, balances, how late the balances are, what was agreed anew |
//! | `flows` | what fell due and what was paid in a period |

mod flows;
mod owed;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lending::loan::{LoanStatus, Portions};
use lending::money::Currency;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
};
use uuid::Uuid;

use super::convert;
use super::entity::{branch, loan};
use super::error::StoreError;
use super::filter::Filter;
use super::loans::{LoanField, LoanRecord};
use super::scope::Scope;

pub use flows::{Flow, Flows, flows};
pub use owed::{AGES, Aged, Counted, Late, Owed, Rescheduled, aged, counted, late, owed, rescheduled};
pub(super) use owed::{left, of_loan, something_left};

/// The statuses of loans that something can be owed on.
pub const ACTIVE: [LoanStatus; 2] = [LoanStatus::Disbursed, LoanStatus::Defaulted];

/// What the loans of a portfolio can be grouped by, beside their currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupBy {
    /// Nothing: all of them together.
    Nothing,
    /// The status.
    Status,
    /// The branch that lends.
    Branch,
    /// The product.
    Product,
    /// The credit officer.
    Officer,
}

impl GroupBy {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Nothing, Self::Status, Self::Branch, Self::Product, Self::Officer];
}

/// What the loans of one group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKey {
    /// Nothing but the currency.
    All,
    /// The status.
    Status(LoanStatus),
    /// The branch's id.
    Branch(Uuid),
    /// The product's id.
    Product(Uuid),
    /// The officer's subject; `None` for loans without one.
    Officer(Option<String>),
}

/// Sums by group and currency code, in the order of the groups and of the codes.
pub type Sums<M> = BTreeMap<(GroupKey, &'static str), M>;

/// Which of the loans that match are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    Everything,
    /// Those whose projection is right for a day.
    Projected(NaiveDate),
    /// The others: what is owed follows the balance day by day, something is late, and nothing has been written since
    /// before the day.
    Stale(NaiveDate),
    /// Those that had been applied for by a day.
    AppliedBy(NaiveDate),
}

/// The loans to sum over.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Whose.
    pub scope: &'a Scope,
    /// Which.
    pub filter: &'a Filter<LoanField>,
    /// Which part of them.
    pub part: Part,
}

impl Choice<'_> {
    fn condition(&self) -> Result<Condition, StoreError> {
        let condition = self.filter.within(self.scope)?;
        Ok(match self.part {
            Part::Everything => condition,
            Part::Projected(day) => condition.add(stale(day).not()),
            Part::Stale(day) => condition.add(stale(day)),
            Part::AppliedBy(day) => condition.add(loan::Column::AppliedOn.lte(day)),
        })
    }
}

/// Interest that follows the balance grows on what is late until the next write. Two-valued, so that its complement is
/// exact. The conditions name only what is unusual, and the name occurs in no other part of them.
fn stale(day: NaiveDate) -> Condition {
    Condition::all()
        .add(is_active())
        .add(loan::Column::OldestUnpaidDueOn.is_not_null())
        .add(loan::Column::OldestUnpaidDueOn.lt(day))
        .add(loan::Column::ProjectedOn.is_not_null())
        .add(loan::Column::ProjectedOn.ne(day))
        .add(loan::Column::Conditions.like("%\"DAILY_BALANCE\"%"))
}

fn is_active() -> SimpleExpr {
    loan::Column::Status.is_in(ACTIVE.map(LoanStatus::as_str))
}

/// The next loans of a choice in the order of their ids, at most so many.
///
/// # Errors
/// Whatever the database answers.
pub async fn chunk(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    after: Option<Uuid>,
    size: u64,
) -> Result<Vec<LoanRecord>, StoreError> {
    let mut select = loan::Entity::find().filter(choice.condition()?);
    if let Some(after) = after {
        select = select.filter(loan::Column::Id.gt(after));
    }
    let rows = select.order_by_asc(loan::Column::Id).limit(size).all(connection).await?;
    rows.into_iter().map(LoanRecord::try_from).collect()
}

/// The time zones of all branches, each once.
///
/// # Errors
/// Whatever the database answers.
pub async fn time_zones(connection: &impl ConnectionTrait) -> Result<Vec<String>, StoreError> {
    let select = branch::Entity::find().select_only().column(branch::Column::TimeZone).distinct();
    Ok(select.order_by_asc(branch::Column::TimeZone).into_tuple::<String>().all(connection).await?)
}

/// `SELECT group_key, currency FROM loans` of a choice, grouped.
fn grouped(choice: Choice<'_>, group: GroupBy) -> Result<SelectStatement, StoreError> {
    let mut query = Query::select();
    query.from(loan::Entity).cond_where(choice.condition()?);
    group_columns(&mut query, group);
    Ok(query)
}

fn group_columns(query: &mut SelectStatement, group: GroupBy) {
    let currency = (loan::Entity, loan::Column::Currency);
    query.expr_as(Expr::col(currency), "currency").group_by_col(currency);
    let key = match group {
        GroupBy::Nothing => return,
        GroupBy::Status => loan::Column::Status,
        GroupBy::Branch => loan::Column::BranchId,
        GroupBy::Product => loan::Column::ProductId,
        GroupBy::Officer => loan::Column::Officer,
    };
    query.expr_as(Expr::col((loan::Entity, key)), "group_key").group_by_col((loan::Entity, key));
}

/// PostgreSQL sums bigints into a numeric; the cast fails, and does not wrap, when the sum does not fit.
fn sum(expression: impl Into<SimpleExpr>) -> SimpleExpr {
    Expr::expr(expression.into()).sum().cast_as(Alias::new("bigint"))
}

fn column(column: loan::Column) -> SimpleExpr {
    Expr::col((loan::Entity, column))
}

/// The columns that hold the four portions of a sum.
const PORTIONS: [&str; 4] = ["sum_principal", "sum_interest", "sum_fees", "sum_penalties"];

fn portions(row: &QueryResult) -> Result<Portions, StoreError> {
    let [principal, interest, fees, penalties] = PORTIONS.map(|name| row.try_get::<i64>("", name));
    Ok(Portions { principal: principal?, interest: interest?, fees: fees?, penalties: penalties? })
}

/// The group and the currency of a row.
fn place(row: &QueryResult, group: GroupBy) -> Result<(GroupKey, &'static str), StoreError> {
    let currency: Currency = convert::currency(&row.try_get::<String>("", "currency")?)?;
    let key = match group {
        GroupBy::Nothing => GroupKey::All,
        GroupBy::Status => {
            let name: String = row.try_get("", "group_key")?;
            let status = LoanStatus::parse(&name);
            GroupKey::Status(status.ok_or_else(|| StoreError::Corrupt(format!("loan status {name:?}")))?)
        }
        GroupBy::Branch => GroupKey::Branch(row.try_get("", "group_key")?),
        GroupBy::Product => GroupKey::Product(row.try_get("", "group_key")?),
        GroupBy::Officer => GroupKey::Officer(row.try_get("", "group_key")?),
    };
    Ok((key, currency.code()))
}
