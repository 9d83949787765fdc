//! Column definitions that several tables share, so that an id or a time stamp is declared alike everywhere. Only
//! definitions live here; a migration that has shipped must not change its meaning because this file did.

use sea_orm_migration::prelude::*;

/// `id`: a UUID primary key.
pub fn id() -> ColumnDef {
    ColumnDef::new("id").uuid().not_null().primary_key().take()
}

/// `id`: a number that means nothing, by which rows are told apart that nobody refers to.
pub fn counting(manager: &SchemaManager<'_>) -> ColumnDef {
    let mut id = ColumnDef::new("id");
    match manager.get_database_backend() {
        sea_orm_migration::sea_orm::DbBackend::Postgres => {
            id.big_integer().not_null().primary_key().extra("GENERATED ALWAYS AS IDENTITY")
        }
        // By this very name, and then the engine counts by itself.
        _ => id.integer().not_null().primary_key(),
    };
    id
}

/// `version`: grows by one with every change of the row; an UPDATE that expects another value changes nothing.
pub fn version() -> ColumnDef {
    ColumnDef::new("version").big_integer().not_null().default(1).take()
}

/// A UTC time stamp that is always set.
pub fn timestamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().not_null().take()
}

/// Text that is always set, compared and sorted by code point: SQLite does nothing else, and PostgreSQL does it faster
/// than by whatever dictionary the database was made with.
pub fn text(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    optional_text(manager, name).not_null().take()
}

/// Text that may be missing, compared and sorted by code point.
pub fn optional_text(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name).text().take();
    if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

/// A 64-bit integer that is always set: minor units, parts per million, counts.
pub fn integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A 64-bit integer that may be missing.
pub fn optional_integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

/// A business date that may be missing.
pub fn optional_date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().null().take()
}

/// Conditions of a loan as JSON text; what they do not name is as usual, so `{}` is the usual conditions.
pub fn conditions() -> ColumnDef {
    ColumnDef::new("conditions").text().not_null().default("{}").take()
}

/// A reference to another table's id.
pub fn reference(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

/// Creates one index, named after its table and columns.
///
/// # Errors
/// Whatever the database answers.
pub async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(format!("{}_{}_{}", if unique { "uq" } else { "ix" }, table, columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    if unique {
        index.unique();
    }
    manager.create_index(index.take()).await
}

/// A business date that is always set.
pub fn date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().not_null().take()
}

/// A reference to another table's id that may be missing.
pub fn optional_reference(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().null().take()
}

/// A foreign key of one column to a table's id, named after its table and column.
pub fn belongs_to(table: &'static str, column: &'static str, target: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("fk_{table}_{column}")).from(table, column).to(target, "id").take()
}
