//! What is left of values after they were overwritten or deleted: copies in the free space of pages, in pages nobody uses,
//! in the write-ahead log, in rows that no transaction sees any more, in the planner's statistics. Nothing here changes
//! what a query answers with.

use sea_orm::sqlx::Executor as _;
use sea_orm::{ConnectionTrait, DbErr, RuntimeErr, SqlxError, Statement};

use super::Database;
use crate::store::error::StoreError;

/// On a connection of its own: it takes as long as it takes. The statistics hold names, so they are made anew.
const ON_POSTGRES: [&str; 2] = ["SET statement_timeout = 0", "VACUUM (ANALYZE) borrowers, loans"];

impl Database {
    /// Removes such traces, as far as the engine can, and says whether it could. SQLite writes its whole file anew, and
    /// cuts the write-ahead log to nothing: afterwards neither holds a byte of what is gone, unless somebody reads an older
    /// state all the while. PostgreSQL vacuums the tables that people are in; its own log and backups are not its to clear.
    ///
    /// # Errors
    /// What the database answers; on SQLite [`StoreError::Collision`] when others keep writing.
    pub async fn clear_traces(&self) -> Result<bool, StoreError> {
        if self.is_postgres() {
            self.vacuum_tables().await?;
            return Ok(true);
        }
        // Somebody may have had statistics made, which hold names; without any the planner is left as it is.
        let of = self.writer.get_database_backend();
        let made = Statement::from_string(of, "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat4'");
        if self.writer.query_one_raw(made).await?.is_some() {
            self.writer.execute_unprepared("ANALYZE").await?;
        }
        // Even with `secure_delete` a page that was split or emptied keeps copies of what was moved away from it.
        self.writer.execute_unprepared("VACUUM").await?;
        let checkpoint = Statement::from_string(of, "PRAGMA wal_checkpoint(TRUNCATE)");
        let busy = match self.writer.query_one_raw(checkpoint).await? {
            Some(row) => row.try_get_by_index::<i32>(0)?,
            None => 0,
        };
        Ok(busy == 0)
    }

    async fn vacuum_tables(&self) -> Result<(), StoreError> {
        let broken = |error: SqlxError| DbErr::Exec(RuntimeErr::SqlxError(error.into()));
        let mut connection = self.writer.get_postgres_connection_pool().acquire().await.map_err(broken)?;
        for sql in ON_POSTGRES {
            connection.execute(sql).await.map_err(broken)?;
        }
        // Not back into the pool, where it would go on without a time limit.
        connection.close().await.map_err(broken)?;
        Ok(())
    }
}
