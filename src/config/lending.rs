//! Rules of lending that an operator chooses. The rules themselves are in the `lending` crate and the services.

use clap::Args;

use super::effective::Effective;
use super::environment::Environment;
use super::values::switch;

/// Settings of lending, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Lending")]
pub struct LendingArgs {
    /// Whether a loan must be approved by somebody else than who applied for it. Default: off in development, on
    /// otherwise.
    #[arg(long, env = "MAKER_CHECKER", value_parser = switch)]
    pub maker_checker: Option<bool>,
    /// Whether a loan must be paid out by somebody else than who approved it. Default: off in development, on otherwise.
    #[arg(long, env = "DISBURSEMENT_MAKER_CHECKER", value_parser = switch)]
    pub disbursement_maker_checker: Option<bool>,
    /// The most each role may approve, as `ROLE:CURRENCY:AMOUNT` separated by commas (`MANAGER:KES:50000,MANAGER:USD:500`).
    /// A role that is named approves in the named currencies only; one that is not has no limit. Of several roles the one
    /// that may approve most counts.
    #[arg(long, env = "APPROVAL_LIMITS", default_value = "", hide_default_value = true)]
    pub approval_limits: String,
}

/// The configuration of lending.
#[derive(Debug, Clone)]
pub struct LendingConfig {
    /// Who applies for a loan may not approve it.
    pub maker_checker: bool,
    /// Who approved a loan may not pay it out.
    pub disbursement_maker_checker: bool,
    /// The most each role may approve, as given; whoever knows roles and currencies reads it.
    pub approval_limits: String,
}

impl LendingArgs {
    /// Fills in what depends on the environment.
    #[must_use]
    pub fn resolve(self, environment: Environment) -> LendingConfig {
        let apart = !environment.is_development();
        LendingConfig {
            maker_checker: self.maker_checker.unwrap_or(apart),
            disbursement_maker_checker: self.disbursement_maker_checker.unwrap_or(apart),
            approval_limits: self.approval_limits,
        }
    }
}

impl LendingConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.switch("MAKER_CHECKER", self.maker_checker);
        out.switch("DISBURSEMENT_MAKER_CHECKER", self.disbursement_maker_checker);
        out.show("APPROVAL_LIMITS", &self.approval_limits);
    }
}
