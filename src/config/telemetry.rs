//! What is logged, and in which form. Starting the log is `crate::telemetry`'s work.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::effective::Effective;
use super::environment::Environment;

/// Settings of the log, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct TelemetryArgs {
    /// What is logged: error, warn, info, debug or trace, optionally by module (`info,branch_loan_api::http=debug`).
    /// SQL statements are logged only if asked for by name (`info,sqlx=debug`).
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_parser = filter)]
    pub log_level: String,
    /// The form of the log: `pretty` for people, `json` (one object a line) for machines. Default: pretty in
    /// development, json otherwise.
    #[arg(long, env = "LOG_FORMAT", hide_possible_values = true)]
    pub log_format: Option<LogFormat>,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The configuration of the log.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// A filter in the syntax of `tracing`, known to parse.
    pub log_level: String,
    /// The form of the log.
    pub log_format: LogFormat,
}

impl TelemetryArgs {
    /// Fills in what depends on the environment.
    #[must_use]
    pub fn resolve(self, environment: Environment) -> TelemetryConfig {
        let format = if environment.is_development() { LogFormat::Pretty } else { LogFormat::Json };
        TelemetryConfig { log_level: self.log_level, log_format: self.log_format.unwrap_or(format) }
    }
}

impl TelemetryConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.show("LOG_LEVEL", &self.log_level);
        out.show(
            "LOG_FORMAT",
            match self.log_format {
                LogFormat::Pretty => "pretty",
                LogFormat::Json => "json",
            },
        );
    }
}

fn filter(text: &str) -> Result<String, String> {
    // A single unknown word would be taken for the name of a module and silence everything else.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let names_a_level = text.split(',').any(|part| {
        let level = part.rsplit('=').next().unwrap_or_default().trim();
        levels.iter().any(|known| level.eq_ignore_ascii_case(known))
    });
    match EnvFilter::try_new(text) {
        Ok(_) if names_a_level => Ok(text.to_owned()),
        _ => {
            Err("a level is needed (error, warn, info, debug, trace), optionally by module like info,sqlx=debug"
                .to_owned())
        }
    }
}
