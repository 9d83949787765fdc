//! Manifests, and what a guard makes of them.

use async_graphql::{ValidationMode, Variables};
use serde_json::{Value as Json, json};

use super::{guard, toy, unlimited};
use crate::config::TrustedDocumentsMode::{self, Enforce, Log, Off};
use crate::http::guard::documents::Documents;
use crate::http::guard::manifest::{hexadecimal, parse_id};
use crate::http::guard::{Guard, Limits, Manifest, ManifestError};

const TRUSTED: &str = "query A { mode }";

fn id(text: &str) -> String {
    hexadecimal(&Documents::key(text))
}

fn relay(texts: &[&str]) -> Json {
    texts.iter().map(|text| (id(text), json!(text))).collect()
}

fn apollo(texts: &[&str]) -> Json {
    let operation = |text: &&str| json!({"id": id(text), "name": "A", "type": "query", "body": text});
    let operations: Vec<Json> = texts.iter().map(operation).collect();
    json!({"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations})
}

fn read(manifest: &Json) -> Result<Manifest, ManifestError> {
    Manifest::parse(manifest.to_string().as_bytes())
}

fn trusting(mode: TrustedDocumentsMode) -> Guard {
    guard(Limits::default()).trusting(mode, &read(&relay(&[TRUSTED])).unwrap()).unwrap()
}

fn verdict(guard: &Guard, query: &str) -> &'static str {
    guard.admit(query, None, &Variables::default()).map_or_else(|refusal| refusal.code, |_| "ADMITTED")
}

fn verdict_by_id(guard: &Guard, id: &str) -> &'static str {
    guard.admit_by_id(id, None, &Variables::default()).map_or_else(|refusal| refusal.code, |_| "ADMITTED")
}

#[test]
fn both_forms_of_a_manifest_are_read() {
    let texts = [TRUSTED, "{ mode }", "mutation M { note }"];
    let manifest = read(&relay(&texts)).unwrap();
    assert_eq!((manifest.len(), &manifest), (3, &read(&apollo(&texts)).unwrap()));
    assert!(read(&json!({})).unwrap().is_empty());
    assert_eq!(read(&apollo(&[TRUSTED, TRUSTED])).unwrap().len(), 1);
}

#[test]
fn what_is_no_manifest_is_refused() {
    for (manifest, wrong) in [
        (json!([]), ManifestError::UnknownForm),
        (json!("x"), ManifestError::UnknownForm),
        (json!({id(TRUSTED): 7}), ManifestError::UnknownForm),
        (json!({id(TRUSTED): {"text": TRUSTED}}), ManifestError::UnknownForm),
        (
            json!({"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}),
            ManifestError::UnknownForm,
        ),
        (json!({"format": "another", "version": 1, "operations": []}), ManifestError::UnknownForm),
        (json!({"format": "apollo-persisted-query-manifest", "version": 1}), ManifestError::UnknownForm),
        (json!({"x": TRUSTED}), ManifestError::WrongId { id: "x".to_owned() }),
        (json!({id("other"): TRUSTED}), ManifestError::WrongId { id: id("other") }),
        (json!({id(TRUSTED).to_uppercase(): TRUSTED}), ManifestError::WrongId { id: id(TRUSTED).to_uppercase() }),
        (
            json!({format!("{}\n{}", "a", "b".repeat(99)): TRUSTED}),
            ManifestError::WrongId { id: format!("a{}", "b".repeat(79)) },
        ),
    ] {
        assert_eq!(read(&manifest), Err(wrong), "{manifest}");
    }
    for text in ["", "{", "{\"a\": \"\u{0}\"}", &"[".repeat(100_000)] {
        let wrong = Manifest::parse(text.as_bytes()).unwrap_err();
        assert!(matches!(wrong, ManifestError::NotJson { .. }), "{wrong:?}");
        assert_eq!(wrong.to_string().lines().count(), 1);
    }
    assert!(Manifest::parse(&[0xff, 0xfe]).is_err());
}

#[test]
fn ids_have_one_spelling_and_may_name_their_hash() {
    let key = Documents::key(TRUSTED);
    let bare = id(TRUSTED);
    assert_eq!((parse_id(&bare), parse_id(&format!("sha256:{bare}"))), (Some(key), Some(key)));
    for bad in [
        "",
        "sha256:",
        &bare[1..],
        &format!("{bare}0"),
        &bare.to_uppercase(),
        &format!("SHA256:{bare}"),
        &format!("sha256:sha256:{bare}"),
        &format!("md5:{bare}"),
        &"é".repeat(32),
    ] {
        assert_eq!(parse_id(bad), None, "{bad}");
    }
}

#[test]
fn the_mode_decides_about_strangers() {
    for (mode, stranger) in [(Off, "ADMITTED"), (Log, "ADMITTED"), (Enforce, "DOCUMENT_NOT_TRUSTED")] {
        let guard = trusting(mode);
        assert_eq!(verdict(&guard, TRUSTED), "ADMITTED");
        assert_eq!(verdict_by_id(&guard, &id(TRUSTED)), "ADMITTED");
        for query in ["{ mode }", "query A { mode } ", "query B { mode }"] {
            assert_eq!(verdict(&guard, query), stranger, "{mode:?}: {query}");
            assert_eq!(verdict_by_id(&guard, &id(query)), "DOCUMENT_NOT_FOUND", "{mode:?}: {query}");
        }
        for id in ["", "x", TRUSTED, &"0".repeat(64), &"9".repeat(100_000)] {
            let refusal = guard.admit_by_id(id, None, &Variables::default()).unwrap_err();
            assert_eq!(refusal.code, "DOCUMENT_NOT_FOUND");
            assert!(id.is_empty() || !refusal.message.contains(id));
        }
    }
    // Not even looked at: what is no GraphQL is a stranger like any other.
    assert_eq!(verdict(&trusting(Enforce), "{{{{"), "DOCUMENT_NOT_TRUSTED");
    assert_eq!(verdict(&trusting(Off), "{{{{"), "GRAPHQL_PARSE_FAILED");
}

#[test]
fn without_a_manifest_no_id_is_known() {
    assert_eq!(verdict_by_id(&guard(Limits::default()), &id(TRUSTED)), "DOCUMENT_ID_NOT_SUPPORTED");
}

#[test]
fn only_strangers_that_are_to_be_logged_are_told_of() {
    let stranger = |mode, query: &str| {
        trusting(mode).admit(query, None, &Variables::default()).unwrap().stranger.map(|key| hexadecimal(&key))
    };
    assert_eq!(stranger(Log, "{ mode }"), Some(id("{ mode }")));
    assert_eq!(stranger(Log, TRUSTED), None);
    assert_eq!(stranger(Off, "{ mode }"), None);
    let guard = trusting(Log);
    for _ in 0..2 {
        assert!(
            guard.admit("{ mode }", None, &Variables::default()).unwrap().stranger.is_some(),
            "from the cache, too"
        );
    }
}

/// However full the cache is, a trusted document is there, and takes none of its room.
#[test]
fn trusted_documents_are_kept_beside_the_cache() {
    let guard = trusting(Off);
    for _ in 0..3 {
        assert_eq!(verdict(&guard, TRUSTED), "ADMITTED");
        assert_eq!(verdict_by_id(&guard, &id(TRUSTED)), "ADMITTED");
    }
    let documents = guard.documents();
    assert_eq!((documents.len(), documents.hits(), documents.misses()), (0, 0, 0));
    let sent = guard.admit(TRUSTED, None, &Variables::default()).unwrap();
    let named = guard.admit_by_id(&id(TRUSTED), None, &Variables::default()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&sent.document, &named.document));
}

#[test]
fn a_document_that_would_be_refused_is_no_part_of_a_manifest() {
    for (limits, text, told) in [
        (Limits { depth: 1, ..unlimited() }, "{ a { b } }", "nests fields"),
        (unlimited(), "{ a", "Syntax error"),
        (unlimited(), "query($v: Bogus) { f(v: $v) }", "Unknown type"),
        (unlimited(), "{ ...F } fragment F on Query { ...F }", "document"),
        (Limits { introspection: false, ..unlimited() }, "{ __schema { types { name } } }", "Introspection is off"),
        (Limits { query_bytes: 5, ..unlimited() }, "{ mode }", "longer than"),
    ] {
        let manifest = read(&relay(&[text])).unwrap();
        let wrong = guard(limits).trusting(Log, &manifest).err().expect("refused").to_string();
        assert!(wrong.contains(&id(text)) && wrong.contains(told) && wrong.lines().count() == 1, "{wrong}");
    }
}

#[tokio::test]
async fn a_document_that_does_not_fit_the_schema_is_found_and_none_is_run() {
    let runs = toy::Runs::default();
    let schema = toy::schema("strict", ValidationMode::Strict, runs.clone());
    let validate = async |texts: &[&str]| {
        let guard = guard(Limits::default()).trusting(Enforce, &read(&relay(texts)).unwrap()).unwrap();
        guard.trusted().validate(&schema).await
    };
    let good = [
        TRUSTED,
        "{ mode }",
        "query($v: Int!) { int(v: $v) }",
        "query X { mode } query Y { mode }",
        "mutation { approve(id: 1) { id } }",
        "subscription { ticks }",
    ];
    assert_eq!(validate(&good).await, Ok(()));
    assert_eq!(runs.0.load(std::sync::atomic::Ordering::SeqCst), 0, "validated, not run");
    for bad in [
        "{ bogus }",
        "query X { mode } query Y { bogus }",
        "query($v: Int) { mode }",
        "{ int(v: \"a\") }",
        "{ mode { x } }",
    ] {
        let wrong = validate(&[TRUSTED, bad]).await.unwrap_err().to_string();
        assert!(wrong.contains(&id(bad)), "{bad}: {wrong}");
    }
}
