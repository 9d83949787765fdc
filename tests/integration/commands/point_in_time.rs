//! A drill: somebody destroys the books, and they are taken back to a moment before, out of a base backup and the archived
//! log, with the commands of docs/OPERATIONS.md.

use std::path::PathBuf;
use std::time::Instant;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use super::drill::{Lender, assert_restored, place};
use crate::support::engines::{Engine, postgres_binaries};
use crate::support::postgres::Cluster;
use crate::support::server::PATIENCE;

const CLIENTS: usize = 4;
/// What they get done before the base backup, from there to the moment, and afterwards.
const BEFORE: usize = 20;
const BETWEEN: usize = 30;
const AFTER: usize = 30;

/// The archive, removed in the end.
struct Archive(PathBuf);

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn ask<T: sea_orm::TryGetable>(connection: &DatabaseConnection, sql: &str) -> T {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn until(what: &str, connection: &DatabaseConnection, sql: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !ask::<bool>(connection, sql).await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(PATIENCE / 2_000).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_destroyed_is_back_as_it_was_at_a_moment_before() {
    let Some(binaries) = postgres_binaries() else { return };
    let primary = Cluster::start(binaries).await.unwrap();
    let archive = Archive(primary.folder_beside().unwrap());
    let folder = archive.0.display();
    let archiving = format!("archive_mode = on\narchive_command = 'test ! -f {folder}/%f && cp %p {folder}/%f'\n");
    primary.configure(&archiving).unwrap();
    primary.stop();
    primary.run().await.unwrap();
    primary.create_database("loans").await.unwrap();
    let url = primary.url("loans");
    place(&url).run(&["migrate"]).printed();

    let lender = Lender::open(&url, CLIENTS).await;
    lender.after(BEFORE).await;
    let restored = Cluster::copy_of(&primary, &[]).unwrap();
    let expected = lender.after(BETWEEN).await;
    let raw = Engine::at(url.clone()).raw().await;
    ask::<String>(&raw, "SELECT pg_create_restore_point('before_the_mistake')::text").await;
    let at_moment = lender.acknowledged();
    lender.after(AFTER).await;
    let in_the_end = lender.close().await;

    raw.execute_unprepared("DROP TABLE loan_transactions CASCADE").await.unwrap();
    let segment: String = ask(&raw, "SELECT pg_walfile_name(pg_switch_wal())").await;
    let archived = format!("SELECT COALESCE(last_archived_wal >= '{segment}', false) FROM pg_stat_archiver");
    until("the log is archived", &raw, &archived).await;
    raw.close().await.unwrap();
    primary.stop();

    restored
        .configure(&format!(
            "archive_mode = off\nrestore_command = 'cp {folder}/%f %p'\nrecovery_target_name = 'before_the_mistake'\n\
             recovery_target_action = promote\n"
        ))
        .unwrap();
    restored.touch("recovery.signal").unwrap();
    restored.run().await.unwrap();
    let raw = Engine::at(restored.url("loans")).raw().await;
    until("it is the primary now", &raw, "SELECT NOT pg_is_in_recovery()").await;
    raw.close().await.unwrap();

    let known = assert_restored(&restored.url("loans"), &expected).await;
    // What each client had under way at the moment may be in it or not; what it began afterwards is not.
    let later = &in_the_end[at_moment.len() + CLIENTS..];
    assert!(later.len() >= AFTER - CLIENTS, "{} and {}", at_moment.len(), in_the_end.len());
    let too_late: Vec<&str> =
        later.iter().map(|one| one.key.as_str()).filter(|key| known.iter().any(|one| one == key)).collect();
    assert!(too_late.is_empty(), "begun after the moment, and there: {too_late:?}");
}
