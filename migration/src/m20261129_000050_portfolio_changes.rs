//! Sums of the portfolio that cost the same however many loans there are. Triggers on `loans` append what a write adds
//! to them, with its sign, as rows of their own: no two writers touch the same row, and nobody can forget to, neither
//! bulk writes nor a hand. From time to time the rows are rolled up into sums by branch, and into totals by time zone
//! that do not grow with the branches either; whoever reads adds what is not rolled up yet. What an end of day writes to
//! every running loan is in none of them and fires no trigger.
//!
//! Beside it the day that a loan's balances were last worked out for. It differs from the day its books were written
//! for where interest follows the balance of a late loan, and lets such loans be found without looking at all others.

mod postgres;
mod sqlite;
mod sums;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(crate) use postgres::ROLL_UP;
pub(crate) use sums::keep_small;

use crate::columns::{index, optional_date};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Running loans whose interest follows the balance. `IS TRUE` keeps the engines from an index over all running loans.
pub const FOLLOWING: &str = "(status IN ('DISBURSED', 'DEFAULTED')) IS TRUE AND conditions LIKE '%\"DAILY_BALANCE\"%'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refreshed(manager).await?;
        lists(manager).await?;
        sums::tables(manager).await?;
        // On PostgreSQL the first trigger keeps writers out until all of this is committed: what is summed is all.
        let triggers = match manager.get_database_backend() {
            DbBackend::Postgres => postgres::triggers(),
            _ => sqlite::triggers(),
        };
        for sql in triggers.into_iter().chain(sums::fill()) {
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}

/// Both indexes are of columns that no accrual writes, so that a loan's new version stays on its page.
async fn refreshed(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let column = optional_date("refreshed_on");
    manager.alter_table(Table::alter().table("loans").add_column(column).take()).await?;
    for sql in [
        format!("UPDATE loans SET refreshed_on = projected_on WHERE {FOLLOWING}"),
        format!(
            "CREATE INDEX ix_loans_refreshed_while_late ON loans (refreshed_on, id)
             WHERE {FOLLOWING} AND refreshed_on > oldest_unpaid_due_on"
        ),
        format!(
            "CREATE INDEX ix_loans_late_since_refreshed ON loans (oldest_unpaid_due_on, id)
             WHERE {FOLLOWING} AND (refreshed_on IS NULL OR refreshed_on <= oldest_unpaid_due_on)"
        ),
    ] {
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// The loans of an officer or of a product are listed by when they were applied for, unless another order is asked for;
/// those of a status by how late they are, too.
async fn lists(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for (column, replaced) in [("officer", "ix_loans_officer_id"), ("product_id", "ix_loans_product_id_id")] {
        index(manager, "loans", &[column, "created_at", "id"], false).await?;
        manager.drop_index(Index::drop().name(replaced).table("loans").to_owned()).await?;
    }
    let by_days = "CREATE INDEX ix_loans_status_oldest_unpaid_or_never_id
         ON loans (status, COALESCE(oldest_unpaid_due_on, '9999-12-31'), id)";
    manager.get_connection().execute_unprepared(by_days).await?;
    let replaced = Index::drop().name("ix_loans_status_oldest_unpaid_due_on").table("loans").to_owned();
    manager.drop_index(replaced).await
}
