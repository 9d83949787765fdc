//! What each loan's transactions come to: the split of every transaction and the rows of the schedule. Neither is a
//! source of anything: both are rewritten in the transaction that adds to the loan's history.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, date, index, integer, optional_date, optional_reference, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const PARTS: [&str; 4] = ["due", "paid", "waived", "written_off"];
const PORTIONS: [&str; 4] = ["principal", "interest", "fees", "penalties"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        splits(manager).await?;
        installments(manager).await
    }
}

async fn splits(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("loan_transaction_splits")
                .col(ColumnDef::new("transaction_id").uuid().not_null().primary_key())
                .col(reference("loan_id"))
                .col(integer("amount_minor"))
                .col(integer("principal_minor"))
                .col(integer("interest_minor"))
                .col(integer("fees_minor"))
                .col(integer("penalties_minor"))
                .col(integer("to_credit_minor"))
                .col(integer("balance_after_minor"))
                .col(optional_reference("journal_entry_id"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_loan_transaction_splits_transaction_id")
                        .from("loan_transaction_splits", ("loan_id", "transaction_id"))
                        .to("loan_transactions", ("loan_id", "id")),
                )
                .foreign_key(&mut belongs_to("loan_transaction_splits", "journal_entry_id", "journal_entries"))
                .to_owned(),
        )
        .await?;
    index(manager, "loan_transaction_splits", &["loan_id"], false).await
}

async fn installments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("loan_installments")
        .col(reference("loan_id"))
        .col(integer("number"))
        .col(date("starts_on"))
        .col(date("due_on"));
    for part in PARTS {
        for portion in PORTIONS {
            table.col(ColumnDef::new(format!("{part}_{portion}_minor")).big_integer().not_null());
        }
    }
    table
        .col(integer("paid_in_advance_minor"))
        .col(integer("paid_late_minor"))
        .col(integer("principal_balance_after_minor"))
        .col(optional_date("settled_on"))
        // What is left of the row: computed by the engine, so that an index can be of the rows with something left.
        .col(ColumnDef::new("left_minor").big_integer().generated(Expr::cust(left()), true))
        .primary_key(Index::create().col("loan_id").col("number"))
        .foreign_key(&mut belongs_to("loan_installments", "loan_id", "loans"))
        .check(Expr::cust("number > 0"))
        .check(Expr::cust("due_on >= starts_on"));
    for portion in PORTIONS {
        let taken = format!("paid_{portion}_minor + waived_{portion}_minor + written_off_{portion}_minor");
        table.check(Expr::cust(format!("due_{portion}_minor >= {taken}")));
        for part in PARTS {
            table.check(Expr::cust(format!("{part}_{portion}_minor >= 0")));
        }
    }
    manager.create_table(table.take()).await?;

    index(manager, "loan_installments", &["loan_id", "starts_on", "due_on"], false).await?;
    // The end of the day looks for what fell due and is not settled, in all loans at once.
    let sql =
        "CREATE INDEX ix_loan_installments_open_due_on ON loan_installments (due_on, loan_id) WHERE left_minor > 0";
    manager.get_connection().execute_unprepared(sql).await?;
    Ok(())
}

/// Due less paid less waived less written off, of all four portions.
fn left() -> String {
    let sum = |part: &str| PORTIONS.map(|portion| format!("{part}_{portion}_minor")).join(" + ");
    format!("{} - ({}) - ({}) - ({})", sum("due"), sum("paid"), sum("waived"), sum("written_off"))
}
