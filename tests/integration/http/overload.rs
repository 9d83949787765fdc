//! More than the server can do: who is served, who waits, who is told to come back, and what stops when nobody waits any
//! more.

use std::time::Duration;

use branch_loan_api::config::Config;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::lock::CREATE;
use crate::support::engines::{Engine, Schema};
use crate::support::server::{PATIENCE, Reply, Server, Setup, soon};

const READ: &str = "{ branches { nodes { code } } }";

async fn raw(config: &Config) -> DatabaseConnection {
    let mut options = ConnectOptions::new(config.database.url.expose_secret().to_owned());
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// Turns the table of branches into one that is read without end and has no rows.
/// What a server does beside requests would read them, too: it is to be turned off.
async fn make_branches_endless(server: &Server) {
    let sql = "ALTER TABLE branches RENAME TO branches_kept; CREATE VIEW branches AS
        WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)
        SELECT branches_kept.* FROM c LEFT JOIN branches_kept ON 0 WHERE c.n < 0";
    let connection = raw(&server.config).await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// A read on SQLite that runs away: it has the only place and the only connection, until its client leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_runs_away_stops_when_its_client_leaves() {
    let setup = Setup::development().set("READS_IN_FLIGHT", 1).set("READS_QUEUED", 1).set("QUEUE_WAIT_MS", 100);
    let setup = setup.set("DATABASE_MAX_CONNECTIONS", 1).set("REQUEST_DEADLINE_MS", 86_400_000);
    let setup = setup.set("PORTFOLIO_TIDY_INTERVAL_MS", 86_400_000);
    let server = setup.set("DATABASE_ACQUIRE_TIMEOUT_MS", PATIENCE.as_millis()).start().await;
    server.data(CREATE, json!({})).await;
    make_branches_endless(&server).await;
    let client = tokio::spawn(server.post(json!({"query": READ}).to_string()).send());
    soon(async { while server.ask("{ viewer { subject } }").await.status != 503 {} }).await;

    let refused = server.ask("{ viewer { subject } }").await;
    assert_eq!((refused.verdict(), refused.header("retry-after")), ((503, "OVERLOADED".to_owned()), "1"));
    assert_eq!(refused.json()["errors"][0]["extensions"]["retryable"], true);
    server.data("mutation { __typename }", json!({})).await;
    for probe in ["/health", "/livez", "/readyz"] {
        assert_eq!(Reply::of(server.get(probe)).await.status, 200, "{probe} does not wait behind reads");
    }

    client.abort();
    assert!(client.await.unwrap_err().is_cancelled(), "it left without an answer");
    soon(async { while server.ask("{ loans { totalCount } }").await.status == 503 {} }).await;
    assert_eq!(server.data("{ loans { totalCount } }", json!({})).await["loans"]["totalCount"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_runs_away_stops_at_its_deadline() {
    let setup = Setup::development().set("DATABASE_MAX_CONNECTIONS", 1).set("REQUEST_DEADLINE_MS", 3_000);
    let setup = setup.set("DATABASE_STATEMENT_TIMEOUT_MS", 3_000).set("PORTFOLIO_TIDY_INTERVAL_MS", 86_400_000);
    let server = setup.set("DATABASE_ACQUIRE_TIMEOUT_MS", PATIENCE.as_millis()).start().await;
    make_branches_endless(&server).await;
    let reply = server.ask(READ).await;
    assert_eq!(reply.verdict(), (504, "TIMEOUT".to_owned()), "{}", reply.text);
    // The interrupt comes with the deadline; the connection a moment later.
    soon(async { while server.ask("{ loans { totalCount } }").await.verdict() != (200, String::new()) {} }).await;
}

/// `verifyBooks` has no statement timeout, so only the deadline ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_leaves_nothing_running_in_postgres() {
    let Some(engine) = Engine::postgres(Schema::Migrated).await else { return };
    let setup = Setup::development().set("DATABASE_URL", &engine.url).set("DATABASE_MAX_CONNECTIONS", 1);
    let setup = setup.set("REQUEST_DEADLINE_MS", 1_000).set("DATABASE_STATEMENT_TIMEOUT_MS", 1_000);
    let server = setup.set("DATABASE_LOCK_TIMEOUT_MS", 3_600_000).start().await;
    server.data(CREATE, json!({})).await;
    let lock = engine.raw().await;
    lock.execute_unprepared("BEGIN; LOCK TABLE loans IN ACCESS EXCLUSIVE MODE").await.unwrap();

    let reply = server.ask("{ verifyBooks { clean } }").await;
    assert_eq!(reply.verdict(), (504, "TIMEOUT".to_owned()), "{}", reply.text);
    let watch = engine.raw().await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    soon(async {
        loop {
            let row = watch.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
            if row.try_get_by_index::<i64>(0).unwrap() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    // The lock is still held: nobody else has let it go. The only connection serves again.
    soon(async { while server.ask(READ).await.verdict() != (200, String::new()) {} }).await;
    lock.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(server.data("{ verifyBooks { clean } }", json!({})).await["verifyBooks"]["clean"], true);
}

async fn from(server: &Server, header: &str, client: &str) -> Reply {
    Reply::of(server.post(r#"{"query":"{ __typename }"}"#).header(header, client)).await
}

/// Asks in the name of these clients until it is too much; `None` when it never is.
async fn too_much(server: &Server, header: &str, clients: impl Iterator<Item = String>) -> Option<Reply> {
    for client in clients {
        let reply = from(server, header, &client).await;
        if reply.status != 200 {
            return Some(reply);
        }
    }
    None
}

fn sparing() -> Setup {
    Setup::development().set("ADDRESS_RATE_PER_SECOND", 1).set("ADDRESS_RATE_BURST", 3)
}

#[tokio::test]
async fn the_rate_of_one_address() {
    let server = sparing().start().await;
    // Nobody has said that this client may speak for others.
    let pretended = (0..200).map(|number| format!("198.51.100.{number}"));
    let reply = too_much(&server, "x-forwarded-for", pretended).await.expect("they all come from one address");
    assert_eq!(reply.verdict(), (429, "RATE_LIMITED".to_owned()), "{}", reply.text);
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    assert_eq!(Reply::of(server.get("/readyz")).await.status, 200, "probes are nobody's requests");
}

#[tokio::test]
async fn clients_of_trusted_proxies_have_addresses_of_their_own() {
    for (header, prefix) in [("x-forwarded-for", ""), ("forwarded", "for=")] {
        let setup = sparing().set("TRUSTED_PROXIES", "127.0.0.0/8,10.0.0.7").set("CLIENT_ADDRESS_HEADER", header);
        let server = setup.start().await;
        // By way of two proxies; the first element is what the client made up.
        let chain = |client: &str| format!("{prefix}1.1.1.1, {prefix}{client}, {prefix}10.0.0.7");
        let many = (0..20).map(|number| chain(&format!("198.51.100.{number}")));
        assert!(too_much(&server, header, many).await.is_none(), "each has a rate of its own");
        let one = (0..200).map(|number| format!("{prefix}1.1.1.{number}, {prefix}203.0.113.9"));
        let reply = too_much(&server, header, one).await.expect("one client, whatever it makes up");
        assert_eq!(reply.verdict(), (429, "RATE_LIMITED".to_owned()));
        assert_eq!(from(&server, header, &chain("198.51.100.77")).await.status, 200);
    }
}

/// API clients hold every connection there may be; orchestrators still get their answer, and other clients theirs.
#[tokio::test]
async fn the_number_of_connections() {
    let server = Setup::development().set("MAX_CONNECTIONS", 2).start().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        soon(stream.read_exact(&mut [0; 15])).await.unwrap();
        held.push(stream);
    }
    for probe in ["/health", "/livez", "/readyz"] {
        assert_eq!(Reply::of(server.get(probe)).await.status, 200, "{probe}");
    }
    let reply = server.ask("{ __typename }").await;
    assert_eq!((reply.verdict(), reply.header("retry-after")), ((503, "OVERLOADED".to_owned()), "1"));
    drop(held);
    soon(async { while server.ask("{ __typename }").await.status != 200 {} }).await;
}
