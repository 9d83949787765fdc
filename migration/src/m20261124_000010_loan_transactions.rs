//! What happened to each loan, and what of it was taken back. Both tables are append-only: a loan's state is worked out
//! from them, and everything else about a loan's books can be rebuilt from them. `event` is the whole event as JSON;
//! kind, value date and amount repeat what lists and reports look for.

use sea_orm_migration::prelude::*;

use crate::append_only::append_only;
use crate::columns::{
    belongs_to, date, id, index, integer, optional_integer, optional_text, reference, text, timestamp,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const KINDS: [&str; 10] = [
    "DISBURSEMENT",
    "REPAYMENT",
    "GOODWILL_CREDIT",
    "CREDIT_REFUND",
    "CHARGE",
    "WAIVER",
    "CHARGE_OFF",
    "WRITE_OFF",
    "RECOVERY",
    "RESCHEDULE",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        transactions(manager).await?;
        reversals(manager).await
    }
}

async fn transactions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("loan_transactions")
                .col(id())
                .col(reference("loan_id"))
                .col(integer("sequence"))
                .col(text(manager, "kind"))
                .col(date("value_date"))
                .col(optional_integer("amount_minor"))
                .col(text(manager, "event"))
                .col(optional_text(manager, "external_ref"))
                .col(timestamp("recorded_at"))
                .col(text(manager, "recorded_by"))
                .foreign_key(&mut belongs_to("loan_transactions", "loan_id", "loans"))
                .check(Expr::col("kind").is_in(KINDS))
                .check(Expr::cust("sequence BETWEEN 1 AND 4294967295"))
                .check(Expr::cust("amount_minor IS NULL OR amount_minor > 0"))
                // A charge-off, a write-off and a new agreement are of whatever is owed at the time.
                .check(Expr::cust("(amount_minor IS NULL) = (kind IN ('CHARGE_OFF', 'WRITE_OFF', 'RESCHEDULE'))"))
                .to_owned(),
        )
        .await?;
    index(manager, "loan_transactions", &["loan_id", "sequence"], true).await?;
    index(manager, "loan_transactions", &["loan_id", "external_ref"], true).await?;
    // What refers to a transaction refers to its loan too, so that the two cannot come apart.
    index(manager, "loan_transactions", &["loan_id", "id"], true).await?;
    index(manager, "loan_transactions", &["kind", "value_date"], false).await?;
    append_only(manager, "loan_transactions").await
}

async fn reversals(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("loan_reversals")
                .col(ColumnDef::new("transaction_id").uuid().not_null().primary_key())
                .col(reference("loan_id"))
                .col(date("value_date"))
                .col(timestamp("reversed_at"))
                .col(text(manager, "reversed_by"))
                .col(optional_text(manager, "reason"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_loan_reversals_transaction_id")
                        .from("loan_reversals", ("loan_id", "transaction_id"))
                        .to("loan_transactions", ("loan_id", "id")),
                )
                .to_owned(),
        )
        .await?;
    index(manager, "loan_reversals", &["loan_id"], false).await?;
    append_only(manager, "loan_reversals").await
}
