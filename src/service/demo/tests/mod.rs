//! The demonstration on a real SQLite file: the five loans to the letter, and a portfolio that is the same every time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod books;
mod draws;
mod five;
mod made_up;
mod refused;

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use sea_orm::{EntityTrait, QueryOrder};

use super::{DemoOptions, DemoReport, run};
use crate::clock::FixedClock;
use crate::ids::RandomIds;
use crate::service::personal_data::PersonalDataKeys;
use crate::service::{Rules, Services};
use crate::store::entity::{
    borrower, branch, journal_entry, journal_line, loan, loan_installment, loan_product, loan_transaction,
    loan_transaction_split,
};
use crate::store::{Database, DatabaseOptions};

/// A migrated, empty database of its own, and the services on it.
struct World {
    services: Services,
    _folder: tempfile::TempDir,
}

/// Every row, in the order of the ids; of borrowers what is sealed is left out, because sealing is never the same twice.
#[derive(Debug, PartialEq)]
struct Rows {
    branches: Vec<branch::Model>,
    products: Vec<loan_product::Model>,
    borrowers: Vec<borrower::Model>,
    loans: Vec<loan::Model>,
}

/// Every row of the loans' books.
#[derive(Debug, PartialEq)]
struct BookRows {
    transactions: Vec<loan_transaction::Model>,
    installments: Vec<loan_installment::Model>,
    splits: Vec<loan_transaction_split::Model>,
    entries: Vec<journal_entry::Model>,
    lines: Vec<journal_line::Model>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = DatabaseOptions {
            url: format!("sqlite://{}?mode=rwc", folder.path().join("demo.db").display()),
            max_connections: 2,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(10),
        };
        let database = Database::connect(&options, None).await.unwrap();
        database.migrate().await.unwrap();
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let keys = PersonalDataKeys::new(&[7; 32]).unwrap();
        let rules = Rules { maker_checker: true, ..Rules::default() };
        let services = Services::new(database, Arc::new(FixedClock(now)), Arc::new(RandomIds), keys, rules);
        Self { services, _folder: folder }
    }

    async fn fill(&self, loans: u64, seed: u64) -> DemoReport {
        run(&self.services, DemoOptions { loans, seed }).await.unwrap()
    }

    /// The number of branches, products, borrowers and loans that a run adds.
    async fn added(&self, loans: u64, seed: u64) -> [u64; 4] {
        let report = self.fill(loans, seed).await;
        [report.branches, report.loan_products, report.borrowers, report.loans].map(|tally| tally.added)
    }

    async fn rows(&self) -> Rows {
        let reader = self.services.database.reader();
        let mut borrowers = borrower::Entity::find().order_by_asc(borrower::Column::Id).all(reader).await.unwrap();
        for row in &mut borrowers {
            row.phone_sealed = None;
            row.national_id_sealed = None;
        }
        Rows {
            branches: branch::Entity::find().order_by_asc(branch::Column::Id).all(reader).await.unwrap(),
            products: loan_product::Entity::find().order_by_asc(loan_product::Column::Id).all(reader).await.unwrap(),
            borrowers,
            loans: loan::Entity::find().order_by_asc(loan::Column::Id).all(reader).await.unwrap(),
        }
    }
    async fn books(&self) -> BookRows {
        let reader = self.services.database.reader();
        let installments = loan_installment::Entity::find()
            .order_by_asc(loan_installment::Column::LoanId)
            .order_by_asc(loan_installment::Column::Number);
        let lines = journal_line::Entity::find()
            .order_by_asc(journal_line::Column::EntryId)
            .order_by_asc(journal_line::Column::Number);
        let transactions = loan_transaction::Entity::find().order_by_asc(loan_transaction::Column::Id);
        let splits = loan_transaction_split::Entity::find().order_by_asc(loan_transaction_split::Column::TransactionId);
        let entries = journal_entry::Entity::find().order_by_asc(journal_entry::Column::Id);
        BookRows {
            transactions: transactions.all(reader).await.unwrap(),
            installments: installments.all(reader).await.unwrap(),
            splits: splits.all(reader).await.unwrap(),
            entries: entries.all(reader).await.unwrap(),
            lines: lines.all(reader).await.unwrap(),
        }
    }
}
