//! Counters behind the numbers people read out over the telephone (`L-000000001`). PostgreSQL has sequences, which
//! never make one transaction wait for another; SQLite has one writer anyway, so a table of counters does there.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const SEQUENCES: [&str; 2] = ["borrower_number", "loan_number"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
            for sequence in SEQUENCES {
                connection.execute_unprepared(&format!("CREATE SEQUENCE {sequence}")).await?;
            }
            return Ok(());
        }
        manager
            .create_table(
                Table::create()
                    .table("number_sequences")
                    .col(ColumnDef::new("name").text().not_null().primary_key())
                    .col(ColumnDef::new("value").big_integer().not_null())
                    .to_owned(),
            )
            .await?;
        for sequence in SEQUENCES {
            connection
                .execute_unprepared(&format!("INSERT INTO number_sequences (name, value) VALUES ('{sequence}', 0)"))
                .await?;
        }
        Ok(())
    }
}
