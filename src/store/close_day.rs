//! The end of a branch's day in SQL: which running loans are still to be closed, which of them must be folded, and the
//! accrual of all others, worked out by the database from the installments it holds. The arithmetic is that of
//! `lending`'s `LoanState::earned`, in integers; the difference to the day before is booked, from the rows alone that
//! can have one. A loan is claimed by its row's lock, and done when `accrued_through` says so.

mod postgres;
mod sql;
mod sqlite;

use chrono::{DateTime, NaiveDate, Utc};
use lending::money::Currency;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::convert;
use super::error::StoreError;

/// Where in a branch's day the work is: loans of one currency, in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The branch.
    pub branch_id: Uuid,
    /// The business date that is closed.
    pub on: NaiveDate,
    /// The currency of the loans.
    pub currency: Currency,
    /// After this loan.
    pub after: Uuid,
}

/// The head of the accrual's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccrualHead {
    /// The entry's id.
    pub id: Uuid,
    /// When it is booked.
    pub recorded_at: DateTime<Utc>,
    /// The subject of who books it.
    pub recorded_by: String,
}

/// A chunk of loans, locked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claimed {
    /// How many loans.
    pub count: u64,
    /// The last of them; `None` for none.
    pub last: Option<Uuid>,
    /// Those whose day cannot be told from what is stored of them.
    pub to_fold: Vec<Uuid>,
    /// All others, as the text of an array; only from PostgreSQL. [`accrue`] takes these and no others: a loan that
    /// was passed over may be unlocked a moment later, and what a statement that has begun sees of it is of two times.
    to_accrue: Option<String>,
}

#[derive(FromQueryResult)]
struct ClaimRow {
    id: Uuid,
    count: i64,
    is_last: i64,
    must_fold: i64,
    to_accrue: Option<String>,
}

/// The currencies of a branch's running loans, in the order of their codes.
///
/// # Errors
/// Whatever the database answers.
pub async fn currencies(connection: &impl ConnectionTrait, branch_id: Uuid) -> Result<Vec<Currency>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        currency: String,
    }
    let sql = format!(
        "SELECT DISTINCT currency FROM loans WHERE branch_id = $1 AND {running} ORDER BY currency",
        running = sql::RUNNING
    );
    let rows = Row::find_by_statement(statement(connection, sql, [branch_id.into()])).all(connection).await?;
    rows.iter().map(|row| convert::currency(&row.currency)).collect()
}

/// How many running loans of a branch have no projection, and so no day to close.
///
/// # Errors
/// Whatever the database answers.
pub async fn without_projection(connection: &impl ConnectionTrait, branch_id: Uuid) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT count(*) AS count FROM loans WHERE branch_id = $1 AND {running} AND projected_on IS NULL",
        running = sql::RUNNING
    );
    count(connection, statement(connection, sql, [branch_id.into()])).await
}

/// Whether a loan of the branch is still to be closed on a day.
///
/// # Errors
/// Whatever the database answers.
pub async fn is_any_left(
    connection: &impl ConnectionTrait,
    branch_id: Uuid,
    on: NaiveDate,
) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT count(*) AS count FROM (SELECT 1 FROM loans l WHERE branch_id = $1 AND {open} LIMIT 1) AS one_of_them",
        open = sql::open("$2")
    );
    Ok(count(connection, statement(connection, sql, [branch_id.into(), on.into()])).await? > 0)
}

/// How PostgreSQL is to plan the statements of a chunk: every table is looked into by key, loan by loan. Left to itself
/// the planner guesses how many loans there will be, and may read whole tables for each chunk or compile what then runs
/// for a moment. The time limit is for requests; a chunk takes as long as it has loans.
const PLANS: &str = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;
                     SET LOCAL statement_timeout = 0";

/// Locks the next loans that are still to be closed, at most `size`, in the order of their ids. Loans that another
/// worker has locked are passed over.
///
/// # Errors
/// Whatever the database answers.
pub async fn claim(transaction: &impl ConnectionTrait, place: &Place, size: u32) -> Result<Claimed, StoreError> {
    let backend = transaction.get_database_backend();
    if backend == DbBackend::Postgres {
        transaction.execute_unprepared(PLANS).await?;
    }
    // SQLite has one writer, and this is it.
    let (lock, to_accrue) = match backend {
        DbBackend::Postgres => (
            "FOR UPDATE SKIP LOCKED",
            "CASE WHEN place = count THEN (
                 SELECT CAST(array_agg(id) AS text) FROM claimed WHERE must_fold = 0
             ) END",
        ),
        _ => ("", "NULL"),
    };
    // Only the last one and those to fold are rows.
    let sql = format!(
        "WITH claimed AS (
             SELECT l.id, CAST(CASE WHEN {fold} THEN 1 ELSE 0 END AS bigint) AS must_fold FROM loans l
             WHERE l.branch_id = $1 AND {open} AND l.currency = $3 AND l.id > $4
             ORDER BY l.id LIMIT {size} {lock}
         ), numbered AS (
             SELECT id, must_fold, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS count FROM claimed
         )
         SELECT id, count, CAST(CASE WHEN place = count THEN 1 ELSE 0 END AS bigint) AS is_last, must_fold,
             {to_accrue} AS to_accrue
         FROM numbered WHERE place = count OR must_fold = 1 ORDER BY id",
        fold = sql::must_fold(backend, "$2"),
        open = sql::open("$2"),
    );
    let values: [Value; 4] =
        [place.branch_id.into(), place.on.into(), place.currency.code().into(), place.after.into()];
    let rows = ClaimRow::find_by_statement(statement(transaction, sql, values)).all(transaction).await?;
    let mut claimed = Claimed::default();
    for row in rows {
        claimed.count = u64::try_from(row.count).unwrap_or_default();
        if row.is_last == 1 {
            claimed.last = Some(row.id);
            claimed.to_accrue = row.to_accrue;
        }
        if row.must_fold == 1 {
            claimed.to_fold.push(row.id);
        }
    }
    Ok(claimed)
}

/// Accrues the day of the claimed loans that need no fold, once those that do are written: one entry with a line for
/// each loan's receivable and the sums of the income, and the loans' own figures. Answers with how many loans it were.
///
/// # Errors
/// Whatever the database answers.
pub async fn accrue(
    transaction: &impl ConnectionTrait,
    place: &Place,
    claimed: &Claimed,
    head: &AccrualHead,
) -> Result<u64, StoreError> {
    match (transaction.get_database_backend(), claimed.last, &claimed.to_accrue) {
        (DbBackend::Postgres, _, Some(ids)) => postgres::accrue(transaction, place, ids, head).await,
        (DbBackend::Sqlite, Some(last), _) => sqlite::accrue(transaction, place, last, head).await,
        _ => Ok(0),
    }
}

fn statement<const N: usize>(connection: &impl ConnectionTrait, sql: String, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
}

async fn count(connection: &impl ConnectionTrait, statement: Statement) -> Result<u64, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        count: i64,
    }
    let row = Row::find_by_statement(statement).one(connection).await?;
    Ok(row.map_or(0, |row| u64::try_from(row.count).unwrap_or_default()))
}
