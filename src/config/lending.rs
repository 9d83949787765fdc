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
}

/// The configuration of lending.
#[derive(Debug, Clone)]
pub struct LendingConfig {
    /// Who applies for a loan may not approve it.
    pub maker_checker: bool,
}

impl LendingArgs {
    /// Fills in what depends on the environment.
    #[must_use]
    pub fn resolve(self, environment: Environment) -> LendingConfig {
        LendingConfig { maker_checker: self.maker_checker.unwrap_or(!environment.is_development()) }
    }
}

impl LendingConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.switch("MAKER_CHECKER", self.maker_checker);
    }
}
