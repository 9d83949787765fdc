//! `demo`: fills the database with demonstration data.

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::config::{Config, Environment};
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::demo::{self, DemoOptions};
use branch_loan_api::telemetry;
use clap::Args;

use super::{Failure, block_on, say};

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many further loans to make up, beside the five that are always there.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    loans: u64,
    /// What the further loans are made from: the same seed makes the same loans.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub fn run(config: &Config, arguments: &DemoArgs) -> Result<(), Failure> {
    if config.environment == Environment::Production {
        return Err("demonstration data is refused when APP_ENV=production".into());
    }
    telemetry::init(&config.telemetry)?;
    block_on(async {
        let database = app::open_database(config, None).await?;
        app::migrate(&database).await?;
        let services = app::services(config, database.clone(), &Surroundings::real())?;
        let options = DemoOptions { loans: arguments.loans, seed: arguments.seed };
        let report = demo::run(&services, options).await.map_err(explain)?;
        database.close().await;
        say(&report.to_string())
    })
}

/// A refusal in its own words; anything else is for whoever mends the program.
fn explain(error: ServiceError) -> String {
    match error {
        ServiceError::Rejected(problems) => {
            problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join(" ")
        }
        other => format!("no demonstration data could be written ({other:?})"),
    }
}
