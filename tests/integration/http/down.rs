//! A database that is not there: the server starts, says that it is not ready, answers with something to try again, and
//! tells nobody what it knows about the database.

use std::net::TcpListener;

use serde_json::json;

use super::lock::CREATE;
use crate::support::engines::postgres_binaries;
use crate::support::postgres::Cluster;
use crate::support::server::{Reply, Server, Setup, soon};

const PASSWORD: &str = "hunter2-and-more";

/// A port nobody listens on.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn start(port: u16) -> Server {
    Setup::development()
        .set("DATABASE_URL", format!("postgres://lender:{PASSWORD}@127.0.0.1:{port}/ledgers"))
        .set("MIGRATE_ON_START", "off")
        .set("DATABASE_ACQUIRE_TIMEOUT_MS", 300)
        // Far away, so that TIMEOUT cannot be the answer by any accident.
        .set("REQUEST_DEADLINE_MS", 120_000)
        .start()
        .await
}

fn tells_nothing(reply: &Reply, port: u16) {
    let port = port.to_string();
    for secret in [PASSWORD, "lender", "ledgers", "127.0.0.1", &port, "postgres", "Postgres", "SELECT", "sqlx", "pool"]
    {
        assert!(!reply.text.contains(secret), "{secret} in {}", reply.text);
    }
}

async fn works_as_far_as_it_can(port: u16) {
    let server = start(port).await;
    for path in ["/health", "/livez"] {
        assert_eq!(Reply::of(server.get(path)).await.status, 200, "{path}");
    }
    let ready = Reply::of(server.get("/readyz?verbose")).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["failing"], json!(["database", "migrations"]));
    assert_eq!(ready.json()["checks"][2], json!({"name": "serving", "status": "ok"}));
    tells_nothing(&ready, port);

    for query in [
        "{ loans { totalCount } }",
        "{ branch(by: { code: \"NBO\" }) { id } }",
        "{ portfolio { count } }",
        "{ nodes(ids: [\"branch_01k5q3v8yqe1n9x2c4b6d8f0gh\"]) { id } }",
        "mutation { createBranch(input: { code: \"NBO\", name: \"Nairobi\", currency: \"KES\",
            timeZone: \"Africa/Nairobi\" }) { branch { id } userErrors { code } } }",
    ] {
        for _ in 0..2 {
            let reply = server.ask(query).await;
            // A resolver ran, so the status is 200; the error says the rest.
            assert_eq!(reply.verdict(), (200, "UNAVAILABLE".to_owned()), "{query}: {}", reply.text);
            assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
            assert!(reply.json().get("data").is_some());
            tells_nothing(&reply, port);
        }
    }
    // What needs no database is answered; one part that fails does not take the others along.
    let reply = server.ask("{ viewer { subject } branch(by: { code: \"NBO\" }) { id } }").await;
    assert_eq!((reply.status, reply.codes()), (200, vec!["UNAVAILABLE".to_owned()]));
    assert_eq!(reply.json()["data"], json!({"viewer": {"subject": "dev-admin"}, "branch": null}));
    let _folder = server.stop().await;
}

#[tokio::test]
async fn nobody_listens() {
    works_as_far_as_it_can(closed_port()).await;
}

/// Something accepts connections and never says a word: a firewall, a stuck server.
#[tokio::test]
async fn nobody_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    works_as_far_as_it_can(silent.local_addr().unwrap().port()).await;
}

async fn until_ready(server: &Server) {
    soon(async { while Reply::of(server.get("/readyz")).await.status != 200 {} }).await;
}

/// The database goes away under a running server and comes back; nobody restarts the server.
#[tokio::test]
async fn a_database_that_comes_back_is_used_again() {
    let Some(binaries) = postgres_binaries() else { return };
    let cluster = Cluster::start(binaries).await.unwrap();
    let server = Setup::development().set("DATABASE_URL", cluster.url("postgres")).start().await;
    server.data(CREATE, json!({})).await;
    let query = "{ branches { nodes { code } } }";
    for _ in 0..2 {
        let before = server.data(query, json!({})).await;
        assert_eq!(before, json!({"branches": {"nodes": [{"code": "NBO"}]}}));
        cluster.stop();
        for _ in 0..3 {
            let reply = server.ask(query).await;
            assert_eq!(reply.verdict(), (200, "UNAVAILABLE".to_owned()), "{}", reply.text);
        }
        assert_eq!(Reply::of(server.get("/readyz")).await.status, 503);
        assert_eq!(Reply::of(server.get("/livez")).await.status, 200);
        cluster.run().await.unwrap();
        until_ready(&server).await;
    }
    assert_eq!(server.data(query, json!({})).await, json!({"branches": {"nodes": [{"code": "NBO"}]}}));
}

/// Servers and databases are started in any order, and whoever migrates comes when they come.
#[tokio::test]
async fn a_server_that_was_there_first_waits_for_the_database_and_its_schema() {
    let Some(binaries) = postgres_binaries() else { return };
    let cluster = Cluster::start(binaries).await.unwrap();
    cluster.stop();
    let setup = Setup::development().set("DATABASE_URL", cluster.url("postgres")).set("MIGRATE_ON_START", "off");
    let server = setup.start().await;
    let failing = async || Reply::of(server.get("/readyz")).await.json()["failing"].clone();
    assert_eq!(failing().await, json!(["database", "migrations"]));
    cluster.run().await.unwrap();
    soon(async { while failing().await != json!(["migrations"]) {} }).await;
    let reply = server.ask("{ branches { totalCount } }").await;
    assert_eq!(reply.status, 200);
    assert!(!reply.text.contains("relation") && !reply.text.contains("branches\\\""), "{}", reply.text);
    let database = branch_loan_api::app::open_database(&server.config, None).await.unwrap();
    database.migrate().await.unwrap();
    until_ready(&server).await;
    server.data(CREATE, json!({})).await;
}
