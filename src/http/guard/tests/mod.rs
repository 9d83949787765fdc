//! Tests of the guard over a toy schema: every limit at its value and one beyond, the attack corpus, and properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod cost;
mod documents;
mod engine;
mod lexical;
mod precheck;
mod properties;
mod random_documents;
mod random_operations;
mod random_text;
mod toy;
mod trusted;
mod variables;

use async_graphql::Variables;
use serde_json::Value as Json;

use super::{Admitted, Guard, Limits, Refusal};

/// Limits that refuse nothing a test could write, so that one limit at a time can be set.
fn unlimited() -> Limits {
    Limits {
        query_bytes: usize::MAX,
        tokens: usize::MAX,
        nesting: usize::MAX,
        name_length: usize::MAX,
        depth: usize::MAX,
        introspection_depth: usize::MAX,
        introspection_lists: usize::MAX,
        introspection: true,
        expanded_nesting: usize::MAX,
        expanded_selections: usize::MAX,
        document_selections: usize::MAX,
        aliases: usize::MAX,
        directives_per_field: usize::MAX,
        directives_per_document: usize::MAX,
        strict_surface: false,
        root_query_fields: usize::MAX,
        root_mutation_fields: usize::MAX,
        list_items: usize::MAX,
        variables_depth: usize::MAX,
        cost: u64::MAX,
        cache_bytes: 1024 * 1024,
        cache_entries: 100,
    }
}

fn guard(limits: Limits) -> Guard {
    Guard::from_sdl(limits, toy::sdl()).unwrap()
}

fn variables(json: Json) -> Variables {
    Variables::from_json(json)
}

fn admit(limits: Limits, query: &str) -> Result<Admitted, Refusal> {
    guard(limits).admit(query, None, &Variables::default())
}

/// The code `query` is refused with, or "ADMITTED".
fn verdict(limits: Limits, query: &str) -> &'static str {
    admit(limits, query).map_or_else(|refusal| refusal.code, |_| "ADMITTED")
}

/// Asserts that a limit lets `within` pass, refuses `beyond` with `code`, and that nothing else would have.
#[track_caller]
fn assert_limit(set: impl Fn(&mut Limits), code: &str, within: &str, beyond: &str) {
    let mut limits = unlimited();
    set(&mut limits);
    assert_eq!(verdict(limits.clone(), within), "ADMITTED", "at the limit");
    let refusal = admit(limits, beyond).expect_err("one beyond the limit");
    assert_eq!(refusal.code, code);
    assert!(refusal.status.is_client_error());
    assert!(refusal.message.contains(": ") && refusal.message.ends_with('.'), "says what to do: {}", refusal.message);
    assert_eq!(verdict(unlimited(), beyond), "ADMITTED", "without the limit");
}
