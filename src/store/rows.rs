//! Rows read by the places of their columns. SeaORM reads a row by the names of its columns and words a message for each
//! value that is missing, and spells every column out in each statement: a fifth of what a page of loans cost
//! (`cargo bench --bench load -- --workload page`). Here a table says its columns once, as text and as places: all of them, or
//! the part of them that is enough for most. Only rows of one table are read this way; whatever joins or counts goes
//! through SeaORM.
//!
//! Written by hand: neither SeaORM nor sqlx reads a struct by position.

use sea_orm::sea_query::{Expr, SimpleExpr, Values};
use sea_orm::{ConnectionTrait, DbErr, EntityName, EntityTrait, QueryResult, QuerySelect, QueryTrait, Select, Value};

use super::cells::Cells;
use super::error::StoreError;

/// What is read of each row of a table, by the places of the columns.
pub trait ByPlace: Sized + Send + Sync {
    /// The table.
    type Entity: EntityTrait;

    /// The columns with their table, in the order in which [`read`](Self::read) takes them.
    const COLUMNS: &str;

    /// A `SELECT` of [`COLUMNS`](Self::COLUMNS).
    fn select() -> Select<Self::Entity>;

    /// Reads a row of [`select`](Self::select).
    ///
    /// # Errors
    /// [`DbErr::Query`] for a column that is missing or of another type.
    fn read(cells: Cells<'_>) -> Result<Self, DbErr>;

    /// The value of a column, if it is one of those that are read.
    fn value(&self, column: <Self::Entity as EntityTrait>::Column) -> Option<Value>;
}

/// What a table's row, or a part of it, means.
pub trait Record<E: EntityTrait>: Sized {
    /// What is read of the row.
    type Row: ByPlace<Entity = E>;

    /// Understands a row.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a row that nobody here wrote.
    fn of(row: Self::Row) -> Result<Self, StoreError>;
}

/// Whatever is made from whole rows is a record of them.
impl<E, R> Record<E> for R
where
    E: EntityTrait<Model: ByPlace<Entity = E>>,
    R: TryFrom<E::Model, Error = StoreError>,
{
    type Row = E::Model;

    fn of(row: E::Model) -> Result<Self, StoreError> {
        Self::try_from(row)
    }
}

/// All rows of a statement that began as [`ByPlace::select`].
///
/// # Errors
/// Whatever the database answers.
pub async fn all<R: ByPlace>(connection: &impl ConnectionTrait, select: Select<R::Entity>) -> Result<Vec<R>, DbErr> {
    read(connection.query_all(select.as_query()).await?)
}

/// At most so many rows of a statement that began as [`ByPlace::select`]. The number is written into the statement: where
/// it is bound, PostgreSQL supposes a tenth of the table and plans anew for every request, at twice the cost of a page.
///
/// # Errors
/// Whatever the database answers.
pub async fn first<R: ByPlace>(
    connection: &impl ConnectionTrait,
    select: Select<R::Entity>,
    most: u64,
) -> Result<Vec<R>, DbErr> {
    let mut statement = connection.get_database_backend().build(select.as_query());
    statement.sql.push_str(&format!(" LIMIT {most}"));
    read(connection.query_all_raw(statement).await?)
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
pub async fn first_of_each<R: ByPlace>(
    connection: &impl ConnectionTrait,
    select: Select<R::Entity>,
    places: Places,
    most: u64,
) -> Result<Vec<Vec<R>>, DbErr> {
    let mut statement = connection.get_database_backend().build(select.as_query());
    let values = &mut statement.values.get_or_insert_with(|| Values(Vec::new())).0;
    let mut found: Vec<Vec<R>> = (0..places.number).map(|_| Vec::new()).collect();
    let numbers: Vec<i64> = (0..).take(places.number).collect();
    let mut columns = Vec::new();
    for (number, of_places) in places.columns.into_iter().chain([numbers.into()]).enumerate() {
        values.push(of_places);
        columns.push(format!("unnest(${}) AS {}", values.len(), name(number)));
    }
    statement.sql = format!(
        "SELECT {PLACE}.{number}, {all} FROM (SELECT {columns}) AS {PLACE} CROSS JOIN LATERAL ({rows} LIMIT {most}) AS {table}",
        number = name(columns.len().saturating_sub(1)),
        all = R::COLUMNS,
        columns = columns.join(", "),
        rows = statement.sql,
        table = R::Entity::default().table_name(),
    );
    for (number, row) in connection.query_all_raw(statement).await?.iter().enumerate() {
        let mut cells = cells(number, row)?;
        let place: i64 = cells.take()?;
        if let Some(rows) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            rows.push(R::read(cells)?);
        }
    }
    Ok(found)
}

const PLACE: &str = "place";

fn name(column: usize) -> String {
    format!("value_{column}")
}

fn read<R: ByPlace>(rows: Vec<QueryResult>) -> Result<Vec<R>, DbErr> {
    rows.iter().enumerate().map(|(number, row)| R::read(cells(number, row)?)).collect()
}

fn cells(number: usize, row: &QueryResult) -> Result<Cells<'_>, DbErr> {
    if number == 0 { Cells::of(row) } else { Cells::of_further(row) }
}

/// The first row of a statement that began as [`ByPlace::select`].
///
/// # Errors
/// Whatever the database answers.
pub async fn one<R: ByPlace>(connection: &impl ConnectionTrait, select: Select<R::Entity>) -> Result<Option<R>, DbErr> {
    let row = connection.query_one(&select.limit(1).into_query()).await?;
    row.as_ref().map(|row| R::read(Cells::of(row)?)).transpose()
}

/// Says the columns of the entity it stands beside, every one of them, in any order; or, with a name and types, of a part
/// of them, whose struct it defines.
macro_rules! by_place {
    ($table:literal: $($column:ident),+ $(,)?) => {
        impl $crate::store::rows::ByPlace for Model {
            $crate::store::rows::by_place!(@columns $table: $($column),+);

            fn value(&self, column: Column) -> Option<sea_orm::Value> {
                Some(sea_orm::ModelTrait::get(self, column))
            }
        }
    };
    ($(#[$doc:meta])+ $part:ident of $table:literal: $($column:ident: $type:ty),+ $(,)?) => {
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $part {
            $(pub $column: $type,)+
        }

        impl $crate::store::rows::ByPlace for $part {
            $crate::store::rows::by_place!(@columns $table: $($column),+);

            fn value(&self, column: Column) -> Option<sea_orm::Value> {
                match sea_orm::IdenStatic::as_str(&column) {
                    $(stringify!($column) => Some(self.$column.clone().into()),)+
                    _ => None,
                }
            }
        }
    };
    (@columns $table:literal: $first:ident $(, $column:ident)*) => {
        type Entity = Entity;

        const COLUMNS: &str = concat!(
            "\"", $table, "\".\"", stringify!($first), "\"",
            $(", \"", $table, "\".\"", stringify!($column), "\"",)*
        );

        fn select() -> sea_orm::Select<Entity> {
            use sea_orm::QuerySelect as _;
            use sea_orm::sea_query::Expr;

            static COLUMNS: std::sync::OnceLock<sea_orm::Select<Entity>> = std::sync::OnceLock::new();
            COLUMNS.get_or_init(|| Entity::find().select_only().expr(Expr::cust(Self::COLUMNS))).clone()
        }

        fn read(mut cells: $crate::store::cells::Cells<'_>) -> Result<Self, sea_orm::DbErr> {
            Ok(Self { $first: cells.take()?, $($column: cells.take()?,)* })
        }
    };
}

pub(in crate::store) use by_place;
