//! The checks of the parsed document: at the limit, one beyond, through fragments.

use super::{admit, assert_limit, unlimited, verdict};
use crate::http::guard::Limits;

/// The introspection query that GraphiQL and the code generators send, with nine wrappers of a type.
pub(super) const STANDARD_INTROSPECTION: &str = r"
query IntrospectionQuery {
  __schema {
    description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) {
    name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue {
  name description type { ...TypeRef } defaultValue isDeprecated deprecationReason
}
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}";

#[test]
fn depth_at_and_beyond_the_limit() {
    let (within, beyond) = ("{ loans { nodes { id } } }", "{ loans { edges { node { id } } } }");
    assert_limit(|limits| limits.depth = 3, "QUERY_TOO_DEEP", within, beyond);
    let within = "{ loans { ...C } } fragment C on LoanConnection { nodes { id } }";
    let beyond = "{ loans { ...C } } fragment C on LoanConnection { ... { edges { ...E } } } fragment E on LoanEdge { node { id } }";
    assert_limit(|limits| limits.depth = 3, "QUERY_TOO_DEEP", within, beyond);
}

#[test]
fn the_standard_introspection_query_passes_the_default_limits() {
    assert_eq!(verdict(Limits::default(), STANDARD_INTROSPECTION), "ADMITTED");
}

#[test]
fn introspection_has_a_depth_of_its_own() {
    let within = "{ __schema { types { ofType { name } } } }";
    let beyond = "{ __schema { types { ofType { ofType { name } } } } }";
    assert_limit(|limits| limits.introspection_depth = 4, "QUERY_TOO_DEEP", within, beyond);
    assert_eq!(verdict(Limits { depth: 1, ..unlimited() }, beyond), "ADMITTED", "not the depth of data");
    let hidden =
        "{ ...Q } fragment Q on Query { __type(name: \"A\") { ...T } } fragment T on __Type { ofType { name } }";
    assert_eq!(verdict(Limits { introspection_depth: 2, ..unlimited() }, hidden), "QUERY_TOO_DEEP");
}

#[test]
fn introspection_cannot_go_in_circles() {
    let within = "{ __schema { types { fields { type { interfaces { name } } } } } }";
    let beyond = "{ __schema { types { fields { type { fields { type { possibleTypes { name } } } } } } } }";
    assert_limit(|limits| limits.introspection_lists = 2, "QUERY_TOO_DEEP", within, beyond);
    assert_eq!(verdict(Limits::default(), beyond), "QUERY_TOO_DEEP");
    let data = "{ fields { fields { fields { fields { a } } } } }";
    assert_eq!(verdict(Limits::default(), data), "ADMITTED", "only under __schema and __type");
}

#[test]
fn introspection_can_be_off() {
    let off = |limits: &mut Limits| limits.introspection = false;
    assert_limit(off, "INTROSPECTION_DISABLED", "{ __typename }", "{ __schema { types { name } } }");
    assert_limit(
        off,
        "INTROSPECTION_DISABLED",
        "{ mode }",
        "{ ...Q } fragment Q on Query { __type(name: \"A\") { name } }",
    );
}

#[test]
fn aliases_at_and_beyond_the_limit() {
    let set = |limits: &mut Limits| limits.aliases = 2;
    assert_limit(set, "TOO_MANY_ALIASES", "{ a: mode b: mode mode }", "{ a: mode b: mode c: mode }");
    let within = "{ ...F } fragment F on Query { a: mode b: mode }";
    let beyond = "{ ...F x: loans { ... { pageInfo { hasNextPage } } } } fragment F on Query { a: mode b: mode }";
    assert_limit(set, "TOO_MANY_ALIASES", within, beyond);
}

#[test]
fn directives_at_and_beyond_the_limits() {
    let skip = |times: usize| "@skip(if: false) ".repeat(times);
    let set = |limits: &mut Limits| limits.directives_per_field = 2;
    for place in [
        |text: &str| format!("{{ mode {text} }}"),
        |text: &str| format!("query {text} {{ mode }}"),
        |text: &str| format!("query($v: Int {text}) {{ takeInt(v: $v) }}"),
        |text: &str| format!("{{ ... {text} {{ mode }} }}"),
        |text: &str| format!("{{ ...F {text} }} fragment F on Query {{ mode }}"),
        |text: &str| format!("{{ ...F }} fragment F on Query {text} {{ mode }}"),
    ] {
        assert_limit(set, "TOO_MANY_DIRECTIVES", &place(&skip(2)), &place(&skip(3)));
    }
    let set = |limits: &mut Limits| limits.directives_per_document = 3;
    let document = |times| format!("{{ mode {} ...F {} }} fragment F on Query {{ mode @a }}", skip(1), skip(times));
    assert_limit(set, "TOO_MANY_DIRECTIVES", &document(1), &document(2));
}

/// Validation would take most of them.
#[test]
fn what_validation_passes_over_is_refused() {
    let lax = Limits { strict_surface: false, ..Limits::default() };
    for query in [
        "{ __typename @nothing }",
        "{ __typename(a: 1) }",
        "{ __typename { mode } }",
        "{ __typename @skip }",
        "{ __typename @skip(if: 5) }",
        "{ __typename @skip(nope: true) }",
        "{ __typename @skip(if: true, nope: true) }",
        "query @nothing { mode }",
        "{ mode @skip(if: false) @skip(if: false) }",
        "{ mode @nothing }",
        "query($v: Int @nothing) { takeInt(v: $v) }",
        "{ ...F } fragment F on Query @nothing { mode }",
    ] {
        assert_eq!(verdict(Limits::default(), query), "GRAPHQL_VALIDATION_FAILED", "{query}");
        assert_eq!(verdict(lax.clone(), query), "ADMITTED", "{query}");
    }
    assert_eq!(verdict(Limits::default(), "{ mode @skip(if: false) @include(if: true) }"), "ADMITTED");
}

#[test]
fn expanded_selections_at_and_beyond_the_limit() {
    let set = |limits: &mut Limits| limits.expanded_selections = 6;
    let within = "{ ...F ...F } fragment F on Query { mode fails }";
    let beyond = "{ ...F ...F mode } fragment F on Query { mode fails }";
    assert_limit(set, "QUERY_TOO_COMPLEX", within, beyond);
    assert_limit(set, "QUERY_TOO_COMPLEX", "{ loans { nodes { a b c d } } }", "{ loans { nodes { a b c d e } } }");
}

/// Validation walks every fragment expanded, even one that no operation spreads.
#[test]
fn unused_fragments_and_other_operations_count() {
    let set = |limits: &mut Limits| limits.document_selections = 6;
    let within = "{ mode } fragment A on Query { ...B ...B } fragment B on Query { mode }";
    let beyond = "{ mode } fragment A on Query { ...B ...B } fragment B on Query { mode fails }";
    assert_limit(set, "QUERY_TOO_COMPLEX", within, beyond);
    let set = |limits: &mut Limits| limits.expanded_selections = 3;
    let beyond = "{ mode } fragment A on Query { ...B ...B } fragment B on Query { mode }";
    assert_limit(
        set,
        "QUERY_TOO_COMPLEX",
        "{ mode } fragment A on Query { ...B } fragment B on Query { mode }",
        beyond,
    );
}

#[test]
fn expanded_nesting_at_and_beyond_the_limit() {
    let set = |limits: &mut Limits| limits.expanded_nesting = 3;
    let within = "{ ... { ...F } } fragment F on Query { ... { mode } }";
    let beyond = "{ ... { ...F } } fragment F on Query { ... { ... { mode } } }";
    assert_limit(set, "NESTED_TOO_DEEP", within, beyond);
    assert_limit(set, "NESTED_TOO_DEEP", "{ a { b { c { d } } } }", "{ a { b { c { d { e } } } } }");
}

#[test]
fn root_fields_at_and_beyond_the_limits() {
    let set = |limits: &mut Limits| limits.root_query_fields = 2;
    assert_limit(set, "TOO_MANY_ROOT_FIELDS", "{ mode loans { nodes { id } } }", "{ mode fails int(v: 1) }");
    let spread = "{ mode ...F ... { fails } } fragment F on Query { mode }";
    assert_limit(set, "TOO_MANY_ROOT_FIELDS", "{ mode ... { fails } }", spread);
    let set = |limits: &mut Limits| limits.root_mutation_fields = 1;
    let beyond = r#"mutation { a: approve(id: "1") { id } b: approve(id: "2") { id } }"#;
    assert_limit(set, "TOO_MANY_ROOT_FIELDS", r#"mutation { a: approve(id: "1") { id } }"#, beyond);
}

#[test]
fn a_subscription_has_one_root_field() {
    assert_eq!(verdict(unlimited(), "subscription { ticks }"), "ADMITTED");
    for beyond in ["subscription { ticks other: ticks }", "subscription { ...F ...F } fragment F on Ticks { ticks }"] {
        assert_eq!(verdict(unlimited(), beyond), "TOO_MANY_ROOT_FIELDS");
    }
}

#[test]
fn a_mutation_key_may_stand_only_once() {
    let one = r#"approve(id: "1") { id }"#;
    for query in [
        format!("mutation {{ {one} {one} }}"),
        format!("mutation {{ {one} ... {{ {one} }} }}"),
        format!("mutation {{ {one} ... on Mutation @skip(if: true) {{ {one} }} }}"),
        format!("mutation {{ {one} approve(id: \"1\") @include(if: false) {{ id }} }}"),
        format!("mutation {{ ...F ...F }} fragment F on Mutation {{ {one} }}"),
        format!("mutation {{ ...F ...G }} fragment F on Mutation {{ ...G }} fragment G on Mutation {{ {one} }}"),
        format!("mutation {{ {one} ...F }} fragment F on Mutation {{ approve: update(input: {{id: 1}}) }}"),
    ] {
        assert_eq!(verdict(unlimited(), &query), "DUPLICATE_MUTATION_FIELD", "{query}");
    }
    for query in [
        format!("mutation {{ {one} again: {one} }}"),
        format!("mutation {{ __typename {one} __typename }}"),
        format!("mutation {{ ...F ...F {one} }} fragment F on Mutation {{ ...Unknown }}"),
        "{ mode mode }".to_owned(),
    ] {
        assert_eq!(verdict(unlimited(), &query), "ADMITTED", "{query}");
    }
}

#[test]
fn fragment_cycles_are_refused_and_shared_fragments_are_not() {
    for query in [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { loans { ...B } } fragment B on LoanConnection { nodes { ...C } } fragment C on Loan { ... { ...A } }",
        "{ mode } fragment A on Query { ...B } fragment B on Query { ...A }",
    ] {
        let refusal = admit(unlimited(), query).unwrap_err();
        assert_eq!(refusal.code, "FRAGMENT_CYCLE");
        assert_eq!(refusal.locations.len(), 1);
    }
    let diamond =
        "{ ...A ...B } fragment A on Query { ...C } fragment B on Query { ...C } fragment C on Query { mode }";
    assert_eq!(verdict(unlimited(), diamond), "ADMITTED");
}

#[test]
fn literals_at_and_beyond_the_limits() {
    let set = |limits: &mut Limits| limits.list_items = 2;
    assert_limit(set, "LIST_TOO_LONG", "{ takeInts(v: [1 2]) }", "{ takeInts(v: [1 2 3]) }");
    assert_limit(set, "LIST_TOO_LONG", "{ f(v: {a: [1 2]}) }", "{ f(v: {a: [1 2 3]}) }");
    assert_limit(set, "LIST_TOO_LONG", "{ f @a(v: [1 2]) }", "{ f @a(v: [1 2 3]) }");
    let default = |list: &str| format!("query($v: [Int] = {list}) {{ f(v: $v) }}");
    assert_limit(set, "LIST_TOO_LONG", &default("[1 2]"), &default("[1 2 3]"));
    let set = |limits: &mut Limits| limits.variables_depth = 2;
    assert_limit(set, "NESTED_TOO_DEEP", "{ f(v: [{a: 1}]) }", "{ f(v: [{a: []}]) }");
    assert_limit(set, "NESTED_TOO_DEEP", &default("[[1]]"), &default("[[[1]]]"));
}

#[test]
fn an_operation_must_be_found() {
    let guard = super::guard(Limits::default());
    let none = async_graphql::Variables::default();
    let two = "query A { mode } mutation B { approve(id: \"1\") { id } }";
    let code = |query, name| guard.admit(query, name, &none).map_err(|refusal| (refusal.code, refusal.kind));
    let not_found = Err(("OPERATION_NOT_FOUND", crate::http::guard::RefusalKind::Request));
    assert_eq!(code(two, None).map(|_| ()), not_found);
    assert_eq!(code(two, Some("C")).map(|_| ()), not_found);
    assert_eq!(code("{ mode }", Some("A")).map(|_| ()), not_found);
    let admitted = guard.admit(two, Some("B"), &none).unwrap();
    assert_eq!(admitted.operation_type, async_graphql_parser::types::OperationType::Mutation);
    assert_eq!(admitted.operation_name.as_deref(), Some("B"));
    assert!(code("query A { mode }", None).is_ok());
}
