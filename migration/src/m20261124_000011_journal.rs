//! The journal: entries and their lines, append-only. An entry belongs to a loan's transaction, or accrues income of a
//! loan or of a branch's day; what is wrong is never changed but mirrored by an entry that `reverses_id` it.
//!
//! Both engines refuse an entry whose debits are not its credits in every currency, each in its own way. PostgreSQL looks
//! at the lines that one statement adds, which must therefore be all the lines of their entries, and refuses the
//! statement. SQLite's triggers see one line at a time: they keep the difference of every entry that does not balance
//! yet in `journal_differences`, and a row there refers to a row that cannot exist, which SQLite lets pass until the
//! transaction commits and no longer. An entry without lines is refused by neither.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::append_only::append_only;
use crate::columns::{
    belongs_to, date, id, index, integer, optional_reference, optional_text, reference, text, timestamp,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const KINDS: [&str; 11] = [
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
    "ACCRUAL",
];

const ACCOUNTS: [&str; 14] = [
    "CASH",
    "LOANS_RECEIVABLE",
    "INTEREST_RECEIVABLE",
    "FEES_RECEIVABLE",
    "PENALTIES_RECEIVABLE",
    "OVERPAYMENT_LIABILITY",
    "INTEREST_INCOME",
    "FEE_INCOME",
    "PENALTY_INCOME",
    "RECOVERY_INCOME",
    "GOODWILL_EXPENSE",
    "CREDIT_LOSS",
    "INCOME_CHARGED_OFF",
    "LOSSES_WRITTEN_OFF",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        entries(manager).await?;
        lines(manager).await?;
        let connection = manager.get_connection();
        let guards: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &POSTGRES_BALANCE,
            _ => &SQLITE_BALANCE,
        };
        for sql in guards {
            connection.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

async fn entries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("journal_entries")
                .col(id())
                .col(reference("branch_id"))
                .col(optional_reference("loan_id"))
                .col(optional_reference("transaction_id"))
                .col(text(manager, "kind"))
                .col(date("booked_on"))
                .col(timestamp("recorded_at"))
                .col(text(manager, "recorded_by"))
                .col(text(manager, "currency"))
                .col(optional_reference("reverses_id"))
                .col(optional_text(manager, "memo"))
                .foreign_key(&mut belongs_to("journal_entries", "branch_id", "branches"))
                .foreign_key(&mut belongs_to("journal_entries", "loan_id", "loans"))
                .foreign_key(&mut belongs_to("journal_entries", "reverses_id", "journal_entries"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_journal_entries_transaction_id")
                        .from("journal_entries", ("loan_id", "transaction_id"))
                        .to("loan_transactions", ("loan_id", "id")),
                )
                .check(Expr::col("kind").is_in(KINDS))
                .check(Expr::cust("length(currency) = 3"))
                .check(Expr::cust("(kind = 'ACCRUAL') = (transaction_id IS NULL)"))
                .check(Expr::cust("transaction_id IS NULL OR loan_id IS NOT NULL"))
                .check(Expr::cust("reverses_id IS NULL OR reverses_id <> id"))
                .to_owned(),
        )
        .await?;
    index(manager, "journal_entries", &["reverses_id"], true).await?;
    index(manager, "journal_entries", &["branch_id", "booked_on"], false).await?;
    index(manager, "journal_entries", &["loan_id", "id"], false).await?;
    append_only(manager, "journal_entries").await
}

async fn lines(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("journal_lines")
                .col(reference("entry_id"))
                .col(integer("number"))
                .col(reference("branch_id"))
                .col(optional_reference("loan_id"))
                .col(text(manager, "account"))
                .col(text(manager, "currency"))
                .col(integer("debit_minor"))
                .col(integer("credit_minor"))
                .primary_key(Index::create().col("entry_id").col("number"))
                .foreign_key(&mut belongs_to("journal_lines", "entry_id", "journal_entries"))
                .foreign_key(&mut belongs_to("journal_lines", "branch_id", "branches"))
                .foreign_key(&mut belongs_to("journal_lines", "loan_id", "loans"))
                .check(Expr::col("account").is_in(ACCOUNTS))
                .check(Expr::cust("length(currency) = 3"))
                .check(Expr::cust("number > 0"))
                .check(Expr::cust("(debit_minor > 0 AND credit_minor = 0) OR (debit_minor = 0 AND credit_minor > 0)"))
                .to_owned(),
        )
        .await?;
    index(manager, "journal_lines", &["loan_id", "account"], false).await?;
    index(manager, "journal_lines", &["branch_id", "currency", "account"], false).await?;
    append_only(manager, "journal_lines").await
}

const POSTGRES_BALANCE: [&str; 2] = [
    "CREATE FUNCTION refuse_unbalanced_entries() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
         IF EXISTS (
             SELECT 1 FROM added GROUP BY entry_id, currency HAVING sum(debit_minor) <> sum(credit_minor)
         ) THEN
             RAISE EXCEPTION 'a journal entry does not balance' USING ERRCODE = 'check_violation';
         END IF;
         RETURN NULL;
     END $$",
    "CREATE TRIGGER journal_lines_balance AFTER INSERT ON journal_lines REFERENCING NEW TABLE AS added
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_entries()",
];

const SQLITE_BALANCE: [&str; 3] = [
    "CREATE TABLE no_rows (id integer PRIMARY KEY CHECK (1 = 0))",
    "CREATE TABLE journal_differences (
         entry_id blob NOT NULL,
         currency text NOT NULL,
         difference_minor bigint NOT NULL,
         must_be_gone integer NOT NULL DEFAULT 1 REFERENCES no_rows (id) DEFERRABLE INITIALLY DEFERRED,
         PRIMARY KEY (entry_id, currency)
     )",
    "CREATE TRIGGER journal_lines_balance AFTER INSERT ON journal_lines BEGIN
         INSERT INTO journal_differences (entry_id, currency, difference_minor)
         VALUES (NEW.entry_id, NEW.currency, NEW.debit_minor - NEW.credit_minor)
         ON CONFLICT (entry_id, currency) DO UPDATE SET difference_minor = difference_minor + excluded.difference_minor;
         DELETE FROM journal_differences
         WHERE entry_id = NEW.entry_id AND currency = NEW.currency AND difference_minor = 0;
     END",
];
