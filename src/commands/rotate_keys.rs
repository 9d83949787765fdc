//! `rotate-keys`: seals personal values anew under PII_KEY, while servers run, and prints how many. It fails when a value
//! is left that none of the keys opens.

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::config::Config;
use branch_loan_api::telemetry;
use clap::Args;

use super::{Failure, block_on, explain, open_current, say};

#[derive(Debug, Args)]
pub struct RotateKeysArgs {
    /// Borrowers a transaction. A server that changes one of them waits until it ends.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    batch: u64,
}

pub fn run(config: &Config, arguments: &RotateKeysArgs) -> Result<(), Failure> {
    telemetry::init(&config.telemetry)?;
    block_on(async {
        let database = open_current(config).await?;
        let services = app::services(config, database.clone(), &Surroundings::real())?;
        let actor = Actor {
            subject: "rotate-keys".to_owned(),
            roles: [Role::Admin].into_iter().collect(),
            branches: BranchGrant::All,
            request_id: None,
        };
        let rotation = services.rotate_keys(&actor, arguments.batch).await.map_err(explain)?;
        database.close().await;
        say(&format!("Sealed the personal values of {} borrowers anew under PII_KEY.", rotation.borrowers))?;
        match rotation.unreadable {
            0 => say("Every personal value is under PII_KEY: other keys can be taken out of PII_KEYS_OLD."),
            count => Err(format!(
                "{count} personal values were sealed with none of these keys: add theirs to PII_KEYS_OLD and run rotate-keys again"
            )
            .into()),
        }
    })
}
