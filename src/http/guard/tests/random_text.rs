//! Random text near GraphQL: pieces in any order for the guard, and documents that parse but often are not valid for
//! the executor behind it.

use proptest::prelude::*;

/// Pieces of GraphQL in any order: many near misses, few documents.
pub(super) fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "$",
        "@",
        "=",
        "...",
        "...F",
        "\"",
        "\"\"\"",
        "\\",
        "#",
        "\n",
        "1",
        "-1.5e3",
        "true",
        "null",
        "query",
        "mutation",
        "subscription",
        "fragment",
        "F",
        "on",
        "Query",
        "mode",
        "$v",
        "$v: Int",
        "(v: $v)",
        "(by: {id: 1})",
        "{ mode }",
        "fragment F on Query { mode }",
        "@skip(if: true)",
        "é",
        "\u{feff}",
        "__typename",
        ",",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.join(" "))
}

fn one_of(choices: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(choices).prop_map(str::to_owned)
}

fn joined(item: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(item, 0..=most).prop_map(|items| items.join(" "))
}

fn value() -> impl Strategy<Value = String> {
    let leaf = one_of(&[
        "1",
        "-1",
        "99999999999",
        "1.5",
        "\"a\"",
        "\"SMALL\"",
        "SMALL",
        "small",
        "true",
        "null",
        "$v",
        "$w",
        "{id: $v}",
        "{id: 1}",
        "{required: true, kind: $v}",
        "{required: true, counts: [$v]}",
        "{amount: \"1\"}",
        "{amount: $w}",
    ]);
    leaf.prop_recursive(2, 6, 3, |value| {
        let key = one_of(&["id", "number", "required", "kind", "by", "money", "amount", "and", "bogus"]);
        prop_oneof![
            joined(value.clone(), 3).prop_map(|items| format!("[{items}]")),
            joined((key, value).prop_map(|(key, value)| format!("{key}: {value}")), 3)
                .prop_map(|fields| format!("{{{fields}}}")),
        ]
    })
}

fn directives() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just(String::new()),
        1 => one_of(&["@skip(if: true)", "@include(if: $v)", "@skip", "@skip(if: [1])", "@bogus(a: $v)", "@deprecated"]),
        1 => value().prop_map(|value| format!("@include(if: {value})")),
    ]
}

fn arguments() -> impl Strategy<Value = String> {
    let name = one_of(&["v", "by", "first", "ids", "filter", "input", "id", "bogus"]);
    let some = prop::collection::vec((name, value()), 1..3).prop_map(|pairs| {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("({})", pairs.join(", "))
    });
    prop_oneof![
        3 => Just(String::new()),
        3 => some,
        3 => one_of(&["(v: $v)", "(v: $w)", "(by: $v)", "(by: {id: $v})", "(first: $v)", "(ids: $v)"]),
    ]
}

fn selections() -> impl Strategy<Value = String> {
    let field = one_of(&[
        "loan",
        "loans",
        "nodes",
        "edges",
        "node",
        "id",
        "payments",
        "pageInfo",
        "takeInt",
        "takeKind",
        "takeMoney",
        "takeBy",
        "takeFilter",
        "takeInts",
        "takeRows",
        "int",
        "fails",
        "failsHard",
        "approve",
        "update",
        "ticks",
        "__typename",
        "__schema",
        "__type",
        "types",
        "a: int",
        "b: fails",
        "bogus",
    ]);
    let whole = one_of(&[
        "takeInt(v: $v)",
        "int(v: $v)",
        "takeKind(v: $v)",
        "takeMoney(v: $w)",
        "takeFilter(v: $w)",
        "takeBy(v: $v)",
        "loan(by: {id: $v}) { id }",
        "loans(first: $v) { nodes { id } }",
        "takeFilter(v: {required: true, kind: $v})",
        "takeFilter(v: {required: true, counts: [$v]})",
        "takeMoney(v: {amount: $v})",
        "takeInts(v: [$v])",
        "...F0",
        "takeFilter(v: {required: true, money: {amount: \"1\", currency: $v}, by: {id: $w}})",
        "...F1",
        "takeRows(v: [[$v], $w])",
        "nodes(ids: [$v]) { id }",
        "takeFilter(v: {required: $v})",
    ]);
    let leaf = prop_oneof![
        (field.clone(), arguments(), directives())
            .prop_map(|(field, arguments, directives)| { format!("{field}{arguments} {directives}") }),
        whole,
    ];
    let selection = leaf.prop_recursive(3, 8, 3, move |selection| {
        let inner = prop::collection::vec(selection, 1..3).prop_map(|items| items.join(" "));
        let on = one_of(&["", "on Query", "on Loan", "on Mutation", "on Bogus", "on Kind"]);
        prop_oneof![
            (field.clone(), arguments(), inner.clone())
                .prop_map(|(field, arguments, inner)| format!("{field}{arguments} {{ {inner} }}")),
            (on, directives(), inner)
                .prop_map(|(on, directives, inner)| format!("... {on} {directives} {{ {inner} }}")),
        ]
    });
    prop::collection::vec(selection, 1..4).prop_map(|items| items.join(" "))
}

/// Documents of one or two operations and up to two fragments that parse; some are valid.
pub(super) fn near_documents() -> impl Strategy<Value = String> {
    let definition = one_of(&[
        "$v: Int",
        "$v: Int = 3",
        "$v: Int!",
        "$v: ID",
        "$v: ID!",
        "$v: Kind",
        "$v: String",
        "$v: String! = \"a\"",
        "$w: LoanFilter = {required: 1}",
        "$w: LoanFilter",
        "$w: MoneyInput",
        "$w: String",
        "$w: [Int]",
        "$w: ID",
        "$v: Boolean!",
        "$v: [Bogus] = [1]",
        "$v: Loan",
        "$v: [Loan] = [1]",
        "$v: LoanBy",
        "$v: [ID!]!",
        "$v: [[Int]]",
    ]);
    let definitions = joined(definition, 2).prop_map(|definitions| match definitions.is_empty() {
        true => String::new(),
        false => format!("({definitions})"),
    });
    let kind = prop_oneof![6 => Just("query".to_owned()), 1 => one_of(&["mutation", "subscription"])];
    let operation = (kind, definitions, directives(), selections());
    let on = one_of(&["Query", "Query", "Loan", "Mutation", "Bogus", "LoanBy"]);
    let fragments = prop::collection::vec((on, directives(), selections()), 0..3);
    (operation, fragments).prop_map(|((kind, definitions, on, selections), fragments)| {
        let mut text = format!("{kind} {definitions} {on} {{ {selections} }}");
        for (at, (on, directives, selections)) in fragments.iter().enumerate() {
            // Fragments may spread each other one way only; a cycle is refused anyway.
            let selections = selections.replace("...F0", "id").replace("...F1", if at == 0 { "...F1" } else { "id" });
            text.push_str(&format!(" fragment F{at} on {on} {directives} {{ {selections} }}"));
        }
        text
    })
}
