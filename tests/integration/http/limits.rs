//! Every limit is a setting, and every setting reaches what it limits: what is just within passes, what is just beyond is
//! refused, and under the default settings it would not have been.

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::lock::{CREATE, Lock, one_write_at_a_time, until_full};
use crate::support::server::{PATIENCE, Reply, Server, Setup, soon};

async fn ask(server: &Server, document: &(&str, Json)) -> (u16, String) {
    server.ask_with(document.0, document.1.clone()).await.verdict()
}

async fn holds(settings: &[(&str, usize)], code: &str, within: (&str, Json), beyond: (&str, Json)) {
    let setup = settings.iter().fold(Setup::development(), |setup, (name, value)| setup.set(name, value));
    let server = setup.start().await;
    let passes = (200, String::new());
    assert_eq!(ask(&server, &within).await, passes, "{settings:?}: within");
    let refused = server.ask_with(beyond.0, beyond.1.clone()).await;
    let status = if code == "QUERY_TOO_LARGE" { 413 } else { 400 };
    assert_eq!(refused.verdict(), (status, code.to_owned()), "{settings:?}: beyond");
    assert_eq!(ask(&server, &within).await, passes, "{settings:?}: again");
    let unlimited = Setup::development().start().await;
    assert_eq!(ask(&unlimited, &beyond).await, passes, "{settings:?}: beyond, by default");
}

async fn documents(setting: &str, limit: usize, code: &str, within: &str, beyond: &str) {
    holds(&[(setting, limit)], code, (within, json!({})), (beyond, json!({}))).await;
}

#[tokio::test]
async fn limits_of_the_text() {
    let padded = |length| format!("{:length$}", "{ __typename }");
    documents("QUERY_LIMIT_BYTES", 40, "QUERY_TOO_LARGE", &padded(40), &padded(41)).await;
    documents("QUERY_TOKENS", 3, "TOO_MANY_TOKENS", "{ __typename }", "{ __typename __typename }").await;
    documents(
        "QUERY_NESTING",
        2,
        "NESTED_TOO_DEEP",
        "{ viewer { subject } }",
        "{ branches(first: 1) { nodes { id } } }",
    )
    .await;
}

#[tokio::test]
async fn limits_of_the_document() {
    documents("QUERY_DEPTH", 2, "QUERY_TOO_DEEP", "{ viewer { subject } }", "{ branches { nodes { id } } }").await;
    documents("QUERY_ALIASES", 1, "TOO_MANY_ALIASES", "{ a: __typename }", "{ a: __typename b: __typename }").await;
    documents("QUERY_SELECTIONS", 2, "QUERY_TOO_COMPLEX", "{ viewer { subject } }", "{ viewer { subject roles } }")
        .await;
    documents(
        "QUERY_FIELD_DIRECTIVES",
        1,
        "TOO_MANY_DIRECTIVES",
        "{ __typename @skip(if: false) }",
        "{ __typename @skip(if: false) @include(if: true) }",
    )
    .await;
    documents(
        "QUERY_DIRECTIVES",
        1,
        "TOO_MANY_DIRECTIVES",
        "{ __typename @skip(if: false) viewer { subject } }",
        "{ __typename @skip(if: false) viewer { subject @skip(if: false) } }",
    )
    .await;
    documents(
        "QUERY_ROOT_FIELDS",
        1,
        "TOO_MANY_ROOT_FIELDS",
        "{ viewer { subject } }",
        "{ viewer { subject } branches { totalCount } }",
    )
    .await;
    documents(
        "MUTATION_ROOT_FIELDS",
        1,
        "TOO_MANY_ROOT_FIELDS",
        "mutation { a: __typename }",
        "mutation { a: __typename b: __typename }",
    )
    .await;
}

#[tokio::test]
async fn the_limit_of_lists_holds_for_literals_and_variables() {
    let literal = |items: &str| format!("{{ loans(filter: {{ officer: {{ in: [{items}] }} }}) {{ totalCount }} }}");
    documents("LIST_INPUT_MAX", 2, "LIST_TOO_LONG", &literal(r#""a" "b""#), &literal(r#""a" "b" "c""#)).await;
    let query = "query($v: [String!]) { loans(filter: { officer: { in: $v } }) { totalCount } }";
    let (within, beyond) = (json!({"v": ["a", "b"]}), json!({"v": ["a", "b", "c"]}));
    holds(&[("LIST_INPUT_MAX", 2)], "LIST_TOO_LONG", (query, within), (query, beyond)).await;
}

#[tokio::test]
async fn the_limit_of_cost() {
    let server = Setup::development().set("QUERY_COST", 30).start().await;
    let query = "query($n: Int) { branches(first: $n) { nodes { id } } }";
    let mut refused = None;
    for rows in 1..=100 {
        let reply = server.ask_with(query, json!({"n": rows})).await;
        match reply.verdict() {
            (200, code) if code.is_empty() => {}
            (400, code) if code == "QUERY_TOO_COMPLEX" => {
                refused = Some((rows, reply.json()["errors"][0]["message"].as_str().unwrap().to_owned()));
                break;
            }
            other => panic!("{rows} rows: {other:?}"),
        }
    }
    let (rows, message) = refused.expect("a page of 100 costs more than 30 points");
    assert!(rows > 5 && message.contains("costs 31 points, more than 30"), "{rows} rows: {message}");
}

#[tokio::test]
async fn the_limit_of_a_page() {
    let server = Setup::development().set("PAGE_SIZE_MAX", 5).start().await;
    for field in ["loans", "borrowers", "branches", "loanProducts"] {
        for side in ["first", "last"] {
            let query = format!("query($n: Int) {{ {field}({side}: $n) {{ nodes {{ id }} }} }}");
            assert_eq!(server.ask_with(&query, json!({"n": 5})).await.verdict(), (200, String::new()), "{query}");
            let beyond = server.ask_with(&query, json!({"n": 6})).await;
            assert_eq!(beyond.verdict(), (200, "BAD_USER_INPUT".to_owned()), "{query}");
        }
    }
}

#[tokio::test]
async fn the_limit_of_errors() {
    let server = Setup::development().set("RESPONSE_ERRORS_MAX", 2).start().await;
    let failing: String = (0..4).map(|at| format!("a{at}: branch(by: {{ id: \"nonsense\" }}) {{ id }} ")).collect();
    let reply = server.ask(&format!("{{ {failing} }}")).await;
    assert_eq!(reply.codes().len(), 2, "{}", reply.text);
    let usual = Setup::development().start().await;
    assert_eq!(usual.ask(&format!("{{ {failing} }}")).await.codes().len(), 4);
}

#[tokio::test]
async fn limits_of_bodies_and_answers() {
    let setup = Setup::development().set("QUERY_LIMIT_BYTES", 100).set("BODY_LIMIT_BYTES", 100);
    let server = setup.start().await;
    let padded = |length| format!("{:length$}", r#"{"query":"{ __typename }"}"#);
    assert_eq!(Reply::of(server.post(padded(100))).await.verdict(), (200, String::new()));
    assert_eq!(Reply::of(server.post(padded(101))).await.verdict(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    // A body whose length is not announced is counted as it comes.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}65\r\n{:101}\r\n", " ").as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");

    let query = "{ viewer { subject roles permissions } }";
    let length = Setup::development().start().await.ask(query).await.text.len();
    let with = |limit| Setup::development().set("RESPONSE_LIMIT_BYTES", limit).start();
    assert_eq!(with(length).await.ask(query).await.verdict(), (200, String::new()));
    assert_eq!(with(length - 1).await.ask(query).await.verdict(), (400, "RESPONSE_TOO_LARGE".to_owned()));
}

/// Cut off in the middle of sending, a client reports a broken connection and never looks for the answer.
#[tokio::test]
async fn whoever_sends_too_much_finds_the_answer_at_the_end() {
    let server = Setup::development().start().await;
    let body = vec![b' '; 8_000_000];
    for length in [format!("content-length: {}", body.len()), "transfer-encoding: chunked".to_owned()] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        if length.ends_with("chunked") {
            stream.write_all(format!("{:x}\r\n", body.len()).as_bytes()).await.unwrap();
        }
        soon(stream.write_all(&body)).await.unwrap_or_else(|error| panic!("{length}: {error}"));
        if length.ends_with("chunked") {
            stream.write_all(b"\r\n0\r\n\r\n").await.unwrap();
        }
        let mut answer = [0; 12];
        soon(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413", "{length}");
    }
}

/// Who asks before sending is told at once and sends nothing.
#[tokio::test]
async fn whoever_asks_first_need_not_send_it() {
    let server = Setup::development().start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 8000000\r\n\
                expect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn the_deadline_of_a_mutation() {
    let setup = Setup::development().set("REQUEST_DEADLINE_MS", 100).set("DATABASE_STATEMENT_TIMEOUT_MS", 100);
    let server = setup.set("DATABASE_LOCK_TIMEOUT_MS", PATIENCE.as_millis()).start().await;
    let lock = Lock::hold(&server.config).await;
    let reply = server.ask(CREATE).await;
    assert_eq!(reply.verdict(), (504, "TIMEOUT".to_owned()), "{}", reply.text);
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], false, "it may still be carried out");
    lock.release().await;
}

/// A lock that is not given back in time is the database's lack, not the caller's.
#[tokio::test]
async fn the_time_a_lock_is_waited_for() {
    let server = Setup::development().set("DATABASE_LOCK_TIMEOUT_MS", 50).start().await;
    let lock = Lock::hold(&server.config).await;
    let reply = server.ask(CREATE).await;
    assert_eq!(reply.verdict(), (200, "UNAVAILABLE".to_owned()), "{}", reply.text);
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    assert!(!reply.text.contains("lock") && !reply.text.contains("sqlite"), "{}", reply.text);
    server.data("{ branches { totalCount } }", json!({})).await;
    lock.release().await;
    server.data(CREATE, json!({})).await;
}

#[tokio::test]
async fn the_number_in_flight() {
    let setup = one_write_at_a_time();
    let server = setup.set("REQUEST_DEADLINE_MS", PATIENCE.as_millis()).start().await;
    let lock = Lock::hold(&server.config).await;
    let mutation = tokio::spawn(Reply::of(server.post(json!({"query": CREATE}).to_string())));
    until_full(&server).await;
    let reply = server.ask("mutation { __typename }").await;
    assert_eq!((reply.verdict(), reply.header("retry-after")), ((503, "OVERLOADED".to_owned()), "1"));
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    server.data("{ branches { totalCount } }", json!({})).await;
    for probe in ["/health", "/livez", "/readyz"] {
        assert_eq!(Reply::of(server.get(probe)).await.status, 200, "{probe} is not held up");
    }
    lock.release().await;
    assert_eq!(mutation.await.unwrap().verdict(), (200, String::new()));
    server.data("{ branches { totalCount } }", json!({})).await;
}

#[tokio::test]
async fn the_rate_of_one_caller() {
    let server = Setup::development().set("RATE_PER_SECOND", 1).set("RATE_BURST", 3).start().await;
    let mut reply = server.ask("{ __typename }").await;
    assert_eq!(reply.verdict(), (200, String::new()));
    // One a second comes back, so a slow machine may need a few more than four.
    for _ in 0..200 {
        reply = server.ask("{ __typename }").await;
        if reply.status != 200 {
            break;
        }
    }
    assert_eq!(reply.verdict(), (429, "RATE_LIMITED".to_owned()), "{}", reply.text);
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(Reply::of(server.get("/readyz")).await.status, 200, "probes are nobody's requests");
}

/// Tokens cannot be tried out at leisure, and trying them costs those who have one nothing.
#[tokio::test]
async fn the_rate_of_bad_tokens() {
    let server = Setup::strict("staging").set("RATE_PER_SECOND", 1).set("RATE_BURST", 3).start().await;
    let guess = || Reply::of(server.anonymous(r#"{"query":"{ __typename }"}"#).bearer_auth("a.b.c"));
    let mut reply = guess().await;
    assert_eq!(reply.verdict(), (401, "UNAUTHENTICATED".to_owned()));
    for _ in 0..200 {
        reply = guess().await;
        if reply.status != 401 {
            break;
        }
    }
    assert_eq!(reply.verdict(), (429, "RATE_LIMITED".to_owned()), "{}", reply.text);
    assert_eq!(server.ask("{ __typename }").await.verdict(), (200, String::new()));
}

/// A cache of one document answers as one of a thousand does.
#[tokio::test]
async fn the_size_of_the_document_cache() {
    let server = Setup::development().set("DOCUMENT_CACHE_SIZE", 1).start().await;
    for _ in 0..3 {
        for alias in ["a", "b", "c"] {
            let reply = server.ask(&format!("{{ {alias}: __typename }}")).await;
            assert_eq!(reply.json(), json!({"data": {alias: "Query"}}));
        }
    }
}
