//! Drills: a backup is taken in the middle of business and restored elsewhere, by `backup` and by PostgreSQL's dump.

use std::process::Command;

use super::drill::{Lender, assert_restored};
use crate::support::engines::{Engine, Schema, postgres_binaries};

/// Clients at work, and what they get done before and after the backup.
const CLIENTS: usize = 4;
const BEFORE: usize = 40;
const AFTER: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_by_the_backup_command() {
    let engine = Engine::sqlite(Schema::Migrated).await;
    let lender = Lender::open(&engine.url, CLIENTS).await;
    let before = lender.after(BEFORE).await;
    let copy = lender.place.path().join("copy.db");
    let printed = lender.place.run(&["backup", "--to", copy.to_str().unwrap()]).printed();
    assert!(printed.starts_with("Wrote ") && printed.contains("PII_KEY"), "{printed}");
    lender.after(AFTER).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let restored = elsewhere.path().join("loans.db");
    std::fs::copy(&copy, &restored).unwrap();
    lender.close().await;
    assert_restored(&format!("sqlite://{}", restored.display()), &before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_by_dump_and_restore() {
    let Some(binaries) = postgres_binaries() else { return };
    let (from, to) =
        (Engine::postgres(Schema::Migrated).await.unwrap(), Engine::postgres(Schema::Nothing).await.unwrap());
    let lender = Lender::open(&from.url, CLIENTS).await;
    let before = lender.after(BEFORE).await;
    let dump = lender.place.path().join("loans.dump");
    run(Command::new(binaries.tool("pg_dump"))
        .arg("--format=custom")
        .arg(format!("--file={}", dump.display()))
        .arg(format!("--dbname={}", from.url)));
    lender.after(AFTER).await;
    run(Command::new(binaries.tool("pg_restore"))
        .args(["--exit-on-error", "--no-owner"])
        .arg(format!("--dbname={}", to.url))
        .arg(&dump));
    lender.close().await;
    assert_restored(&to.url, &before).await;
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
