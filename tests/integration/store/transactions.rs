//! Writes: all or nothing, run again when they collide, given up in time, and never in the way of the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use branch_loan_api::store::database::Transaction;
use branch_loan_api::store::{Database, DatabaseOptions, StoreError};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::sync::{Barrier, Notify};

use crate::support::engines::{Engine, Schema};
use crate::support::seams::cut_off;

both_engines!(
    a_write_that_fails_leaves_nothing,
    a_collision_runs_the_whole_write_again,
    a_write_that_always_collides_is_given_up,
    other_failures_are_not_tried_again,
    a_write_that_is_dropped_leaves_nothing_and_blocks_nobody,
    a_write_that_is_cut_off_anywhere_spoils_no_connection,
    a_lock_that_is_not_granted_in_time_is_said_so,
    a_deadlock_is_run_again,
    a_statement_that_takes_too_long_is_ended,
    readers_do_not_write,
);

const COUNT: &str = "SELECT count(*) AS n FROM notes";

async fn with_notes(engine: &Engine) -> Database {
    engine.raw().await.execute_unprepared("CREATE TABLE notes (id integer PRIMARY KEY, text text)").await.unwrap();
    engine.connect().await
}

async fn note(transaction: &Transaction, id: u32) -> Result<(), StoreError> {
    let sql = format!("INSERT INTO notes (id, text) VALUES ({id}, 'x')");
    transaction.execute_unprepared(&sql).await?;
    Ok(())
}

async fn notes(engine: &Engine, database: &Database) -> i64 {
    let statement = Statement::from_string(engine.backend, COUNT);
    database.reader().query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

fn collision() -> StoreError {
    StoreError::Collision(DbErr::Custom("made up".to_owned()))
}

async fn a_write_that_fails_leaves_nothing(engine: Engine) {
    let database = with_notes(&engine).await;
    let failed = database.write(|transaction| async move {
        note(&transaction, 1).await?;
        Err::<(), _>(StoreError::Corrupt("made up".to_owned()))
    });
    assert!(matches!(failed.await, Err(StoreError::Corrupt(_))));
    let failed = database.write(|transaction| async move {
        note(&transaction, 1).await?;
        note(&transaction, 1).await
    });
    assert!(matches!(failed.await, Err(StoreError::Duplicate(_))));
    assert_eq!(notes(&engine, &database).await, 0);
    database.write(|transaction| async move { note(&transaction, 1).await }).await.unwrap();
    assert_eq!(notes(&engine, &database).await, 1);
}

async fn a_collision_runs_the_whole_write_again(engine: Engine) {
    let database = with_notes(&engine).await;
    let attempts = AtomicU32::new(0);
    let attempts = &attempts;
    let written = database.write(|transaction| async move {
        note(&transaction, 1).await?;
        if attempts.fetch_add(1, Ordering::SeqCst) < 3 { Err(collision()) } else { Ok(7) }
    });
    assert_eq!(written.await.unwrap(), 7);
    assert_eq!(attempts.load(Ordering::SeqCst), 4);
    assert_eq!(notes(&engine, &database).await, 1, "what earlier attempts wrote is gone");
}

async fn a_write_that_always_collides_is_given_up(engine: Engine) {
    let database = with_notes(&engine).await;
    let attempts = AtomicU32::new(0);
    let attempts = &attempts;
    let outcome = database.write(|transaction| async move {
        attempts.fetch_add(1, Ordering::SeqCst);
        note(&transaction, 1).await?;
        Err::<(), _>(collision())
    });
    assert!(matches!(outcome.await, Err(StoreError::Collision(_))));
    assert_eq!(attempts.load(Ordering::SeqCst), 6, "once, and five times more");
    assert_eq!(notes(&engine, &database).await, 0);
}

async fn other_failures_are_not_tried_again(engine: Engine) {
    let database = with_notes(&engine).await;
    for error in [StoreError::BadText, StoreError::InvalidCursor, StoreError::Duplicate("x".to_owned())] {
        let attempts = AtomicU32::new(0);
        let (attempts, error) = (&attempts, std::sync::Mutex::new(Some(error)));
        let error = &error;
        let outcome = database.write(|_| async move {
            attempts.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>(error.lock().unwrap().take().unwrap())
        });
        outcome.await.unwrap_err();
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }
}

/// A caller that hangs up drops its request in the middle of a write.
async fn a_write_that_is_dropped_leaves_nothing_and_blocks_nobody(engine: Engine) {
    let database = with_notes(&engine).await;
    for _ in 0..10 {
        let written = Arc::new(Notify::new());
        let (signal, writer) = (Arc::clone(&written), database.clone());
        let task = tokio::spawn(async move {
            let signal = &signal;
            let write = writer.write(|transaction| async move {
                note(&transaction, 1).await?;
                signal.notify_one();
                std::future::pending::<Result<(), StoreError>>().await
            });
            write.await
        });
        written.notified().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    database.write(|transaction| async move { note(&transaction, 1).await }).await.unwrap();
    assert_eq!(notes(&engine, &database).await, 1);
}

fn impatient(engine: &Engine) -> DatabaseOptions {
    DatabaseOptions {
        lock_timeout: Duration::from_millis(50),
        statement_timeout: Duration::from_millis(500),
        ..engine.options()
    }
}

/// The next one to use the connection begins a transaction of its own, and finds none begun already.
async fn a_write_that_is_cut_off_anywhere_spoils_no_connection(engine: Engine) {
    with_notes(&engine).await.close().await;
    let database = Database::connect(&DatabaseOptions { max_connections: 1, ..engine.options() }, None).await.unwrap();
    let mut cuts = 0;
    // How often a write is polled depends on how fast the database answers; once is never enough.
    for (id, polls) in (1..).zip([1, 2, 3, 4, 5, 6].repeat(10)) {
        let write = database.write(|transaction| async move { note(&transaction, id).await });
        cuts += u32::from(cut_off(write, polls).await.is_none());
        let before = notes(&engine, &database).await;
        let snapshot = database.snapshot().await.unwrap();
        let statement = Statement::from_string(engine.backend, COUNT);
        let seen: i64 = snapshot.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap();
        // What was cut off while it committed may have arrived in between.
        assert!((before..=before + 1).contains(&seen), "cut off after {polls} polls: {before}, {seen}");
    }
    assert!(cuts >= 10, "it was hardly interrupted: {cuts}");
}

/// On a full disk SQLite ends the whole transaction by itself: there is nothing to roll back any more, and the one
/// connection that writes must not be left waiting for it. A limit of pages is as good as a disk's, and is the
/// connection's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_sqlite_ends_by_itself_is_not_in_the_way_of_the_next() {
    let engine = Engine::sqlite(Schema::Migrated).await;
    let database = with_notes(&engine).await;
    let write = database.write(|transaction| async move {
        note(&transaction, 1).await?;
        transaction.execute_unprepared("PRAGMA max_page_count = 1").await?;
        transaction.execute_unprepared("INSERT INTO notes (id, text) VALUES (2, randomblob(1000000))").await?;
        Ok::<_, StoreError>(())
    });
    let full = write.await;
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    // One that is rolled back, and one that is committed, for everybody to see.
    let refused = database.write(|transaction| async move {
        note(&transaction, 3).await?;
        Err::<(), _>(StoreError::StaleVersion)
    });
    assert!(matches!(refused.await, Err(StoreError::StaleVersion)));
    database.write(|transaction| async move { note(&transaction, 4).await }).await.unwrap();
    let statement = Statement::from_string(engine.backend, COUNT);
    let row = database.reader().query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 1, "the last one, and nothing of the others");
}

async fn a_lock_that_is_not_granted_in_time_is_said_so(engine: Engine) {
    with_notes(&engine).await.write(|transaction| async move { note(&transaction, 1).await }).await.unwrap();
    let holder = engine.raw().await;
    let hold = if engine.is_postgres() { "BEGIN; UPDATE notes SET text = 'y'" } else { "BEGIN IMMEDIATE" };
    holder.execute_unprepared(hold).await.unwrap();
    let database = Database::connect(&impatient(&engine), None).await.unwrap();
    let change = || {
        database.write(|transaction| async move {
            transaction.execute_unprepared("UPDATE notes SET text = 'z'").await?;
            Ok::<_, StoreError>(())
        })
    };
    let outcome = change().await;
    assert!(matches!(outcome, Err(StoreError::TooSlow(_) | StoreError::Collision(_))), "{outcome:?}");
    assert_eq!(notes(&engine, &database).await, 1, "readers are not in the way of writers");
    holder.execute_unprepared("COMMIT").await.unwrap();
    change().await.unwrap();
}

/// Two writes that lock two rows in opposite orders. On SQLite the second waits for the first, and none collides.
async fn a_deadlock_is_run_again(engine: Engine) {
    let database = with_notes(&engine).await;
    for id in [1, 2] {
        database.write(|transaction| async move { note(&transaction, id).await }).await.unwrap();
    }
    let parties = if engine.is_postgres() { 2 } else { 1 };
    let (barrier, attempts) = (Arc::new(Barrier::new(parties)), Arc::new(AtomicU32::new(0)));
    let tasks = [(1, 2), (2, 1)].map(|(first, second)| {
        let (database, barrier, attempts) = (database.clone(), Arc::clone(&barrier), Arc::clone(&attempts));
        tokio::spawn(async move {
            let (barrier, attempts) = (&barrier, &attempts);
            let add = |id| format!("UPDATE notes SET text = text || 'x' WHERE id = {id}");
            let write = database.write(|transaction| async move {
                transaction.execute_unprepared(&add(first)).await?;
                if attempts.fetch_add(1, Ordering::SeqCst) < 2 {
                    barrier.wait().await;
                }
                transaction.execute_unprepared(&add(second)).await?;
                Ok::<_, StoreError>(())
            });
            write.await
        })
    });
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(attempts.load(Ordering::SeqCst) > u32::from(engine.is_postgres()) + 1, "a deadlock was due on PostgreSQL");
    let statement = Statement::from_string(engine.backend, "SELECT text FROM notes");
    for row in database.reader().query_all_raw(statement).await.unwrap() {
        assert_eq!(row.try_get::<String>("", "text").unwrap(), "xxx");
    }
}

async fn a_statement_that_takes_too_long_is_ended(engine: Engine) {
    if !engine.is_postgres() {
        return; // SQLite has no such limit; the deadline of the request is its only one.
    }
    let database = Database::connect(&impatient(&engine), None).await.unwrap();
    let sleep = |transaction: Transaction| async move {
        transaction.execute_unprepared("SELECT pg_sleep(60)").await?;
        Ok::<_, StoreError>(())
    };
    let outcome = database.write(sleep).await;
    assert!(matches!(outcome, Err(StoreError::TooSlow(_))), "{outcome:?}");
    database.ping().await.unwrap();
}

/// On SQLite the readers' connections refuse to write, so that no write goes past the one writer by mistake.
async fn readers_do_not_write(engine: Engine) {
    let database = with_notes(&engine).await;
    let written = database.reader().execute_unprepared("INSERT INTO notes (id, text) VALUES (1, 'x')").await;
    assert_eq!(written.is_ok(), engine.is_postgres());
}
