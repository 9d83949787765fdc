//! Rows read by the places of their columns. SeaORM reads a row by the names of its columns and words a message for each
//! value that is missing, and spells every column out in each statement: a fifth of what a page of loans cost
//! (`cargo bench --bench load -- --workload page`). Here an entity says its columns once, as text and as places. Only
//! whole rows of one table are read this way; whatever joins or counts goes through SeaORM.
//!
//! Written by hand: neither SeaORM nor sqlx reads a struct by position.

use sea_orm::sea_query::{Expr, SimpleExpr, Values};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryResult, QuerySelect, QueryTrait, Select, Value};

use super::cells::Cells;

/// An entity whose rows are read by the places of their columns.
pub trait ByPlace: EntityTrait {
    /// Every column with its table, in the order in which [`read`](Self::read) takes them.
    const COLUMNS: &str;

    /// A `SELECT` of [`COLUMNS`](Self::COLUMNS).
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

/// Several places of a list.
#[derive(Debug)]
pub struct Places {
    /// The values of each column of theirs: arrays, of one value for each place.
    pub columns: Vec<Value>,
    /// How many places there are.
    pub number: usize,
}

impl Places {
    /// Their columns, as [`first_of_each`] names them.
    #[must_use]
    pub fn operands(&self) -> Vec<SimpleExpr> {
        (0..self.columns.len()).map(|column| Expr::col((PLACE, name(column)))).collect()
    }
}

/// For each of several places at most so many rows of a statement that began as [`ByPlace::select`] and names the columns
/// of a place. The order of a place's rows is the statement's: they are read place by place. For PostgreSQL.
///
/// # Errors
/// Whatever the database answers.
pub async fn first_of_each<E: ByPlace>(
    connection: &impl ConnectionTrait,
    select: Select<E>,
    places: Places,
    most: u64,
) -> Result<Vec<Vec<E::Model>>, DbErr> {
    let mut statement = connection.get_database_backend().build(select.as_query());
    let values = &mut statement.values.get_or_insert_with(|| Values(Vec::new())).0;
    let mut found: Vec<Vec<E::Model>> = (0..places.number).map(|_| Vec::new()).collect();
    let numbers: Vec<i64> = (0..).take(places.number).collect();
    let mut columns = Vec::new();
    for (number, of_places) in places.columns.into_iter().chain([numbers.into()]).enumerate() {
        values.push(of_places);
        columns.push(format!("unnest(${}) AS {}", values.len(), name(number)));
    }
    statement.sql = format!(
        "SELECT {PLACE}.{number}, {all} FROM (SELECT {columns}) AS {PLACE} CROSS JOIN LATERAL ({rows} LIMIT {most}) AS {table}",
        number = name(columns.len().saturating_sub(1)),
        all = E::COLUMNS,
        columns = columns.join(", "),
        rows = statement.sql,
        table = E::default().table_name(),
    );
    for (number, row) in connection.query_all_raw(statement).await?.iter().enumerate() {
        let mut cells = cells(number, row)?;
        let place: i64 = cells.take()?;
        if let Some(rows) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            rows.push(E::read(cells)?);
        }
    }
    Ok(found)
}

const PLACE: &str = "place";

fn name(column: usize) -> String {
    format!("value_{column}")
}

fn read<E: ByPlace>(rows: Vec<QueryResult>) -> Result<Vec<E::Model>, DbErr> {
    rows.iter().enumerate().map(|(number, row)| E::read(cells(number, row)?)).collect()
}

fn cells(number: usize, row: &QueryResult) -> Result<Cells<'_>, DbErr> {
    if number == 0 { Cells::of(row) } else { Cells::of_further(row) }
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
            const COLUMNS: &str = concat!(
                "\"", $table, "\".\"", stringify!($first), "\"",
                $(", \"", $table, "\".\"", stringify!($column), "\"",)*
            );

            fn select() -> sea_orm::Select<Self> {
                use sea_orm::QuerySelect as _;
                use sea_orm::sea_query::Expr;

                static EVERY_COLUMN: std::sync::OnceLock<sea_orm::Select<Entity>> = std::sync::OnceLock::new();
                EVERY_COLUMN.get_or_init(|| Self::find().select_only().expr(Expr::cust(Self::COLUMNS))).clone()
            }

            fn read(mut cells: $crate::store::cells::Cells<'_>) -> Result<Model, sea_orm::DbErr> {
                Ok(Model { $first: cells.take()?, $($column: cells.take()?,)* })
            }
        }
    };
}

pub(in crate::store) use by_place;
