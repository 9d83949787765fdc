//! The audit trail: what was changed, refused and looked at. Events are append-only and carry no personal data. Each is
//! queued by the database itself as it is written, so that none can be forgotten; a sealer takes them out of the queue
//! and links them into one chain of hashes per branch. `audit_links` is append-only too; `audit_chains` holds each
//! chain's length and last hash, so that a chain whose end was cut off can be told from one that ends there.
//!
//! Nothing here refers to another table: an event is written whatever becomes of what it is about, and waits for no
//! lock on it. The nil id stands for the chain of the lender as a whole.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::append_only::append_only;
use crate::columns::{id, index, integer, optional_reference, optional_text, reference, text, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

const OUTCOMES: [&str; 4] = ["DONE", "REPLAYED", "REFUSED", "FORBIDDEN"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        events(manager).await?;
        pending(manager).await?;
        links(manager).await?;
        chains(manager).await
    }
}

async fn events(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_events")
                .col(id())
                .col(optional_reference("branch_id"))
                .col(timestamp("recorded_at"))
                .col(text(manager, "subject"))
                .col(text(manager, "roles"))
                .col(optional_text(manager, "request_id"))
                .col(text(manager, "operation"))
                .col(text(manager, "outcome"))
                .col(text(manager, "codes"))
                .col(optional_text(manager, "object_kind"))
                .col(optional_reference("object_id"))
                .col(text(manager, "details"))
                .check(Expr::col("outcome").is_in(OUTCOMES))
                .check(Expr::cust("length(operation) BETWEEN 1 AND 64"))
                .check(Expr::cust("(object_kind IS NULL) = (object_id IS NULL)"))
                .to_owned(),
        )
        .await?;
    index(manager, "audit_events", &["branch_id", "id"], false).await?;
    index(manager, "audit_events", &["object_id", "id"], false).await?;
    index(manager, "audit_events", &["subject", "id"], false).await?;
    index(manager, "audit_events", &["recorded_at"], false).await?;
    append_only(manager, "audit_events").await
}

async fn pending(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_pending")
                .col(ColumnDef::new("event_id").uuid().not_null().primary_key())
                .col(optional_reference("branch_id"))
                .to_owned(),
        )
        .await?;
    let connection = manager.get_connection();
    let statements: &[&str] = match manager.get_database_backend() {
        DbBackend::Postgres => &[
            "CREATE FUNCTION queue_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 INSERT INTO audit_pending (event_id, branch_id) VALUES (NEW.id, NEW.branch_id);
                 RETURN NULL;
             END $$",
            "CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events
             FOR EACH ROW EXECUTE FUNCTION queue_audit_event()",
        ],
        _ => &["CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events
             BEGIN INSERT INTO audit_pending (event_id, branch_id) VALUES (NEW.id, NEW.branch_id); END"],
    };
    for sql in statements {
        connection.execute_unprepared(sql).await?;
    }
    Ok(())
}

async fn links(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_links")
                .col(reference("chain"))
                .col(integer("position"))
                .col(reference("event_id"))
                .col(ColumnDef::new("hash").blob().not_null())
                .primary_key(Index::create().col("chain").col("position"))
                .check(Expr::cust("position >= 1"))
                .check(Expr::cust("length(hash) = 32"))
                .to_owned(),
        )
        .await?;
    index(manager, "audit_links", &["event_id"], true).await?;
    append_only(manager, "audit_links").await
}

async fn chains(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("audit_chains")
                .col(ColumnDef::new("chain").uuid().not_null().primary_key())
                .col(integer("length"))
                .col(ColumnDef::new("head").blob().not_null())
                .check(Expr::cust("length >= 1"))
                .check(Expr::cust("length(head) = 32"))
                .to_owned(),
        )
        .await
}
