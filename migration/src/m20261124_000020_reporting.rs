//! Indexes for reports and lists over all loans. Loans without a due date have a place in every order: after all others,
//! which an index of the column alone does not give on both engines alike.

use sea_orm_migration::prelude::*;

use crate::columns::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Replaced by those over the same dates, missing ones included.
const REPLACED: [&str; 2] = ["ix_loans_oldest_unpaid_due_on_id", "ix_loans_next_due_on_id"];

const OVER_ALL: [&str; 2] = [
    "CREATE INDEX ix_loans_oldest_unpaid_or_never_id ON loans (COALESCE(oldest_unpaid_due_on, '9999-12-31'), id)",
    "CREATE INDEX ix_loans_next_due_or_never_id ON loans (COALESCE(next_due_on, '9999-12-31'), id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in OVER_ALL {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        for name in REPLACED {
            manager.drop_index(Index::drop().name(name).table("loans").to_owned()).await?;
        }
        index(manager, "loan_installments", &["due_on", "loan_id"], false).await?;
        index(manager, "journal_entries", &["booked_on", "id"], false).await?;
        index(manager, "journal_entries", &["kind", "id"], false).await?;
        index(manager, "journal_lines", &["account", "entry_id"], false).await
    }
}
