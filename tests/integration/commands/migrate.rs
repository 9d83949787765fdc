//! `migrate`

use sea_orm::ConnectionTrait;
use serde_json::json;

use super::drill::{Desk, place};
use super::production;
use crate::support::engines::Engine;
use crate::support::process::Place;
use crate::support::server::Reply;

both_engines!(a_schema_of_a_newer_version_is_served_and_not_migrated);

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

/// A rollback leaves the newer version's schema, which the older one works on and does not touch.
async fn a_schema_of_a_newer_version_is_served_and_not_migrated(engine: Engine) {
    let raw = engine.raw().await;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_of_tomorrow', 0)";
    raw.execute_unprepared(newer).await.unwrap();
    raw.close().await.unwrap();
    let older = place(&engine.url).set("MIGRATE_ON_START", "off");
    let (running, base) = older.serve(&["serve"]);
    let base = base.replace("localhost", "127.0.0.1");
    let ready = Reply::of(reqwest::Client::new().get(format!("{base}/readyz"))).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let branch = r#"mutation { answer: createBranch(input: { code: "NBO", name: "Nairobi", currency: "KES",
        timeZone: "Africa/Nairobi" }) { branch { id } userErrors { message } } }"#;
    Desk::at(&base).id(branch, json!({}), "branch").await;
    running.signal("TERM");
    assert!(running.finish().status.success());
    older.run(&["verify"]).printed();
    let migrating = place(&engine.url).set("MIGRATE_ON_START", "on");
    for refusal in [older.run(&["migrate"]).refusal(), migrating.run(&["serve", "--api-port", "0"]).refusal()] {
        assert!(refusal.contains("a newer version") && refusal.contains("m29990101_000001_of_tomorrow"), "{refusal}");
        assert!(refusal.contains("MIGRATE_ON_START=off"), "{refusal}");
    }
}
