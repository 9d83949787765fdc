//! Validation once, execution always: what the two schemas answer at first and at later sight.

use std::sync::{Arc, atomic::Ordering};

use async_graphql::{Executor, Request, Response, ValidationMode};
use futures_util::StreamExt;
use serde_json::{Value as Json, json};

use super::{toy, variables};
use crate::http::guard::{Engine, Guard, Limits, engine::passed_validation};

fn engine() -> (Engine<toy::Toy>, toy::Runs) {
    let runs = toy::Runs::default();
    let strict = toy::schema("strict", ValidationMode::Strict, runs.clone());
    let fast = toy::schema("fast", ValidationMode::Fast, runs.clone());
    let guard = Guard::from_sdl(Limits::default(), &strict.sdl()).unwrap();
    (Engine::new(Arc::new(guard), strict, fast), runs)
}

fn request(query: &str, values: Json) -> Request {
    Request::new(query).variables(variables(values))
}

/// Runs it and says which schema answered: the query must select `mode`.
async fn mode(engine: &Engine<toy::Toy>, query: &str, values: Json) -> String {
    let response = engine.execute(request(query, values)).await;
    assert_eq!(response.errors, vec![], "{query}");
    let data = response.data.into_json().unwrap();
    data.get("mode").unwrap().as_str().unwrap().to_owned()
}

fn answer(response: &Response) -> Json {
    serde_json::to_value(response).unwrap()
}

#[tokio::test]
async fn an_operation_is_validated_once() {
    let (engine, _) = engine();
    assert_eq!(mode(&engine, "{ mode }", json!({})).await, "strict");
    assert_eq!(mode(&engine, "{ mode }", json!({})).await, "fast");
    assert_eq!(mode(&engine, "{ mode } ", json!({})).await, "strict", "another text");
}

#[tokio::test]
async fn an_invalid_operation_is_refused_at_every_sight() {
    let (engine, _) = engine();
    for query in
        ["{ mode bogus }", "{ mode int }", "{ mode int(v: \"a\") }", "{ mode loans }", "query($v: Int) { mode }"]
    {
        let first = engine.execute(request(query, json!({}))).await;
        assert!(!passed_validation(&first), "{query}");
        for _ in 0..2 {
            assert_eq!(answer(&engine.execute(request(query, json!({}))).await), answer(&first));
        }
    }
}

#[tokio::test]
async fn execution_errors_do_not_hide_that_validation_passed() {
    let (engine, _) = engine();
    for query in ["{ fails }", "{ failsHard }", "{ ...F } fragment F on Query { a: failsHard mode }"] {
        let response = engine.execute(request(query, json!({}))).await;
        assert!(!response.errors.is_empty() && passed_validation(&response), "{query}");
        let admitted = engine.admit(&request(query, json!({}))).unwrap();
        assert!(admitted.is_validated(), "{query}");
        let later = engine.execute(request(query, json!({}))).await;
        assert_eq!(answer(&later), answer(&response));
    }
}

/// An answer that says nothing about validation leaves the operation unvalidated.
#[tokio::test]
async fn an_error_without_path_and_data_proves_nothing() {
    let (engine, _) = engine();
    let ask = || request("subscription { ticks }", json!({}));
    let response = engine.execute(ask()).await;
    assert!(!response.errors.is_empty() && !passed_validation(&response));
    assert!(!engine.admit(&ask()).unwrap().is_validated());
}

#[tokio::test]
async fn each_operation_of_a_document_is_validated_for_itself() {
    let (engine, _) = engine();
    let query = "query A { mode } query B($n: Int!) { mode takeFilter(v: {required: true, counts: [$n], bogus: 1}) }";
    let ask = |name: &str| request(query, json!({"n": 1})).operation_name(name);
    for _ in 0..2 {
        assert_eq!(engine.execute(ask("A")).await.errors, vec![]);
    }
    assert!(engine.admit(&ask("A")).unwrap().is_validated());
    assert!(!engine.admit(&ask("B")).unwrap().is_validated());
    let response = engine.execute(ask("B")).await;
    assert!(!passed_validation(&response), "the literal in B was not looked at while A ran: {response:?}");
}

/// Validation looks into a literal only when all of its variables were sent.
#[tokio::test]
async fn an_absent_nested_variable_proves_nothing() {
    let (engine, _) = engine();
    let query = "query($k: Kind) { mode takeFilter(v: {required: true, kind: $k, bogus: 1}) }";
    engine.execute(request(query, json!({}))).await;
    let response = engine.execute(request(query, json!({"k": "SMALL"}))).await;
    assert!(!passed_validation(&response), "{response:?}");
    let sound = "query($k: Kind) { mode takeFilter(v: {required: true, kind: $k}) }";
    assert_eq!(mode(&engine, sound, json!({})).await, "strict");
    assert_eq!(mode(&engine, sound, json!({"k": "SMALL"})).await, "strict");
    assert_eq!(mode(&engine, sound, json!({})).await, "fast");
    assert_eq!(mode(&engine, sound, json!({"k": "LARGE"})).await, "fast");
}

/// A null can be wrong for the place a variable stands in while it is right for its declared type.
#[tokio::test]
async fn a_null_is_validated_where_it_stands() {
    let (engine, _) = engine();
    for (query, good) in [
        ("query($v: Int = 5) { mode int(v: $v) }", json!({"v": 3})),
        ("query($v: ID) { mode loan(by: {id: $v}) { id } }", json!({"v": "a"})),
    ] {
        let null = || request(query, json!({"v": null}));
        let first = engine.execute(null()).await;
        assert!(!passed_validation(&first), "{first:?}");
        assert_eq!(mode(&engine, query, good.clone()).await, "strict");
        assert_eq!(mode(&engine, query, good).await, "fast");
        assert_eq!(answer(&engine.execute(null()).await), answer(&first));
    }
}

#[tokio::test]
async fn wrong_variables_get_the_same_answer_at_every_sight() {
    let (engine, _) = engine();
    let query = "query($v: MoneyInput!) { mode takeMoney(v: $v) }";
    let wrong = json!({"v": {"amount": "1", "bogus": 1}});
    let first = engine.execute(request(query, wrong.clone())).await;
    let code = first.errors.first().unwrap().extensions.as_ref().unwrap().get("code").cloned();
    assert_eq!(code, Some("BAD_VARIABLES".into()));
    mode(&engine, query, json!({"v": {"amount": "1"}})).await;
    assert_eq!(mode(&engine, query, json!({"v": {"amount": "1"}})).await, "fast");
    assert_eq!(answer(&engine.execute(request(query, wrong)).await), answer(&first));
}

#[tokio::test]
async fn an_omitted_field_stays_omitted() {
    let (engine, _) = engine();
    let nested = "mutation($n: String) { update(input: {id: 1, note: $n}) }";
    let whole = "mutation($i: UpdateInput!) { update(input: $i) }";
    for _ in 0..3 {
        for (query, values, note) in [
            (nested, json!({"n": "new"}), "new"),
            (nested, json!({}), "left alone"),
            (nested, json!({"n": null}), "erased"),
            (whole, json!({"i": {"id": 1}}), "left alone"),
            (whole, json!({"i": {"id": 1, "note": null}}), "erased"),
        ] {
            let response = engine.execute(request(query, values)).await;
            assert_eq!(answer(&response), json!({"data": {"update": note}}));
        }
    }
}

#[tokio::test]
async fn a_repeated_mutation_never_runs() {
    let (engine, runs) = engine();
    let query = r#"mutation { approve(id: "1") { id } ...F } fragment F on Mutation { approve(id: "1") { id } }"#;
    let response = engine.execute(request(query, json!({}))).await;
    assert_eq!(response.errors.len(), 1);
    assert_eq!(runs.0.load(Ordering::SeqCst), 0);
    // What the guard is there for: the schema alone runs it twice.
    let bare = toy::schema("strict", ValidationMode::Strict, runs.clone());
    assert_eq!(bare.execute(query).await.errors, vec![]);
    assert_eq!(runs.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn streams_pass_the_guard_as_well() {
    let (engine, _) = engine();
    let stream = |query: &str| engine.execute_stream(request(query, json!({})), None).collect::<Vec<_>>();
    let ticks = stream("subscription { ticks }").await;
    assert_eq!(
        ticks.iter().map(answer).collect::<Vec<_>>(),
        [json!({"data": {"ticks": 1}}), json!({"data": {"ticks": 2}})]
    );
    assert_eq!(answer(stream("{ mode }").await.first().unwrap()), json!({"data": {"mode": "strict"}}));
    assert_eq!(answer(stream("{ mode }").await.first().unwrap()), json!({"data": {"mode": "fast"}}));
    let refused = stream("subscription { ticks a: ticks }").await;
    assert_eq!(refused.len(), 1);
    assert_eq!(refused.first().unwrap().errors.len(), 1);
}

#[tokio::test]
async fn validation_offers_no_names() {
    let (engine, _) = engine();
    let response = engine.execute(request("{ mod }", json!({}))).await;
    let message = &response.errors.first().unwrap().message;
    assert!(!message.contains("Did you mean"), "{message}");
}

#[tokio::test]
async fn the_standard_introspection_query_is_answered() {
    let (engine, _) = engine();
    for _ in 0..2 {
        let response = engine.execute(request(super::precheck::STANDARD_INTROSPECTION, json!({}))).await;
        assert_eq!(response.errors, vec![]);
    }
}
