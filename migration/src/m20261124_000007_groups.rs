//! Groups whose members answer for each other's loans, and who was a member when. A membership carries its group's
//! branch, so that one index can hold everyone to one group at a time in each branch; the pair of keys keeps the two
//! branches equal.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{id, index, optional_date, optional_text, reference, text, timestamp, version};

#[derive(DeriveMigrationName)]
pub struct Migration;

const WEEKDAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
const ROLES: [&str; 4] = ["CHAIR", "SECRETARY", "TREASURER", "MEMBER"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        number(manager).await?;
        groups(manager).await?;
        members(manager).await?;
        manager
            .alter_table(
                Table::alter()
                    .table("loans")
                    .add_column(ColumnDef::new("group_id").uuid().null().extra("REFERENCES borrower_groups (id)"))
                    .to_owned(),
            )
            .await?;
        index(manager, "loans", &["group_id", "id"], false).await
    }
}

async fn number(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => "CREATE SEQUENCE group_number",
        _ => "INSERT INTO number_sequences (name, value) VALUES ('group_number', 0)",
    };
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

async fn groups(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("borrower_groups")
                .col(id())
                .col(reference("branch_id"))
                .col(text(manager, "number"))
                .col(text(manager, "name"))
                .col(text(manager, "name_folded"))
                .col(optional_text(manager, "external_ref"))
                .col(text(manager, "status"))
                .col(optional_text(manager, "meeting_weekday"))
                .col(optional_text(manager, "meeting_place"))
                .col(optional_date("closed_on"))
                .col(version())
                .col(timestamp("created_at"))
                .col(timestamp("updated_at"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_borrower_groups_branch_id")
                        .from("borrower_groups", "branch_id")
                        .to("branches", "id"),
                )
                .check(Expr::cust("length(name) > 0"))
                .check(Expr::col("status").is_in(["ACTIVE", "CLOSED"]))
                .check(Expr::cust("(status = 'CLOSED') = (closed_on IS NOT NULL)"))
                .check(Expr::col("meeting_weekday").is_null().or(Expr::col("meeting_weekday").is_in(WEEKDAYS)))
                .to_owned(),
        )
        .await?;
    index(manager, "borrower_groups", &["number"], true).await?;
    index(manager, "borrower_groups", &["external_ref"], true).await?;
    index(manager, "borrower_groups", &["id", "branch_id"], true).await?;
    index(manager, "borrower_groups", &["branch_id", "id"], false).await?;
    index(manager, "borrower_groups", &["name_folded", "id"], false).await?;
    index(manager, "borrower_groups", &["status", "id"], false).await?;
    index(manager, "borrower_groups", &["meeting_weekday", "id"], false).await?;
    index(manager, "borrower_groups", &["created_at", "id"], false).await
}

async fn members(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("group_members")
                .col(id())
                .col(reference("group_id"))
                .col(reference("branch_id"))
                .col(reference("borrower_id"))
                .col(text(manager, "role"))
                .col(ColumnDef::new("joined_on").date().not_null())
                .col(optional_date("left_on"))
                .col(timestamp("created_at"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_group_members_group_id")
                        .from("group_members", ("group_id", "branch_id"))
                        .to("borrower_groups", ("id", "branch_id")),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_group_members_borrower_id")
                        .from("group_members", "borrower_id")
                        .to("borrowers", "id"),
                )
                .check(Expr::col("role").is_in(ROLES))
                .check(Expr::cust("left_on IS NULL OR left_on >= joined_on"))
                .to_owned(),
        )
        .await?;
    index(manager, "group_members", &["group_id", "joined_on", "id"], false).await?;
    index(manager, "group_members", &["borrower_id", "id"], false).await?;
    // One group at a time in each branch.
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE UNIQUE INDEX uq_group_members_active ON group_members (borrower_id, branch_id) WHERE left_on IS NULL",
        )
        .await?;
    Ok(())
}
