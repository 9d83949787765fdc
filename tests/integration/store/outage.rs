//! A database that is away: callers are told within the time allowed, and everything goes on when it is back.

use std::time::Duration;

use branch_loan_api::service::ServiceError;
use branch_loan_api::store::{Database, DatabaseOptions, StoreError};

use crate::support::engines::{Engine, Schema, postgres_binaries};
use crate::support::inputs::new_branch;
use crate::support::postgres::Cluster;
use crate::support::services::{World, admin};

/// Far beyond the acquire time-out: what takes longer hangs.
const HANGING: Duration = Duration::from_secs(30);

fn options(url: String) -> DatabaseOptions {
    DatabaseOptions {
        url,
        max_connections: 4,
        acquire_timeout: Duration::from_millis(500),
        statement_timeout: Duration::from_secs(5),
        lock_timeout: Duration::from_secs(3),
    }
}

async fn assert_unavailable(database: &Database) {
    let answers = async {
        let ping = database.ping().await;
        assert!(matches!(ping, Err(StoreError::Unavailable(_))), "{ping:?}");
        let pending = database.pending_migrations().await;
        assert!(matches!(pending, Err(StoreError::Unavailable(_))), "{pending:?}");
        let write = database.write(|_| async { Ok::<_, StoreError>(()) }).await;
        assert!(matches!(write, Err(StoreError::Unavailable(_))), "{write:?}");
        let migrate = database.migrate().await;
        assert!(matches!(migrate, Err(StoreError::Unavailable(_))), "{migrate:?}");
    };
    tokio::time::timeout(HANGING, answers).await.expect("an answer within the time allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_port_is_an_unavailable_database() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let database = Database::connect(&options(format!("postgres://lender@127.0.0.1:{port}/x")), None).await.unwrap();
    assert_unavailable(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_that_cannot_be_opened_is_an_unavailable_database() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("no/such/folder/test.db").display());
    let outcome = Database::connect(&options(url), None).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}

/// All connections taken: the next caller is told so when its time is up, and is served when one is free again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_without_a_free_connection_is_unavailable_until_there_is_one() {
    let engine = Engine::sqlite(Schema::Migrated).await;
    let database = Database::connect(&options(engine.url.clone()), None).await.unwrap();
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    let held = std::sync::Mutex::new(Some(held));
    let (begun, has_begun) = tokio::sync::oneshot::channel::<()>();
    let begun = std::sync::Mutex::new(Some(begun));
    let writer = database.clone();
    let long = tokio::spawn(async move {
        let work = |_| {
            let (held, begun) = (held.lock().unwrap().take(), begun.lock().unwrap().take());
            async move {
                begun.unwrap().send(()).unwrap();
                held.unwrap().await.unwrap();
                Ok::<_, StoreError>(())
            }
        };
        writer.write(work).await
    });
    has_begun.await.unwrap();
    let second = database.write(|_| async { Ok::<_, StoreError>(()) }).await;
    assert!(matches!(second, Err(StoreError::Unavailable(_))), "{second:?}");
    database.ping().await.expect("readers go on");
    release.send(()).unwrap();
    long.await.unwrap().unwrap();
    database.write(|_| async { Ok::<_, StoreError>(()) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_go_away_and_come_back() {
    let Some(binaries) = postgres_binaries() else { return };
    let cluster = Cluster::start(binaries).await.unwrap();
    let engine = Engine::at(cluster.url("postgres"));
    let database = Database::connect(&options(cluster.url("postgres")), None).await.unwrap();
    database.migrate().await.unwrap();
    let world = World::over(engine, database.clone());
    world.services.create_branch(&admin(), &new_branch("BEFORE")).await.unwrap();

    cluster.stop();
    assert_unavailable(&database).await;
    let read = world.services.count_branches(&admin(), &Default::default()).await;
    assert!(matches!(read, Err(ServiceError::Unavailable(_))), "{read:?}");
    let write = world.services.create_branch(&admin(), &new_branch("DURING")).await;
    assert!(matches!(write, Err(ServiceError::Unavailable(_))), "{write:?}");

    cluster.run().await.unwrap();
    // Connections from before may each fail once more; nothing but their number is allowed.
    let mut failures = 0;
    while let Err(error) = world.services.create_branch(&admin(), &new_branch("AFTER")).await {
        assert!(matches!(error, ServiceError::Unavailable(_)), "{error:?}");
        failures += 1;
        assert!(failures <= 4, "it does not recover");
    }
    assert_eq!(world.services.count_branches(&admin(), &Default::default()).await.unwrap(), 2);
}
