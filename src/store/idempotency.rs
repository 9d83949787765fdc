//! Idempotency keys. A key is claimed in the transaction of the change it guards, so that the two commit together or not
//! at all; a second sender of the same key waits for the first and then finds its claim.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{CommonTableExpression, Expr, Query, SelectStatement, WithClause, WithQuery};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait, DbBackend, EntityName as _, EntityTrait, Iterable as _,
    QueryResult, QueryTrait, Statement, TryInsertResult, Value,
};

use super::cells::Cells;
use super::entity::idempotency_key as table;
use super::error::{StoreError, is_about};
use super::text::Text;

/// What a statement calls the claim that it makes.
const CLAIMED: &str = "claimed";

/// A claim on a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose key it is: keys of different callers never meet.
    pub actor: String,
    /// The mutation it is for.
    pub operation: String,
    /// The caller's key.
    pub key: String,
    /// A digest of the input, to tell a repetition from another request under the same key.
    pub fingerprint: Vec<u8>,
    /// What to answer with when the request is repeated.
    pub outcome: String,
    /// When it was claimed.
    pub created_at: DateTime<Utc>,
}

/// What came of claiming a key for something that was looked for with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed<T> {
    /// The key is claimed; what was found, if anything.
    First(Option<T>),
    /// It was claimed before.
    Earlier(Claim),
    /// Somebody else is claiming it.
    InFlight,
}

impl<T> Claimed<T> {
    /// Reads what was found.
    pub(super) fn read<R>(self, read: impl FnOnce(T) -> Result<R, StoreError>) -> Result<Claimed<R>, StoreError> {
        Ok(match self {
            Self::First(found) => Claimed::First(found.map(read).transpose()?),
            Self::Earlier(claim) => Claimed::Earlier(claim),
            Self::InFlight => Claimed::InFlight,
        })
    }
}

/// A row that is looked for with a claim.
pub(super) struct Sought<'a, F> {
    /// The text that the statement always has; `None` where it differs.
    pub text: Option<&'a Text>,
    /// The values of the statement, in their order.
    pub values: Vec<Value>,
    /// The statement.
    pub select: F,
}

/// Claims a key, whose outcome must be an id that is new, and finds a row, which is looked for and locked only once the
/// key is claimed. PostgreSQL does both in one statement.
///
/// # Errors
/// Whatever the database answers.
pub(super) async fn claim_and_find(
    transaction: &impl ConnectionTrait,
    new: &Claim,
    sought: Sought<'_, impl FnOnce() -> SelectStatement>,
) -> Result<Claimed<QueryResult>, StoreError> {
    let backend = transaction.get_database_backend();
    if backend != DbBackend::Postgres {
        return match claim(transaction, new).await? {
            Some(earlier) => Ok(Claimed::Earlier(earlier)),
            None => Ok(Claimed::First(transaction.query_one(&(sought.select)()).await?)),
        };
    }
    let both = || with_claim(new, (sought.select)());
    let statement = match sought.text {
        Some(text) => text.with(backend, [values(new), sought.values].concat(), both),
        None => backend.build(&both()),
    };
    let found = match transaction.query_one_raw(statement).await.map_err(StoreError::from) {
        Err(StoreError::TooSlow(error)) if is_about(&error, table::Entity.table_name()) => {
            return Ok(Claimed::InFlight);
        }
        found => found?,
    };
    if found.is_some() {
        return Ok(Claimed::First(found));
    }
    match find(transaction, new).await?.ok_or(StoreError::StaleVersion)? {
        own if own.outcome == new.outcome => Ok(Claimed::First(None)),
        earlier => Ok(Claimed::Earlier(earlier)),
    }
}

/// A statement that claims a key and then finds what it finds. The claim depends on no row, so that it is decided before
/// any row is looked for.
fn with_claim(new: &Claim, mut select: SelectStatement) -> WithQuery {
    let mut insert = table::Entity::insert(row(new)).on_conflict_do_nothing().into_query();
    insert.returning_col(table::Column::Key);
    select.and_where(Expr::exists(Query::select().expr(Expr::cust("1")).from(CLAIMED).to_owned()));
    let claim = CommonTableExpression::new().table_name(CLAIMED).query(insert).to_owned();
    select.with(WithClause::new().cte(claim).to_owned())
}

/// The values of a claim, in the order of the columns.
fn values(claim: &Claim) -> Vec<Value> {
    let mut row = row(claim);
    table::Column::iter().filter_map(|column| row.take(column).into_value()).collect()
}

/// Claims a key. Answers with the earlier claim when there is one.
///
/// # Errors
/// [`StoreError::TooSlow`] when an earlier claim is still in flight; otherwise whatever the database answers.
pub async fn claim(transaction: &impl ConnectionTrait, claim: &Claim) -> Result<Option<Claim>, StoreError> {
    let inserted =
        table::Entity::insert(row(claim)).on_conflict_do_nothing().exec_without_returning(transaction).await?;
    match inserted {
        TryInsertResult::Inserted(1) => Ok(None),
        _ => find(transaction, claim).await?.map(Some).ok_or(StoreError::StaleVersion),
    }
}

/// Claims the keys of several requests, and tells the outcomes of those that are claimed by it: of two that are the same
/// one is. From here on the transaction waits for nobody longer than a moment: many wait for it. PostgreSQL does it in one
/// statement.
///
/// # Errors
/// [`StoreError::TooSlow`] when an earlier claim is still in flight; otherwise whatever the database answers.
pub async fn claim_all(transaction: &impl ConnectionTrait, claims: &[&Claim]) -> Result<HashSet<String>, StoreError> {
    if transaction.get_database_backend() != DbBackend::Postgres {
        let mut claimed = HashSet::new();
        for new in claims {
            if claim(transaction, new).await?.is_none() {
                claimed.insert(new.outcome.clone());
            }
        }
        return Ok(claimed);
    }
    let mut claims = claims.to_vec();
    // In one order, so that no two wait for each other.
    claims.sort_unstable_by_key(|claim| keyed(claim));
    let sql = "INSERT INTO idempotency_keys (actor, operation, key, fingerprint, outcome, created_at)
               SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
               WHERE set_config('lock_timeout', '100ms', true) IS NOT NULL
               ON CONFLICT DO NOTHING RETURNING outcome";
    let texts = |of: fn(&Claim) -> &String| claims.iter().map(|claim| of(claim).clone()).collect::<Vec<_>>().into();
    let values = [
        texts(|claim| &claim.actor),
        texts(|claim| &claim.operation),
        texts(|claim| &claim.key),
        claims.iter().map(|claim| claim.fingerprint.clone()).collect::<Vec<_>>().into(),
        texts(|claim| &claim.outcome),
        claims.iter().map(|claim| claim.created_at).collect::<Vec<_>>().into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = transaction.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok(Cells::of(row)?.take()?)).collect()
}

/// Gives claims of this transaction back that came to nothing. No statement is sent for none.
///
/// # Errors
/// Whatever the database answers.
pub async fn release(transaction: &impl ConnectionTrait, claims: &[&Claim]) -> Result<(), StoreError> {
    for claim in claims {
        let key = (claim.actor.clone(), claim.operation.clone(), claim.key.clone());
        table::Entity::delete_by_id(key).exec(transaction).await?;
    }
    Ok(())
}

fn keyed(claim: &Claim) -> (&String, &String, &String) {
    (&claim.actor, &claim.operation, &claim.key)
}

fn row(claim: &Claim) -> table::ActiveModel {
    table::ActiveModel {
        actor: Set(claim.actor.clone()),
        operation: Set(claim.operation.clone()),
        key: Set(claim.key.clone()),
        fingerprint: Set(claim.fingerprint.clone()),
        outcome: Set(claim.outcome.clone()),
        created_at: Set(claim.created_at),
    }
}

/// Forgets the claims from before a moment, the oldest first and at most so many of them; tells how many those were.
///
/// # Errors
/// Whatever the database answers.
pub async fn forget(
    transaction: &impl ConnectionTrait,
    before: DateTime<Utc>,
    at_most: u32,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM idempotency_keys WHERE (actor, operation, key) IN
               (SELECT actor, operation, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    let values = [before.into(), i64::from(at_most).into()];
    let statement = Statement::from_sql_and_values(transaction.get_database_backend(), sql, values);
    Ok(transaction.execute_raw(statement).await?.rows_affected())
}

async fn find(transaction: &impl ConnectionTrait, claim: &Claim) -> Result<Option<Claim>, StoreError> {
    let key = (claim.actor.clone(), claim.operation.clone(), claim.key.clone());
    let row = table::Entity::find_by_id(key).one(transaction).await?;
    Ok(row.map(|row| Claim {
        actor: row.actor,
        operation: row.operation,
        key: row.key,
        fingerprint: row.fingerprint,
        outcome: row.outcome,
        created_at: row.created_at,
    }))
}
