//! Rows read by the places of their columns. SeaORM reads a row by the names of its columns and words a message for each
//! value that is missing, and spells every column out in each statement: a fifth of what a page of loans cost
//! (`cargo bench --bench load -- --workload page`). Here an entity says its columns once, as text and as places. Only
//! whole rows of one table are read this way; whatever joins or counts goes through SeaORM.
//!
//! Written by hand: neither SeaORM nor sqlx reads a struct by position.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryResult, QuerySelect, QueryTrait, Select};

use super::cells::Cells;

/// An entity whose rows are read by the places of their columns.
pub trait ByPlace: EntityTrait {
    /// A `SELECT` of every column, in the order in which [`read`](Self::read) takes them.
    fn select() -> Select<Self>;

    /// Reads a row of [`select`](Self::select).
    ///
    /// # Errors
    /// [`DbErr::Query`] for a column that is missing or of another type.
    fn read(cells: Cells<'_>) -> Result<Self::Model, DbErr>;
}

/// All rows of a statement that began as [`ByPlace::select`].
///
/// # Errors
/// Whatever the database answers.
pub async fn all<E: ByPlace>(connection: &impl ConnectionTrait, select: Select<E>) -> Result<Vec<E::Model>, DbErr> {
    read::<E>(connection.query_all(select.as_query()).await?)
}

/// At most so many rows of a statement that began as [`ByPlace::select`]. The number is written into the statement: where
/// it is bound, PostgreSQL supposes a tenth of the table and plans anew for every request, at twice the cost of a page.
///
/// # Errors
/// Whatever the database answers.
pub async fn first<E: ByPlace>(
    connection: &impl ConnectionTrait,
    select: Select<E>,
    most: u64,
) -> Result<Vec<E::Model>, DbErr> {
    let mut statement = connection.get_database_backend().build(select.as_query());
    statement.sql.push_str(&format!(" LIMIT {most}"));
    read::<E>(connection.query_all_raw(statement).await?)
}

fn read<E: ByPlace>(rows: Vec<QueryResult>) -> Result<Vec<E::Model>, DbErr> {
    rows.iter().map(|row| E::read(Cells::of(row)?)).collect()
}

/// The first row of a statement that began as [`ByPlace::select`].
///
/// # Errors
/// Whatever the database answers.
pub async fn one<E: ByPlace>(connection: &impl ConnectionTrait, select: Select<E>) -> Result<Option<E::Model>, DbErr> {
    let row = connection.query_one(&select.limit(1).into_query()).await?;
    row.as_ref().map(|row| E::read(Cells::of(row)?)).transpose()
}

/// Says the columns of the entity it stands beside, every one of them, in any order.
macro_rules! by_place {
    ($table:literal: $first:ident $(, $column:ident)* $(,)?) => {
        impl $crate::store::rows::ByPlace for Entity {
            fn select() -> sea_orm::Select<Self> {
                use sea_orm::QuerySelect as _;
                use sea_orm::sea_query::Expr;

                const COLUMNS: &str = concat!(
                    "\"", $table, "\".\"", stringify!($first), "\"",
                    $(", \"", $table, "\".\"", stringify!($column), "\"",)*
                );
                static EVERY_COLUMN: std::sync::OnceLock<sea_orm::Select<Entity>> = std::sync::OnceLock::new();
                EVERY_COLUMN.get_or_init(|| Self::find().select_only().expr(Expr::cust(COLUMNS))).clone()
            }

            fn read(mut cells: $crate::store::cells::Cells<'_>) -> Result<Model, sea_orm::DbErr> {
                Ok(Model { $first: cells.take()?, $($column: cells.take()?,)* })
            }
        }
    };
}

pub(in crate::store) use by_place;
