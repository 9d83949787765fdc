//! What the books of a loan rest on, read for a change of them in as few statements as there can be: the loan, locked,
//! with the claim on the request's key; then its branch, its calendar, its transactions and what they did; its
//! installments. Nothing of the rest is read before the loan is locked, or it would be older than the loan.

use std::str::FromStr;

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::loan::Installment;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, FromQueryResult, Iterable, Order, QueryFilter, QueryResult, QuerySelect,
    QueryTrait, Value,
};
use uuid::Uuid;

use super::branches::BranchRecord;
use super::cells::Cells;
use super::entity::{branch, branch_holiday, loan, loan_reversal, loan_transaction, loan_transaction_split};
use super::error::StoreError;
use super::idempotency::{self, Claim, Claimed, Sought};
use super::loan_history::{self, StoredTransaction};
use super::loan_projection::{self, Split};
use super::loans::{LoanField, LoanRecord};
use super::rows::ByPlace as _;
use super::scope::Scope;
use super::text::Text;

/// What stands before the names of a branch's columns where other tables have the same.
pub(super) const OF_BRANCH: &str = "branch_";

/// Claims a key, and locks the loan if it exists for this scope.
///
/// # Errors
/// Whatever the database answers.
pub async fn claim_and_lock(
    transaction: &impl ConnectionTrait,
    claim: &Claim,
    scope: &Scope,
    id: Uuid,
) -> Result<Claimed<LoanRecord>, StoreError> {
    static LOCKED: Text = Text::new();
    let select = || {
        let loans = loan::Model::select().filter(loan::Column::Id.eq(id)).filter(scope.condition::<LoanField>());
        loans.lock_exclusive().into_query()
    };
    let text = (*scope == Scope::All).then_some(&LOCKED);
    let sought = Sought { text, values: vec![id.into()], select };
    let claimed = idempotency::claim_and_find(transaction, claim, sought).await?;
    claimed.read(|row| LoanRecord::try_from(loan::Model::read(Cells::of(&row)?)?))
}

/// What the books of a loan rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foundation {
    /// The branch that lends.
    pub branch: BranchRecord,
    /// Its calendar.
    pub calendar: Calendar,
    /// The loan's transactions in the order they were recorded.
    pub history: Vec<StoredTransaction>,
    /// What they did.
    pub splits: Vec<Split>,
    /// The loan's installments, first to last.
    pub installments: Vec<Installment>,
}

/// What the books of a loan rest on that the caller has found within its scope, and locked.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_locked_loan(transaction: &impl ConnectionTrait, loan: &LoanRecord) -> Result<Foundation, StoreError> {
    static BRANCH_AND_HISTORY: Text = Text::new();
    let backend = transaction.get_database_backend();
    let values = [loan.branch_id, loan.id, loan.branch_id].map(Value::from);
    let statement = BRANCH_AND_HISTORY.with(backend, values.into(), || branch_and_history(backend, loan));
    let rows = transaction.query_all_raw(statement).await?;
    let first = rows.first().ok_or_else(|| StoreError::Corrupt("a loan without a branch".to_owned()))?;
    let branch = BranchRecord::try_from(branch::Model::from_query_result(first, OF_BRANCH)?)?;
    let calendar = Calendar::new(branch.rest_days.iter().copied(), holidays(first)?);
    let (mut history, mut splits) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in &rows {
        let mut cells = Cells::of(row)?;
        let Some(one) = loan_history::read_cells(&mut cells, loan.id)? else { continue };
        splits.extend(loan_projection::read_split_cells(&mut cells, one.id)?);
        history.push(one);
    }
    let installments = loan_projection::installments_of(transaction, loan.id).await?;
    Ok(Foundation { branch, calendar, history, splits, installments })
}

/// A row for each transaction, at least one, each with the branch.
fn branch_and_history(backend: DbBackend, loan: &LoanRecord) -> SelectStatement {
    use loan_transaction::Column as Recorded;
    let transaction = |column| Expr::col((loan_transaction::Entity, column));
    let mut select = Query::select();
    loan_history::CELLS.into_iter().for_each(|column| {
        select.column((loan_transaction::Entity, column));
    });
    loan_history::REVERSAL_CELLS.into_iter().for_each(|column| {
        select.column((loan_reversal::Entity, column));
    });
    loan_projection::SPLIT_CELLS.into_iter().for_each(|column| {
        select.column((loan_transaction_split::Entity, column));
    });
    branch_columns(&mut select);
    let reversal = Expr::col((loan_reversal::Entity, loan_reversal::Column::TransactionId));
    let split = Expr::col((loan_transaction_split::Entity, loan_transaction_split::Column::TransactionId));
    select
        .expr_as(holidays_of(backend, loan.branch_id), HOLIDAYS)
        .from(branch::Entity)
        .left_join(loan_transaction::Entity, transaction(Recorded::LoanId).eq(loan.id))
        .left_join(loan_reversal::Entity, transaction(Recorded::Id).eq(reversal))
        .left_join(loan_transaction_split::Entity, transaction(Recorded::Id).eq(split))
        .and_where(Expr::col((branch::Entity, branch::Column::Id)).eq(loan.branch_id))
        .order_by((loan_transaction::Entity, Recorded::Sequence), Order::Asc);
    select
}

/// The columns of a branch under names that are theirs alone.
pub(super) fn branch_columns(select: &mut SelectStatement) {
    for column in branch::Column::iter() {
        let name = sea_orm::IdenStatic::as_str(&column);
        select.expr_as(Expr::col((branch::Entity, column)), Alias::new(format!("{OF_BRANCH}{name}")));
    }
}

const HOLIDAYS: &str = "holidays";

/// The holidays of a branch in one text: no row of its own for each beside the transactions.
fn holidays_of(backend: DbBackend, branch_id: Uuid) -> SimpleExpr {
    let together = if backend == DbBackend::Postgres { "string_agg" } else { "group_concat" };
    let day = Expr::col(branch_holiday::Column::HolidayOn).cast_as("text");
    let days = Query::select()
        .expr(Func::cust(together).arg(day).arg(Expr::cust("','")))
        .from(branch_holiday::Entity)
        .and_where(Expr::col(branch_holiday::Column::BranchId).eq(branch_id))
        .to_owned();
    days.into()
}

fn holidays(row: &QueryResult) -> Result<Vec<NaiveDate>, StoreError> {
    let text: Option<String> = row.try_get("", HOLIDAYS)?;
    let days = text.as_deref().unwrap_or_default().split(',').filter(|day| !day.is_empty());
    days.map(|day| NaiveDate::from_str(day).map_err(|_| StoreError::Corrupt(format!("holiday {day:?}")))).collect()
}
