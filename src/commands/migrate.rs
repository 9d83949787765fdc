//! `migrate`: brings the database's schema up to date. Several may run at once: one works, the others wait.

use branch_loan_api::app;
use branch_loan_api::config::Config;
use branch_loan_api::telemetry;

use super::{Failure, block_on, say};

pub fn run(config: &Config) -> Result<(), Failure> {
    telemetry::init(&config.telemetry)?;
    block_on(async {
        let database = app::open_database(config, None).await?;
        let applied = app::migrate(&database).await?;
        database.close().await;
        match applied {
            0 => say("The database is up to date."),
            count => say(&format!("Applied {count} migrations; the database is up to date.")),
        }
    })
}
