//! How the loans of a product work: interest, schedule, allocation, arrears and charges, as JSON text. `{}` is the usual
//! conditions, which is what every product had before there was a choice.

use sea_orm_migration::prelude::*;

use crate::columns::conditions;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("loan_products").add_column(conditions()).take()).await
    }
}
