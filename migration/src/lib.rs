//! The database schema, one file per change, forward only. A migration never imports entities: it must mean the same
//! thing in ten years' time, whatever the entities have become. Everything runs on SQLite and on PostgreSQL 15+.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod columns;
mod m20261124_000001_number_sequences;
mod m20261124_000002_branches;
mod m20261124_000003_borrowers;
mod m20261124_000004_loan_products;
mod m20261124_000005_loans;
mod m20261124_000006_idempotency_keys;
mod m20261124_000007_groups;

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
        ]
    }
}
