//! The loans of one status at one branch are the list that an officer works from: they have an index in the order they are
//! listed in, or every page reads all that the branch ever lent. It takes the place of the one that totals were added up
//! along before there were sums.

use sea_orm_migration::prelude::*;

use crate::columns::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "loans", &["branch_id", "status", "created_at", "id"], false).await?;
        let replaced = Index::drop().name("ix_loans_currency_status_principal_minor").table("loans").to_owned();
        manager.drop_index(replaced).await
    }
}
