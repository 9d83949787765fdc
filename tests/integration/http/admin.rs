//! The admin port: what is counted, that nothing a client chose becomes a label, and that it is apart from the public one.

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::attacks_values::world;
use super::lock::{CREATE, Lock, one_write_at_a_time, until_full};
use crate::support::server::{Reply, Server, Setup, soon};

async fn start() -> Server {
    Setup::development().set("ADMIN_PORT", 0).start().await
}

/// What happened between two looks.
macro_rules! moved {
    ($before:expr, $after:expr, $name:expr, $labels:expr) => {
        $after.sum($name, &$labels) - $before.sum($name, &$labels)
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_operations_and_statements_are_counted() {
    let server = start().await;
    server.data("{ viewer { subject } }", json!({})).await;
    let before = server.metrics().await;
    server.data("query Canary($n: Int) { a: branches(first: $n) { nodes { id } } }", json!({"n": 3})).await;
    server.data("query Canary($n: Int) { a: branches(first: $n) { nodes { id } } }", json!({"n": 4})).await;
    let after = server.metrics().await;

    let graphql = [("http_route", "/graphql"), ("http_response_status_code", "200"), ("http_request_method", "POST")];
    assert_eq!(moved!(before, after, "http_server_request_duration_seconds_count", graphql), 2);
    let branches = [("graphql_operation_type", "query"), ("graphql_root_field", "branches"), ("outcome", "ok")];
    assert_eq!(moved!(before, after, "branch_loan_graphql_operations_total", branches), 2);
    assert_eq!(moved!(before, after, "branch_loan_document_cache_hits_total", []), 1);
    assert_eq!(moved!(before, after, "branch_loan_document_cache_misses_total", []), 1);
    let selects = [("db_system_name", "sqlite"), ("db_operation_name", "SELECT"), ("error_type", "")];
    assert!(moved!(before, after, "db_client_operation_duration_seconds_count", selects) >= 2);
    assert_eq!(after.sum("http_server_active_requests", &[]), 0);
    assert_eq!(after.sum("branch_loan_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1);
    assert!(after.sum("db_client_connection_max", &[]) >= 2);
    for budget in ["reads", "writes", "sockets"] {
        assert!(after.sum("branch_loan_places", &[("budget", budget), ("state", "free")]) > 0, "{budget}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_tells_of_itself() {
    let metrics = start().await.metrics().await;
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
        assert!(metrics.sum(name, &[]) > 0, "{name}");
    }
    assert!(metrics.families().any(|name| name == "process_cpu_seconds_total"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_counted_by_their_code() {
    let server = start().await;
    let before = server.metrics().await;
    assert_eq!(server.ask("{ nothing }").await.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(server.ask("{ nothing").await.code(), "GRAPHQL_PARSE_FAILED");
    let rejected = server.anonymous(r#"{"query":"{ viewer { subject } }"}"#).bearer_auth("canary");
    assert_eq!(Reply::of(rejected).await.verdict(), (401, "UNAUTHENTICATED".to_owned()));
    let gone = server.ask(r#"mutation { approveLoan(input: {loanId: "canary"}) { userErrors { code } } }"#).await;
    let after = server.metrics().await;

    for code in ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "UNAUTHENTICATED"] {
        assert_eq!(moved!(before, after, "branch_loan_refusals_total", [("code", code)]), 1, "{code}");
    }
    let all = moved!(before, after, "branch_loan_refusals_total", []);
    assert!(all >= 4, "the fourth was refused, too: {}\n{}", gone.text, after.text);
    let none = [("graphql_root_field", ""), ("outcome", "refused")];
    assert_eq!(moved!(before, after, "branch_loan_graphql_operations_total", none), 1, "no such field");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_rate_limit_turns_away_is_counted() {
    let server = Setup::development().set("ADMIN_PORT", 0).set("RATE_PER_SECOND", 1).set("RATE_BURST", 1).start().await;
    let mut limited = 0;
    for _ in 0..10 {
        limited += i64::from(server.ask("{ __typename }").await.status == 429);
    }
    let metrics = server.metrics().await;
    assert!(limited > 0);
    assert_eq!(metrics.sum("branch_loan_refusals_total", &[("code", "RATE_LIMITED")]), limited);
    assert_eq!(metrics.sum("branch_loan_overload_sheds_total", &[]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_rate_of_an_address_turns_away_is_counted() {
    let setup = Setup::development().set("ADMIN_PORT", 0).set("ADDRESS_RATE_PER_SECOND", 1);
    let server = setup.set("ADDRESS_RATE_BURST", 1).start().await;
    let mut limited = 0;
    for _ in 0..10 {
        limited += i64::from(server.ask("{ __typename }").await.verdict() == (429, "RATE_LIMITED".to_owned()));
    }
    assert!(limited > 0);
    assert_eq!(server.metrics().await.sum("branch_loan_refusals_total", &[("code", "RATE_LIMITED")]), limited);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_finds_no_place_is_counted_by_its_budget() {
    let server = one_write_at_a_time().set("ADMIN_PORT", 0).start().await;
    let lock = Lock::hold(&server.config).await;
    let mutation = tokio::spawn(Reply::of(server.post(json!({"query": CREATE}).to_string())));
    until_full(&server).await;
    let before = server.metrics().await;
    assert_eq!(before.sum("branch_loan_places", &[("budget", "writes"), ("state", "used")]), 1);
    assert_eq!(before.sum("branch_loan_places", &[("budget", "writes"), ("state", "free")]), 0);
    assert_eq!(before.sum("branch_loan_places", &[("budget", "reads"), ("state", "used")]), 0);
    assert_eq!(server.ask("mutation { __typename }").await.verdict(), (503, "OVERLOADED".to_owned()));
    let after = server.metrics().await;
    assert_eq!(moved!(before, after, "branch_loan_overload_sheds_total", [("budget", "writes")]), 1);
    assert_eq!(moved!(before, after, "branch_loan_overload_sheds_total", []), 1, "and no other budget's");
    assert_eq!(moved!(before, after, "branch_loan_refusals_total", [("code", "OVERLOADED")]), 1);
    assert_eq!(moved!(before, after, "branch_loan_graphql_operations_total", []), 0, "it did not run");
    lock.release().await;
    assert_eq!(mutation.await.unwrap().verdict(), (200, String::new()));
    let after = server.metrics().await;
    assert_eq!(after.sum("branch_loan_places", &[("budget", "writes"), ("state", "used")]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_above_the_cap_of_connections_is_counted() {
    let server = Setup::development().set("ADMIN_PORT", 0).set("MAX_CONNECTIONS", 1).start().await;
    let mut held = TcpStream::connect(server.address).await.unwrap();
    held.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    soon(held.read_exact(&mut [0; 15])).await.unwrap();
    let before = server.metrics().await;
    assert_eq!(server.ask("{ __typename }").await.verdict(), (503, "OVERLOADED".to_owned()));
    let after = server.metrics().await;
    assert_eq!(moved!(before, after, "branch_loan_overload_sheds_total", [("budget", "connections")]), 1);
    assert_eq!(moved!(before, after, "branch_loan_refusals_total", [("code", "OVERLOADED")]), 1);
}

const APPLY: &str = "mutation($input: ApplyForLoanInput!) { applyForLoan(input: $input)
    { replayed loan { id } userErrors { code } } }";

fn application(world: &Json, key: &str, amount: &str) -> Json {
    json!({"input": {
        "idempotencyKey": key, "borrowerId": world["borrower"], "productId": world["product"],
        "principal": {"amount": amount, "currency": "KES"},
    }})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replays_and_user_errors_are_counted() {
    let server = start().await;
    let world = world(&server).await;
    server.data(APPLY, application(&world, "canary-key", "1000.00")).await;
    let before = server.metrics().await;
    let again = server.data(APPLY, application(&world, "canary-key", "1000.00")).await;
    assert_eq!(again["applyForLoan"]["replayed"], true);
    let other = server.ask_with(APPLY, application(&world, "canary-key", "1001.00")).await.json();
    assert_eq!(other["data"]["applyForLoan"]["userErrors"][0]["code"], "IDEMPOTENCY_KEY_MISMATCH");
    let after = server.metrics().await;
    assert_eq!(moved!(before, after, "branch_loan_idempotency_replays_total", []), 1);
    let mismatch = [("code", "IDEMPOTENCY_KEY_MISMATCH")];
    assert_eq!(moved!(before, after, "branch_loan_refusals_total", mismatch), 1);
    assert!(!after.text.to_lowercase().contains("canary"), "{}", after.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_client_chose_becomes_a_label_and_labels_stay_few() {
    let server = start().await;
    let ask = async |number: usize| {
        let name = format!("Canary{number}");
        let query = format!("query {name} {{ {name}: __typename canary{number} }}");
        let body = json!({"query": query, "operationName": name, "variables": {"canary": name}}).to_string();
        let request = server.post(body).header("x-request-id", format!("canary-{number}"));
        let request = request.header("user-agent", &name).header("traceparent", "00-canary").bearer_auth("canary");
        request.send().await.unwrap();
        let known = format!("query {name} {{ {name}: __typename }}");
        server.ask(&known).await;
        let path = format!("/canary/{number}?canary={number}");
        server.client.request(reqwest::Method::from_bytes(name.as_bytes()).unwrap(), server.url(&path)).send().await
    };
    ask(0).await.unwrap();
    let before = server.metrics().await;
    for number in 1..=1000 {
        ask(number).await.unwrap();
    }
    let after = server.metrics().await;
    assert_eq!(after.series(), before.series(), "{}", after.text);
    assert!(!after.text.to_lowercase().contains("canary"), "{}", after.text);
    let typename = [("graphql_root_field", "__typename"), ("outcome", "ok")];
    assert_eq!(moved!(before, after, "branch_loan_graphql_operations_total", typename), 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_are_looked_at_while_the_admin_port_is_on() {
    let server = start().await;
    let looked = soon(async {
        loop {
            let metrics = server.metrics().await;
            if metrics.sum("branch_loan_ledger_checked_timestamp_seconds", &[]) > 0 {
                return metrics;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(looked.sum("branch_loan_ledger_unbalanced", &[]), 0);
    assert_eq!(looked.sum("branch_loan_watch_failures_total", &[]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_port_has_the_probes_and_the_public_port_no_metrics() {
    let server = start().await;
    let health = Reply::of(server.get_admin("/health")).await;
    assert_eq!((health.status, health.text.as_str()), (200, r#"{"status":"ok"}"#));
    assert_eq!(Reply::of(server.get_admin("/livez")).await.status, 200);
    let ready = Reply::of(server.get_admin("/readyz?verbose")).await.json();
    assert_eq!((&ready["status"], &ready["checks"][0]["name"]), (&json!("ok"), &json!("database")));
    assert_eq!(Reply::of(server.get_admin("/graphql")).await.status, 404);
    assert_eq!(Reply::of(server.get("/metrics")).await.status, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_setting_there_is_no_admin_port() {
    let server = Setup::development().start().await;
    assert!(server.admin.is_none());
    server.assert_alive("starting without one").await;
}
