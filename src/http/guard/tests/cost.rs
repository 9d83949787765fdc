//! What operations cost.

use serde_json::json;

use super::{Guard, assert_limit, guard, unlimited, variables};

fn cost_with(query: &str, values: serde_json::Value) -> u64 {
    guard(unlimited()).admit(query, None, &variables(values)).unwrap().cost
}

fn cost(query: &str) -> u64 {
    cost_with(query, json!({}))
}

#[test]
fn every_field_costs_one() {
    assert_eq!(cost("{ mode }"), 1);
    assert_eq!(cost("{ mode __typename loan(by: {id: 1}) { id } }"), 4);
}

#[test]
fn a_page_multiplies_its_rows_and_nothing_else() {
    assert_eq!(cost("{ loans(first: 7) { nodes { id } } }"), 1 + 1 + 7);
    assert_eq!(cost("{ loans(first: 7) { edges { node { id __typename } } } }"), 1 + 1 + 7 * 3);
    assert_eq!(cost("{ loans(last: 7) { pageInfo { hasNextPage } totalCount nodes { id } } }"), 1 + 2 + 10 + 1 + 7);
    assert_eq!(cost("{ loans { nodes { id } } }"), 1 + 1 + 20, "the default page");
    assert_eq!(cost("{ loans(first: null) { nodes { id } } }"), 1 + 1 + 20);
    assert_eq!(cost("{ loans(first: 3, last: 5) { nodes { id } } }"), 1 + 1 + 5, "the larger of both");
    assert_eq!(
        cost("{ loans(first: 10) { nodes { payments(first: 5) { nodes { id } } } } }"),
        1 + 1 + 10 * (1 + 1 + 5)
    );
}

#[test]
fn what_is_no_page_size_counts_as_the_largest_page() {
    for first in ["-1", "1.5", "\"9\"", "[1]", "true"] {
        assert_eq!(cost(&format!("{{ loans(first: {first}) {{ nodes {{ id }} }} }}")), 1 + 1 + 100, "{first}");
    }
}

#[test]
fn pages_come_from_variables_and_their_defaults() {
    let query = "query($n: Int = 4) { loans(first: $n) { nodes { id } } }";
    assert_eq!(cost(query), 1 + 1 + 4);
    assert_eq!(cost_with(query, json!({"n": 9})), 1 + 1 + 9);
    assert_eq!(cost_with(query, json!({"n": -9})), 1 + 1 + 100);
    assert_eq!(cost_with(query, json!({"n": null})), 1 + 1 + 20);
    let query = "query($n: Int) { loans(first: $n) { ...C } } fragment C on LoanConnection { nodes { ...L } } fragment L on Loan { payments(last: $n) { nodes { id } } }";
    assert_eq!(cost_with(query, json!({"n": 3})), 1 + 1 + 3 * (1 + 1 + 3));
    assert_eq!(cost(query), 1 + 1 + 20 * (1 + 1 + 20));
}

#[test]
fn a_list_of_ids_multiplies() {
    assert_eq!(cost("{ nodes(ids: [1, 2, 3]) { id __typename } }"), 1 + 3 * 2);
    assert_eq!(cost("{ nodes(ids: \"1\") { id } }"), 1 + 1);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(cost_with(query, json!({"ids": ["a", "b", "c", "d"]})), 1 + 4);
    assert_eq!(cost_with(query, json!({"ids": "a"})), 1 + 1);
}

#[test]
fn only_the_operation_that_runs_is_charged() {
    let query = "query A { mode } query B { loans(first: 100) { nodes { id } } }";
    let guard = guard(unlimited());
    let cost = |name| guard.admit(query, Some(name), &variables(json!({}))).unwrap().cost;
    assert_eq!((cost("A"), cost("B")), (1, 102));
}

#[test]
fn cost_saturates() {
    let mut query = "id".to_owned();
    for _ in 0..20 {
        query = format!("payments(first: 2147483647) {{ nodes {{ {query} }} }}");
    }
    assert_eq!(cost(&format!("{{ loan(by: {{id: 1}}) {{ {query} }} }}")), u64::MAX);
    let open = query.replace("2147483647", "$n");
    let open = format!("query($n: Int) {{ loan(by: {{id: 1}}) {{ {open} }} }}");
    assert_eq!(cost_with(&open, json!({"n": i32::MAX})), u64::MAX);
}

#[test]
fn cost_at_and_beyond_the_limit() {
    let page = |first| format!("{{ loans(first: {first}) {{ nodes {{ id }} }} }}");
    assert_limit(|limits| limits.cost = 52, "QUERY_TOO_COMPLEX", &page(50), &page(51));
    let guard = guard(crate::http::guard::Limits { cost: 52, ..unlimited() });
    let query = "query($n: Int!) { loans(first: $n) { nodes { id } } }";
    assert!(guard.admit(query, None, &variables(json!({"n": 50}))).is_ok());
    let refusal = guard.admit(query, None, &variables(json!({"n": 51}))).unwrap_err();
    assert_eq!(refusal.code, "QUERY_TOO_COMPLEX", "a cached document is charged again");
}

#[test]
fn what_a_list_of_groups_reads_for_each_of_them_is_charged_to_each() {
    let guard = Guard::from_sdl(unlimited(), &crate::graphql::schema::sdl()).unwrap();
    let cost = |query: &str| guard.admit(query, None, &variables(json!({}))).unwrap().cost;
    let each = |query: &str| cost(&format!("{{ groups(first: 7) {{ nodes {{ {query} }} }} }}"));
    assert_eq!(each("number"), 1 + 1 + 7);
    assert_eq!(each("members { role }"), 1 + 1 + 7 * (20 + 1));
    assert_eq!(each("loans(first: 3) { nodes { id } }"), 1 + 1 + 7 * (20 + 1 + 3));
}
