//! The settings: one typed struct per concern, each in its own file. The struct that parses a setting also generates
//! `--help`, the README's table and `.env.example` (see [`docs`]), so they cannot disagree. Nothing outside this
//! module reads the process's environment.
//!
//! To add a setting: a documented field with `#[arg(long, env = "NAME", …)]` in the file of its concern, its place in
//! that concern's `…Config` and `describe`, then `UPDATE_DOCS=1 cargo test --lib config` to bring the documents along.

mod admin;
mod audit;
mod auth;
mod database;
pub mod docs;
mod effective;
mod environment;
mod error;
mod graphql;
mod http;
mod lending;
mod overload;
mod personal_data;
mod portfolio;
mod secret;
mod server;
mod sources;
mod telemetry;
mod tls;
mod traces;
mod trusted_documents;
mod values;

#[cfg(test)]
mod tests;

use clap::{Args, Parser};

pub use admin::{AdminArgs, AdminConfig};
pub use audit::{AuditArgs, AuditConfig};
pub use auth::{AuthArgs, AuthConfig, AuthMode, DEVELOPMENT_TOKEN_SECRET, DevAuth, JwksSource, JwtAuth};
pub use database::{DEFAULT_URL, DatabaseArgs, DatabaseConfig, Engine, ReplicaConfig};
pub use environment::{Environment, EnvironmentArgs};
pub use error::{ConfigError, Origin};
pub use graphql::{GraphqlArgs, GraphqlConfig, GraphqlLimits};
pub use http::{HttpArgs, HttpConfig, HttpLimits, Origins};
pub use lending::{LendingArgs, LendingConfig};
pub use overload::{AddressHeader, OverloadArgs, OverloadConfig, TrustedProxies};
pub use personal_data::{PersonalDataArgs, PersonalDataConfig, PiiKey};
pub use portfolio::{PortfolioArgs, PortfolioConfig};
pub use server::{ServerArgs, ServerConfig};
pub use sources::Sources;
pub use telemetry::{LogFormat, TelemetryArgs, TelemetryConfig};
pub use tls::{TlsArgs, TlsConfig, TlsFiles};
pub use traces::{Attributes, OtlpProtocol, TracesArgs, TracesConfig, TracesSampler};
pub use trusted_documents::{TrustedDocumentsArgs, TrustedDocumentsConfig, TrustedDocumentsMode};

use effective::Effective;

/// Every setting, as given. Flatten it into the top-level parser and parse with [`Sources::parse`].
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// Where the server runs.
    #[command(flatten)]
    pub environment: EnvironmentArgs,
    /// The listener.
    #[command(flatten)]
    pub server: ServerArgs,
    /// HTTPS.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Who may call.
    #[command(flatten)]
    pub auth: AuthArgs,
    /// The key of personal data.
    #[command(flatten)]
    pub personal_data: PersonalDataArgs,
    /// Rules an operator chooses.
    #[command(flatten)]
    pub lending: LendingArgs,
    /// The audit trail.
    #[command(flatten)]
    pub audit: AuditArgs,
    /// The portfolio.
    #[command(flatten)]
    pub portfolio: PortfolioArgs,
    /// Limits before GraphQL.
    #[command(flatten)]
    pub http: HttpArgs,
    /// How much at once.
    #[command(flatten)]
    pub overload: OverloadArgs,
    /// Limits of a document.
    #[command(flatten)]
    pub graphql: GraphqlArgs,
    /// Which documents run.
    #[command(flatten)]
    pub trusted_documents: TrustedDocumentsArgs,
    /// The log.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
    /// The port for the inside.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// Where traces go.
    #[command(flatten)]
    pub traces: TracesArgs,
}

/// The effective configuration: complete, judged, immutable.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server runs.
    pub environment: Environment,
    /// The listener.
    pub server: ServerConfig,
    /// HTTPS.
    pub tls: TlsConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Who may call.
    pub auth: AuthConfig,
    /// The key of personal data.
    pub personal_data: PersonalDataConfig,
    /// Rules an operator chooses.
    pub lending: LendingConfig,
    /// The audit trail.
    pub audit: AuditConfig,
    /// The portfolio.
    pub portfolio: PortfolioConfig,
    /// Limits before GraphQL.
    pub http: HttpConfig,
    /// How much at once.
    pub overload: OverloadConfig,
    /// Limits of a document.
    pub graphql: GraphqlConfig,
    /// Which documents run.
    pub trusted_documents: TrustedDocumentsConfig,
    /// The log.
    pub telemetry: TelemetryConfig,
    /// The port for the inside.
    pub admin: AdminConfig,
    /// Where traces go.
    pub traces: TracesConfig,
}

impl ConfigArgs {
    /// Fills in defaults that depend on the environment, reads secret files and judges the whole.
    ///
    /// # Errors
    /// The first setting that is missing, contradictory or too weak for the environment.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let environment = self.environment.app_env;
        let config = Config {
            environment,
            server: self.server.resolve(environment),
            tls: self.tls.resolve()?,
            database: self.database.resolve(environment)?,
            auth: self.auth.resolve(environment)?,
            personal_data: self.personal_data.resolve(environment)?,
            lending: self.lending.resolve(environment),
            audit: self.audit.resolve(),
            portfolio: self.portfolio.resolve(),
            http: self.http.resolve(environment)?,
            overload: self.overload.resolve(environment),
            graphql: self.graphql.resolve(environment),
            trusted_documents: self.trusted_documents.resolve()?,
            telemetry: self.telemetry.resolve(environment),
            admin: self.admin.resolve(),
            traces: self.traces.resolve()?,
        };
        config.check_across()?;
        Ok(config)
    }
}

/// A command line of settings and nothing else, for documentation and tests.
#[derive(Debug, Parser)]
#[command(name = "branch-loan-api")]
pub(super) struct SettingsOnly {
    #[command(flatten)]
    settings: ConfigArgs,
}

impl Config {
    /// The configuration that `sources` give, without a command line. The door for tests and tools.
    ///
    /// # Errors
    /// As [`Sources::parse`] and [`ConfigArgs::resolve`].
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        sources.parse::<SettingsOnly>(["branch-loan-api"])?.settings.resolve()
    }

    /// The effective configuration for people, one `NAME=value` a line, secrets as `***`. Settings without a value
    /// have no line.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut out = Effective::redacted();
        self.describe(&mut out);
        out.to_string()
    }

    fn describe(&self, out: &mut Effective) {
        out.show("APP_ENV", self.environment);
        self.server.describe(out);
        self.tls.describe(out);
        self.database.describe(out);
        self.auth.describe(out);
        self.personal_data.describe(out);
        self.lending.describe(out);
        self.audit.describe(out);
        self.portfolio.describe(out);
        self.http.describe(out);
        self.overload.describe(out);
        self.graphql.describe(out);
        self.trusted_documents.describe(out);
        self.telemetry.describe(out);
        self.admin.describe(out);
        self.traces.describe(out);
    }

    /// What no concern can see alone.
    fn check_across(&self) -> Result<(), ConfigError> {
        if self.http.rate_burst < self.http.rate_per_second {
            return Err(ConfigError::refused("RATE_BURST", "is below RATE_PER_SECOND: make it at least as large"));
        }
        if self.overload.address_rate_burst < self.overload.address_rate_per_second {
            return Err(ConfigError::refused(
                "ADDRESS_RATE_BURST",
                "is below ADDRESS_RATE_PER_SECOND: make it at least as large",
            ));
        }
        if self.graphql.limits.query_limit_bytes > self.http.limits.body_limit_bytes {
            return Err(ConfigError::refused(
                "BODY_LIMIT_BYTES",
                "is below QUERY_LIMIT_BYTES: make it at least as large",
            ));
        }
        if self.database.statement_timeout > self.http.limits.request_deadline_ms {
            return Err(ConfigError::refused(
                "DATABASE_STATEMENT_TIMEOUT_MS",
                "is above REQUEST_DEADLINE_MS: statements would outlive the requests that wait for them",
            ));
        }
        if self.admin.port == Some(self.server.port) && self.server.port != 0 {
            return Err(ConfigError::refused(
                "ADMIN_PORT",
                "is API_PORT: choose another one, because the admin port asks nobody who they are",
            ));
        }
        Ok(())
    }
}
