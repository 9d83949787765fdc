//! The schema's changes: which of them the database has seen, and bringing it up to date. It may not guess: a database that
//! does not answer is no database without a schema.

use sea_orm::{ConnectionTrait, DatabaseConnection, FromQueryResult, Statement};

use super::Database;
use crate::store::error::StoreError;

/// How the database's schema and this program's differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrations {
    /// Changes this program knows that the database has not seen, in order.
    pub pending: Vec<String>,
    /// Changes the database has seen that this program does not know: a newer version made them.
    pub unknown: Vec<String>,
}

#[derive(FromQueryResult)]
struct Applied {
    version: String,
}

impl Database {
    /// Brings the schema up to date, one migrator at a time: others wait for the lock and then find nothing to do.
    /// Everything happens in one transaction, so that a failed migration leaves no trace.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        use migration::MigratorTrait;
        let transaction = self.begin().await?;
        if self.is_postgres() {
            // Building an index takes as long as it takes, and a second replica waits for the first.
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
            transaction.execute_unprepared("SELECT pg_advisory_xact_lock(7240115038)").await?;
        }
        migration::Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Migrations this binary knows that the database has not seen. Asked on the connection for probes.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.migrations().await?.pending)
    }

    /// How the schema differs from this program's, either way. Asked on the connection for probes.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn migrations(&self) -> Result<Migrations, StoreError> {
        at(&self.probe).await
    }
}

/// How the schema at a connection differs from this program's.
pub(super) async fn at(connection: &DatabaseConnection) -> Result<Migrations, StoreError> {
    use migration::MigratorTrait;
    let known: Vec<String> = migration::Migrator::migrations().iter().map(|one| one.name().to_owned()).collect();
    let sql = "SELECT version FROM seaql_migrations ORDER BY version";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let applied: Vec<String> = match Applied::find_by_statement(statement).all(connection).await {
        Ok(rows) => rows.into_iter().map(|row| row.version).collect(),
        Err(error) => match StoreError::from(error) {
            // The table of migrations does not exist before the first one.
            error if error.is_missing_table() => Vec::new(),
            error => return Err(error),
        },
    };
    let unknown = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
    Ok(Migrations { pending: known.into_iter().filter(|name| !applied.contains(name)).collect(), unknown })
}
