//! Where a lender's branches lie in several time zones, it is two days at once for hours of each day, and balances that are
//! right for the one are not for the other. Loans whose balances are not of a branch's day are found by the branch then:
//! by the day alone, the look for them would come upon all late loans of the other zones.

use sea_orm_migration::prelude::*;

use crate::m20261129_000050_portfolio_changes::FOLLOWING;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in [
            format!(
                "CREATE INDEX ix_loans_branch_refreshed_while_late ON loans (branch_id, refreshed_on, id)
                 WHERE {FOLLOWING} AND refreshed_on > oldest_unpaid_due_on"
            ),
            format!(
                "CREATE INDEX ix_loans_branch_late_since_refreshed ON loans (branch_id, oldest_unpaid_due_on, id)
                 WHERE {FOLLOWING} AND (refreshed_on IS NULL OR refreshed_on <= oldest_unpaid_due_on)"
            ),
        ] {
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
