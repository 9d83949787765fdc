//! Demonstration data: the same rows, ids included, on every machine. Five branches, products, borrowers and loans are
//! always there; a portfolio of any size can be made up beside them. Rows are only ever added, never changed. What
//! happened to a loan is in its transactions; its status, balances and journal are what the fold makes of them.
//!
//! Each seed is a portfolio of its own: with the same seed a second run adds nothing, a larger number of loans adds the
//! missing ones (and is the same as having asked for them at once), and another seed adds a portfolio beside the first.

mod conduct;
mod countries;
mod draw;
mod five;
mod life;
mod portfolio;
mod rows;
#[cfg(test)]
mod tests;
mod variety;

use std::collections::BTreeSet;
use std::fmt;

use super::audit::{About, Evidence, Facts};
use super::problem::{Problem, ProblemCode};
use super::{ServiceError, Services};
use crate::auth::{Actor, BranchGrant, Role};
use crate::store::{StoreError, audit};
use portfolio::Portfolio;

pub use rows::Tally;

/// Rows made up, looked for and written at a time, in one transaction: long enough to be quick, short enough not to
/// hold up a server that works on the same database.
const ROWS_AT_ONCE: u64 = 5_000;

/// The same for loans, of which each brings its transactions, installments and journal along.
const LOANS_AT_ONCE: u64 = 2_500;

/// Loans that SQLite commits at a time. Their ids are spread over two years, so that every few thousand of them change
/// nearly every page of every index: the fewer commits, the fewer times it writes them all. Nobody else writes meanwhile.
const LOANS_COMMITTED_AT_ONCE: u64 = 25_000;

/// The most loans of one seed. The codes of the branches have room for no more, nor has anyone's disk.
const MOST_LOANS: u64 = 10_000_000;

/// What to fill the database with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DemoOptions {
    /// How many loans the portfolio of this seed is to have, beside the five; at most 10,000,000.
    pub loans: u64,
    /// What the portfolio is made from.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DemoReport {
    /// The branches.
    pub branches: Tally,
    /// The loan products.
    pub loan_products: Tally,
    /// The borrowers.
    pub borrowers: Tally,
    /// The loans.
    pub loans: Tally,
}

impl fmt::Display for DemoReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [self.branches, self.loan_products, self.borrowers, self.loans];
        let there: u64 = all.iter().map(|tally| tally.present).sum();
        if all.iter().all(|tally| tally.added == 0) {
            return write!(formatter, "The demonstration data was there already; nothing was added.");
        }
        let [branches, products, borrowers, loans] = all.map(|tally| tally.added);
        write!(
            formatter,
            "Added {branches} branches, {products} loan products, {borrowers} borrowers and {loans} loans"
        )?;
        if there > 0 { write!(formatter, "; {there} rows were there already.") } else { write!(formatter, ".") }
    }
}

/// Fills the database. Nobody is asked for permission: this is for whoever runs the binary, not for callers. What an
/// interrupted run has written stays, and the next run adds the rest.
///
/// # Errors
/// [`ServiceError::Rejected`] when too many loans are asked for, or when other data already uses a code or reference of
/// these; whatever the database answers.
pub async fn run(services: &Services, options: DemoOptions) -> Result<DemoReport, ServiceError> {
    if options.loans > MOST_LOANS {
        let message = format!("Ask for at most {MOST_LOANS} loans of one seed; use another seed for more.");
        return Err(Problem::new(ProblemCode::NumberOutOfRange, &["loans"], message).into());
    }
    let countries = countries::countries()?;
    let mut report = DemoReport::default();
    five::write(services, &countries, &mut report).await?;
    Portfolio::new(countries, options).write(services, &mut report).await?;
    note(services, options, &report).await?;
    services.tidy_portfolio().await?;
    Ok(report)
}

/// The one event of a run: what it was asked for, and what it added. What it made up is no one's doing.
async fn note(services: &Services, options: DemoOptions, report: &DemoReport) -> Result<(), ServiceError> {
    let actor = Actor {
        subject: "demo".to_owned(),
        roles: BTreeSet::from([Role::Service]),
        branches: BranchGrant::All,
        request_id: None,
    };
    let facts = Facts::default()
        .count("seed", options.seed)
        .count("branches", report.branches.added)
        .count("loanProducts", report.loan_products.added)
        .count("borrowers", report.borrowers.added)
        .count("loans", report.loans.added);
    let evidence = Evidence { branch: None, object: None, facts, replayed: false };
    let event = &services.event(&actor, &About::lender("demo"), evidence);
    services
        .database
        .write(|transaction| async move { Ok(audit::append(&*transaction, std::slice::from_ref(event)).await?) })
        .await
}

/// Made-up data that breaks a rule of lending: a defect of this module.
fn defect(cause: impl fmt::Display) -> ServiceError {
    ServiceError::Internal(StoreError::Corrupt(format!("demonstration data: {cause}")))
}
