//! The copy of its product's conditions that a loan was made with, overrides included, and its first due date where one
//! was agreed. Loans from before have the usual conditions (`{}`) and fall due first one period after the disbursement.

use sea_orm_migration::prelude::*;

use crate::columns::{conditions, optional_date};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column a statement: SQLite takes no more.
        for column in [conditions(), optional_date("first_due_on")] {
            manager.alter_table(Table::alter().table("loans").add_column(column).take()).await?;
        }
        Ok(())
    }
}
