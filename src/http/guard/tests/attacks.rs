//! The attack corpus: every document is refused with its code under the default limits. Each is built so that the
//! work it asks for grows faster than its text, so a test that ends has shown that the guard did not do that work.

use async_graphql::{Name, Value, Variables};

use super::{guard, verdict};
use crate::http::guard::{Limits, RefusalKind};

fn doubling_fragments(levels: usize) -> String {
    let mut query = "{ ...F0 }".to_owned();
    for level in 0..levels {
        let next = level + 1;
        query.push_str(&format!(" fragment F{level} on Query {{ ...F{next} ...F{next} }}"));
    }
    query + &format!(" fragment F{levels} on Query {{ mode }}")
}

#[test]
fn doubling_fragments_are_measured_without_being_expanded() {
    let query = doubling_fragments(30);
    assert!(query.len() < 2_000);
    assert_eq!(verdict(Limits::default(), &query), "QUERY_TOO_COMPLEX");
    let unused = query.replacen("{ ...F0 }", "{ mode }", 1);
    assert_eq!(verdict(Limits::default(), &unused), "QUERY_TOO_COMPLEX", "validation would walk them as well");
    let leafless = query.replace("{ mode }", "{ ...Unknown }");
    assert_eq!(verdict(Limits::default(), &leafless), "QUERY_TOO_COMPLEX");
    // Even with every limit lifted the guard itself stays linear.
    assert_eq!(verdict(super::unlimited(), &doubling_fragments(200)), "ADMITTED");
    let mutation = doubling_fragments(200).replacen("{ ...F0 }", "mutation { ...F0 }", 1);
    assert_eq!(verdict(super::unlimited(), &mutation), "DUPLICATE_MUTATION_FIELD");
    let leafless = mutation.replace("{ mode }", "{ ...Unknown }");
    assert_eq!(verdict(super::unlimited(), &leafless), "ADMITTED");
}

#[test]
fn open_brackets() {
    for bracket in ["{", "[", "(", "{a", "{ f(a: [", "[[", "{f(a:{b:"] {
        let query = bracket.repeat(200_000);
        assert_eq!(verdict(Limits::default(), &query), "QUERY_TOO_LARGE");
        let lifted = Limits { query_bytes: usize::MAX, tokens: usize::MAX, ..Limits::default() };
        assert_eq!(verdict(lifted, &query), "NESTED_TOO_DEEP", "{bracket}");
    }
    assert_eq!(verdict(Limits::default(), &"{a".repeat(100)), "NESTED_TOO_DEEP");
    let types = format!("query($v: {}Int{}) {{ mode }}", "[".repeat(50), "]".repeat(50));
    assert_eq!(verdict(Limits::default(), &types), "NESTED_TOO_DEEP");
}

#[test]
fn aliases() {
    let query = |count| format!("{{ {} }}", (0..count).map(|at| format!("a{at}: mode ")).collect::<String>());
    assert_eq!(verdict(Limits::default(), &query(10_000)), "QUERY_TOO_LARGE");
    let lifted = Limits { query_bytes: usize::MAX, ..Limits::default() };
    assert_eq!(verdict(lifted.clone(), &query(10_000)), "TOO_MANY_TOKENS");
    let lifted = Limits { tokens: usize::MAX, expanded_selections: usize::MAX, ..lifted };
    assert_eq!(verdict(lifted, &query(10_000)), "TOO_MANY_ALIASES");
    assert_eq!(verdict(Limits::default(), &query(31)), "TOO_MANY_ALIASES");
}

#[test]
fn directives() {
    let on_one = format!("{{ mode {} }}", "@a ".repeat(500));
    assert_eq!(verdict(Limits::default(), &on_one), "TOO_MANY_DIRECTIVES");
    let spread_out = format!("{{ {} }}", "mode @skip(if: false) @include(if: true) ".repeat(100));
    assert_eq!(verdict(Limits::default(), &spread_out), "TOO_MANY_DIRECTIVES");
}

#[test]
fn deep_literals() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let query = format!("{{ f(v: {}1{}) }}", open.repeat(60), close.repeat(60));
        assert_eq!(verdict(Limits::default(), &query), "NESTED_TOO_DEEP");
        let lifted = Limits { nesting: usize::MAX, ..Limits::default() };
        assert_eq!(verdict(lifted, &query), "NESTED_TOO_DEEP", "by the pre-check");
        assert_eq!(verdict(super::unlimited(), &query), "ADMITTED");
    }
}

#[test]
fn long_lists() {
    let query = format!("{{ takeInts(v: [{}]) }}", "1 ".repeat(1_000));
    assert_eq!(verdict(Limits::default(), &query), "LIST_TOO_LONG");
}

#[test]
fn huge_names_comments_and_strings() {
    let name = "a".repeat(10_000);
    assert_eq!(verdict(Limits::default(), &format!("{{ {name} }}")), "NAME_TOO_LONG");
    assert_eq!(verdict(Limits::default(), &format!("{{ f(a: ${name}) }}")), "NAME_TOO_LONG");
    let comment = format!("{{ mode }} #{}", "x".repeat(1024 * 1024));
    assert_eq!(verdict(Limits::default(), &comment), "QUERY_TOO_LARGE");
    assert_eq!(verdict(super::unlimited(), &comment), "ADMITTED");
    for open in ["\"", "\"\"\""] {
        let query = format!("{{ f(a: {open}{}", "x".repeat(10_000));
        assert_eq!(verdict(Limits::default(), &query), "GRAPHQL_PARSE_FAILED");
    }
}

#[test]
fn repeated_mutations() {
    let pay = r#"approve(id: "1") { id } "#;
    assert_eq!(verdict(Limits::default(), &format!("mutation {{ {} }}", pay.repeat(2))), "DUPLICATE_MUTATION_FIELD");
    assert_eq!(verdict(Limits::default(), &format!("mutation {{ {} }}", pay.repeat(6))), "TOO_MANY_ROOT_FIELDS");
    let spread = format!("mutation {{ {pay} ...F }} fragment F on Mutation {{ {pay} }}");
    assert_eq!(verdict(Limits::default(), &spread), "DUPLICATE_MUTATION_FIELD");
}

#[test]
fn fragment_cycles() {
    let mut query = "{ ...F0 }".to_owned();
    for level in 0..100 {
        query.push_str(&format!(" fragment F{level} on Query {{ ...F{} }}", (level + 1) % 100));
    }
    assert_eq!(verdict(Limits::default(), &query), "FRAGMENT_CYCLE");
}

/// A chain as long as the text allows: no recursion of the guard's own may follow it.
#[test]
fn long_chains_of_fragments() {
    let chain = |length: usize| {
        let mut query = "{ ...F0 }".to_owned();
        for level in 0..length {
            query.push_str(&format!(" fragment F{level} on Query {{ ...F{} }}", level + 1));
        }
        query + &format!(" fragment F{length} on Query {{ mode }}")
    };
    assert_eq!(verdict(Limits::default(), &chain(200)), "NESTED_TOO_DEEP");
    assert_eq!(verdict(super::unlimited(), &chain(20_000)), "ADMITTED");
}

#[test]
fn deep_and_long_variables() {
    let guard = guard(Limits::default());
    let mut deep = Value::Null;
    for _ in 0..2_000 {
        deep = Value::List(vec![deep]);
    }
    let long = Value::List(vec![Value::Null; 100_000]);
    for (value, code) in [(deep, "VARIABLES_TOO_DEEP"), (long, "LIST_TOO_LONG")] {
        let variables: Variables =
            Variables::from_value(Value::Object([(Name::new("v"), value)].into_iter().collect()));
        for query in ["query($v: [Int]) { f(v: $v) }", "{ mode }"] {
            let refusal = guard.admit(query, None, &variables).unwrap_err();
            assert_eq!((refusal.code, refusal.kind), (code, RefusalKind::Guard));
        }
    }
}

#[test]
fn expensive_pages() {
    let query = "{ loans(first: 100) { nodes { payments(first: 100) { nodes { id } } } } }";
    assert_eq!(verdict(Limits::default(), query), "QUERY_TOO_COMPLEX");
    assert_eq!(verdict(Limits { cost: u64::MAX, ..Limits::default() }, query), "ADMITTED");
}
