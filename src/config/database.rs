//! Which database, and how long to wait for it. Connecting is the store's work; here the URLs are only judged: a known
//! engine, and outside development no password that everyone knows.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::effective::Effective;
use super::environment::Environment;
use super::error::ConfigError;
use super::secret::{self, is_weak_password};
use super::values::{count_u32, milliseconds, switch};

/// The database of a fresh clone: a file in the current folder.
pub const DEFAULT_URL: &str = "sqlite://branch-loan-api.db?mode=rwc";

/// Settings of the database, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// The database: `sqlite://file.db?mode=rwc` or `postgres://user:password@host:5432/name`. Required outside
    /// development. Default: `sqlite://branch-loan-api.db?mode=rwc`, a file in the current folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,
    /// A file that holds the value of `DATABASE_URL`.
    #[arg(long, env = "DATABASE_URL_FILE")]
    pub database_url_file: Option<PathBuf>,
    /// A streaming replica of that database that queries read from while it is fresh enough: `postgres://…`. Mutations
    /// never go there. PostgreSQL only.
    #[arg(long, env = "DATABASE_READ_URL", hide_env_values = true)]
    pub database_read_url: Option<SecretString>,
    /// A file that holds the value of `DATABASE_READ_URL`.
    #[arg(long, env = "DATABASE_READ_URL_FILE")]
    pub database_read_url_file: Option<PathBuf>,
    /// How far the replica may lag behind before queries read from the primary instead, in milliseconds; 500 at least.
    #[arg(long, env = "DATABASE_READ_MAX_LAG_MS", default_value = "2000", value_parser = milliseconds)]
    pub database_read_max_lag_ms: Duration,
    /// Connections in the pool. More than the database has cores to serve only lengthens its queue. A replica has a pool
    /// of its own, as large.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value = "8", value_parser = count_u32)]
    pub database_max_connections: u32,
    /// Time a request waits for a free connection before it answers UNAVAILABLE, in milliseconds.
    #[arg(long, env = "DATABASE_ACQUIRE_TIMEOUT_MS", default_value = "2000", value_parser = milliseconds)]
    pub database_acquire_timeout_ms: Duration,
    /// Time one statement may run, in milliseconds. Must stay below `REQUEST_DEADLINE_MS`.
    #[arg(long, env = "DATABASE_STATEMENT_TIMEOUT_MS", default_value = "5000", value_parser = milliseconds)]
    pub database_statement_timeout_ms: Duration,
    /// Time a statement waits for a lock that another transaction holds, in milliseconds.
    #[arg(long, env = "DATABASE_LOCK_TIMEOUT_MS", default_value = "3000", value_parser = milliseconds)]
    pub database_lock_timeout_ms: Duration,
    /// Whether `serve` brings the schema up to date first (otherwise run `branch-loan-api migrate`). Default: on in
    /// development, off otherwise.
    #[arg(long, env = "MIGRATE_ON_START", value_parser = switch)]
    pub migrate_on_start: Option<bool>,
}

/// The two engines the server runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One file, one writer.
    Sqlite,
    /// PostgreSQL 15 or later.
    Postgres,
}

/// The database's configuration.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Connection URL of a known engine.
    pub url: SecretString,
    /// The engine the URL names.
    pub engine: Engine,
    /// Connections in the pool.
    pub max_connections: u32,
    /// Time to wait for a free connection.
    pub acquire_timeout: Duration,
    /// Time one statement may run.
    pub statement_timeout: Duration,
    /// Time a statement waits for a lock.
    pub lock_timeout: Duration,
    /// Migrate before serving.
    pub migrate_on_start: bool,
    /// The replica to read from, if there is one.
    pub replica: Option<ReplicaConfig>,
}

/// A replica that queries read from.
#[derive(Debug, Clone)]
pub struct ReplicaConfig {
    /// Its connection URL.
    pub url: SecretString,
    /// How far it may lag behind.
    pub max_lag: Duration,
}

/// The replica is looked at ten times a second: a shorter lag could not be told from none.
const LEAST_LAG: Duration = Duration::from_millis(500);

impl DatabaseArgs {
    /// Reads the URL's file if one is named, and judges the URL.
    ///
    /// # Errors
    /// No URL outside development, an unknown engine, a password everyone knows outside development.
    pub fn resolve(self, environment: Environment) -> Result<DatabaseConfig, ConfigError> {
        let given = secret::resolve("DATABASE_URL", self.database_url, self.database_url_file.as_deref())?;
        let url = match given {
            Some(url) => url,
            None if environment.is_development() => SecretString::from(DEFAULT_URL),
            // Otherwise a forgotten variable would quietly fill a file inside a container that is thrown away.
            None => {
                return Err(ConfigError::refused(
                    "DATABASE_URL",
                    format!(
                        "must be set when APP_ENV={environment}: name the database, or its secret's file in DATABASE_URL_FILE"
                    ),
                ));
            }
        };
        let engine = engine(url.expose_secret())?;
        if engine == Engine::Postgres && !environment.is_development() {
            refuse_weak_password("DATABASE_URL", url.expose_secret(), environment)?;
        }
        let read =
            secret::resolve("DATABASE_READ_URL", self.database_read_url, self.database_read_url_file.as_deref())?;
        let replica = match read {
            Some(url) => Some(replica(url, engine, self.database_read_max_lag_ms, environment)?),
            None => None,
        };
        Ok(DatabaseConfig {
            url,
            engine,
            max_connections: self.database_max_connections,
            acquire_timeout: self.database_acquire_timeout_ms,
            statement_timeout: self.database_statement_timeout_ms,
            lock_timeout: self.database_lock_timeout_ms,
            migrate_on_start: self.migrate_on_start.unwrap_or(environment.is_development()),
            replica,
        })
    }
}

impl DatabaseConfig {
    /// The URL with its password replaced by `***`, for logs.
    #[must_use]
    pub fn redacted_url(&self) -> String {
        mask(self.url.expose_secret())
    }

    pub(super) fn describe(&self, out: &mut Effective) {
        out.masked("DATABASE_URL", &self.url, mask);
        if let Some(replica) = &self.replica {
            out.masked("DATABASE_READ_URL", &replica.url, mask);
            out.span("DATABASE_READ_MAX_LAG_MS", replica.max_lag);
        }
        out.show("DATABASE_MAX_CONNECTIONS", self.max_connections);
        out.span("DATABASE_ACQUIRE_TIMEOUT_MS", self.acquire_timeout);
        out.span("DATABASE_STATEMENT_TIMEOUT_MS", self.statement_timeout);
        out.span("DATABASE_LOCK_TIMEOUT_MS", self.lock_timeout);
        out.switch("MIGRATE_ON_START", self.migrate_on_start);
    }
}

/// Judges the URL of a replica beside the primary's.
fn replica(
    url: SecretString,
    primary: Engine,
    max_lag: Duration,
    environment: Environment,
) -> Result<ReplicaConfig, ConfigError> {
    let refused = |text: &str| Err(ConfigError::refused("DATABASE_READ_URL", text));
    if primary == Engine::Sqlite {
        return refused("is set, and DATABASE_URL is SQLite, which has no replicas: remove it, or use PostgreSQL");
    }
    if engine(url.expose_secret()).ok() != Some(Engine::Postgres) {
        return refused("must begin with postgres:// or postgresql://: correct it");
    }
    if !environment.is_development() {
        refuse_weak_password("DATABASE_READ_URL", url.expose_secret(), environment)?;
    }
    if max_lag < LEAST_LAG {
        return Err(ConfigError::refused(
            "DATABASE_READ_MAX_LAG_MS",
            format!("is below {} ms, which cannot be told from no lag: raise it", LEAST_LAG.as_millis()),
        ));
    }
    Ok(ReplicaConfig { url, max_lag })
}

fn engine(url: &str) -> Result<Engine, ConfigError> {
    if url.starts_with("sqlite:") {
        Ok(Engine::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Engine::Postgres)
    } else {
        Err(ConfigError::refused("DATABASE_URL", "must begin with sqlite:, postgres:// or postgresql://: correct it"))
    }
}

fn refuse_weak_password(name: &'static str, url: &str, environment: Environment) -> Result<(), ConfigError> {
    let parts = UrlParts::of(url);
    // A Unix socket or a client certificate identifies the server without a password.
    let identified_otherwise =
        parts.parameter("host").is_some_and(|host| host.starts_with("/") || host.starts_with("%2F"))
            || parts.host.starts_with("%2F")
            || parts.parameter("sslcert").or_else(|| parts.parameter("ssl-cert")).is_some();
    let user = parts.parameter("user").unwrap_or(parts.user);
    let weak = match parts.parameter("password").or(parts.password).unwrap_or_default() {
        "" => !identified_otherwise,
        password => password == user || is_weak_password(password),
    };
    if weak {
        return Err(ConfigError::refused(
            name,
            format!(
                "has no password or a well-known one, which APP_ENV={environment} refuses: give the database user a strong password"
            ),
        ));
    }
    Ok(())
}

/// The parts of `scheme://user:password@host/name?parameters` that matter here.
struct UrlParts<'a> {
    user: &'a str,
    password: Option<&'a str>,
    host: &'a str,
    query: &'a str,
}

impl<'a> UrlParts<'a> {
    fn of(url: &'a str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = before_query.split('/').next().unwrap_or_default();
        // The last @ ends the user's part, as URL parsers read it.
        let (credentials, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        Self { user, password, host, query: query.split('#').next().unwrap_or_default() }
    }

    /// The last value wins, as the driver applies them in order.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .rfind(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

fn mask(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // Something like `sqlite::memory:` has nothing to hide; anything else is better not shown.
        return if url.starts_with("sqlite:") { url.to_owned() } else { "***".to_owned() };
    };
    let (before_query, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    // A password may hold a raw `/` or `?`; an `@` after the first `?` means the split above was inside it.
    if query.is_some_and(|query| query.contains('@')) {
        return format!("{scheme}://***");
    }
    let shown = match before_query.rsplit_once('@') {
        Some((credentials, place)) => match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:***@{place}"),
            None => format!("{credentials}@{place}"),
        },
        None => before_query.to_owned(),
    };
    let Some(query) = query else { return format!("{scheme}://{shown}") };
    let parameters: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if key.contains("password") => format!("{key}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{scheme}://{shown}?{}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn passwords_are_masked_wherever_a_url_can_hold_one() {
        for (url, shown) in [
            ("postgres://loans:hunter2@db:5432/loans", "postgres://loans:***@db:5432/loans"),
            ("postgresql://loans:a/hunter2@db/loans", "postgresql://loans:***@db/loans"),
            ("postgres://loans:what?hunter2@db/loans", "postgres://***"),
            ("postgres://loans:hunter2@x@db/loans?sslmode=require", "postgres://loans:***@db/loans?sslmode=require"),
            ("postgres://db/loans?user=loans&password=hunter2", "postgres://db/loans?user=loans&password=***"),
            ("postgres://loans@db/loans", "postgres://loans@db/loans"),
            ("sqlite://loans.db?mode=rwc", "sqlite://loans.db?mode=rwc"),
            ("sqlite::memory:", "sqlite::memory:"),
            ("hunter2", "***"),
        ] {
            assert_eq!(mask(url), shown);
            assert!(!mask(url).contains("hunter2"));
        }
    }

    #[test]
    fn well_known_and_missing_passwords_are_refused_outside_development() {
        for url in [
            "postgres://postgres:postgres@db/loans",
            "postgres://loans:loans@db/loans",
            "postgres://loans:@db/loans",
            "postgres://loans@db/loans",
            "postgres://loans:ChangeMe@db/loans",
            "postgres://loans:Xk29-long-and-strange@db/loans?password=postgres",
            "postgres://db/loans?user=loans&password=loans",
        ] {
            let error = refuse_weak_password("DATABASE_URL", url, Environment::Production).unwrap_err().to_string();
            assert!(error.starts_with("DATABASE_URL "), "{url}: {error}");
        }
        for url in [
            "postgres://loans:Xk29-long-and-strange@db/loans",
            "postgres://loans@db/loans?sslcert=/run/client.pem&sslkey=/run/client.key",
            "postgres:///loans?host=/var/run/postgresql&user=loans",
        ] {
            refuse_weak_password("DATABASE_URL", url, Environment::Production).unwrap();
        }
    }
}
