//! Which kind of place the server runs in. Nothing else decides a default by itself: every default that differs
//! between a laptop and production is derived from this one value.

use std::fmt;

use clap::{Args, ValueEnum};

/// Where the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Environment {
    /// A developer's machine: convenient defaults, `.env` is read, development secrets are accepted.
    Development,
    /// A rehearsal of production: as strict as production.
    Staging,
    /// The real thing.
    Production,
}

impl Environment {
    /// True on a developer's machine only.
    #[must_use]
    pub fn is_development(self) -> bool {
        self == Self::Development
    }

    /// True where `demo` and other destructive conveniences must be refused.
    #[must_use]
    pub fn is_production(self) -> bool {
        self == Self::Production
    }

    /// `development`, `staging` or `production`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The setting that chooses the environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Environment")]
pub struct EnvironmentArgs {
    /// Where the server runs: development, staging or production. Only development reads `.env` and accepts
    /// development secrets.
    #[arg(long, env = "APP_ENV", default_value = "development", hide_possible_values = true)]
    pub app_env: Environment,
}
