//! What happens to an operation that fails, takes long, or whose client leaves.

use std::sync::atomic::Ordering;

use super::*;
use crate::http::settings::{AdmissionSettings, BudgetSettings};

fn is_idle(server: &TestServer) -> bool {
    server.state.admission.is_idle(&server.state.settings.admission)
}

/// One place for queries and one for mutations, and so many to wait for each.
fn one_at_a_time(queued: usize) -> Setup {
    let budget = BudgetSettings { in_flight: 1, queued };
    let admission = AdmissionSettings { reads: budget.clone(), writes: budget, wait: PATIENCE };
    Setup { http: HttpSettings { admission, ..HttpSettings::default() }, ..Setup::default() }
}

#[tokio::test]
async fn a_resolvers_error_without_a_code_is_masked_and_the_data_kept() {
    let server = Setup::default().start().await;
    let reply = server.query("{ hello leaks }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::OK, "INTERNAL"));
    assert!(!reply.text.contains("borrowers"), "{}", reply.text);
    assert_eq!(reply.json()["data"], json!({"hello": "world", "leaks": null}));
    assert_eq!(reply.json()["errors"][0]["path"], json!(["leaks"]));
}

#[tokio::test]
async fn a_resolvers_error_with_a_code_is_shown() {
    let server = Setup::default().start().await;
    let reply = server.query("{ unavailable }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::OK, "UNAVAILABLE"));
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    assert_eq!(reply.json()["data"], json!({"unavailable": null}));
}

#[tokio::test]
async fn errors_and_answers_are_capped() {
    let http = HttpSettings { max_errors: 3, max_response_bytes: 2_000, ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let reply = server.query("{ a: leaks b: leaks c: leaks d: leaks }").await;
    assert_eq!(reply.json()["errors"].as_array().unwrap().len(), 3);
    let reply = server.query("{ text(length: 3000) }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "RESPONSE_TOO_LARGE"));
    assert_eq!(server.query("{ text(length: 1000) }").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_panic_is_one_requests_500_and_the_server_goes_on() {
    let server = Setup::default().start().await;
    let reply = server.query("{ panics }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"));
    assert!(!reply.text.contains("resolver"), "{}", reply.text);
    assert_eq!(server.query("{ hello }").await.status, StatusCode::OK);
    assert!(is_idle(&server));
}

#[tokio::test]
async fn a_query_past_its_deadline_is_stopped() {
    let http = HttpSettings { deadline: Duration::from_millis(50), ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let reply = server.query("{ wait }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::GATEWAY_TIMEOUT, "TIMEOUT"));
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    assert!(is_idle(&server));
}

#[tokio::test]
async fn a_mutation_past_its_deadline_runs_to_its_end() {
    let http = HttpSettings { deadline: Duration::from_millis(50), ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let reply = server.query("mutation { slowNote }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::GATEWAY_TIMEOUT, "TIMEOUT"));
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], false, "it may have been carried out");
    // Nobody is connected any more, but the shutdown waits for the mutation.
    let TestServer { client, shutdown, mut task, gate, .. } = server;
    drop(client);
    shutdown.cancel();
    let early = tokio::time::timeout(Duration::from_millis(100), &mut task).await;
    assert!(early.is_err(), "the server has ended with a mutation running");
    gate.let_one_pass();
    soon(task).await.unwrap().unwrap();
    assert_eq!(gate.notes.load(Ordering::SeqCst), 1);
}

/// Until no operation is in flight. The server learns by itself that a client has left; nothing else tells when.
async fn all_done(server: &TestServer) {
    soon(async {
        while !is_idle(server) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Sends an operation that stands at the gate, and leaves.
async fn ask_and_leave(server: &TestServer, query: &str) {
    let leaving = tokio::spawn(server.post(json!({ "query": query }).to_string()).send());
    server.gate.someone_waits().await;
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_query_whose_client_has_left_is_dropped() {
    let server = Setup::default().start().await;
    ask_and_leave(&server, "{ wait }").await;
    // The gate stays shut, so only dropping the query gives its place back.
    all_done(&server).await;
}

#[tokio::test]
async fn a_mutation_whose_client_has_left_runs_to_its_end() {
    let server = Setup::default().start().await;
    ask_and_leave(&server, "mutation { slowNote }").await;
    server.gate.let_one_pass();
    all_done(&server).await;
    assert_eq!(server.gate.notes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn operations_in_flight_are_counted() {
    let server = one_at_a_time(0).start().await;
    let first = tokio::spawn(Reply::of(server.post(r#"{"query":"{ wait }"}"#)));
    server.gate.someone_waits().await;
    let reply = server.query("{ hello }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED"));
    assert_eq!(
        (reply.header("retry-after"), &reply.json()["errors"][0]["extensions"]["retryable"]),
        ("1", &json!(true))
    );
    assert_eq!(server.query("mutation { note }").await.status, StatusCode::OK, "writes have places of their own");
    assert_eq!(server.query("{ forbidden }").await.code(), "TOO_DEEP", "what cannot run needs no place");
    for probe in ["/health", "/livez", "/readyz"] {
        assert_eq!(Reply::of(server.get(probe)).await.status, StatusCode::OK);
    }
    server.gate.let_one_pass();
    assert_eq!(soon(first).await.unwrap().status, StatusCode::OK);
    assert_eq!(server.query("{ hello }").await.status, StatusCode::OK);
}

#[tokio::test]
async fn mutations_do_not_take_the_places_of_queries() {
    let server = one_at_a_time(0).start().await;
    let first = tokio::spawn(Reply::of(server.post(r#"{"query":"mutation { slowNote }"}"#)));
    server.gate.someone_waits().await;
    let reply = server.query("mutation { note }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED"));
    assert_eq!(server.query("{ hello }").await.status, StatusCode::OK);
    server.gate.let_one_pass();
    assert_eq!(soon(first).await.unwrap().json(), json!({"data": {"slowNote": 1}}), "the refused one did nothing");
}

#[tokio::test]
async fn what_finds_no_place_waits_for_one() {
    let server = one_at_a_time(1).start().await;
    let first = tokio::spawn(Reply::of(server.post(r#"{"query":"{ wait }"}"#)));
    server.gate.someone_waits().await;
    let second = tokio::spawn(Reply::of(server.post(r#"{"query":"{ wait }"}"#)));
    // The queue is full once a third one is refused.
    soon(async {
        loop {
            let third = tokio::spawn(Reply::of(server.post(r#"{"query":"{ hello }"}"#)));
            let third = tokio::time::timeout(Duration::from_millis(100), third).await;
            if third.is_ok_and(|reply| reply.unwrap().status == StatusCode::SERVICE_UNAVAILABLE) {
                return;
            }
        }
    })
    .await;
    server.gate.let_one_pass();
    assert_eq!(soon(first).await.unwrap().status, StatusCode::OK);
    server.gate.someone_waits().await;
    server.gate.let_one_pass();
    assert_eq!(soon(second).await.unwrap().status, StatusCode::OK);
}
