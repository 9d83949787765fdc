//! `purge-idempotency-keys`: forgets the keys of requests that nobody sends again any more, and prints how many.

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::config::Config;
use branch_loan_api::service::idempotency::LEAST_KEPT_HOURS;
use branch_loan_api::telemetry;
use chrono::TimeDelta;
use clap::Args;

use super::{Failure, block_on, explain, open_current, say};

/// Ten years: a slip of some zeros is caught.
const MOST_HOURS: i64 = 87_600;

#[derive(Debug, Args)]
pub struct PurgeArgs {
    /// Keys first used longer ago than this are forgotten: hours or days, such as 72h or 30d, and 72h at least, because clients may send a request again for so long.
    #[arg(long, default_value = "72h", value_parser = age)]
    older_than: TimeDelta,
}

fn age(text: &str) -> Result<TimeDelta, String> {
    let hours = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(hours), _) => hours.parse::<i64>().ok(),
        (_, Some(days)) => days.parse::<i64>().ok().and_then(|days| days.checked_mul(24)),
        _ => None,
    };
    let possible = hours.filter(|hours| (LEAST_KEPT_HOURS..=MOST_HOURS).contains(hours));
    possible.and_then(TimeDelta::try_hours).ok_or_else(|| {
        format!("hours or days are needed, from {LEAST_KEPT_HOURS}h to {MOST_HOURS}h, such as 72h or 30d")
    })
}

pub fn run(config: &Config, arguments: &PurgeArgs) -> Result<(), Failure> {
    telemetry::init(&config.telemetry)?;
    block_on(async {
        let database = open_current(config).await?;
        let services = app::services(config, database.clone(), &Surroundings::real())?;
        let actor = Actor {
            subject: "purge-idempotency-keys".to_owned(),
            roles: [Role::Service].into_iter().collect(),
            branches: BranchGrant::All,
            request_id: None,
        };
        let purged = services.forget_idempotency_keys(&actor, arguments.older_than).await.map_err(explain)?;
        database.close().await;
        say(&format!("Purged {purged} idempotency keys."))
    })
}
