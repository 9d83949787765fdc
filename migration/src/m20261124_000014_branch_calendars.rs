//! The days a branch works: weekly rest days (`SAT,SUN`), holidays, and the last business date that was closed.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, date, index, optional_date, reference, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [text(manager, "rest_days").default("").take(), optional_date("closed_through")] {
            manager.alter_table(Table::alter().table("branches").add_column(column).take()).await?;
        }
        index(manager, "branches", &["closed_through", "id"], false).await?;
        manager
            .create_table(
                Table::create()
                    .table("branch_holidays")
                    .col(reference("branch_id"))
                    .col(date("holiday_on"))
                    .col(text(manager, "name"))
                    .primary_key(Index::create().col("branch_id").col("holiday_on"))
                    .foreign_key(&mut belongs_to("branch_holidays", "branch_id", "branches"))
                    .check(Expr::cust("length(name) > 0"))
                    .to_owned(),
            )
            .await
    }
}
