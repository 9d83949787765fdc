//! The cells of a row one after the other, as they were selected: looking each cell up by its name would be most of the
//! reading. SeaORM reads by place too, but words a message for each value that is missing.

use std::sync::Arc;

use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::sqlite::SqliteRow;
use sea_orm::sqlx::{Decode, Postgres, Row, Sqlite, Type};
use sea_orm::{DbErr, QueryResult, RuntimeErr};

/// A row that is being read.
pub struct Cells<'a> {
    row: EngineRow<'a>,
    place: usize,
    /// Whether the columns are of the types that are asked for is known from another row of the same statement.
    is_known: bool,
}

enum EngineRow<'a> {
    Postgres(&'a PgRow),
    Sqlite(&'a SqliteRow),
}

impl<'a> Cells<'a> {
    /// From its first cell on.
    ///
    /// # Errors
    /// [`DbErr::Type`] for a row of an engine that the schema does not know.
    pub(super) fn of(row: &'a QueryResult) -> Result<Self, DbErr> {
        let row = match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => EngineRow::Postgres(row),
            (None, Some(row)) => EngineRow::Sqlite(row),
            (None, None) => return Err(DbErr::Type("a row of an engine that is not supported".to_owned())),
        };
        Ok(Self { row, place: 0, is_known: false })
    }

    /// From the first cell of a further row of a statement on. On PostgreSQL a column's type is the statement's, and was
    /// looked at in its first row; SQLite's is each value's own.
    ///
    /// # Errors
    /// [`DbErr::Type`] for a row of an engine that the schema does not know.
    pub(super) fn of_further(row: &'a QueryResult) -> Result<Self, DbErr> {
        Ok(Self { is_known: true, ..Self::of(row)? })
    }

    /// The next cell.
    ///
    /// # Errors
    /// [`DbErr::Query`] when there is none, or none of this type.
    pub fn take<T>(&mut self) -> Result<T, DbErr>
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + Type<Sqlite>,
    {
        let place = self.place;
        self.skip(1);
        match self.row {
            EngineRow::Postgres(row) if self.is_known => row.try_get_unchecked(place),
            EngineRow::Postgres(row) => row.try_get(place),
            EngineRow::Sqlite(row) => row.try_get(place),
        }
        .map_err(|error| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))
    }

    /// Passes over cells.
    pub(super) fn skip(&mut self, cells: usize) {
        self.place = self.place.saturating_add(cells);
    }
}
