//! Idempotency keys: what a caller's key was first used for, and what came of it. The row commits in the same
//! transaction as the change it guards.

use sea_orm_migration::prelude::*;

use crate::columns::{index, text, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("idempotency_keys")
                    .col(text(manager, "actor"))
                    .col(text(manager, "operation"))
                    .col(text(manager, "key"))
                    .col(ColumnDef::new("fingerprint").blob().not_null())
                    .col(text(manager, "outcome"))
                    .col(timestamp("created_at"))
                    .primary_key(Index::create().col("actor").col("operation").col("key"))
                    .check(Expr::cust("length(key) BETWEEN 1 AND 64"))
                    .to_owned(),
            )
            .await?;
        index(manager, "idempotency_keys", &["created_at"], false).await
    }
}
