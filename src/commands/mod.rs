//! One file per command of the binary: what it takes, what it does, what it prints.

pub mod backup;
pub mod close_day;
pub mod demo;
pub mod doctor;
pub mod erase_borrower;
pub mod healthcheck;
pub mod migrate;
pub mod policy;
pub mod purge_idempotency_keys;
pub mod rotate_keys;
pub mod schema;
pub mod serve;
pub mod token;
pub mod verify;

use std::io::Write as _;

use branch_loan_api::app::{self, StartError};
use branch_loan_api::config::Config;
use branch_loan_api::service::ServiceError;
use branch_loan_api::store::Database;

/// Why a command failed: one line that says what to change.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Prints a line for the person at the terminal.
pub fn say(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Runs a future on a runtime of its own.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

/// Opens a database whose schema is this program's, and refuses any other.
pub async fn open_current(config: &Config) -> Result<Database, Failure> {
    let database = app::open_database(config, None).await?;
    let pending = database.pending_migrations().await.map_err(StartError::Database)?;
    if pending.is_empty() {
        return Ok(database);
    }
    database.close().await;
    let count = pending.len();
    Err(format!("the database's schema is out of date by {count} changes: run `branch-loan-api migrate` first").into())
}

/// A refusal in its own words; anything else is for whoever mends the program.
pub fn explain(error: ServiceError) -> String {
    match error {
        ServiceError::Rejected(problems) => {
            problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join(" ")
        }
        other => format!("the command did not succeed ({other:?})"),
    }
}
