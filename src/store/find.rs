//! What is alike for every table: finding one row by a condition or many by their ids, always scoped; and writing a
//! changed row whose version must still be the one that was read.

use std::collections::HashSet;

use sea_orm::sea_query::{LockBehavior, LockType, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Value,
};
use uuid::Uuid;

use super::error::StoreError;
use super::filter::Field;
use super::rows::{self, ByPlace, Record};
use super::scope::Scope;

/// Whether a row is only read, or locked until the transaction ends because it is about to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Read.
    None,
    /// `FOR KEY SHARE` on PostgreSQL: others may read it and lock it likewise, and nobody who is about to change it gets
    /// past. A row that refers to this one takes the same lock when it is written, only later.
    Shared,
    /// `FOR UPDATE` on PostgreSQL; SQLite's only writer needs none.
    ForUpdate,
}

/// The row that meets the condition, if it exists for this scope. The condition should match a unique index.
///
/// # Errors
/// Whatever the database answers.
pub async fn one<F, R>(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    condition: Condition,
    lock: Lock,
) -> Result<Option<R>, StoreError>
where
    F: Field,
    R: Record<F::Entity>,
{
    let mut select = R::Row::select().filter(condition).filter(scope.condition::<F>());
    select = match lock {
        Lock::None => select,
        Lock::Shared => select.lock(LockType::KeyShare),
        Lock::ForUpdate => select.lock_exclusive(),
    };
    rows::one(connection, select).await?.map(R::of).transpose()
}

/// The rows with these ids that exist for this scope, in no particular order. No statement is sent for no ids.
///
/// # Errors
/// Whatever the database answers.
pub async fn by_ids<F, R>(connection: &impl ConnectionTrait, scope: &Scope, ids: &[Uuid]) -> Result<Vec<R>, StoreError>
where
    F: Field,
    R: Record<F::Entity>,
{
    all_by_ids::<F, R>(connection, scope, ids, None).await
}

/// Those of these rows that exist for this scope and that nobody else has locked, in no particular order: locked like this
/// from now on, without waiting for anybody. No statement is sent for no ids.
///
/// # Errors
/// Whatever the database answers.
pub(super) async fn free_by_ids<F, R>(
    transaction: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[Uuid],
    lock: LockType,
) -> Result<Vec<R>, StoreError>
where
    F: Field,
    R: Record<F::Entity>,
{
    all_by_ids::<F, R>(transaction, scope, ids, Some(lock)).await
}

/// Both: with a lock those that nobody else has locked, without one all.
async fn all_by_ids<F, R>(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[Uuid],
    lock: Option<LockType>,
) -> Result<Vec<R>, StoreError>
where
    F: Field,
    R: Record<F::Entity>,
{
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = R::Row::select().filter(is_among::<F>(connection, ids)).filter(scope.condition::<F>());
    if let Some(lock) = lock {
        select = select.lock_with_behavior(lock, LockBehavior::SkipLocked);
    }
    rows::all(connection, select).await?.into_iter().map(R::of).collect()
}

/// Which of these ids belong to rows that exist for this scope. No statement is sent for no ids.
///
/// # Errors
/// Whatever the database answers.
pub async fn present<F: Field>(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, StoreError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found = F::Entity::find()
        .select_only()
        .column(F::id_column())
        .filter(is_among::<F>(connection, ids))
        .filter(scope.condition::<F>())
        .into_tuple::<Uuid>()
        .all(connection)
        .await?;
    Ok(found.into_iter().collect())
}

/// That a row has one of these ids, at least one, in few different texts: a text is parsed and planned once by each
/// connection that keeps it, and there is only room for so many.
fn is_among<F: Field>(connection: &impl ConnectionTrait, ids: &[Uuid]) -> SimpleExpr {
    among(connection.get_database_backend(), F::id_column(), ids)
}

/// The same of any column that holds ids.
pub(super) fn among(backend: DbBackend, column: impl ColumnTrait, ids: &[Uuid]) -> SimpleExpr {
    match (backend, ids) {
        (_, [id]) => column.eq(*id),
        (DbBackend::Postgres, ids) => column.eq_any(ids.iter().copied()),
        (_, ids) => {
            let padding = ids.len().next_power_of_two().saturating_sub(ids.len());
            column.is_in(ids.iter().chain(std::iter::repeat_n(&ids[0], padding)).copied())
        }
    }
}

/// Writes a changed row, found by its id, that must still be of the version before its own.
///
/// # Errors
/// [`StoreError::StaleVersion`] when it is not; otherwise whatever the database answers.
pub(super) async fn change_one<E, A>(
    transaction: &impl ConnectionTrait,
    mut row: A,
    id: E::Column,
    version: E::Column,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    A: ActiveModelTrait<Entity = E>,
{
    let (own, read) = guard(&mut row, id, version)?;
    let outcome = E::update_many().set(row).filter(id.eq(own)).filter(version.eq(read)).exec(transaction).await?;
    changed_one(outcome.rows_affected)
}

/// What a changed row is found by: its id, which is taken out of it, and the version before its own.
///
/// # Errors
/// [`StoreError::Corrupt`] for a row without an id or a version.
pub(super) fn guard<E, A>(row: &mut A, id: E::Column, version: E::Column) -> Result<(Value, i64), StoreError>
where
    E: EntityTrait,
    A: ActiveModelTrait<Entity = E>,
{
    let Some(Value::BigInt(Some(new))) = row.get(version).into_value() else {
        return Err(StoreError::Corrupt("a changed row without a version".to_owned()));
    };
    let Some(own) = row.take(id).into_value() else {
        return Err(StoreError::Corrupt("a changed row without an id".to_owned()));
    };
    Ok((own, new.saturating_sub(1)))
}

/// Turns the number of rows an UPDATE guarded by `version` changed into an answer.
///
/// # Errors
/// [`StoreError::StaleVersion`] when it changed none.
pub(super) fn changed_one(rows_affected: u64) -> Result<(), StoreError> {
    if rows_affected == 1 { Ok(()) } else { Err(StoreError::StaleVersion) }
}
