//! `rotate-keys`: from one key to another, and what it says when a key is missing.

use crate::support::engines::Engine;
use crate::support::process::Place;
use crate::support::server::PII_KEY;

both_engines!(after_a_rotation_the_old_key_is_not_needed,);

const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const DONE: &str = "Every personal value is under PII_KEY: other keys can be taken out of PII_KEYS_OLD.";

fn place(engine: &Engine, key: &str) -> Place {
    Place::new()
        .set("DATABASE_URL", &engine.url)
        .set("DATABASE_LOCK_TIMEOUT_MS", 50_000)
        .set("DATABASE_STATEMENT_TIMEOUT_MS", 50_000)
        .set("REQUEST_DEADLINE_MS", 60_000)
        .set("LOG_LEVEL", "warn")
        .set("PII_KEY", key)
}

async fn after_a_rotation_the_old_key_is_not_needed(engine: Engine) {
    let old = place(&engine, PII_KEY);
    old.run(&["demo"]).printed();
    let printed = |count: u32| format!("Sealed the personal values of {count} borrowers anew under PII_KEY.\n{DONE}\n");
    assert_eq!(old.run(&["rotate-keys"]).printed(), printed(0));

    // Without the old key nothing is lost, and it says what is missing.
    let refusal = place(&engine, NEW).run(&["rotate-keys", "--batch", "2"]).refusal();
    assert!(refusal.starts_with("10 personal values") && refusal.contains("PII_KEYS_OLD"), "{refusal}");

    let file = old.path().join("old-keys");
    std::fs::write(&file, format!("{PII_KEY}\n")).unwrap();
    let both = place(&engine, NEW).set("PII_KEYS_OLD_FILE", file.display());
    assert_eq!(both.run(&["rotate-keys", "--batch", "2"]).printed(), printed(5));
    assert_eq!(both.run(&["rotate-keys"]).printed(), printed(0));
    assert_eq!(place(&engine, NEW).run(&["rotate-keys"]).printed(), printed(0));
    let refusal = old.run(&["rotate-keys"]).refusal();
    assert!(refusal.starts_with("10 personal values"), "{refusal}");
}

#[test]
fn a_batch_is_of_a_size_and_the_database_is_current() {
    for size in ["0", "10001", "many"] {
        let outcome = Place::new().run(&["rotate-keys", "--batch", size]);
        assert_eq!(outcome.status.code(), Some(2), "{outcome:?}");
    }
    let refusal = super::production().run(&["rotate-keys"]).refusal();
    assert!(refusal.contains("`branch-loan-api migrate`"), "{refusal}");
}
