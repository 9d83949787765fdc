//! Many rows in few statements: a round trip per row is what makes bulk work slow, and an engine's limit of bound
//! values is what makes one statement for everything fail.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, Iterable};

use super::error::StoreError;

/// SQLite binds at most 32,766 values in one statement; PostgreSQL would take twice as many.
pub(super) const MOST_VALUES: usize = 32_766;

/// Longer statements are no faster, and every one of them is held in memory as text.
const MOST_ROWS: usize = 500;

/// Adds the rows in their order, in as few statements as the engine allows; no statement is sent for no rows.
///
/// # Errors
/// Whatever the database answers. Statements before the failed one are undone by the transaction, not here.
pub(super) async fn many<E, A>(transaction: &impl ConnectionTrait, rows: Vec<A>) -> Result<(), StoreError>
where
    E: EntityTrait<ActiveModel = A>,
    E::Model: IntoActiveModel<A>,
    A: sea_orm::ActiveModelTrait<Entity = E>,
{
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        E::insert_many(rows.by_ref().take(at_once::<E>())).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Adds the rows like [`many`], and changes those that are there already as `conflict` says. No two may be of one key.
///
/// # Errors
/// Whatever the database answers. Statements before the failed one are undone by the transaction, not here.
pub(super) async fn or_update<E, A>(
    transaction: &impl ConnectionTrait,
    rows: Vec<A>,
    conflict: &OnConflict,
) -> Result<(), StoreError>
where
    E: EntityTrait<ActiveModel = A>,
    E::Model: IntoActiveModel<A>,
    A: sea_orm::ActiveModelTrait<Entity = E>,
{
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        E::insert_many(rows.by_ref().take(at_once::<E>()))
            .on_conflict(conflict.clone())
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

/// How many rows of a table fit into one statement.
fn at_once<E: EntityTrait>() -> usize {
    (MOST_VALUES / E::Column::iter().count().max(1)).clamp(1, MOST_ROWS)
}
