//! Reads whose caller has left: they stop, and their connection serves the next one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use branch_loan_api::store::abandonment::stop_when_abandoned;
use branch_loan_api::store::{Database, DatabaseOptions};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::engines::Engine;
use crate::support::server::{PATIENCE, soon};

both_engines!(
    a_read_stops_when_it_is_dropped,
    a_snapshot_stops_when_it_is_dropped,
    a_read_that_is_waited_for_is_left_alone,
    a_connection_that_is_kept_forgets_its_callers,
);

/// Far longer than any test waits.
const FOREVER: Duration = Duration::from_secs(3600);

/// One connection goes back to its pool after every statement; of two, one is kept.
const POOLS: [u32; 2] = [1, 2];

/// So few connections that the next caller needs the very one that is busy, or that was; and no time limit that would help.
async fn connect(engine: &Engine, max_connections: u32) -> Database {
    let options = DatabaseOptions {
        max_connections,
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
    abandon_after(Duration::from_millis(200), work).await;
}

async fn abandon_after<F: Future>(patience: Duration, work: F) {
    let left = tokio::time::timeout(patience, stop_when_abandoned(work)).await;
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
    for connections in POOLS {
        let database = connect(&engine, connections).await;
        for _ in 0..3 {
            abandon(database.reader().query_one_raw(endless(&engine))).await;
            serves_the_next(&database).await;
        }
        nothing_runs(&engine).await;
    }
}

async fn a_snapshot_stops_when_it_is_dropped(engine: Engine) {
    let database = connect(&engine, 1).await;
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

/// What takes SQLite long enough to look for its caller many times.
fn long(engine: &Engine) -> &'static str {
    match engine.backend {
        DbBackend::Postgres => "SELECT count(*) FROM generate_series(1, 1000000)",
        _ => "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000000) SELECT count(*) FROM c",
    }
}

/// Neither the callers before nor those beside have a say.
async fn a_read_that_is_waited_for_is_left_alone(engine: Engine) {
    let sql = long(&engine);
    for connections in POOLS {
        let database = connect(&engine, connections).await;
        abandon(database.reader().query_one_raw(endless(&engine))).await;
        assert_eq!(soon(count(database.reader(), sql)).await, 1_000_000, "by nobody in particular");
        assert_eq!(soon(stop_when_abandoned(count(database.reader(), sql))).await, 1_000_000, "by somebody else");
        assert_eq!(soon(count(database.reader(), sql)).await, 1_000_000, "after somebody who had an answer");
    }
}

/// Callers who leave when they have their answer stop nobody; one who leaves before that is noticed on a connection that
/// others have used before.
async fn a_connection_that_is_kept_forgets_its_callers(engine: Engine) {
    let database = connect(&engine, 2).await;
    let sql = long(&engine);
    for _ in 0..3 {
        let answered = AtomicBool::new(false);
        abandon_after(Duration::from_secs(2), async {
            count(database.reader(), sql).await;
            count(database.reader(), sql).await;
            answered.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        })
        .await;
        assert!(answered.into_inner(), "the machine is too slow for this test");
        assert_eq!(soon(count(database.reader(), sql)).await, 1_000_000);
    }
    for _ in 0..3 {
        count(database.reader(), sql).await;
        abandon(database.reader().query_one_raw(endless(&engine))).await;
        serves_the_next(&database).await;
    }
    nothing_runs(&engine).await;
}
