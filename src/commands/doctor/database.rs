//! The database, step by step, so that the first step that fails is named: where it is, whether anybody answers there,
//! whether we are let in, and whether it keeps what it is given.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use branch_loan_api::app;
use branch_loan_api::config::{Config, Environment};
use branch_loan_api::store::database::{Endpoint, Migrations, PostgresFacts, endpoint};
use branch_loan_api::store::error::Obstacle;
use branch_loan_api::store::{Database, StoreError};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::report::Report;
use super::{clock, disk};

/// Name lookup and connection each have this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// PostgreSQL 15.
const OLDEST: i32 = 150_000;

/// Where a file's folder is; a bare name is in the current one.
pub fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The open database, when every step to it succeeded.
pub async fn check(config: &Config, report: &mut Report, now: &impl Fn() -> DateTime<Utc>) -> Option<Database> {
    let place = match endpoint(config.database.url.expose_secret()) {
        Ok(place) => place,
        Err(error) => {
            report.fail(
                "database",
                format!("DATABASE_URL: {error}"),
                "write it like postgres://user:password@host/name",
            );
            return None;
        }
    };
    let reached = match &place {
        Endpoint::File(file) => is_there(file, report),
        Endpoint::Memory => {
            report.warn("database", "it is in memory, and gone when the server ends", "name a file in DATABASE_URL");
            false
        }
        Endpoint::Network { host, port } => answers(host, *port, report).await,
        Endpoint::Socket(socket) => has_socket(socket, report),
    };
    if !reached {
        return None;
    }
    let database = let_in(config, report).await?;
    match place {
        Endpoint::File(file) => {
            keeps_file(&database, report).await;
            disk::check(&file, report);
        }
        _ => keeps_promises(config, &place, &database, report, now).await,
    }
    Some(database)
}

fn is_there(file: &Path, report: &mut Report) -> bool {
    let shown = file.display();
    if !file.exists() {
        report.fail("database", format!("there is no file {shown}"), "run `branch-loan-api migrate`, which makes it");
        return false;
    }
    if !file.is_file() {
        report.fail("database", format!("{shown} is no file"), "correct DATABASE_URL");
        return false;
    }
    for (path, what) in [(file, "the file"), (folder(file), "the folder, where SQLite keeps its log,")] {
        if !may_write(path) {
            let remedy = "give it to the user that the server runs as (chown), or correct DATABASE_URL";
            report.fail("database", format!("{what} {} cannot be written", path.display()), remedy);
            return false;
        }
    }
    report.ok("database", format!("{shown} and its folder can be written"));
    true
}

#[cfg(unix)]
fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.permissions().readonly())
}

fn has_socket(socket: &Path, report: &mut Report) -> bool {
    if socket.exists() {
        report.ok("database.socket", format!("{} is there", socket.display()));
        return true;
    }
    let remedy = "check that PostgreSQL runs on this machine, and its unix_socket_directories";
    report.fail("database.socket", format!("there is no {}", socket.display()), remedy);
    false
}

async fn answers(host: &str, port: u16, report: &mut Report) -> bool {
    let addresses: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => {
            let remedy = "correct the host in DATABASE_URL, or this machine's name servers";
            report.fail("database.name", format!("{host} is not found ({error})"), remedy);
            return false;
        }
        Err(_) => {
            let remedy = "check this machine's name servers (/etc/resolv.conf)";
            report.fail("database.name", format!("nobody says where {host} is"), remedy);
            return false;
        }
    };
    let listed = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
    report.ok("database.name", format!("{host} is {listed}"));
    let mut refusal = "no address".to_owned();
    for address in addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                report.ok("database.tcp", format!("{address} takes connections"));
                return true;
            }
            Ok(Err(error)) => refusal = error.to_string(),
            Err(_) => refusal = "no answer in time".to_owned(),
        }
    }
    let remedy = "check that it runs and listens there (listen_addresses, port), and every firewall in between";
    report.fail("database.tcp", format!("{host}:{port} takes no connections ({refusal})"), remedy);
    false
}

async fn let_in(config: &Config, report: &mut Report) -> Option<Database> {
    let database = match app::open_database(config, None).await {
        Ok(database) => database,
        Err(error) => {
            report.fail_as_told("database.login", error.to_string());
            return None;
        }
    };
    match database.ping().await {
        Ok(()) => {
            report.ok("database.login", "the database is open");
            Some(database)
        }
        Err(error) => {
            refused(&error, report);
            database.close().await;
            None
        }
    }
}

fn refused(error: &StoreError, report: &mut Report) {
    let (check, remedy) = match error.obstacle() {
        Obstacle::Tls => {
            ("database.tls", "check sslmode and sslrootcert in DATABASE_URL against the server's certificate")
        }
        Obstacle::Login => ("database.login", "check user and password in DATABASE_URL, and the server's pg_hba.conf"),
        Obstacle::NoSuchDatabase => ("database.login", "create the database, or correct its name in DATABASE_URL"),
        Obstacle::Full => ("database.login", "raise max_connections there, or lower DATABASE_MAX_CONNECTIONS here"),
        Obstacle::Starting => ("database.login", "wait until it has started, and run doctor again"),
        Obstacle::Other => ("database.login", "look into the database's log, or the pooler's"),
    };
    report.fail(check, error.to_string(), remedy);
}

async fn keeps_file(database: &Database, report: &mut Report) {
    let facts = match database.sqlite_facts().await {
        Ok(facts) => facts,
        Err(error) => {
            return report.fail(
                "database.integrity",
                error.to_string(),
                "restore a backup (OPERATIONS.md, \"Backups\")",
            );
        }
    };
    match facts.damage {
        None => report.ok("database.integrity", "quick_check finds nothing"),
        Some(found) => {
            let remedy = "stop the server, keep a copy of the file, and restore a backup (OPERATIONS.md, \"Backups\")";
            report.fail("database.integrity", format!("the file is damaged ({found})"), remedy);
        }
    }
    match facts.journal_mode.as_str() {
        "wal" => report.ok("database.journal", "write-ahead log"),
        other => {
            let remedy = "put the file on a local disk: a network file system cannot do it";
            report.fail("database.journal", format!("the journal is {other}, not the write-ahead log"), remedy);
        }
    }
}

async fn keeps_promises(
    config: &Config,
    place: &Endpoint,
    database: &Database,
    report: &mut Report,
    now: &impl Fn() -> DateTime<Utc>,
) {
    let before = now();
    let facts = match database.postgres_facts().await {
        Ok(facts) => facts,
        Err(error) => {
            return report.fail("database.version", error.to_string(), "look into the database's log, or the pooler's");
        }
    };
    let after = now();
    let (major, minor) = (facts.version / 10_000, facts.version % 10_000);
    match facts.version >= OLDEST {
        true => report.ok("database.version", format!("PostgreSQL {major}.{minor}")),
        false => report.fail(
            "database.version",
            format!("PostgreSQL {major}.{minor} is too old"),
            "update it to 15 or later",
        ),
    }
    is_durable(&facts, report);
    if facts.is_replica {
        report.fail("database.role", "it is a replica, which takes no writes", "name the primary in DATABASE_URL");
    }
    is_private(config, place, &facts, report);
    clock::compare(report, "the database", facts.now, (before, after));
    report.skip("disk", "PostgreSQL's disk is not to be seen from here");
}

fn is_durable(facts: &PostgresFacts, report: &mut Report) {
    let settings = [
        ("fsync", &facts.fsync),
        ("full_page_writes", &facts.full_page_writes),
        ("synchronous_commit", &facts.synchronous_commit),
    ];
    let off: Vec<&str> = settings.iter().filter(|(_, value)| *value == "off").map(|(name, _)| *name).collect();
    if off.is_empty() {
        return report.ok("database.durability", "what was acknowledged outlives a crash");
    }
    let remedy = "set to on in postgresql.conf (or ALTER ROLE, ALTER DATABASE … RESET) and reload";
    let text = format!("a crash loses what was acknowledged, since off there: {}", off.join(", "));
    report.fail("database.durability", text, remedy);
}

fn is_private(config: &Config, place: &Endpoint, facts: &PostgresFacts, report: &mut Report) {
    let here = match place {
        Endpoint::Network { host, .. } => {
            host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        _ => true,
    };
    match (facts.encrypted, here) {
        (true, _) => report.ok("database.tls", "the connection is encrypted"),
        (false, true) => report.ok("database.tls", "not encrypted, and does not leave this machine"),
        (false, false) => {
            let text = "the connection is not encrypted, as far as the database sees";
            let remedy = "set sslmode=verify-full and sslrootcert in DATABASE_URL, unless the network is your own";
            match config.environment {
                Environment::Development => report.ok("database.tls", text),
                _ => report.warn("database.tls", text, remedy),
            }
        }
    }
}

/// Whether the schema is up to date.
pub async fn migrations(config: &Config, database: &Database, report: &mut Report) -> bool {
    let Migrations { pending, unknown } = match database.migrations().await {
        Ok(migrations) => migrations,
        Err(error) => {
            report.fail(
                "migrations",
                error.to_string(),
                "let the database's user read seaql_migrations, and look into its log",
            );
            return false;
        }
    };
    if !unknown.is_empty() {
        let text = format!("{} were made by a newer version: {}", unknown.len(), unknown.join(", "));
        report.warn("migrations", text, "update this program; until then it runs on what it knows");
    }
    let text = format!("{} not applied: {}", pending.len(), pending.join(", "));
    match (pending.is_empty(), config.database.migrate_on_start) {
        (true, _) if unknown.is_empty() => report.ok("migrations", "the schema is up to date"),
        (true, _) => {}
        (false, true) => report.warn("migrations", text, "start the server, which applies them"),
        (false, false) => report.fail("migrations", text, "run `branch-loan-api migrate`"),
    }
    pending.is_empty()
}
