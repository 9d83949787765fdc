//! Fewer indexes of journal lines. The end of a day adds a line for every running loan, always to one of the three
//! receivables of income, and two of the four indexes had little use for it: a branch's lines are found through its
//! entries, and who looks for the entries of an account looks for one that is booked to now and then.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const REPLACED: [&str; 2] = ["ix_journal_lines_branch_id_currency_account", "ix_journal_lines_account_entry_id"];

const NOW_AND_THEN: &str = "CREATE INDEX ix_journal_lines_rare_account_entry_id ON journal_lines (account, entry_id)
     WHERE account NOT IN ('INTEREST_RECEIVABLE', 'FEES_RECEIVABLE', 'PENALTIES_RECEIVABLE')";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(NOW_AND_THEN).await?;
        for name in REPLACED {
            manager.drop_index(Index::drop().name(name).table("journal_lines").to_owned()).await?;
        }
        Ok(())
    }
}
