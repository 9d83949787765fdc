//! Shutting down in order: not ready, drained, in flight finished, closed.

use serde_json::json;

use super::lock::{CREATE, Lock, one_write_at_a_time, until_full};
use crate::support::server::{PATIENCE, Reply, Setup, soon};

#[tokio::test]
async fn a_draining_server_is_not_ready_and_still_serves() {
    let server = Setup::development().set("SHUTDOWN_DRAIN_MS", PATIENCE.as_millis()).start().await;
    let ready = Reply::of(server.get("/readyz?verbose")).await;
    let names = ["database", "migrations", "serving"].map(|name| json!({"name": name, "status": "ok"}));
    assert_eq!((ready.status, ready.json()), (200, json!({"status": "ok", "checks": names})));
    server.shutdown.cancel();
    let draining = Reply::of(server.get("/readyz")).await;
    assert_eq!((draining.status, draining.json()), (503, json!({"status": "unavailable", "failing": ["serving"]})));
    assert_eq!(Reply::of(server.get("/health")).await.status, 200);
    assert_eq!(Reply::of(server.get("/livez")).await.status, 200);
    server.data("{ branches { totalCount } }", json!({})).await;
}

#[tokio::test]
async fn what_is_in_flight_finishes_and_is_kept() {
    let setup = one_write_at_a_time();
    let setup = setup.set("REQUEST_DEADLINE_MS", PATIENCE.as_millis()).set("SHUTDOWN_TIMEOUT_MS", PATIENCE.as_millis());
    let server = setup.start().await;
    let lock = Lock::hold(&server.config).await;
    let mutation = tokio::spawn(Reply::of(server.post(json!({"query": CREATE}).to_string())));
    until_full(&server).await;

    let (address, database) = (server.address, server.config.clone());
    server.shutdown.cancel();
    soon(async { while tokio::net::TcpStream::connect(address).await.is_ok() {} }).await;
    assert!(!mutation.is_finished() && !server.task.is_finished(), "it waits for the mutation");
    lock.release().await;
    let reply = soon(mutation).await.unwrap();
    assert_eq!(reply.json(), json!({"data": {"createBranch": {"branch": {"code": "NBO"}, "userErrors": []}}}));

    let _folder = server.stop().await;
    let opened = branch_loan_api::app::open_database(&database, None).await.unwrap();
    use sea_orm::{ConnectionTrait, Statement};
    let count = Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT COUNT(*) AS n FROM branches");
    let row = opened.reader().query_one_raw(count).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 1);
}

#[tokio::test]
async fn patience_has_an_end() {
    let setup = one_write_at_a_time();
    let setup = setup.set("REQUEST_DEADLINE_MS", PATIENCE.as_millis()).set("SHUTDOWN_TIMEOUT_MS", 50);
    let server = setup.start().await;
    let lock = Lock::hold(&server.config).await;
    let mutation = tokio::spawn(server.post(json!({"query": CREATE}).to_string()).send());
    until_full(&server).await;
    server.shutdown.cancel();
    // Nobody releases the lock: that the connection ends is the server's doing.
    assert!(soon(mutation).await.unwrap().is_err(), "the connection was cut");
    drop(lock);
}

#[tokio::test]
async fn what_waits_on_the_audit_trail_is_sealed_at_the_end() {
    let server = Setup::development().set("AUDIT_SEAL_INTERVAL_MS", 86_400_000).start().await;
    server.data(CREATE, json!({})).await;
    assert_eq!(server.services.count_unsealed().await.unwrap(), 1);
    let config = server.config.clone();
    let _folder = server.stop().await;
    use sea_orm::{ConnectionTrait, Statement};
    let database = branch_loan_api::app::open_database(&config, None).await.unwrap();
    for (table, rows) in [("audit_events", 1), ("audit_pending", 0), ("audit_links", 1)] {
        let count = Statement::from_string(sea_orm::DbBackend::Sqlite, format!("SELECT COUNT(*) AS n FROM {table}"));
        let row = database.reader().query_one_raw(count).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), rows, "{table}");
    }
}

#[tokio::test]
async fn a_running_server_seals_its_audit_trail_by_itself() {
    let server = Setup::development().set("AUDIT_SEAL_INTERVAL_MS", 100).start().await;
    server.data(CREATE, json!({})).await;
    soon(async {
        while server.services.count_unsealed().await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
