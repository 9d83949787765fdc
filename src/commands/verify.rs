//! `verify`: works the books out anew and prints what breaks, a line each. It fails when anything does.

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::config::Config;
use branch_loan_api::service::audit::AuditHead;
use branch_loan_api::service::branches::BranchKey;
use branch_loan_api::service::verify::{AuditVerification, Finding, Verification};
use branch_loan_api::telemetry;
use clap::Args;
use serde_json::{Value as Json, json};

use super::{Failure, block_on, explain, open_current, say};

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The code of a branch: only its books and those of the branches below it are verified.
    #[arg(long)]
    branch: Option<String>,
    /// Print a JSON object a line; the last one has the ends of the audit chains.
    #[arg(long)]
    json: bool,
    /// Print where each audit chain ends, to be noted where nobody who could change the database can change it.
    #[arg(long)]
    heads: bool,
}

pub fn run(config: &Config, arguments: &VerifyArgs) -> Result<(), Failure> {
    telemetry::init(&config.telemetry)?;
    block_on(async {
        let database = open_current(config).await?;
        let services = app::services(config, database.clone(), &Surroundings::real())?;
        let actor = Actor {
            subject: "verify".to_owned(),
            roles: [Role::Auditor].into_iter().collect(),
            branches: BranchGrant::All,
            request_id: None,
        };
        let branch = arguments.branch.clone().map(BranchKey::Code);
        let verification = services.verify_books(&actor, branch.as_ref()).await.map_err(explain)?;
        database.close().await;
        for finding in &verification.findings {
            say(&line(finding, arguments.json))?;
        }
        let (loans, count) = (verification.loans, verification.count);
        if arguments.json {
            say(&summary(&verification).to_string())?;
        } else if verification.is_clean() {
            say(&format!("The books hold: {loans} loans verified."))?;
            let AuditVerification { sealed, unsealed, heads } = &verification.audit;
            let chains = heads.len();
            say(&format!("The audit trail holds: {sealed} events in {chains} chains, {unsealed} not sealed yet."))?;
        }
        if arguments.heads && !arguments.json {
            for head in &verification.audit.heads {
                let branch = head.branch.as_deref().unwrap_or("lender");
                say(&format!("Audit chain {branch}: {} events, {}", head.length, head.head))?;
            }
        }
        match count {
            0 => Ok(()),
            _ => Err(format!("the books do not hold: {count} findings in {loans} loans").into()),
        }
    })
}

fn summary(verification: &Verification) -> Json {
    let AuditVerification { sealed, unsealed, heads } = &verification.audit;
    let chain = |head: &AuditHead| json!({"branch": head.branch, "length": head.length, "head": head.head});
    let chains: Vec<Json> = heads.iter().map(chain).collect();
    json!({
        "loans": verification.loans,
        "findings": verification.count,
        "audit": {"sealed": sealed, "unsealed": unsealed, "chains": chains},
    })
}

fn line(finding: &Finding, as_json: bool) -> String {
    let Finding { kind, loan, subject, expected, actual } = finding;
    if as_json {
        let kind = kind.as_str();
        return json!({"kind": kind, "loan": loan, "subject": subject, "expected": expected, "actual": actual})
            .to_string();
    }
    let loan = loan.as_deref().map(|number| format!(" {number}")).unwrap_or_default();
    format!("{}{loan} {subject}: expected {expected}, found {actual}", kind.as_str())
}
