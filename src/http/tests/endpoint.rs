//! What `/graphql` takes and what it answers: media types, statuses, refusals in their order, ids and headers.

use axum::http::HeaderValue;

use super::*;
use crate::http::client_address::Proxies;
use crate::http::settings::RateSettings;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json; charset=utf-8";

fn with_get() -> Setup {
    Setup { http: HttpSettings { allow_get: true, ..HttpSettings::default() }, ..Setup::default() }
}

#[tokio::test]
async fn a_query_is_answered_in_the_accepted_media_type() {
    let server = Setup::default().start().await;
    let reply = server.query("{ hello }").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, JSON));
    assert_eq!(reply.json(), json!({"data": {"hello": "world"}}));
    let reply = Reply::of(server.post(r#"{"query":"{ whoami }"}"#).header("accept", GRAPHQL)).await;
    assert_eq!(reply.header("content-type"), format!("{GRAPHQL}; charset=utf-8"));
    assert_eq!(reply.json(), json!({"data": {"whoami": "user-1"}}));
    let reply = Reply::of(server.post(r#"{"query":"{ hello }"}"#).header("accept", "text/html")).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE".to_owned()));
}

#[tokio::test]
async fn mistakes_in_the_document_are_200_in_json_and_400_in_graphql_response() {
    let server = Setup::default().start().await;
    let table = [("{", "GRAPHQL_PARSE_FAILED"), ("{ missing }", "GRAPHQL_VALIDATION_FAILED")];
    for (query, code) in table {
        let body = json!({ "query": query }).to_string();
        let reply = Reply::of(server.post(body.clone())).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::OK, code));
        let reply = Reply::of(server.post(body).header("accept", GRAPHQL)).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, code));
        assert!(reply.json().get("data").is_none(), "{}", reply.text);
    }
}

#[tokio::test]
async fn refusals_by_guards_and_malformed_bodies_keep_their_status_in_both_media_types() {
    let server = Setup::default().start().await;
    let table = [
        (r#"{"query":"{ forbidden }"}"#, "TOO_DEEP"),
        (r#"{ "not a JSON"#, "BAD_REQUEST"),
        ("{}", "BAD_REQUEST"),
        (r#"{"query":7}"#, "BAD_REQUEST"),
        (r#"[{"query":"{ hello }"}]"#, "BATCH_NOT_SUPPORTED"),
        (r#"{"query":"subscription { count(to: 1) }"}"#, "SUBSCRIPTION_NOT_SUPPORTED"),
    ];
    for (body, code) in table {
        for accept in ["application/json", GRAPHQL] {
            let reply = Reply::of(server.post(body).header("accept", accept)).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, code), "{accept}");
            assert_eq!(reply.header("content-type"), format!("{accept}; charset=utf-8"));
        }
    }
}

#[tokio::test]
async fn only_plain_json_bodies_are_read() {
    let server = Setup::default().start().await;
    let body = r#"{"query":"{ hello }"}"#;
    let post = || server.client.post(server.url("/graphql")).header("authorization", "Bearer user-1").body(body);
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        let reply = Reply::of(post().header("content-type", content_type)).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{content_type}");
    }
    assert_eq!(Reply::of(post()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let reply = Reply::of(server.post(body).header("content-encoding", "gzip")).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_declared_or_not() {
    let http = HttpSettings { max_body_bytes: 1_000, ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let too_long = json!({ "query": "{ hello }", "pad": "x".repeat(1_000) }).to_string();
    let reply = Reply::of(server.post(too_long.clone())).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"));
    // HTTP/1.1 by hand, because a chunked body declares no length.
    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer =
        connections::exchange(&server, &format!("{head}{:x}\r\n{too_long}\r\n0\r\n\r\n", too_long.len())).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // A declared length is enough: nothing of the body is waited for.
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1001\r\n\r\n";
    let answer = connections::exchange(&server, head).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let fits = json!({ "query": "{ hello }", "pad": "x".repeat(900) }).to_string();
    assert_eq!(Reply::of(server.post(fits)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let http = HttpSettings { body_read: Duration::from_millis(50), ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let answer = connections::exchange(&server, head).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("REQUEST_TIMEOUT"), "{answer}");
}

#[tokio::test]
async fn nothing_of_the_query_is_looked_at_before_the_caller_is_known() {
    let server = Setup::default().start().await;
    for token in [None, Some("Bearer forged"), Some("Basic user-1")] {
        let request = server.client.post(server.url("/graphql")).header("content-type", "application/json");
        let request = token.into_iter().fold(request, |request, token| request.header("authorization", token));
        let reply = Reply::of(request.body("{ \"not a JSON")).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    // Nor before anybody can be.
    let request = server.client.post(server.url("/graphql")).header("content-type", "application/json");
    let request = request.header("authorization", "Bearer user-nobody-can-check");
    let reply = Reply::of(request.body("{ \"not a JSON")).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    assert_eq!((reply.header("retry-after"), reply.header("www-authenticate")), ("1", ""));
    // A header that is not text must not pass for no header where no header means an administrator.
    let server = Setup { dev: true, ..Setup::default() }.start().await;
    let request = server.client.post(server.url("/graphql")).header("content-type", "application/json");
    let garbled = request.header("authorization", HeaderValue::from_bytes(b"Bearer \xff").unwrap());
    assert_eq!(Reply::of(garbled.body(r#"{"query":"{ hello }"}"#)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guessing_tokens_is_limited_by_address_and_costs_honest_callers_nothing() {
    let rate = RateSettings { points_per_second: 1, burst: 2, ..Default::default() };
    let server = Setup { http: HttpSettings { rate, ..HttpSettings::default() }, ..Setup::default() }.start().await;
    let guess = || {
        let request = server.client.post(server.url("/graphql")).header("content-type", "application/json");
        Reply::of(request.header("authorization", "Bearer forged").body("{}"))
    };
    assert_eq!(guess().await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(guess().await.status, StatusCode::UNAUTHORIZED);
    let reply = guess().await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    assert_eq!(server.query("{ hello }").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_principal_spends_points_by_request_and_by_cost() {
    let rate = RateSettings { points_per_second: 1, burst: 60, ..Default::default() };
    let server = Setup { http: HttpSettings { rate, ..HttpSettings::default() }, ..Setup::default() }.start().await;
    assert_eq!(server.query("{ dear: hello }").await.status, StatusCode::OK);
    let reply = server.query("{ dear: hello }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
}

#[tokio::test]
async fn queries_by_get_only_where_they_are_on() {
    let server = Setup { dev: true, ..with_get() }.start().await;
    let reply = Reply::of(server.get("/graphql?query=%7Bhello%7D")).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"data": {"hello": "world"}})));
    assert_eq!(Reply::of(server.get("/graphql")).await.status, StatusCode::BAD_REQUEST);

    let server = Setup { dev: true, ..Setup::default() }.start().await;
    let reply = Reply::of(server.get("/graphql?query=%7Bhello%7D")).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"));
    assert_eq!(reply.header("allow"), "POST");
}

#[tokio::test]
async fn a_get_never_mutates() {
    let server = Setup { dev: true, ..with_get() }.start().await;
    for path in [
        "/graphql?query=mutation%7Bnote%7D",
        "/graphql?query=query%20A%7Bhello%7Dmutation%20B%7Bnote%7D&operationName=B",
    ] {
        let reply = Reply::of(server.get(path)).await;
        assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    }
    assert_eq!(server.query("mutation { note }").await.json(), json!({"data": {"note": 1}}));
}

#[tokio::test]
async fn request_ids_are_kept_when_sane_and_made_otherwise() {
    let server = Setup::default().start().await;
    let reply = Reply::of(server.post(r#"{"query":"{ leaks }"}"#).header("x-request-id", "order-7.a_B")).await;
    assert_eq!(reply.header("x-request-id"), "order-7.a_B");
    assert_eq!(reply.code(), "INTERNAL");
    let reply = Reply::of(server.get("/health").header("x-request-id", "a b")).await;
    assert_eq!(uuid::Uuid::parse_str(reply.header("x-request-id")).unwrap().get_version_num(), 7);
}

#[tokio::test]
async fn cors_answers_listed_origins_and_no_others() {
    let listed = "https://app.example.com";
    let http = HttpSettings { cors_origins: vec![HeaderValue::from_static(listed)], ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let preflight = |origin: &'static str| {
        let request = server.client.request(reqwest::Method::OPTIONS, server.url("/graphql"));
        let request = request.header("access-control-request-headers", "content-type,authorization");
        Reply::of(request.header("origin", origin).header("access-control-request-method", "POST"))
    };
    let reply = preflight(listed).await;
    assert_eq!(reply.header("access-control-allow-origin"), listed);
    for header in ["authorization", "x-read-after"] {
        assert!(reply.header("access-control-allow-headers").contains(header), "{header}");
    }
    assert_eq!(preflight("https://evil.example").await.header("access-control-allow-origin"), "");

    let reply = Reply::of(server.post(r#"{"query":"{ hello }"}"#).header("origin", listed)).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (StatusCode::OK, listed));
    assert!(reply.header("access-control-expose-headers").contains("x-read-after"));
    for origin in ["https://evil.example", "null"] {
        let reply = Reply::of(server.post(r#"{"query":"mutation { note }"}"#).header("origin", origin)).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED"));
    }
    let own = format!("http://{}", server.address);
    let reply = Reply::of(server.post(r#"{"query":"mutation { note }"}"#).header("origin", own)).await;
    assert_eq!(reply.json(), json!({"data": {"note": 1}}));
}

/// Whether there is a replica or not: a client need not know.
#[tokio::test]
async fn a_position_to_read_after_is_one_or_is_refused() {
    let server = Setup::default().start().await;
    let after = |value: &'static str| {
        Reply::of(
            server.post(r#"{"query":"{ hello }"}"#).header("x-read-after", "0/16B3748").header("x-read-after", value),
        )
    };
    for good in ["0/0", "16/b374D848", "FFFFFFFF/FFFFFFFF"] {
        assert_eq!(after(good).await.status, StatusCode::OK, "{good}");
    }
    for bad in ["", "7", "0/", "-1/0", "0/0,0/0", "0/123456789", "now"] {
        let reply = after(bad).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"), "{bad}");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_in_json() {
    let server = Setup::default().start().await;
    let reply = Reply::of(server.get("/nothing")).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
    let reply = Reply::of(server.client.delete(server.url("/graphql"))).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"));
    assert_eq!(reply.header("allow"), "POST");
}

#[tokio::test]
async fn answers_tell_browsers_to_be_careful() {
    let server = Setup::default().start().await;
    let reply = server.query("{ hello }").await;
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("x-frame-options"), "DENY");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(reply.header("strict-transport-security"), "");
    let http = HttpSettings { strict_transport_security: true, ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    assert_eq!(server.query("{ hello }").await.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn long_answers_are_compressed_and_short_ones_are_not() {
    let server = Setup::default().start().await;
    // reqwest removes the header of what it has unpacked, so the encoding is read off a plain connection.
    for (length, encoding, expected) in [(5_000, "br", true), (5_000, "gzip", true), (10, "br", false)] {
        let body = json!({ "query": format!("{{ text(length: {length}) }}") }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer user-1\r\ncontent-type: application/json\r\n\
             accept-encoding: {encoding}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = connections::exchange(&server, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(answer.contains(&format!("content-encoding: {encoding}\r\n")), expected, "{answer}");
    }
    assert_eq!(server.query("{ text(length: 5000) }").await.json()["data"]["text"].as_str().unwrap().len(), 5_000);
}

#[tokio::test]
async fn one_address_may_send_so_much_whoever_it_is() {
    let rate = RateSettings { points_per_second: 1, burst: 3, ..Default::default() };
    let proxies = Proxies { trusted: "127.0.0.0/8".parse().unwrap(), ..Proxies::default() };
    let http = HttpSettings { address_rate: rate, proxies, ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let ask = async |user: &str, client: &str| {
        let request = server.client.post(server.url("/graphql")).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {user}")).header("x-forwarded-for", client);
        Reply::of(request.body(r#"{"query":"{ hello }"}"#)).await
    };
    for user in ["user-1", "user-2", "forged"] {
        assert_ne!(ask(user, "2001:db8::1").await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    for user in ["user-3", "forged"] {
        // One a second comes back, so a slow machine may need a few more.
        let mut reply = ask(user, "2001:db8::2").await;
        for _ in 0..200 {
            if reply.status == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            reply = ask(user, "2001:db8::2").await;
        }
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"), "{user}");
        assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    }
    assert_eq!(ask("user-3", "198.51.100.1").await.status, StatusCode::OK, "another client of the same proxy");
    assert_eq!(Reply::of(server.get("/health")).await.status, StatusCode::OK, "probes are not counted");
}

#[tokio::test]
async fn nobody_chooses_their_address() {
    let rate = RateSettings { points_per_second: 1, burst: 1, ..Default::default() };
    let server = Setup { http: HttpSettings { address_rate: rate, ..HttpSettings::default() }, ..Setup::default() };
    let server = server.start().await;
    let ask = |client: u32| {
        let client = std::net::Ipv4Addr::from(client).to_string();
        Reply::of(server.post(r#"{"query":"{ hello }"}"#).header("x-forwarded-for", client))
    };
    let mut again = ask(0).await;
    assert_eq!(again.status, StatusCode::OK);
    for client in 1..200 {
        again = ask(client).await;
        if again.status != StatusCode::OK {
            break;
        }
    }
    assert_eq!((again.status, again.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
}

#[tokio::test]
async fn bodies_being_read_are_counted() {
    let server = Setup { http: HttpSettings { max_bodies: 0, ..HttpSettings::default() }, ..Setup::default() };
    let reply = server.start().await.query("{ hello }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED"));
}
