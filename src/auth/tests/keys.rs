//! The key set's file: which keys are used, and how changes arrive.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;

use super::super::keys::{KeyFile, KeySet, RELOAD_FLOOR};
use super::*;

fn parsed(keys: &[&Value]) -> Result<KeySet, String> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
}

#[test]
fn only_public_keys_that_this_server_may_use_are_used() {
    let good = Signer::new("good", Algorithm::ES256).jwk();
    assert!(parsed(&[&good]).unwrap().get("good").is_some());
    let changed = |changes: Value| {
        let mut key = good.clone();
        key["kid"] = "bad".into();
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    };
    for bad in [
        json!({"kty": "oct", "kid": "bad", "k": "c2VjcmV0"}),
        json!({"kty": "RSA", "kid": "bad", "e": "AQAB", "n": "A".repeat(171)}),
        json!({"kty": "AKP", "kid": "bad", "alg": "ML-DSA-65", "pub": "AA"}),
        changed(json!({"alg": "ES384"})),
        changed(json!({"alg": "HS256"})),
        changed(json!({"crv": "P-384"})),
        changed(json!({"use": "enc"})),
        changed(json!({"key_ops": ["sign"]})),
        changed(json!({"x": "*"})),
        changed(json!({"kid": ""})),
        json!("bad"),
    ] {
        let keys = parsed(&[&bad, &good]).unwrap();
        assert!(keys.get("bad").is_none() && keys.get("").is_none(), "{bad}");
        assert!(keys.get("good").is_some(), "one bad key must not take the good one along: {bad}");
        assert!(parsed(&[&bad]).is_err());
    }
    let verifying = changed(json!({"key_ops": ["verify"]}));
    assert!(parsed(&[&verifying]).unwrap().get("bad").is_some());
    assert!(parsed(&[&good, &good]).is_err_and(|problem| problem.contains("two keys")));
}

#[test]
fn an_unusable_file_is_refused_at_the_start_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let refusal = || KeyFile::open(&path).err().unwrap().to_string();
    assert!(refusal().contains("cannot be read"), "{}", refusal());
    for text in ["", "[]", "{}", "{\"keys\": 1}", "{\"keys\": []}"] {
        fs::write(&path, text).unwrap();
        let message = refusal();
        assert!(message.starts_with("AUTH_JWKS_FILE=") && message.lines().count() == 1, "{text}: {message}");
    }
}

/// Writes the file as if `age` seconds had passed since the first version, whatever the file system's resolution.
pub(super) fn write(path: &Path, text: &str, age: u64) {
    fs::write(path, text).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + age);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_changed_file_is_read_again_and_a_broken_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let [first, second] =
        ["first", "second"].map(|kid| json!({"keys": [Signer::new(kid, Algorithm::EdDSA).jwk()]}).to_string());
    write(&path, &first, 0);
    let file = KeyFile::open(&path).unwrap();
    let has = |kid: &str, after: TimeDelta| file.current(now() + after).get(kid).is_some();
    assert!(has("first", TimeDelta::zero()));

    write(&path, &second, 1);
    let almost = RELOAD_FLOOR - TimeDelta::milliseconds(1);
    assert!(has("first", almost), "no second look before the floor");
    assert!(has("second", RELOAD_FLOOR) && !has("first", RELOAD_FLOOR));

    write(&path, "{\"keys\": [", 2);
    assert!(has("second", RELOAD_FLOOR * 2));
    fs::remove_file(&path).unwrap();
    assert!(has("second", RELOAD_FLOOR * 3));
    write(&path, &first, 3);
    assert!(has("first", RELOAD_FLOOR * 4));

    // A clock that was set back does not stop the looking.
    write(&path, &second, 4);
    assert!(has("second", TimeDelta::zero()));
}
