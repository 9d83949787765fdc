//! One line per request, and what must never be in it.

use tracing::subscriber::DefaultGuard;

use super::*;
use crate::config::{Config, LogFormat, Sources};
use crate::telemetry::log::collected::Collected;
use crate::telemetry::traces::Traces;

/// Collects what this thread logs; the tests' runtime has only this one.
fn collect() -> (Collected, DefaultGuard) {
    Collected::begin("info", LogFormat::Json)
}

fn requests(log: &Collected) -> Vec<Value> {
    let lines = log.text();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["message"] == "request").collect()
}

#[tokio::test]
async fn a_request_is_one_line_without_its_text_and_values() {
    let (log, _guard) = collect();
    let server = Setup::default().start().await;
    let body = json!({
        "query": "query Whole($length: Int!) { secretAlias: text(length: $length) }",
        "operationName": "Whole",
        "variables": {"length": 3, "phone": "+254700000000"},
    });
    let reply = Reply::of(server.post(body.to_string()).header("x-request-id", "id-7")).await;
    assert_eq!(reply.status, StatusCode::OK);
    let lines = requests(&log);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let expected = [
        ("method", json!("POST")),
        ("path", json!("/graphql")),
        ("status", json!(200)),
        ("operation_type", json!("query")),
        ("operation_name", json!("Whole")),
        ("subject", json!("user-1")),
        ("request_id", json!("id-7")),
    ];
    for (field, value) in expected {
        assert_eq!(lines[0][field], value, "{field}");
    }
    assert!(lines[0]["duration_us"].is_u64());
    assert!(!log.text().contains("secretAlias") && !log.text().contains("254700000000"), "{}", log.text());
}

#[tokio::test]
async fn the_query_string_is_not_logged_and_probes_are_quiet() {
    let (log, _guard) = collect();
    let server = Setup::default().start().await;
    Reply::of(server.get("/graphql?query=%7Bsecret%7D")).await;
    Reply::of(server.get("/health")).await;
    let lines = requests(&log);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["path"], &lines[0]["status"]), (&json!("/graphql"), &json!(405)));
    assert!(!log.text().contains("secret"));
}

#[tokio::test]
async fn the_cause_of_a_masked_error_is_in_the_log_under_the_requests_id() {
    let (log, _guard) = collect();
    let server = Setup::default().start().await;
    let reply = server.query("{ leaks }").await;
    let text = log.text();
    let cause = text.lines().find(|line| line.contains("borrowers.phone")).expect("the cause");
    assert!(cause.contains(reply.header("x-request-id")), "{cause}");
}

#[tokio::test]
async fn a_request_whose_client_has_left_is_logged_too() {
    let (log, _guard) = collect();
    let server = Setup::default().start().await;
    let leaving = tokio::spawn(server.post(r#"{"query":"{ wait }"}"#).send());
    server.gate.someone_waits().await;
    leaving.abort();
    soon(async {
        while requests(&log).is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(requests(&log)[0]["status"], 499);
}

#[tokio::test]
async fn lines_of_a_traced_request_have_its_ids() {
    let (log, _guard) = collect();
    // Nobody need listen there: what is sent is not looked at here.
    let sources = Sources::of([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    let traces = Traces::start(&Config::load(&sources).unwrap().traces).unwrap();
    let telemetry = Telemetry { traces: traces.clone(), ..Telemetry::default() };
    let server = Setup { telemetry, ..Setup::default() }.start().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request =
        server.post(r#"{"query":"{ leaks }"}"#).header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    let reply = Reply::of(request.header("x-request-id", "id-8")).await;
    let told: Vec<&str> = reply.header("traceresponse").split('-').collect();
    let lines = requests(&log);
    assert_eq!((&lines[0]["trace_id"], &lines[0]["span_id"]), (&json!(trace), &json!(told[2])));
    assert_eq!(lines[0]["request_id"], "id-8");
    let text = log.text();
    let cause = text.lines().find(|line| line.contains("borrowers.phone")).expect("the cause");
    let cause: Value = serde_json::from_str(cause).unwrap();
    assert_eq!((&cause["span"]["trace_id"], &cause["span"]["request_id"]), (&json!(trace), &json!("id-8")));
    traces.stop().await;
}
