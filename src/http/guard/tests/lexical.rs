//! The scan of the raw text.

use super::{assert_limit, unlimited, verdict};
use crate::http::guard::{Limits, lexical::scan};

fn tokens(query: &str) -> usize {
    scan(query, &unlimited()).unwrap().tokens
}

#[test]
fn bytes_at_and_beyond_the_limit() {
    let within = "{ mode }  ";
    assert_limit(|limits| limits.query_bytes = 10, "QUERY_TOO_LARGE", within, "{ mode }   ");
    let refusal = super::admit(Limits { query_bytes: 3, ..unlimited() }, within).unwrap_err();
    assert_eq!(refusal.status, ::http::StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn tokens_at_and_beyond_the_limit() {
    assert_limit(|limits| limits.tokens = 3, "TOO_MANY_TOKENS", "{ mode }", "{ mode mode }");
}

#[test]
fn nesting_at_and_beyond_the_limit() {
    let (within, beyond) = ("{ takeRows(v: [1]) }", "{ takeRows(v: [[1]]) }");
    assert_limit(|limits| limits.nesting = 3, "NESTED_TOO_DEEP", within, beyond);
}

#[test]
fn names_at_and_beyond_the_limit() {
    assert_limit(|limits| limits.name_length = 4, "NAME_TOO_LONG", "{ mode }", "{ modes: mode }");
}

#[test]
fn commas_comments_and_the_byte_order_mark_are_no_tokens() {
    assert_eq!(tokens("\u{feff}{ mode,, # mode { [ ( \" \r\n }"), 3);
}

#[test]
fn a_string_is_one_token_and_hides_its_brackets() {
    let limits = Limits { nesting: 2, ..unlimited() };
    for string in [r#""[[[[ \" [[[ \\""#, r#""""[[[ " "" \""" [[[ # """"#, r#""""#, r#""""""""#] {
        assert_eq!(tokens(string), 1, "{string}");
        assert_eq!(verdict(limits.clone(), &format!("{{ takeString(v: {string}) }}")), "ADMITTED");
    }
}

#[test]
fn brackets_after_a_string_are_counted() {
    let limits = Limits { nesting: 3, ..unlimited() };
    for string in [r#""\\""#, r#""a""#, r#""""\"""""""#, "#\"\n"] {
        let query = format!("{{ f(a: {string} [[[[ ]]]]) }}");
        assert_eq!(verdict(limits.clone(), &query), "NESTED_TOO_DEEP", "{query}");
    }
}

/// The parser reads `"""a"` without its end as two strings, and then recurses into the brackets behind them.
#[test]
fn an_unterminated_string_never_reaches_the_parser() {
    let brackets = "[".repeat(10_000);
    for open in ["\"", "\"abc\\", "\"\"\"", "\"\"\"a\"\n", "\"abc\n\""] {
        let query = format!("{{ f(a: [{open}{brackets}");
        let refusal = super::admit(unlimited(), &query).unwrap_err();
        assert_eq!(refusal.code, "GRAPHQL_PARSE_FAILED");
        assert!(refusal.is_syntax() && refusal.message.contains("a string is not closed"), "{}", refusal.message);
        assert_eq!(refusal.locations.len(), 1);
    }
}

#[test]
fn empty_text_is_a_syntax_refusal() {
    for query in ["", "  ,,\n", "# only a comment", "\u{feff}"] {
        assert_eq!(verdict(Limits::default(), query), "GRAPHQL_PARSE_FAILED");
    }
}

#[test]
fn a_syntax_refusal_says_where_and_shows_no_literal() {
    let refusal = super::admit(Limits::default(), "{\n  mode(a: \"Jane Doe\" ]\n}").unwrap_err();
    assert!(refusal.is_syntax());
    assert!(!refusal.message.contains("Jane"), "{}", refusal.message);
    assert!(refusal.message.contains("2:"), "{}", refusal.message);
    assert_eq!(refusal.locations.first().unwrap().line, 2);
}
