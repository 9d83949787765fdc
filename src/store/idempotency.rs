//! Idempotency keys. A key is claimed in the transaction of the change it guards, so that the two commit together or not
//! at all; a second sender of the same key waits for the first and then finds its claim.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, Statement, TryInsertResult};

use super::entity::idempotency_key as table;
use super::error::StoreError;

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

/// Claims a key. Answers with the earlier claim when there is one.
///
/// # Errors
/// [`StoreError::TooSlow`] when an earlier claim is still in flight; otherwise whatever the database answers.
pub async fn claim(transaction: &impl ConnectionTrait, claim: &Claim) -> Result<Option<Claim>, StoreError> {
    let row = table::ActiveModel {
        actor: Set(claim.actor.clone()),
        operation: Set(claim.operation.clone()),
        key: Set(claim.key.clone()),
        fingerprint: Set(claim.fingerprint.clone()),
        outcome: Set(claim.outcome.clone()),
        created_at: Set(claim.created_at),
    };
    let inserted = table::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(transaction).await?;
    match inserted {
        TryInsertResult::Inserted(1) => Ok(None),
        _ => find(transaction, claim).await?.map(Some).ok_or(StoreError::StaleVersion),
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
