//! When a borrower's person was erased. The row stays, because loans and memberships refer to it; the check holds that
//! nothing personal is in it or gets back into it, whichever version of the server writes.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What stands for a name that was erased is the same for everybody.
const NOTHING_PERSONAL: &str = "CHECK (erased_at IS NULL OR (
    name = '[erased]' AND name_folded = '[erased]' AND external_ref IS NULL AND date_of_birth IS NULL
    AND phone_sealed IS NULL AND phone_hash IS NULL
    AND national_id_sealed IS NULL AND national_id_hash IS NULL AND key_id IS NULL
))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new("erased_at").timestamp_with_time_zone().null().extra(NOTHING_PERSONAL).take();
        manager.alter_table(Table::alter().table("borrowers").add_column(column).take()).await
    }
}
