//! What an operator wants to know of a database: where its URL leads, and how it keeps its promises. It only looks.

use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{Database, is_in_memory};
use crate::store::error::StoreError;

/// Where the URL of a database leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// SQLite's file.
    File(PathBuf),
    /// SQLite without a file.
    Memory,
    /// PostgreSQL over the network.
    Network {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// PostgreSQL over a socket of this machine.
    Socket(PathBuf),
}

/// Reads a URL as the driver does.
///
/// # Errors
/// [`StoreError::UnreadableAddress`].
pub fn endpoint(url: &str) -> Result<Endpoint, StoreError> {
    if url.starts_with("sqlite:") {
        if is_in_memory(url) {
            return Ok(Endpoint::Memory);
        }
        let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::UnreadableAddress)?;
        return Ok(Endpoint::File(options.get_filename().to_owned()));
    }
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::UnreadableAddress)?;
    Ok(match options.get_socket() {
        Some(socket) => Endpoint::Socket(socket.clone()),
        None => Endpoint::Network { host: options.get_host().to_owned(), port: options.get_port() },
    })
}

/// What PostgreSQL says of itself.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct PostgresFacts {
    /// Its version as a number: 170004 is 17.4.
    pub version: i32,
    /// `on` or `off`.
    pub fsync: String,
    /// `on` or `off`.
    pub full_page_writes: String,
    /// `on`, `off`, or how far replicas have to be.
    pub synchronous_commit: String,
    /// Whether it replays another server's log and takes no writes.
    pub is_replica: bool,
    /// Whether the connection it sees is encrypted; with a pooler in between that is the pooler's.
    pub encrypted: bool,
    /// Its clock.
    pub now: DateTime<Utc>,
}

const POSTGRES: &str = "SELECT current_setting('server_version_num')::int AS version,
    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit, pg_is_in_recovery() AS is_replica,
    COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted, clock_timestamp() AS now";

/// What SQLite says of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteFacts {
    /// `wal` is what the server works with.
    pub journal_mode: String,
    /// What `quick_check` found first; `None` when the file is sound.
    pub damage: Option<String>,
}

impl Database {
    /// Asks PostgreSQL for its version, the settings that durability rests on, and its clock.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn postgres_facts(&self) -> Result<PostgresFacts, StoreError> {
        let statement = Statement::from_string(self.probe.get_database_backend(), POSTGRES);
        let facts = PostgresFacts::find_by_statement(statement).one(&self.probe).await?;
        facts.ok_or_else(|| StoreError::Corrupt("PostgreSQL tells nothing of itself".to_owned()))
    }

    /// Looks through SQLite's file for damage, which takes as long as reading it.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn sqlite_facts(&self) -> Result<SqliteFacts, StoreError> {
        let journal_mode = self.word("PRAGMA journal_mode").await?;
        let found = self.word("PRAGMA quick_check(1)").await?;
        Ok(SqliteFacts { journal_mode, damage: (found != "ok").then_some(found) })
    }

    pub(super) async fn word(&self, sql: &str) -> Result<String, StoreError> {
        let statement = Statement::from_string(self.probe.get_database_backend(), sql);
        match self.probe.query_one_raw(statement).await? {
            Some(row) => Ok(row.try_get_by_index(0)?),
            None => Err(StoreError::Corrupt(format!("no answer to {sql}"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_where_the_driver_goes() {
        let network = |host: &str, port| Endpoint::Network { host: host.to_owned(), port };
        let cases = [
            ("sqlite://loans.db?mode=rwc", Endpoint::File("loans.db".into())),
            ("sqlite:///srv/loans.db", Endpoint::File("/srv/loans.db".into())),
            ("sqlite::memory:", Endpoint::Memory),
            ("sqlite://x?mode=memory", Endpoint::Memory),
            ("postgres://u:p@db.example.com/loans", network("db.example.com", 5432)),
            ("postgres://u:p@10.0.0.1:6432/loans?sslmode=require", network("10.0.0.1", 6432)),
            ("postgres:///loans?host=/run/postgresql&user=u", Endpoint::Socket("/run/postgresql".into())),
        ];
        for (url, expected) in cases {
            assert_eq!(endpoint(url).unwrap(), expected, "{url}");
        }
        let unreadable = endpoint("postgres://u:hunter2@[::1/x").unwrap_err();
        assert!(!unreadable.to_string().contains("hunter2"));
    }
}
