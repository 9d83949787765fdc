//! The codes callers may meet are those of docs/API.md, all of them.

use std::collections::BTreeSet;
use std::fs;

use super::sources;

/// Upper-case words in quotes that are no codes.
const OTHERS: [&str; 3] = ["OUT_DIR", "TLS_CERT_FILE", "TLS_KEY_FILE"];

fn in_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for source in sources::rust(&["src/http", "src/graphql"]).iter().filter(|source| !source.is_test()) {
        let code = source.code.split("#[cfg(test)]").next().unwrap_or_default();
        codes.extend(code.split('"').skip(1).step_by(2).filter(|word| is_code(word)).map(str::to_owned));
    }
    codes
}

fn is_code(word: &str) -> bool {
    word.len() > 5 && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') && !OTHERS.contains(&word)
}

#[test]
fn every_code_is_documented() {
    let page = fs::read_to_string(sources::root().join("docs/API.md")).unwrap();
    let codes = in_sources();
    for known in ["FORBIDDEN", "QUERY_TOO_DEEP", "BAD_VARIABLES", "NOT_ACCEPTABLE"] {
        assert!(codes.contains(known), "the reader of this test no longer sees {known}: {codes:?}");
    }
    let missing: Vec<_> = codes.iter().filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/API.md does not tell of {missing:?}");
}
