//! The database schema, one file per change, forward only. A migration never imports entities: it must mean the same
//! thing in ten years' time, whatever the entities have become. Everything runs on SQLite and on PostgreSQL 15+.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod append_only;
mod columns;
mod m20261124_000001_number_sequences;
mod m20261124_000002_branches;
mod m20261124_000003_borrowers;
mod m20261124_000004_loan_products;
mod m20261124_000005_loans;
mod m20261124_000006_idempotency_keys;
mod m20261124_000007_groups;
mod m20261124_000008_product_conditions;
mod m20261124_000009_loan_conditions;
mod m20261124_000010_loan_transactions;
mod m20261124_000011_journal;
mod m20261124_000012_loan_projections;
mod m20261124_000013_loan_balances;
mod m20261124_000014_branch_calendars;
mod m20261124_000015_running_loans;
mod m20261124_000020_reporting;
mod m20261124_000021_journal_references;
mod m20261124_000022_journal_line_indexes;
mod m20261124_000030_audit;
mod m20261128_000040_erased_borrowers;
mod m20261129_000050_portfolio_changes;
mod m20261129_000060_loans_of_a_branch;
mod m20261129_000070_dues;
mod m20261129_000080_stale_by_branch;

/// The list of migrations, in the order they run.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_number_sequences::Migration),
            Box::new(m20261124_000002_branches::Migration),
            Box::new(m20261124_000003_borrowers::Migration),
            Box::new(m20261124_000004_loan_products::Migration),
            Box::new(m20261124_000005_loans::Migration),
            Box::new(m20261124_000006_idempotency_keys::Migration),
            Box::new(m20261124_000007_groups::Migration),
            Box::new(m20261124_000008_product_conditions::Migration),
            Box::new(m20261124_000009_loan_conditions::Migration),
            Box::new(m20261124_000010_loan_transactions::Migration),
            Box::new(m20261124_000011_journal::Migration),
            Box::new(m20261124_000012_loan_projections::Migration),
            Box::new(m20261124_000013_loan_balances::Migration),
            Box::new(m20261124_000014_branch_calendars::Migration),
            Box::new(m20261124_000015_running_loans::Migration),
            Box::new(m20261124_000020_reporting::Migration),
            Box::new(m20261124_000021_journal_references::Migration),
            Box::new(m20261124_000022_journal_line_indexes::Migration),
            Box::new(m20261124_000030_audit::Migration),
            Box::new(m20261128_000040_erased_borrowers::Migration),
            Box::new(m20261129_000050_portfolio_changes::Migration),
            Box::new(m20261129_000060_loans_of_a_branch::Migration),
            Box::new(m20261129_000070_dues::Migration),
            Box::new(m20261129_000080_stale_by_branch::Migration),
        ]
    }
}
