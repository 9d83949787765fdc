//! Reads whose caller has left: they stop, and their connection serves the next one.

use std::time::Duration;

use branch_loan_api::store::abandonment::stop_when_abandoned;
use branch_loan_api::store::{Database, DatabaseOptions};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::engines::Engine;
use crate::support::server::{PATIENCE, soon};

both_engines!(
    a_read_stops_when_it_is_dropped,
    a_snapshot_stops_when_it_is_dropped,
    a_read_that_is_waited_for_is_left_alone
);

/// Far longer than any test waits.
const FOREVER: Duration = Duration::from_secs(3600);

/// One connection, so that the next caller needs the very one that is busy, and no time limit that would help.
async fn connect(engine: &Engine) -> Database {
    let options = DatabaseOptions {
        max_connections: 1,
        acquire_timeout: PATIENCE,
        statement_timeout: FOREVER,
        lock_timeout: FOREVER,
        ..engine.options()
    };
    Database::connect(&options, None).await.unwrap()
}

/// A statement that never ends by itself.
fn endless(engine: &Engine) -> Statement {
    Statement::from_string(
        engine.backend,
        match engine.backend {
            DbBackend::Postgres => "SELECT pg_sleep(3600)",
            _ => "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0",
        },
    )
}

/// Begins something and leaves.
async fn abandon<F: Future>(work: F) {
    let left = tokio::time::timeout(Duration::from_millis(200), stop_when_abandoned(work)).await;
    assert!(left.is_err(), "it does not end by itself");
}

/// Until the server of the database runs none of it any more.
async fn nothing_runs(engine: &Engine) {
    if !engine.is_postgres() {
        return;
    }
    let watch = engine.raw().await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
               AND query LIKE '%pg_sleep(3600)%' AND pid <> pg_backend_pid()";
    soon(async {
        while count(&watch, sql).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

async fn count(connection: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// The connection, or the one in its place, is fit for use: for reads, and for transactions.
async fn serves_the_next(database: &Database) {
    for number in [7, 8] {
        assert_eq!(soon(count(database.reader(), &format!("SELECT CAST({number} AS bigint)"))).await, number);
    }
    let snapshot = soon(database.snapshot()).await.unwrap();
    snapshot.execute_unprepared("SELECT 1").await.unwrap();
    snapshot.commit().await.unwrap();
}

async fn a_read_stops_when_it_is_dropped(engine: Engine) {
    let database = connect(&engine).await;
    for _ in 0..3 {
        abandon(database.reader().query_one_raw(endless(&engine))).await;
        serves_the_next(&database).await;
    }
    nothing_runs(&engine).await;
}

async fn a_snapshot_stops_when_it_is_dropped(engine: Engine) {
    let database = connect(&engine).await;
    for _ in 0..3 {
        abandon(async {
            let snapshot = database.snapshot().await.unwrap();
            snapshot.query_one_raw(endless(&engine)).await
        })
        .await;
        serves_the_next(&database).await;
    }
    nothing_runs(&engine).await;
}

/// Neither the callers before nor those beside have a say.
async fn a_read_that_is_waited_for_is_left_alone(engine: Engine) {
    let database = connect(&engine).await;
    abandon(database.reader().query_one_raw(endless(&engine))).await;
    let sql = match engine.backend {
        DbBackend::Postgres => "SELECT count(*) FROM generate_series(1, 1000000)",
        _ => "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000000) SELECT count(*) FROM c",
    };
    assert_eq!(soon(count(database.reader(), sql)).await, 1_000_000, "by nobody in particular");
    assert_eq!(soon(stop_when_abandoned(count(database.reader(), sql))).await, 1_000_000, "by somebody else");
    assert_eq!(soon(count(database.reader(), sql)).await, 1_000_000, "after somebody who had an answer");
}
