//! How soon what reports on the portfolio read is tidied. They are exact whatever is chosen; this is how quick they are.

use std::time::Duration;

use clap::Args;

use super::effective::Effective;
use super::values::milliseconds_from_100;

/// Settings of the portfolio, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Portfolio")]
pub struct PortfolioArgs {
    /// Time between two moments at which a server puts together what writes have added to the portfolio's sums, in
    /// milliseconds, 100 at least. Every sixth time it looks for loans whose balances change by the day.
    #[arg(long, env = "PORTFOLIO_TIDY_INTERVAL_MS", default_value = "5000", value_parser = milliseconds_from_100)]
    pub portfolio_tidy_interval_ms: Duration,
}

/// The configuration of the portfolio.
#[derive(Debug, Clone)]
pub struct PortfolioConfig {
    /// Time between two moments at which it is tidied.
    pub tidy_interval: Duration,
}

impl PortfolioArgs {
    /// Takes what is given.
    #[must_use]
    pub fn resolve(self) -> PortfolioConfig {
        PortfolioConfig { tidy_interval: self.portfolio_tidy_interval_ms }
    }
}

impl PortfolioConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.span("PORTFOLIO_TIDY_INTERVAL_MS", self.tidy_interval);
    }
}
