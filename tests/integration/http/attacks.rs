//! Every attack is answered with a 4xx and a code, the process stays up, and afterwards it works as before.

use std::time::Instant;

use serde_json::json;

use super::corpus::{self, Attack};
use crate::support::server::{Reply, Server, Setup};

/// Sends each attack and reports all answers that are not as they should be, not just the first.
async fn assail(server: &Server, attacks: Vec<Attack>) {
    let mut wrong = Vec::new();
    for attack in attacks {
        let started = Instant::now();
        let reply = Reply::of(server.post(attack.body)).await;
        println!("{:>9.2?}  {}  {}", started.elapsed(), reply.status, attack.name);
        if reply.verdict() != (attack.status, attack.code.to_owned()) {
            wrong.push(format!(
                "{}: wanted {} {}, got {} {}",
                attack.name, attack.status, attack.code, reply.status, reply.text
            ));
        }
        assert!(reply.json().get("data").is_none(), "{}: {}", attack.name, reply.text);
        // A refusal must not send back what was sent: it may be large, and it may be personal data.
        assert!(reply.text.len() < 1_000, "{}: {}", attack.name, reply.text);
        server.assert_alive(&attack.name).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let branches = server.data("{ branches { totalCount } viewer { subject } }", json!({})).await;
    assert_eq!(branches["branches"]["totalCount"], 0, "no attack has created anything");
}

#[tokio::test]
async fn attacks_are_refused_under_default_settings() {
    let server = Setup::development().start().await;
    assail(&server, corpus::under_default_settings()).await;
    // The second time the answers must not come from anything remembered wrongly.
    assail(&server, corpus::under_default_settings()).await;
}

#[tokio::test]
async fn the_deeper_layers_hold_by_themselves() {
    let lifted = Setup::development()
        .set("QUERY_LIMIT_BYTES", 1_000_000)
        .set("BODY_LIMIT_BYTES", 1_000_000)
        .set("QUERY_TOKENS", 10_000_000)
        .set("QUERY_SELECTIONS", u32::MAX);
    let server = lifted.start().await;
    assail(&server, corpus::under_lifted_settings()).await;
}

#[tokio::test]
async fn attacks_are_refused_as_one_of_many() {
    let server = Setup::development().start().await;
    let attacks = corpus::under_default_settings();
    let all = attacks.into_iter().map(|attack| {
        let request = server.post(attack.body);
        async move { (attack.name, attack.code, Reply::of(request).await) }
    });
    for (name, code, reply) in futures_util::future::join_all(all).await {
        assert_eq!(reply.code(), code, "{name}: {}", reply.text);
    }
    server.assert_alive("all at once").await;
}

/// `application/json` reports what is wrong with a document with 200, for old clients; what a guard refuses is 4xx there
/// as well.
#[tokio::test]
async fn guards_refuse_with_4xx_whatever_the_media_type() {
    let server = Setup::development().start().await;
    for attack in corpus::under_default_settings() {
        let reply = Reply::of(server.post_accepting(attack.body, "application/json")).await;
        let about_the_document = matches!(
            attack.code,
            "GRAPHQL_PARSE_FAILED" | "GRAPHQL_VALIDATION_FAILED" | "BAD_VARIABLES" | "OPERATION_NOT_FOUND"
        );
        let status = if about_the_document { 200 } else { attack.status };
        assert_eq!(reply.verdict(), (status, attack.code.to_owned()), "{}: {}", attack.name, reply.text);
    }
}
