//! `close-day`: closes the business days of branches that are still open, and prints what it came to.

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::config::Config;
use branch_loan_api::service::branches::BranchKey;
use branch_loan_api::service::close_day::{self, CloseDay, ClosedBranch};
use branch_loan_api::telemetry;
use chrono::NaiveDate;
use clap::Args;

use super::{Failure, block_on, explain, open_current, say};

#[derive(Debug, Args)]
pub struct CloseDayArgs {
    /// The last day to close, such as 2026-01-31; each branch's business date if omitted. Every day since the last one closed is closed too.
    #[arg(long)]
    date: Option<NaiveDate>,
    /// The code of a branch: only it and the branches below it are closed.
    #[arg(long)]
    branch: Option<String>,
    /// How many loans to take at once. Stopped at any point, the next run goes on with the loans that are left.
    #[arg(long, default_value_t = close_day::CHUNK, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    chunk: u32,
}

pub fn run(config: &Config, arguments: &CloseDayArgs) -> Result<(), Failure> {
    telemetry::init(&config.telemetry)?;
    block_on(async {
        if config.database.migrate_on_start {
            let database = app::open_database(config, None).await?;
            app::migrate(&database).await?;
            database.close().await;
        }
        let database = open_current(config).await?;
        let services = app::services(config, database.clone(), &Surroundings::real())?;
        let actor = Actor {
            subject: "end-of-day".to_owned(),
            roles: [Role::Service].into_iter().collect(),
            branches: BranchGrant::All,
            request_id: None,
        };
        let input = CloseDay {
            branch: arguments.branch.clone().map(BranchKey::Code),
            on: arguments.date,
            chunk: arguments.chunk,
            idempotency_key: None,
        };
        let closed = services.close_days_by_command(&actor, &input).await.map_err(explain)?;
        database.close().await;
        for branch in &closed.branches {
            say(&line(branch))?;
        }
        Ok(())
    })
}

fn line(closed: &ClosedBranch) -> String {
    let ClosedBranch { branch, days, work, passed_over } = closed;
    let through = branch.closed_through.map_or_else(|| "never".to_owned(), |day| day.to_string());
    format!(
        "{}: closed through {through}; {days} days, {} loan days, {} folded, {} late charges, {} defaulted, {} cured, {passed_over} without a projection",
        branch.code, work.loans, work.folded, work.charged, work.defaulted, work.cured
    )
}
