//! Connections that are kept from one read to the next: few, never those that others need, and gone when the database is.

use std::time::Duration;

use branch_loan_api::store::{Database, DatabaseOptions};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Statement};

use crate::support::engines::Engine;
use crate::support::server::{PATIENCE, soon};

both_engines!(
    reads_use_one_connection_while_one_is_enough,
    what_is_kept_counts_as_idle,
    whoever_needs_a_connection_gets_one_that_is_kept,
    nobody_waits_while_connections_come_and_go,
    a_database_closes_with_what_is_kept,
    a_connection_that_is_lost_costs_one_answer,
);

async fn connect(engine: &Engine, max_connections: u32) -> Database {
    let options = DatabaseOptions { max_connections, acquire_timeout: PATIENCE, ..engine.options() };
    Database::connect(&options, None).await.unwrap()
}

fn statement(database: &Database, sql: &str) -> Statement {
    Statement::from_string(database.reader().get_database_backend(), sql)
}

async fn read(database: &Database) -> i64 {
    let one = statement(database, "SELECT CAST(1 AS bigint)");
    database.reader().query_one_raw(one).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn reads_use_one_connection_while_one_is_enough(engine: Engine) {
    let database = connect(&engine, 8).await;
    read(&database).await;
    // The pool's first one may still be on its way back from when it was opened.
    let open = database.pools()[0].open;
    assert!((1..=2).contains(&open), "{open}");
    for _ in 0..20 {
        read(&database).await;
        assert_eq!(database.pools()[0].open, open);
    }
}

async fn what_is_kept_counts_as_idle(engine: Engine) {
    let database = connect(&engine, 8).await;
    join_all((0..8).map(|_| read(&database))).await;
    let all_idle = || {
        let pool = database.pools()[0];
        pool.open == pool.idle && pool.open > 0
    };
    // Half of them go back to the pool, which looks at each first.
    soon(async {
        while !all_idle() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Two connections, of which one is kept and one is in use: whoever needs another would wait for ever.
async fn whoever_needs_a_connection_gets_one_that_is_kept(engine: Engine) {
    let database = connect(&engine, 2).await;
    for _ in 0..3 {
        read(&database).await;
        let first = soon(database.snapshot()).await.unwrap();
        let second = soon(database.snapshot()).await.unwrap();
        for snapshot in [first, second] {
            snapshot.execute_unprepared("SELECT 1").await.unwrap();
            snapshot.commit().await.unwrap();
        }
    }
    read(&database).await;
}

/// Reads between transactions that end and begin, with as many connections as are needed and none to spare.
async fn nobody_waits_while_connections_come_and_go(engine: Engine) {
    let database = connect(&engine, 2).await;
    for _ in 0..20 {
        let first = soon(database.snapshot()).await.unwrap();
        read(&database).await;
        let second = soon(database.snapshot()).await.unwrap();
        first.commit().await.unwrap();
        second.commit().await.unwrap();
    }
}

async fn a_database_closes_with_what_is_kept(engine: Engine) {
    let database = connect(&engine, 4).await;
    read(&database).await;
    soon(database.close()).await;
    let one = statement(&database, "SELECT 1");
    assert!(database.reader().query_one_raw(one).await.is_err());
}

/// As when the server of the database is started anew.
async fn a_connection_that_is_lost_costs_one_answer(engine: Engine) {
    if !engine.is_postgres() {
        return;
    }
    let database = connect(&engine, 4).await;
    read(&database).await;
    let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    engine.raw().await.execute_unprepared(others).await.unwrap();
    let one = statement(&database, "SELECT 1");
    assert!(database.reader().query_one_raw(one).await.is_err());
    assert_eq!(read(&database).await, 1);
}
