//! The read replica, where there is one. The server goes on without it, so that only what will never do is a failure.

use std::time::Duration;

use branch_loan_api::app;
use branch_loan_api::config::Config;
use branch_loan_api::store::Database;
use branch_loan_api::store::database::Standing;

use super::report::Report;

/// A replica that can be used shows it within two looks.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn check(config: &Config, database: &Database, report: &mut Report) {
    const CHECK: &str = "read-replica";
    if config.database.replica.is_none() {
        return;
    }
    let database = match app::with_replica(config, database.clone(), None).await {
        Ok(database) => database,
        Err(error) => return report.fail_as_told(CHECK, error.to_string()),
    };
    let Some(standing) = database.replica_stands(PATIENCE).await else { return };
    match standing {
        Standing::InUse => report.ok(CHECK, "it follows, and queries would read from it"),
        Standing::NotAStandby | Standing::Stranger => {
            report.fail(CHECK, standing.to_string(), "name a streaming replica of DATABASE_URL in DATABASE_READ_URL");
        }
        Standing::Away | Standing::Unknown => {
            let remedy = "look whether it runs, and at the address, user and password in DATABASE_READ_URL";
            report.warn(CHECK, "it does not answer, and all queries would read from the primary", remedy);
        }
        Standing::OldSchema | Standing::Behind => {
            report.warn(CHECK, standing.to_string(), "look at pg_stat_replication on the primary");
        }
    }
    if let Some(replica) = database.replica() {
        replica.close().await;
    }
}
