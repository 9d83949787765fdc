//! Properties: no text makes the guard or the executor panic, the memo counts like plain expansion, and what the
//! variables' judge accepts the executor accepts too.

use std::sync::{Arc, LazyLock};

use async_graphql::{Executor, Request, Response, ValidationMode};
use async_graphql_parser::parse_query;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{
    guard,
    random_documents::documents,
    random_operations::{operations, sent},
    random_text::{near_documents, soup},
    toy, unlimited, variables,
};
use crate::http::guard::{
    Engine, Limits,
    fragments::leaf_first,
    precheck::{self, measure, measure_fragments},
};

/// The schemas are shared, the guard and its cache are new for every case.
fn engine(limits: Limits) -> Engine<toy::Toy> {
    static SCHEMAS: LazyLock<(toy::Toy, toy::Toy)> = LazyLock::new(|| {
        let runs = toy::Runs::default();
        let strict = toy::schema("strict", ValidationMode::Strict, runs.clone());
        (strict, toy::schema("fast", ValidationMode::Fast, runs))
    });
    let (strict, fast) = (SCHEMAS.0.clone(), SCHEMAS.1.clone());
    Engine::new(Arc::new(guard(limits)), strict, fast)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Any JSON a variable of the toy schema might hold, right or nearly right.
fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-1.0e9..1.0e9_f64).prop_map(Json::from),
        prop::sample::select(vec!["SMALL", "small", "a", "", "1.5"]).prop_map(Json::from),
        prop::sample::select(vec![
            json!({"amount": "1"}),
            json!({"amount": "1", "currency": "KES"}),
            json!({"id": "a"}),
            json!({"number": "1"}),
            json!({"required": true}),
            json!({"required": true, "kind": "LARGE", "counts": [1], "by": {"id": 1}}),
        ]),
    ];
    let keys = prop::sample::select(vec![
        "amount", "currency", "id", "number", "required", "and", "kind", "by", "counts", "x",
    ]);
    leaf.prop_recursive(3, 16, 4, move |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), value.clone(), 0..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
            value.prop_map(|value| json!({"required": false, "and": [value]})),
        ]
    })
}

/// An answer whose errors are in a fixed order: validation finds some of them by walking hash maps.
fn comparable(response: &Response) -> (Json, Vec<String>) {
    let mut errors: Vec<_> = response.errors.iter().map(|error| serde_json::to_string(error).unwrap()).collect();
    errors.sort();
    (response.data.clone().into_json().unwrap(), errors)
}

const TYPES: [(&str, &str); 12] = [
    ("takeInt", "Int"),
    ("takeFloat", "Float"),
    ("takeString", "String"),
    ("takeBoolean", "Boolean"),
    ("takeId", "ID"),
    ("takeKind", "Kind"),
    ("takeMoney", "MoneyInput"),
    ("takeBy", "LoanBy"),
    ("takeFilter", "LoanFilter"),
    ("takeInts", "[Int!]"),
    ("takeRows", "[[Int]]"),
    ("int", "Int!"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_text_panics_the_guard(query in prop_oneof![any::<String>(), "[{}()\\[\\]\"\\\\#.$@:! a-z\n]{0,80}", soup()]) {
        let guard = guard(Limits::default());
        let first = guard.admit(&query, None, &variables(json!({}))).map(|admitted| admitted.cost);
        let second = guard.admit(&query, None, &variables(json!({}))).map(|admitted| admitted.cost);
        prop_assert_eq!(first, second, "the second sight answers the same");
    }

    #[test]
    fn nothing_admitted_panics_the_executor(query in near_documents(), value in values()) {
        let engine = engine(Limits::default());
        for _ in 0..2 {
            run(engine.execute(Request::new(query.clone()).variables(variables(json!({"v": value, "w": value})))));
        }
    }

    /// Whatever was asked before, an answer is the one a fresh server gives, which validates in full.
    #[test]
    fn earlier_requests_change_no_answer(
        document in operations(),
        earlier in prop::collection::vec((sent(), any::<prop::sample::Index>()), 1..6),
        later in sent(),
        which in any::<prop::sample::Index>(),
    ) {
        let request = |values: &Json, which: &prop::sample::Index| {
            let request = Request::new(document.text.clone()).variables(variables(values.clone()));
            request.operation_name(*which.get(&document.names))
        };
        let used = engine(Limits::default());
        for (values, which) in &earlier {
            run(used.execute(request(values, which)));
        }
        let fresh = engine(Limits::default());
        let expected = run(fresh.execute(request(&later, &which)));
        let found = run(used.execute(request(&later, &which)));
        prop_assert_eq!(comparable(&found), comparable(&expected), "{:?} {:?} {}", document, earlier, later);
    }

    #[test]
    fn the_memo_counts_like_plain_expansion(document in documents()) {
        let text = document.text();
        let expected = document.measure();
        let parsed = parse_query(&text).unwrap();
        let counts = measure(
            &precheck::operations(&parsed).first().unwrap().selection_set.node,
            &measure_fragments(&leaf_first(&parsed).unwrap()),
        );
        let counted = [counts.selections, counts.aliases, counts.depth, counts.nesting];
        let counted = counted.map(|count| u64::try_from(count).unwrap());
        prop_assert_eq!(counted, [expected.selections, expected.aliases, expected.depth, expected.nesting], "{}", text);
        let values = document.variable.map_or(json!({}), |size| json!({"n": size}));
        let admitted = guard(unlimited()).admit(&text, None, &variables(values)).unwrap();
        prop_assert_eq!(admitted.cost, expected.once, "{}", text);
    }

    #[test]
    fn what_is_accepted_is_valid(value in values(), (field, ty) in prop::sample::select(TYPES.to_vec())) {
        let query = format!("query($v: {ty}) {{ {field}(v: $v) }}");
        let engine = engine(unlimited());
        let request = || Request::new(query.clone()).variables(variables(json!({"v": value})));
        if engine.admit(&request()).is_ok() {
            for sight in ["first", "second"] {
                let response = run(engine.execute(request()));
                prop_assert!(response.errors.is_empty(), "{} {:?} {}: {:?}", ty, value, sight, response.errors);
            }
        }
    }
}
