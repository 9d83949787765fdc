//! The end of the day walks a branch's running loans in the order of their ids and writes a line to each of them. An
//! index of those loans alone keeps the walk as long as there are running loans, however many have ended; and on
//! PostgreSQL half of each page of loans is left free, so that a loan's new version stays on its page: otherwise every
//! one of the table's indexes would have to be written for every running loan, every day.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared(
                "CREATE INDEX ix_loans_running ON loans (branch_id, id) WHERE status IN ('DISBURSED', 'DEFAULTED')",
            )
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            connection.execute_unprepared("ALTER TABLE loans SET (fillfactor = 50)").await?;
        }
        Ok(())
    }
}
