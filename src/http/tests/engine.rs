//! The transport with the real guards and engine behind it.

use async_graphql::{EmptySubscription, Schema, ValidationMode};

use super::toy::{ToyMutation, ToyQuery};
use super::*;
use crate::http::guard::{Engine, Guard, Limits};

async fn start() -> TestServer {
    let gate = Arc::new(Gate::default());
    let build = || Schema::build(ToyQuery, ToyMutation, EmptySubscription).disable_suggestions().data(gate.clone());
    let strict = build().finish();
    let guard = Guard::from_sdl(Limits::default(), &strict.sdl()).unwrap();
    let fast = build().validation_mode(ValidationMode::Fast).finish();
    let door: Arc<dyn GraphqlDoor> = Arc::new(Engine::new(Arc::new(guard), strict, fast));
    let http = HttpSettings { allow_get: true, ..HttpSettings::default() };
    Setup { http, door: Some(door), dev: true, ..Setup::default() }.start().await
}

#[tokio::test]
async fn an_operation_finds_its_caller_at_first_sight_and_later() {
    let server = start().await;
    for _ in 0..3 {
        assert_eq!(server.query("query Me { whoami }").await.json(), json!({"data": {"whoami": "user-1"}}));
    }
    let reply = Reply::of(server.get("/graphql?query=%7Bwhoami%7D")).await;
    assert_eq!(reply.json(), json!({"data": {"whoami": "dev"}}));
}

#[tokio::test]
async fn a_get_never_mutates() {
    let server = start().await;
    for _ in 0..2 {
        let reply = Reply::of(server.get("/graphql?query=mutation%7Bnote%7D")).await;
        assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    }
    assert_eq!(server.query("mutation { note }").await.json(), json!({"data": {"note": 1}}));
}

#[tokio::test]
async fn mistakes_and_guards_have_their_statuses() {
    let server = start().await;
    let deep = format!("{{ {} }}", "{".repeat(200_000));
    let table = [
        ("{", 200, 400, "GRAPHQL_PARSE_FAILED"),
        ("{ missing }", 200, 400, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", 200, 400, "OPERATION_NOT_FOUND"),
        (deep.as_str(), 413, 413, "QUERY_TOO_LARGE"),
        ("mutation { note note }", 400, 400, "DUPLICATE_MUTATION_FIELD"),
    ];
    for (query, json_status, graphql_status, code) in table {
        for (accept, status) in
            [("application/json", json_status), ("application/graphql-response+json", graphql_status)]
        {
            let reply = Reply::of(server.post(json!({ "query": query }).to_string()).header("accept", accept)).await;
            assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code), "{accept}");
        }
    }
}
