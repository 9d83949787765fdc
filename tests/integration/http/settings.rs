//! Settings that switch something on or off, or that are too slow to wait for: they reach the HTTP layer.

use std::time::Duration;

use branch_loan_api::http::settings::{HttpSettings, ServerSettings};
use reqwest::Method;
use serde_json::json;

use crate::support::server::{Reply, Server, Setup};

const QUERY: &str = r#"{"query":"{ __typename }"}"#;

#[test]
fn times_and_numbers_of_connections() {
    let setup = Setup::development()
        .set("HEADER_READ_TIMEOUT_MS", 11)
        .set("TLS_HANDSHAKE_TIMEOUT_MS", 12)
        .set("SHUTDOWN_DRAIN_MS", 13)
        .set("SHUTDOWN_TIMEOUT_MS", 14)
        .set("MAX_CONNECTIONS", 15);
    let server = ServerSettings::from_config(&setup.config());
    let ms = Duration::from_millis;
    assert_eq!((server.header_read, server.tls_handshake), (ms(11), ms(12)));
    assert_eq!((server.drain_delay, server.shutdown, server.max_connections), (ms(13), ms(14), 15));
}

/// Plain HTTP in development must not be shut out of a developer's browser for a year.
#[test]
fn https_is_made_lasting_only_where_it_is_served_in_earnest() {
    let lasting = |setup: Setup| HttpSettings::from_config(&setup.config()).strict_transport_security;
    let with_tls = |setup: Setup| setup.set("TLS_CERT_FILE", "cert.pem").set("TLS_KEY_FILE", "key.pem");
    assert!(lasting(with_tls(Setup::strict("production"))) && lasting(with_tls(Setup::strict("staging"))));
    assert!(!lasting(with_tls(Setup::development())) && !lasting(Setup::strict("production")));
}

async fn get(server: &Server, accept: &str) -> Reply {
    Reply::of(server.get("/graphql?query=%7B__typename%7D").header("accept", accept)).await
}

#[tokio::test]
async fn queries_by_get() {
    let on = Setup::development().start().await;
    assert_eq!(get(&on, "application/json").await.json(), json!({"data": {"__typename": "Query"}}));
    let mutation = Reply::of(on.get("/graphql?query=mutation%7B__typename%7D")).await;
    assert_eq!((mutation.verdict(), mutation.header("allow")), ((405, "METHOD_NOT_ALLOWED".to_owned()), "POST"));
    let off = Setup::development().set("GRAPHQL_GET", "off").start().await;
    let refused = get(&off, "application/json").await;
    assert_eq!((refused.verdict(), refused.header("allow")), ((405, "METHOD_NOT_ALLOWED".to_owned()), "POST"));
    let page = get(&off, "text/html").await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"), "GraphiQL is another switch");
}

#[tokio::test]
async fn graphiql() {
    let on = Setup::development().start().await;
    let page = Reply::of(on.get("/graphql").header("accept", "text/html")).await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"));
    let off = Setup::development().set("GRAPHIQL", "off").start().await;
    let page = Reply::of(off.get("/graphql").header("accept", "text/html")).await;
    assert_eq!(page.verdict(), (406, "NOT_ACCEPTABLE".to_owned()));
}

#[tokio::test]
async fn introspection() {
    let query = "{ __schema { queryType { name } } }";
    let on = Setup::development().start().await;
    assert_eq!(on.data(query, json!({})).await, json!({"__schema": {"queryType": {"name": "Query"}}}));
    let off = Setup::development().set("INTROSPECTION", "off").start().await;
    assert_eq!(off.ask(query).await.verdict(), (400, "INTROSPECTION_DISABLED".to_owned()));
    let wanted = Setup::strict("production").set("INTROSPECTION", "on").start().await;
    assert_eq!(wanted.ask(query).await.verdict(), (200, String::new()));
}

#[tokio::test]
async fn origins_of_other_sites() {
    let listed = "https://app.example.com";
    let server = Setup::development().set("CORS_ORIGINS", format!("{listed},http://localhost:3000")).start().await;
    let from = |origin: &str| Reply::of(server.post(QUERY).header("origin", origin));
    let welcome = from(listed).await;
    assert_eq!((welcome.status, welcome.header("access-control-allow-origin")), (200, listed));
    let own = from(&server.url("")).await;
    assert_eq!((own.status, own.header("access-control-allow-origin")), (200, ""));
    for origin in ["https://evil.example", "null", "https://app.example.com.evil.example", "http://app.example.com"] {
        let stranger = from(origin).await;
        assert_eq!(stranger.verdict(), (403, "ORIGIN_NOT_ALLOWED".to_owned()), "{origin}");
        assert_eq!(stranger.header("access-control-allow-origin"), "", "{origin}");
    }
    let preflight = |origin: &str| {
        let request = server.client.request(Method::OPTIONS, server.url("/graphql")).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        Reply::of(request.header("access-control-request-headers", "content-type,authorization"))
    };
    let allowed = preflight(listed).await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, listed));
    assert!(allowed.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(preflight("https://evil.example").await.header("access-control-allow-origin"), "");
    assert_eq!(allowed.header("access-control-allow-credentials"), "", "callers show tokens, not cookies");
}
