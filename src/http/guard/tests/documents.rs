//! The cache of checked documents.

use std::sync::Arc;

use async_graphql::Variables;

use super::{guard, unlimited};
use crate::http::guard::Limits;

#[test]
fn the_second_sight_costs_no_parse() {
    let guard = guard(Limits::default());
    let none = Variables::default();
    let first = guard.admit("{ mode }", None, &none).unwrap();
    assert_eq!((guard.documents().hits(), guard.documents().misses()), (0, 1));
    let second = guard.admit("{ mode }", None, &none).unwrap();
    assert_eq!((guard.documents().hits(), guard.documents().misses()), (1, 1));
    assert!(Arc::ptr_eq(&first.document, &second.document));
    let other = guard.admit("{mode }", None, &none).unwrap();
    assert!(!Arc::ptr_eq(&first.document, &other.document), "another text is another document");
}

#[test]
fn a_refused_document_is_not_kept() {
    let guard = guard(Limits { depth: 1, ..unlimited() });
    for query in ["{ a { b } }", "{ a", "query($v: Bogus) { f(v: $v) }"] {
        guard.admit(query, None, &Variables::default()).unwrap_err();
        guard.admit(query, None, &Variables::default()).unwrap_err();
    }
    assert_eq!((guard.documents().len(), guard.documents().hits()), (0, 0));
}

#[test]
fn a_document_too_long_is_refused_before_it_is_hashed() {
    let guard = guard(Limits { query_bytes: 5, ..unlimited() });
    guard.admit("{ mode }", None, &Variables::default()).unwrap_err();
    assert_eq!(guard.documents().misses(), 0);
}

#[test]
fn the_cache_is_bounded_by_number_and_by_bytes() {
    let fill = |limits: Limits| {
        let guard = guard(limits);
        for number in 0..1_000 {
            guard.admit(&format!("{{ int(v: {number}) }}"), None, &Variables::default()).unwrap();
        }
        guard
    };
    let by_number = fill(Limits { cache_bytes: 64 * 1024 * 1024, cache_entries: 40, ..Limits::default() });
    assert!((1..=40).contains(&by_number.documents().len()), "{}", by_number.documents().len());
    let by_bytes = fill(Limits { cache_bytes: 100_000, cache_entries: 100_000, ..Limits::default() });
    assert!(by_bytes.documents().bytes() <= 100_000 && !by_bytes.documents().is_empty());
    let off = fill(Limits { cache_entries: 0, ..Limits::default() });
    assert_eq!((off.documents().len(), off.documents().misses()), (0, 1_000));
}

#[test]
fn the_heaviest_document_the_limits_allow_is_kept() {
    let guard = guard(Limits::default());
    let query = format!("{{ {} }}", "loans(first: 1) { pageInfo { hasNextPage } } ".repeat(19));
    let filler = "pageInfo { hasNextPage } ".repeat(400);
    let query = query.replacen("pageInfo { hasNextPage }", &filler, 1);
    guard.admit(&query, None, &Variables::default()).unwrap();
    guard.admit(&query, None, &Variables::default()).unwrap();
    assert_eq!(guard.documents().hits(), 1);
}
