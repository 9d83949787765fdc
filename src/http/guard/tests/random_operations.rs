//! Random operations that are valid but for a flaw that validation may only see with the right variables: a literal
//! around a variable, a default behind a null, another operation of the document.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// A field with a place for a variable, and the types that may be declared for it.
struct Place {
    text: &'static str,
    types: &'static [&'static str],
}

const PLACES: [Place; 11] = [
    Place { text: "takeInt(v: $V)", types: &["Int", "Int!", "Int = 3"] },
    Place { text: "int(v: $V)", types: &["Int!", "Int = 3", "Int! = 3"] },
    Place { text: "takeKind(v: $V)", types: &["Kind", "Kind! = LARGE"] },
    Place { text: "loan(by: {id: $V}) { id }", types: &["ID", "ID!", "ID = 1"] },
    Place { text: "takeFilter(v: {required: true, kind: $V FLAW})", types: &["Kind", "Kind!", "Kind = SMALL"] },
    Place { text: "takeFilter(v: {required: $V FLAW})", types: &["Boolean!", "Boolean = true"] },
    Place {
        text: "takeFilter(v: {required: true, and: [{required: true, by: {number: $V} FLAW}]})",
        types: &["String"],
    },
    Place { text: "takeInts(v: [1, $V])", types: &["Int!", "Int = 3"] },
    Place { text: "takeMoney(v: $V)", types: &["MoneyInput", "MoneyInput!", "MoneyInput = {amount: \"1\"}"] },
    Place {
        text: "takeMoney(v: {amount: \"1\", currency: $V FLAW})",
        types: &["String! = \"KES\"", "String = \"KES\""],
    },
    Place { text: "takeInt(v: 1) @include(if: $V)", types: &["Boolean!", "Boolean = true"] },
];

const FLAWS: [&str; 6] = ["", "", "", ", bogus: 1", ", counts: [null]", ", money: {}"];

/// A document, and the names of its operations.
#[derive(Debug, Clone)]
pub(super) struct Operations {
    pub(super) text: String,
    pub(super) names: Vec<&'static str>,
}

fn operation(name: &'static str) -> impl Strategy<Value = String> {
    let place = (0..PLACES.len(), any::<prop::sample::Index>(), prop::sample::select(FLAWS.to_vec()));
    prop::collection::vec(place, 1..3).prop_map(move |places| {
        let (mut definitions, mut fields) = (String::new(), String::new());
        for (at, (place, ty, flaw)) in places.iter().enumerate() {
            let place = &PLACES[*place];
            definitions.push_str(&format!("$v{at}: {} ", ty.get(place.types)));
            let text = place.text.replace("$V", &format!("$v{at}")).replace("FLAW", flaw);
            fields.push_str(&format!("f{at}: {text} "));
        }
        format!("query {name}({definitions}) {{ {fields} }} ")
    })
}

/// One or two operations over the same variables.
pub(super) fn operations() -> impl Strategy<Value = Operations> {
    (operation("A"), prop::option::of(operation("B"))).prop_map(|(first, second)| match second {
        Some(second) => Operations { text: first + &second, names: vec!["A", "B"] },
        None => Operations { text: first, names: vec!["A"] },
    })
}

/// The variables of one request: right for some place, wrong for others, null, or left out.
pub(super) fn sent() -> impl Strategy<Value = Json> {
    let value = prop::sample::select(vec![
        json!(1),
        json!("a"),
        json!(null),
        json!("SMALL"),
        json!(true),
        json!({"amount": "1"}),
        json!({"amount": null}),
    ]);
    let value = || prop::option::weighted(0.8, value.clone());
    (value(), value()).prop_map(|(first, second)| {
        let pairs = [("v0", first), ("v1", second)].into_iter();
        Json::Object(pairs.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    })
}
