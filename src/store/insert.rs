//! Many rows in few statements: a round trip per row is what makes bulk work slow, and an engine's limit of bound
//! values is what makes one statement for everything fail.

use sea_orm::sea_query::{InsertStatement, OnConflict};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryTrait};

use super::error::StoreError;

/// SQLite binds at most 32,766 values in one statement; PostgreSQL would take twice as many.
const MOST_VALUES: usize = 32_766;

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
    A: ActiveModelTrait<Entity = E>,
{
    for statement in statements::<E, A>(rows, None) {
        transaction.execute(&statement).await?;
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
    A: ActiveModelTrait<Entity = E>,
{
    for statement in statements::<E, A>(rows, Some(conflict)) {
        transaction.execute(&statement).await?;
    }
    Ok(())
}

/// The statements that add the rows in their order, as few as the engine allows.
pub(super) fn statements<E, A>(rows: Vec<A>, conflict: Option<&OnConflict>) -> impl Iterator<Item = InsertStatement>
where
    E: EntityTrait<ActiveModel = A>,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E>,
{
    let at_once = (MOST_VALUES / width::<E>().max(1)).clamp(1, MOST_ROWS);
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || {
        rows.peek()?;
        let mut statement = E::insert_many(rows.by_ref().take(at_once)).into_query();
        if let Some(conflict) = conflict {
            statement.on_conflict(conflict.clone());
        }
        Some(statement)
    })
}

/// How many columns a table has.
pub(super) fn width<E: EntityTrait>() -> usize {
    E::Column::iter().count()
}
