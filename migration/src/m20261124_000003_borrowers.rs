//! Borrowers. Telephone number and national id are stored sealed (encrypted), each beside a keyed hash by which it can
//! be found; `key_id` names the key both were made with.

use sea_orm_migration::prelude::*;

use crate::columns::{id, index, optional_date, optional_text, reference, text, timestamp, version};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("borrowers")
                    .col(id())
                    .col(reference("branch_id"))
                    .col(text(manager, "number"))
                    .col(text(manager, "name"))
                    .col(text(manager, "name_folded"))
                    .col(optional_text(manager, "external_ref"))
                    .col(ColumnDef::new("phone_sealed").blob().null())
                    .col(ColumnDef::new("phone_hash").blob().null())
                    .col(ColumnDef::new("national_id_sealed").blob().null())
                    .col(ColumnDef::new("national_id_hash").blob().null())
                    .col(optional_text(manager, "key_id"))
                    .col(optional_date("date_of_birth"))
                    .col(version())
                    .col(timestamp("created_at"))
                    .col(timestamp("updated_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_borrowers_branch_id")
                            .from("borrowers", "branch_id")
                            .to("branches", "id"),
                    )
                    .check(Expr::cust("length(name) > 0"))
                    .to_owned(),
            )
            .await?;
        index(manager, "borrowers", &["number"], true).await?;
        index(manager, "borrowers", &["external_ref"], true).await?;
        index(manager, "borrowers", &["branch_id", "id"], false).await?;
        index(manager, "borrowers", &["name_folded", "id"], false).await?;
        index(manager, "borrowers", &["created_at", "id"], false).await?;
        index(manager, "borrowers", &["date_of_birth", "id"], false).await?;
        index(manager, "borrowers", &["phone_hash"], false).await?;
        index(manager, "borrowers", &["national_id_hash"], false).await
    }
}
