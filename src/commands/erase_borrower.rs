//! `erase-borrower`: erases everything personal about borrowers, and then what traces of it the database keeps. Books
//! stay. Running it again changes nothing and clears the traces once more.

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::config::Config;
use branch_loan_api::ids::{Kind, NodeId};
use branch_loan_api::service::borrower_erasure::{EraseBorrower, Erased, ErasureReason};
use branch_loan_api::service::borrowers::BorrowerKey;
use branch_loan_api::service::{ServiceError, Services};
use branch_loan_api::store::Database;
use branch_loan_api::telemetry;
use clap::Args;

use super::{Failure, block_on, explain, open_current, say};

#[derive(Debug, Args)]
pub struct EraseBorrowerArgs {
    /// Who: an id such as borrower_01k… or a number such as B-000000001. May be given several times.
    #[arg(long, required = true)]
    borrower: Vec<String>,
    /// Why, for the audit trail: requested (by the borrower) or retention-ended.
    #[arg(long, value_parser = reason)]
    reason: Option<ErasureReason>,
}

fn reason(text: &str) -> Result<ErasureReason, String> {
    let name = text.replace('-', "_").to_uppercase();
    let found = ErasureReason::ALL.into_iter().find(|reason| reason.as_str() == name);
    found.ok_or_else(|| "requested or retention-ended is needed".to_owned())
}

pub fn run(config: &Config, arguments: &EraseBorrowerArgs) -> Result<(), Failure> {
    telemetry::init(&config.telemetry)?;
    block_on(async {
        let database = open_current(config).await?;
        let services = app::services(config, database.clone(), &Surroundings::real())?;
        let actor = Actor {
            subject: "erase-borrower".to_owned(),
            roles: [Role::Admin].into_iter().collect(),
            branches: BranchGrant::All,
            request_id: None,
        };
        let mut refused = Vec::new();
        for asked in &arguments.borrower {
            match erase(&services, &actor, asked, arguments.reason).await {
                Ok(erased) => say(&line(&erased))?,
                Err(error) => refused.push(format!("{asked}: {}", explain(error))),
            }
        }
        let cleared = if refused.len() < arguments.borrower.len() { clear(&database).await } else { Ok(()) };
        database.close().await;
        match (refused.is_empty(), cleared) {
            (true, cleared) => cleared,
            (false, Ok(())) => Err(refused.join(" ").into()),
            (false, Err(traces)) => Err(format!("{} {traces}", refused.join(" ")).into()),
        }
    })
}

async fn erase(
    services: &Services,
    actor: &Actor,
    asked: &str,
    reason: Option<ErasureReason>,
) -> Result<Erased, ServiceError> {
    // A number that nobody has is refused, and put on the trail, like an id that nobody has.
    let id = match NodeId::parse(asked, Kind::Borrower) {
        Ok(id) => id,
        Err(_) => {
            let found = services.borrower(actor, &BorrowerKey::Number(asked.to_owned())).await?;
            found.map(|borrower| borrower.id).unwrap_or_default()
        }
    };
    services.erase_borrower(actor, &EraseBorrower { id, reason, expected_version: None }).await
}

async fn clear(database: &Database) -> Result<(), Failure> {
    let still = "traces of what was erased are left in the database's files: run the same command again";
    match database.clear_traces().await {
        Ok(true) => {
            say("Cleared the traces that the database keeps in its tables; see OPERATIONS.md for its logs and backups.")
        }
        Ok(false) => Err(format!("{still} (somebody reads an older state now)").into()),
        Err(error) => Err(format!("{still} ({error})").into()),
    }
}

fn line(Erased { borrower, left, replayed, .. }: &Erased) -> String {
    match (*replayed, left.len()) {
        (true, _) => format!("{} was erased before; nothing was changed.", borrower.number),
        (false, 0) => format!("Erased {}.", borrower.number),
        (false, 1) => format!("Erased {}, who left a group.", borrower.number),
        (false, groups) => format!("Erased {}, who left {groups} groups.", borrower.number),
    }
}
