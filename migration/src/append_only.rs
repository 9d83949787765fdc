//! Tables whose rows are never changed nor taken away: the database itself refuses. SQLite's triggers do not see rows
//! that `INSERT OR REPLACE` takes away, a statement nothing here sends; everything else is refused on both engines.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Makes a table append-only.
///
/// # Errors
/// Whatever the database answers.
pub async fn append_only(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Postgres {
        connection
            .execute_unprepared(
                "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN
                     RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
                 END $$",
            )
            .await?;
        let sql = format!(
            "CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
             FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        );
        connection.execute_unprepared(&sql).await?;
        return Ok(());
    }
    for change in ["UPDATE", "DELETE"] {
        let sql = format!(
            "CREATE TRIGGER {table}_no_{} BEFORE {change} ON {table}
             BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
            change.to_lowercase()
        );
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}
