//! Clients that send again because they heard nothing, all at the same time: one key, one loan.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::attacks_values::world;
use super::lock::{Lock, one_write_at_a_time, until_full};
use crate::support::server::{PATIENCE, Reply, Server, Setup, soon};

const APPLY: &str = "mutation($input: ApplyForLoanInput!) { applyForLoan(input: $input)
    { replayed loan { id } userErrors { code message } } }";

/// As a client does: again while it is told to try again.
async fn send(server: &Server, body: String) -> Json {
    loop {
        let reply = Reply::of(server.post(body.clone())).await;
        let payload = reply.json()["data"]["applyForLoan"].clone();
        let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
        let again = errors.iter().any(|error| error["extensions"]["retryable"] == true)
            || payload["userErrors"][0]["code"] == "IDEMPOTENCY_IN_PROGRESS";
        if !again {
            assert!(errors.is_empty() && payload["userErrors"] == json!([]), "{}", reply.text);
            return payload;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_keys_sent_eight_times_each_are_twenty_loans() {
    let setup = Setup::development().set("DATABASE_ACQUIRE_TIMEOUT_MS", PATIENCE.as_millis());
    let server = setup.set("REQUEST_DEADLINE_MS", PATIENCE.as_millis()).start().await;
    let world = world(&server).await;
    let bodies = (0..20).flat_map(|key| {
        let input = json!({
            "idempotencyKey": format!("key-{key}"), "borrowerId": world["borrower"], "productId": world["product"],
            "principal": {"amount": format!("{}.00", 1000 + key), "currency": "KES"},
        });
        vec![(key, json!({"query": APPLY, "variables": {"input": input}}).to_string()); 8]
    });
    let sent = bodies.map(|(key, body)| {
        let server = &server;
        async move { (key, send(server, body).await) }
    });
    let mut loans: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
    let mut first_times: BTreeMap<i32, usize> = BTreeMap::new();
    for (key, payload) in futures_util::future::join_all(sent).await {
        loans.entry(key).or_default().insert(payload["loan"]["id"].as_str().unwrap().to_owned());
        *first_times.entry(key).or_default() += usize::from(payload["replayed"] == false);
    }
    assert!(loans.values().all(|ids| ids.len() == 1), "one loan a key: {loans:#?}");
    assert!(first_times.values().all(|times| *times == 1), "each was new once: {first_times:#?}");
    let all: BTreeSet<_> = loans.values().flatten().collect();
    let counted = server.data("{ loans { totalCount totals { count } } }", json!({})).await;
    assert_eq!((all.len(), &counted["loans"]["totalCount"]), (20, &json!(20)));
    assert_eq!(counted["loans"]["totals"], json!([{"count": "20"}]));
}

/// Whoever hangs up has still asked for it: it is carried out, once, and answered for when they come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_whose_client_hangs_up_runs_to_its_end() {
    let setup = one_write_at_a_time();
    let server = setup.set("REQUEST_DEADLINE_MS", PATIENCE.as_millis()).start().await;
    let world = world(&server).await;
    let input = json!({
        "idempotencyKey": "hung-up", "borrowerId": world["borrower"], "productId": world["product"],
        "principal": {"amount": "1000.00", "currency": "KES"},
    });
    let body = json!({"query": APPLY, "variables": {"input": input}}).to_string();

    let lock = Lock::hold(&server.config).await;
    let client = tokio::spawn(server.post(body.clone()).send());
    until_full(&server).await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled(), "it left without an answer");
    lock.release().await;
    soon(async { while server.ask("mutation { __typename }").await.status == 503 {} }).await;
    let counted = server.data("{ loans { totalCount } }", json!({})).await;
    assert_eq!(counted["loans"]["totalCount"], 1, "nobody has sent it again yet");
    assert_eq!(send(&server, body).await["replayed"], true);
}
