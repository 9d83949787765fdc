//! What each loan comes to on the day its books were last written, beside its lifecycle: a projection too. Days past
//! due and overdue amounts are not among it; they follow from the dates here at every moment. A loan from before this
//! change has nothing outstanding and no projection date, and is worked out anew when something next happens to it.

use sea_orm_migration::prelude::*;

use crate::columns::{index, optional_date};

#[derive(DeriveMigrationName)]
pub struct Migration;

const AMOUNTS: [&str; 10] = [
    "disbursed_total_minor",
    "outstanding_principal_minor",
    "outstanding_interest_minor",
    "outstanding_fees_minor",
    "outstanding_penalties_minor",
    "credit_minor",
    "recovered_minor",
    "accrued_interest_minor",
    "accrued_fees_minor",
    "accrued_penalties_minor",
];

const DATES: [&str; 6] =
    ["oldest_unpaid_due_on", "next_due_on", "matures_on", "charged_off_on", "accrued_through", "projected_on"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement a column: SQLite adds no more at once.
        for name in AMOUNTS {
            let check = format!("CHECK ({name} >= 0)");
            let column = ColumnDef::new(name).big_integer().not_null().default(0).extra(check).take();
            manager.alter_table(Table::alter().table("loans").add_column(column).take()).await?;
        }
        for name in DATES {
            manager.alter_table(Table::alter().table("loans").add_column(optional_date(name)).take()).await?;
        }
        for columns in
            [&["status", "oldest_unpaid_due_on"][..], &["next_due_on", "id"], &["oldest_unpaid_due_on", "id"]]
        {
            index(manager, "loans", columns, false).await?;
        }
        Ok(())
    }
}
