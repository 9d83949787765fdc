//! Branches: a forest, each with the currency and time zone it works in.

use sea_orm_migration::prelude::*;

use crate::columns::{id, index, text, timestamp, version};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("branches")
                    .col(id())
                    .col(text(manager, "code"))
                    .col(text(manager, "name"))
                    .col(text(manager, "name_folded"))
                    .col(ColumnDef::new("parent_id").uuid().null())
                    .col(text(manager, "currency"))
                    .col(text(manager, "time_zone"))
                    .col(text(manager, "status"))
                    .col(version())
                    .col(timestamp("created_at"))
                    .col(timestamp("updated_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_branches_parent_id")
                            .from("branches", "parent_id")
                            .to("branches", "id"),
                    )
                    .check(Expr::col("status").is_in(["OPEN", "CLOSED"]))
                    .check(Expr::cust("length(currency) = 3"))
                    .check(Expr::cust("length(code) BETWEEN 1 AND 32"))
                    .check(Expr::cust("parent_id IS NULL OR parent_id <> id"))
                    .to_owned(),
            )
            .await?;
        index(manager, "branches", &["code"], true).await?;
        index(manager, "branches", &["parent_id"], false).await?;
        index(manager, "branches", &["name_folded", "id"], false).await?;
        index(manager, "branches", &["status", "id"], false).await?;
        index(manager, "branches", &["currency", "id"], false).await?;
        index(manager, "branches", &["created_at", "id"], false).await
    }
}
