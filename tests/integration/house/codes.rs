//! The codes callers may meet are those of docs/API.md, all of them.

use std::collections::BTreeSet;
use std::fs;

use super::sources;

/// The error codes that the sources construct: an upper-case literal in quotes, handed to one of the constructors of
/// refusals, or told by `ErrorCode`.
fn in_sources() -> BTreeSet<String> {
    let constructors =
        ["Refusal::guard(", "Refusal::request(", "HttpError::new(", "Self::guard(", "Self::request(", "=> \""];
    let mut codes = BTreeSet::new();
    for source in sources::rust(&["src/http", "src/graphql"]).iter().filter(|source| !source.is_test()) {
        for constructor in constructors {
            for (start, _) in source.code.match_indices(constructor) {
                let call: String = source.code[start..].chars().take(160).collect();
                codes.extend(call.split('"').nth(1).filter(|word| is_code(word)).map(str::to_owned));
            }
        }
    }
    codes
}

fn is_code(word: &str) -> bool {
    word.len() > 5 && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

#[test]
fn every_code_is_documented() {
    let page = fs::read_to_string(sources::root().join("docs/API.md")).unwrap();
    let codes = in_sources();
    for known in ["FORBIDDEN", "QUERY_TOO_DEEP", "BAD_VARIABLES", "NOT_ACCEPTABLE"] {
        assert!(codes.contains(known), "the reader of this test no longer sees {known}");
    }
    let missing: Vec<_> = codes.iter().filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/API.md does not tell of {missing:?}");
}
