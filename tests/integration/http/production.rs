//! Staging and production: what makes development comfortable is gone, and nothing is said that need not be.

use branch_loan_api::auth::{Actor, BranchGrant, Role, dev};
use branch_loan_api::config::{DEVELOPMENT_TOKEN_SECRET, DevAuth};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::corpus::doubling_fragments;
use crate::support::issuer::Issuer;
use crate::support::server::{Reply, Server, Setup};

/// Both, since staging is a rehearsal of production and not a mixture.
async fn servers() -> Vec<Server> {
    vec![Setup::strict("staging").start().await, Setup::strict("production").start().await]
}

const VIEWER: &str = "{ viewer { subject roles allBranches branchCodes } }";

fn body(query: &str) -> String {
    json!({"query": query}).to_string()
}

#[tokio::test]
async fn a_token_of_the_issuer_is_who_it_says() {
    for server in servers().await {
        let viewer = server.data(VIEWER, json!({})).await;
        assert_eq!(
            viewer["viewer"],
            json!({"subject": "usr_42", "roles": ["OFFICER"], "allBranches": false, "branchCodes": ["NBO"]})
        );
        let admin = server.issuer().token_with(json!({"sub": "usr_1", "roles": ["ADMIN"], "branches": ["*"]}));
        let reply = Reply::of(server.anonymous(body(VIEWER)).bearer_auth(admin)).await;
        assert_eq!(reply.json()["data"]["viewer"]["allBranches"], true, "{}", reply.text);
    }
}

#[tokio::test]
async fn every_other_token_is_refused() {
    let secret = DEVELOPMENT_TOKEN_SECRET.to_owned().into();
    let actor =
        Actor { subject: "me".to_owned(), roles: [Role::Admin].into(), branches: BranchGrant::All, request_id: None };
    let development = dev::mint(&DevAuth { secret }, &actor, TimeDelta::hours(1), Utc::now()).unwrap();
    for server in servers().await {
        let issuer = server.issuer();
        let hour_ago = Utc::now().timestamp() - 3600;
        let good = issuer.token();
        let unsigned = {
            let claims = good.split('.').nth(1).unwrap();
            // {"alg":"none"}
            format!("eyJhbGciOiJub25lIn0.{claims}.")
        };
        for (what, token) in [
            ("expired", issuer.token_with(json!({"exp": hour_ago}))),
            ("without an end", issuer.token_with(json!({"exp": null}))),
            ("not yet valid", issuer.token_with(json!({"nbf": Utc::now().timestamp() + 3600}))),
            ("of another issuer", issuer.token_with(json!({"iss": "https://evil.example"}))),
            ("for another audience", issuer.token_with(json!({"aud": "another-api"}))),
            ("without a subject", issuer.token_with(json!({"sub": null}))),
            ("without a role", issuer.token_with(json!({"roles": []}))),
            ("with a role nobody knows", issuer.token_with(json!({"roles": ["EMPEROR"]}))),
            ("of another key", Issuer::new("key-2").token()),
            ("of another key under the known id", Issuer::new("key-1").token()),
            ("unsigned", unsigned),
            ("cut short", good[..good.len() - 2].to_owned()),
            ("of development", development.clone()),
            ("no token", "hunter2".to_owned()),
        ] {
            let reply = Reply::of(server.anonymous(body(VIEWER)).bearer_auth(&token)).await;
            refused(&reply, what);
            assert!(!reply.text.contains(&token) && !reply.text.contains("key-1"), "{what}: {}", reply.text);
        }
        for header in ["", "Bearer", &format!("Basic {good}"), &format!("Bearer {good} {good}"), good.as_str()] {
            refused(&Reply::of(server.anonymous(body(VIEWER)).header("authorization", header)).await, header);
        }
        assert_eq!(server.ask(VIEWER).await.status, 200);
    }
}

fn refused(reply: &Reply, what: &str) {
    assert_eq!(reply.verdict(), (401, "UNAUTHENTICATED".to_owned()), "{what}: {}", reply.text);
    assert!(reply.header("www-authenticate").starts_with("Bearer"), "{what}");
    assert!(reply.json().get("data").is_none(), "{what}: {}", reply.text);
}

/// Whoever is not known learns nothing of what they sent: neither whether it is JSON, nor GraphQL, nor in the schema.
#[tokio::test]
async fn strangers_are_turned_away_before_anything_is_read() {
    for server in servers().await {
        let first = Reply::of(server.anonymous(body(VIEWER))).await;
        refused(&first, "no token");
        for text in [
            "{ not JSON",
            "[[[[[[",
            "[]",
            "",
            &body("{ nonsense"),
            &body("{ unknownField }"),
            &body("{ __schema { types { name } } }"),
            &body(&doubling_fragments("query", "__typename")),
            &body(&"{".repeat(100_000)),
            &format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{}1{}}}}}"#, "[".repeat(100), "]".repeat(100)),
        ] {
            let reply = Reply::of(server.anonymous(text.to_owned())).await;
            assert_eq!((reply.status, &reply.text), (401, &first.text), "{text:.60}");
        }
        let socket = Reply::of(server.get("/graphql/ws")).await;
        assert!(socket.status >= 400 && socket.status < 500);
    }
}

#[tokio::test]
async fn there_is_no_graphiql_and_no_query_by_get() {
    for server in servers().await {
        for (path, accept) in [
            ("/graphql", "text/html"),
            ("/graphql", "*/*"),
            ("/graphql?query=%7B__typename%7D", "application/json"),
            ("/graphql?query=%7B__typename%7D", "application/graphql-response+json"),
            ("/graphiql", "text/html"),
            ("/graphiql/index.html", "text/html"),
            ("/", "text/html"),
        ] {
            let request = server.get(path).header("accept", accept).bearer_auth(server.issuer().token());
            let reply = Reply::of(request).await;
            let status = if path.starts_with("/graphql") { 405 } else { 404 };
            assert_eq!(reply.status, status, "{path}: {}", reply.text);
            assert!(reply.header("content-type").starts_with("application/json"), "{path}");
            assert!(!reply.text.to_lowercase().contains("<html") && !reply.code().is_empty(), "{path}");
        }
        let options = Reply::of(server.client.request(Method::OPTIONS, server.url("/graphql"))).await;
        assert_eq!(options.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn introspection_is_refused_with_an_error() {
    for server in servers().await {
        for query in [
            "{ __schema { queryType { name } } }",
            "{ __type(name: \"Loan\") { name } }",
            "{ viewer { subject } __schema { types { name } } }",
            "{ ...F } fragment F on Query { __schema { types { name } } }",
            "{ ... { ... on Query { x: __type(name: \"Loan\") { fields { name } } } } }",
            "mutation { __schema { types { name } } }",
            "query A { __typename } query B { __schema { types { name } } }",
            "{ __schema @skip(if: true) { types { name } } }",
        ] {
            let body =
                json!({"query": query, "operationName": query.starts_with("query A").then_some("A")}).to_string();
            let reply = Reply::of(server.post(body)).await;
            assert_eq!(reply.verdict(), (400, "INTROSPECTION_DISABLED".to_owned()), "{query}: {}", reply.text);
            assert!(reply.json().get("data").is_none());
        }
        assert_eq!(server.data("{ __typename viewer { __typename } }", json!({})).await["__typename"], "Query");
    }
}

/// A message may repeat what was sent; it may not tell what could have been sent instead.
#[tokio::test]
async fn errors_suggest_no_names() {
    for server in servers().await {
        for (query, names) in [
            ("{ loan_s { totalCount } }", &["\"loans\"", "\"loan\"", "`loans`"][..]),
            ("{ loanz { totalCount } }", &["\"loans\"", "\"loan\""]),
            ("{ viewer { subjekt } }", &["\"subject\""]),
            ("{ loans(frist: 1) { totalCount } }", &["\"first\""]),
            ("{ loans(filter: { serch: \"x\" }) { totalCount } }", &["\"search\""]),
            ("{ loans(filter: { status: { eq: APROVED } }) { totalCount } }", &["APPROVED"]),
            ("{ ... on Loen { id } }", &["\"Loan\""]),
            ("query($x: LoanFiltre) { loans(filter: $x) { totalCount } }", &["\"LoanFilter\""]),
            ("mutation { aproveLoan { id } }", &["approveLoan"]),
        ] {
            let reply = server.ask(query).await;
            assert_eq!(reply.status, 400, "{query}: {}", reply.text);
            assert!(!reply.text.to_lowercase().contains("did you mean"), "{query}: {}", reply.text);
            for name in names {
                let quoted = json!(name).to_string();
                assert!(!reply.text.contains(quoted.trim_matches('"')), "{query} tells {name}: {}", reply.text);
            }
        }
    }
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    for server in servers().await {
        let post = |body: String| server.post(body);
        for (what, request) in [
            ("200", post(body(VIEWER))),
            ("400", post(body("{ nonsense"))),
            ("401", server.anonymous(body(VIEWER))),
            ("404", server.get("/nothing")),
            ("405", server.get("/graphql")),
            ("413", post(body(VIEWER) + &" ".repeat(300_000))),
            ("415", server.client.post(server.url("/graphql")).body("x")),
            ("/health", server.get("/health")),
            ("/readyz", server.get("/readyz?verbose")),
        ] {
            let reply = Reply::of(request).await;
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ] {
                assert_eq!(reply.header(name), value, "{what}");
            }
            assert!(!reply.header("x-request-id").is_empty(), "{what}");
            for name in ["server", "x-powered-by", "set-cookie", "access-control-allow-origin"] {
                assert_eq!(reply.header(name), "", "{what}");
            }
        }
    }
}

/// Branches are the boundary of what a token may see, in production as in development.
#[tokio::test]
async fn roles_are_what_the_token_grants() {
    for server in servers().await {
        let create = r#"mutation { createBranch(input: { code: "NBO", name: "Nairobi", currency: "KES",
            timeZone: "Africa/Nairobi" }) { branch { code } userErrors { code } } }"#;
        let forbidden = server.ask(create).await;
        assert_eq!(forbidden.verdict(), (200, "FORBIDDEN".to_owned()), "{}", forbidden.text);
        assert_eq!(forbidden.json()["data"], Json::Null);
        let admin = server.issuer().token_with(json!({"roles": ["ADMIN"], "branches": ["*"]}));
        let allowed = Reply::of(server.anonymous(body(create)).bearer_auth(admin)).await;
        assert_eq!(allowed.json(), json!({"data": {"createBranch": {"branch": {"code": "NBO"}, "userErrors": []}}}));
    }
}
