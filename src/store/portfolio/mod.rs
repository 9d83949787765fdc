//! Sums over loans, each in one statement, always per currency and grouped by what the loans have in common: amounts of
//! different currencies are never added. Everything here reads projections; what they cannot tell exactly any more is
//! [`Part::Stale`], to be folded by whoever asks.
//!
//! How many loans there are, what is owed and since when, and what is due is kept in sums beside the loans, so that asking
//! for it costs the same however many there are; what else a filter names is summed over the loans themselves.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | which loans, and how sums are grouped |
//! | `sums` | which sums are kept, and which of them answer |
//! | `roll_up` | how what writes add to them is put together |
//! | `check` | whether they are what the loans come to |
//! | `owed` | counts, balances, how late the balances are, what was agreed anew |
//! | `flows` | what fell due and what was paid in a period |

mod check;
mod flows;
mod owed;
mod roll_up;
mod sums;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lending::loan::{LoanStatus, Portions};
use lending::money::Currency;
use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement, SimpleExpr, UnionType,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
};
use uuid::Uuid;

use super::convert;
use super::entity::{branch, loan};
use super::error::StoreError;
use super::filter::{Filter, in_time_zones};
use super::loans::{LoanField, LoanRecord};
use super::scope::Scope;

pub use check::{BrokenSum, broken_sums};
pub use flows::{Flow, Flows, flows};
pub use owed::{AGES, Aged, Counted, Late, Owed, Rescheduled, aged, counted, late, owed, rescheduled};
pub(super) use owed::{left, of_loan, something_left};
pub use roll_up::{RollUp, is_anything_waiting, roll_up, sweep};

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
pub enum Part<'a> {
    /// All of them.
    Everything,
    /// All but these, which are folded.
    Except(&'a [Uuid]),
    /// Those whose balances are not those of a day: what is owed follows the balance day by day, something is late, and
    /// they were worked out for another day.
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
    pub part: Part<'a>,
}

impl Choice<'_> {
    fn condition(&self, backend: DbBackend) -> Result<Condition, StoreError> {
        let condition = self.filter.within(self.scope)?;
        Ok(match self.part {
            Part::Everything | Part::Except([]) => condition,
            Part::Except(ids) => condition.add(among(ids, backend).not()),
            Part::Stale(day) => condition.add(stale(day, self.filter.zones())),
            Part::AppliedBy(day) => condition.add(loan::Column::AppliedOn.lte(day)),
        })
    }
}

/// A loan is one of these, however many: bound as one value, because both engines have a limit.
fn among(ids: &[Uuid], backend: DbBackend) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => {
            let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
            let list = format!("{{{}}}", ids.join(","));
            Expr::cust_with_values("loans.id IN (SELECT unnest(CAST(CAST($1 AS text) AS uuid[])))", [list])
        }
        _ => {
            let ids: Vec<String> = ids.iter().map(|id| format!("\"{}\"", id.simple())).collect();
            let list = format!("[{}]", ids.join(","));
            Expr::cust_with_values("loans.id IN (SELECT unhex(value) FROM json_each(?))", [list])
        }
    }
}

/// Running loans whose interest follows the balance. Letter by letter as in the indexes; the conditions name only what is
/// unusual, and the name occurs in no other part of them.
const FOLLOWING: &str = "(status IN ('DISBURSED', 'DEFAULTED')) IS TRUE AND conditions LIKE '%\"DAILY_BALANCE\"%'";

/// Loans whose balances are not right for a day, in the time zones where it is that day, if it is another one elsewhere.
fn stale(day: NaiveDate, zones: Option<&[String]>) -> Condition {
    Condition::all().add(loan::Column::Id.in_subquery(candidates(day, zones))).add(not_right(day))
}

/// Interest that follows the balance grows on what is late until the balances are worked out anew. Books that were written
/// for a later day, before a clock or a time zone was set back, stand.
fn not_right(day: NaiveDate) -> Condition {
    let refreshed = loan::Column::RefreshedOn;
    Condition::all()
        .add(is_active())
        .add(loan::Column::Conditions.like("%\"DAILY_BALANCE\"%"))
        .add(loan::Column::OldestUnpaidDueOn.lt(day))
        .add(loan::Column::ProjectedOn.lt(day))
        .add(Condition::any().add(refreshed.is_null()).add(refreshed.ne(day)))
}

/// The ids of all stale loans and few others, by two indexes: of loans that were late already when their balances were
/// worked out, before the day or after it, and of loans that are late since. In some time zones only, by two others that
/// begin with the branch: those by the day alone would come upon all late loans of the other zones.
fn candidates(day: NaiveDate, zones: Option<&[String]>) -> SelectStatement {
    let of = |which: &str, condition: SimpleExpr| {
        Query::select()
            .column((loan::Entity, loan::Column::Id))
            .from(loan::Entity)
            .and_where(Expr::cust(format!("{FOLLOWING} AND {which}")))
            .and_where(condition)
            .and_where_option(zones.map(|zones| loan::Column::BranchId.in_subquery(in_time_zones(zones))))
            .to_owned()
    };
    let late = "refreshed_on > oldest_unpaid_due_on";
    let since = "(refreshed_on IS NULL OR refreshed_on <= oldest_unpaid_due_on)";
    of(late, loan::Column::RefreshedOn.lt(day))
        .union(UnionType::All, of(late, loan::Column::RefreshedOn.gt(day)))
        .union(UnionType::All, of(since, loan::Column::OldestUnpaidDueOn.lt(day)))
        .to_owned()
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
    let mut select = loan::Entity::find().filter(choice.condition(connection.get_database_backend())?);
    if let Some(after) = after {
        select = select.filter(loan::Column::Id.gt(after));
    }
    let rows = select.order_by_asc(loan::Column::Id).limit(size).all(connection).await?;
    rows.into_iter().map(LoanRecord::try_from).collect()
}

/// The next loans of a choice in the order of their ids, each with its branch, at most so many.
///
/// # Errors
/// Whatever the database answers.
pub async fn ids(
    connection: &impl ConnectionTrait,
    choice: Choice<'_>,
    after: Option<Uuid>,
    size: u64,
) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let mut select = loan::Entity::find().filter(choice.condition(connection.get_database_backend())?);
    if let Some(after) = after {
        select = select.filter(loan::Column::Id.gt(after));
    }
    let select = select.select_only().column(loan::Column::Id).column(loan::Column::BranchId);
    Ok(select.order_by_asc(loan::Column::Id).limit(size).into_tuple().all(connection).await?)
}

/// Those of these loans that are stale on a day still, locked, in the order of their ids. What somebody else has locked
/// is passed over.
///
/// # Errors
/// Whatever the database answers.
pub async fn lock_stale(
    transaction: &impl ConnectionTrait,
    ids: &[Uuid],
    day: NaiveDate,
) -> Result<Vec<LoanRecord>, StoreError> {
    let select = loan::Entity::find().filter(loan::Column::Id.is_in(ids.iter().copied())).filter(not_right(day));
    let select = select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let rows = select.order_by_asc(loan::Column::Id).all(transaction).await?;
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
fn grouped(choice: Choice<'_>, group: GroupBy, backend: DbBackend) -> Result<SelectStatement, StoreError> {
    let mut query = Query::select();
    query.from(loan::Entity).cond_where(choice.condition(backend)?);
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
