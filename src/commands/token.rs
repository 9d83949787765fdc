//! `token`: mints a development token. Only a server with AUTH_MODE=dev and the same secret accepts it.

use std::collections::BTreeSet;

use branch_loan_api::auth::{Actor, BranchGrant, Role, dev};
use branch_loan_api::clock::{Clock as _, SystemClock};
use branch_loan_api::config::{AuthConfig, Config};
use chrono::TimeDelta;
use clap::Args;

use super::{Failure, say};

#[derive(Debug, Args)]
pub struct TokenArgs {
    /// A role: OFFICER, MANAGER, ADMIN, AUDITOR or SERVICE. Repeat it for several.
    #[arg(long = "role", required = true)]
    roles: Vec<Role>,
    /// The code of a branch to work for, the branches below it included. Repeat it for several; all branches if omitted.
    #[arg(long = "branch")]
    branches: Vec<String>,
    /// Whom the token stands for.
    #[arg(long, default_value = "developer")]
    subject: String,
    /// How many hours the token is valid.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=8760))]
    hours: i64,
}

pub fn run(config: &Config, arguments: &TokenArgs) -> Result<(), Failure> {
    let AuthConfig::Dev(dev) = &config.auth else {
        return Err("tokens are minted for AUTH_MODE=dev only; ask your identity provider for others".into());
    };
    let branches = match arguments.branches.is_empty() {
        true => BranchGrant::All,
        false => BranchGrant::Codes(arguments.branches.clone()),
    };
    let roles: BTreeSet<Role> = arguments.roles.iter().copied().collect();
    let actor = Actor { subject: arguments.subject.clone(), roles, branches, request_id: None };
    let token = dev::mint(dev, &actor, TimeDelta::hours(arguments.hours), SystemClock.now())?;
    say(&token)
}
