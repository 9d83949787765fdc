//! `backup`: what it writes, whom it lets read it, and what it refuses.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use branch_loan_api::store::backup::{self, CopyProblem};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::production;
use crate::support::process::Place;

/// Overwrites the page that the table of loans begins on.
pub async fn damage(file: &Path) {
    let raw = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    let sql = "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = 'loans'";
    let row = raw.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap().unwrap();
    let [page, size] = [0, 1].map(|index| usize::try_from(row.try_get_by_index::<i64>(index).unwrap()).unwrap());
    raw.close().await.unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    bytes[(page - 1) * size..page * size].fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

fn files(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_copy_is_whole_and_for_its_owner_only_and_replaces_nothing() {
    let place = production();
    place.run(&["migrate"]).printed();
    let printed = place.run(&["backup", "--to", "copy.db"]).printed();
    assert!(printed.contains(" bytes, sound, with "), "{printed}");
    let copy = place.path().join("copy.db");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let before = (files(&place), std::fs::read(&copy).unwrap());
    assert!(before.0.iter().all(|name| !name.contains("partial")), "{:?}", before.0);
    for taken in ["copy.db", "loans.db"] {
        let refusal = place.run(&["backup", "--to", taken]).refusal();
        assert!(refusal.contains(taken) && refusal.contains("exists"), "{refusal}");
    }
    assert_eq!((files(&place), std::fs::read(&copy).unwrap()), before);
    let sound = backup::check(&copy).await.unwrap();
    assert!(!sound.migrations.is_empty());
    assert_eq!(files(&place), before.0, "looking at a copy leaves nothing beside it");
}

#[test]
fn what_cannot_be_written_or_is_not_there_is_one_line_and_leaves_nothing() {
    let place = production();
    let refusal = place.run(&["backup", "--to", "copy.db"]).refusal();
    assert!(refusal.contains("DATABASE_URL") && refusal.contains("loans.db"), "{refusal}");
    place.run(&["migrate"]).printed();
    let before = files(&place);
    let refusal = place.run(&["backup", "--to", "no/such/folder/copy.db"]).refusal();
    assert!(refusal.contains("cannot be written"), "{refusal}");
    std::fs::write(place.path().join("loans.db"), "this is no database ".repeat(500)).unwrap();
    place.run(&["backup", "--to", "copy.db"]).refusal();
    assert!(files(&place).iter().all(|name| before.contains(name)), "{:?}", files(&place));
}

#[test]
fn postgres_is_left_to_its_own_tools() {
    let url = "postgres://loans:Xk29-long-and-strange@127.0.0.1:9/loans";
    let outcome = production().set("DATABASE_URL", url).run(&["backup", "--to", "loans.dump"]);
    assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
    let refusal = outcome.refusal();
    for part in ["pg_dump --format=custom --file=loans.dump", "pg_restore --exit-on-error", "OPERATIONS.md"] {
        assert!(refusal.contains(part), "{refusal}");
    }
    assert!(!refusal.contains("Xk29"), "{refusal}");
}

#[tokio::test]
async fn a_copy_that_is_damaged_or_empty_does_not_count() {
    let place = production();
    place.run(&["migrate"]).printed();
    place.run(&["backup", "--to", "copy.db"]).printed();
    let copy = place.path().join("copy.db");
    damage(&copy).await;
    let damaged = backup::check(&copy).await;
    assert!(matches!(damaged, Err(CopyProblem::Damaged(_))), "{damaged:?}");
    let empty = place.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    let without = backup::check(&empty).await;
    assert!(matches!(without, Err(CopyProblem::NoSchema)), "{without:?}");
}
