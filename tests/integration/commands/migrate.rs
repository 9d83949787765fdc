//! `migrate`

use super::production;
use crate::support::process::Place;

#[test]
fn the_second_time_there_is_nothing_to_do() {
    let place = production();
    let first = place.run(&["migrate"]).printed();
    assert!(first.starts_with("Applied ") && first.ends_with("up to date.\n"), "{first}");
    assert_eq!(place.run(&["migrate"]).printed(), "The database is up to date.\n");
}

#[test]
fn several_at_once_end_well() {
    let place = production();
    let running: Vec<_> = (0..4).map(|_| place.start(&["migrate"])).collect();
    for migrator in running {
        migrator.finish().printed();
    }
    assert_eq!(place.run(&["migrate"]).printed(), "The database is up to date.\n");
}

#[test]
fn a_database_that_is_not_there_is_one_line() {
    let place = Place::new().set("DATABASE_URL", "postgres://loans:hunter2@127.0.0.1:1/loans");
    let refusal = place.set("DATABASE_ACQUIRE_TIMEOUT_MS", 200).run(&["migrate"]).refusal();
    assert!(refusal.contains("DATABASE_URL") && !refusal.contains("hunter2"), "{refusal}");
}
