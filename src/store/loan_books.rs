//! What the books of a loan rest on, read for a change of them in as few statements as there can be: the loan, locked,
//! with the claim on the request's key; then its branch, its calendar, its transactions and what they did; its
//! installments; each for one loan, or for several that are changed together. Nothing of the rest is read before the loan
//! is locked, or it would be older than the loan.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::str::FromStr;

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::loan::Installment;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, LockType, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, FromQueryResult, Iterable, Order, QueryFilter, QueryResult, QuerySelect,
    QueryTrait,
};
use uuid::Uuid;

use super::branches::BranchRecord;
use super::cells::Cells;
use super::entity::{branch, branch_holiday, loan, loan_reversal, loan_transaction, loan_transaction_split};
use super::error::StoreError;
use super::find;
use super::idempotency::{self, Claim, Claimed, Sought};
use super::loan_history::{self, StoredTransaction};
use super::loan_projection::{self, Split};
use super::loans::{LoanField, LoanRecord};
use super::rows::ByPlace as _;
use super::scope::Scope;
use super::text::{Text, TextByIds};

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

/// Locks those of these loans that exist for this scope and that nobody else has locked, without waiting.
///
/// # Errors
/// Whatever the database answers.
pub async fn lock_free(
    transaction: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[Uuid],
) -> Result<Vec<LoanRecord>, StoreError> {
    find::free_by_ids::<LoanField, LoanRecord>(transaction, scope, ids, LockType::Update).await
}

/// What the books of a loan rest on that the caller has found within its scope, and locked.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_locked_loan(transaction: &impl ConnectionTrait, loan: &LoanRecord) -> Result<Foundation, StoreError> {
    let found = of_locked_loans(transaction, &[loan.id]).await?.remove(&loan.id);
    found.ok_or_else(|| StoreError::Corrupt("a loan without a branch".to_owned()))
}

/// The same of each of these loans, in as many statements; none is sent for no loans.
///
/// # Errors
/// Whatever the database answers.
pub async fn of_locked_loans(
    transaction: &impl ConnectionTrait,
    loan_ids: &[Uuid],
) -> Result<HashMap<Uuid, Foundation>, StoreError> {
    static BRANCHES_AND_HISTORIES: TextByIds = TextByIds::new();
    if loan_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = transaction.get_database_backend();
    let statement = BRANCHES_AND_HISTORIES.with(backend, loan_ids, || branches_and_histories(backend, loan_ids));
    let rows = transaction.query_all_raw(statement).await?;
    let mut found: HashMap<Uuid, Foundation> = HashMap::with_capacity(loan_ids.len());
    for row in &rows {
        let mut cells = Cells::of(row)?;
        let loan_id = cells.take()?;
        let foundation = match found.entry(loan_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Foundation::begin(row)?),
        };
        let Some(one) = loan_history::read_cells(&mut cells, loan_id)? else { continue };
        foundation.splits.extend(loan_projection::read_split_cells(&mut cells, one.id)?);
        foundation.history.push(one);
    }
    for (loan_id, installments) in loan_projection::installments(transaction, loan_ids).await? {
        if let Some(foundation) = found.get_mut(&loan_id) {
            foundation.installments = installments;
        }
    }
    Ok(found)
}

impl Foundation {
    /// With the branch that a row has, and no history yet.
    fn begin(row: &QueryResult) -> Result<Self, StoreError> {
        let branch = BranchRecord::try_from(branch::Model::from_query_result(row, OF_BRANCH)?)?;
        let calendar = Calendar::new(branch.rest_days.iter().copied(), holidays(row)?);
        Ok(Self { branch, calendar, history: Vec::new(), splits: Vec::new(), installments: Vec::new() })
    }
}

/// A row for each transaction of a loan, at least one. The first one has the loan's branch: with it in every row the
/// statement took 1.6 times as long for a loan with 60 payments.
fn branches_and_histories(backend: DbBackend, loan_ids: &[Uuid]) -> SelectStatement {
    use loan_transaction::Column as Recorded;
    let loan = |column| Expr::col((loan::Entity, column));
    let transaction = |column| Expr::col((loan_transaction::Entity, column));
    let mut select = Query::select();
    select.column((loan::Entity, loan::Column::Id));
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
    let own_branch = || Expr::col((branch::Entity, branch::Column::Id));
    let reversal = Expr::col((loan_reversal::Entity, loan_reversal::Column::TransactionId));
    let split = Expr::col((loan_transaction_split::Entity, loan_transaction_split::Column::TransactionId));
    let is_first = transaction(Recorded::Sequence).eq(Expr::cust("1")).or(transaction(Recorded::Sequence).is_null());
    select
        .expr_as(holidays_of(backend, own_branch()), HOLIDAYS)
        .from(loan::Entity)
        .left_join(loan_transaction::Entity, transaction(Recorded::LoanId).eq(loan(loan::Column::Id)))
        .left_join(loan_reversal::Entity, transaction(Recorded::Id).eq(reversal))
        .left_join(loan_transaction_split::Entity, transaction(Recorded::Id).eq(split))
        .left_join(branch::Entity, own_branch().eq(loan(loan::Column::BranchId)).and(is_first))
        .and_where(find::among(backend, loan::Column::Id, loan_ids))
        .order_by((loan::Entity, loan::Column::Id), Order::Asc)
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
fn holidays_of(backend: DbBackend, branch_id: Expr) -> SimpleExpr {
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
