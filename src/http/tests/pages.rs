//! GraphiQL: for browsers, where it is on.

use super::*;

fn with_page() -> Setup {
    Setup { http: HttpSettings { graphiql: true, ..HttpSettings::default() }, dev: true, ..Setup::default() }
}

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn a_browser_gets_the_page_under_a_strict_policy() {
    let server = with_page().start().await;
    let reply = Reply::of(server.get("/graphql").header("accept", BROWSER)).await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    assert!(reply.text.contains("GraphiQL"), "{}", reply.text);
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn the_page_comes_as_stored_or_unpacked_as_the_client_accepts() {
    let server = with_page().start().await;
    for (accepted, packed) in [("br", true), ("gzip", false), ("identity", false)] {
        let request = format!(
            "GET /graphql HTTP/1.1\r\nhost: x\r\naccept: text/html\r\naccept-encoding: {accepted}\r\nconnection: close\r\n\r\n"
        );
        let answer = connections::exchange(&server, &request).await;
        assert_eq!(answer.contains("content-encoding: br"), packed, "{answer}");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn the_page_does_not_turn_queries_by_get_on() {
    let server = with_page().start().await;
    let reply = Reply::of(server.get("/graphql?query=%7Bhello%7D").header("accept", "application/json")).await;
    assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
}

#[tokio::test]
async fn no_file_outside_the_manifest_is_served_and_nothing_where_it_is_off() {
    let server = with_page().start().await;
    for path in ["/graphql/assets/nothing.js", "/graphql/assets/..%2F..%2FCargo.toml", "/graphql/assets/manifest.json"]
    {
        assert_eq!(Reply::of(server.get(path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let server = Setup::default().start().await;
    assert_eq!(Reply::of(server.get("/graphql/assets/index.html")).await.status, StatusCode::NOT_FOUND);
    let reply = Reply::of(server.get("/graphql").header("accept", BROWSER)).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
}
