//! Trusted documents: what is in the manifest runs by its text and by its id; what becomes of the rest is a setting; a
//! manifest that cannot be used stops the start.

use branch_loan_api::http::guard::documents::Documents;
use branch_loan_api::http::guard::manifest::hexadecimal;
use futures_util::{SinkExt, StreamExt};
use reqwest::header::HeaderValue;
use serde_json::{Value as Json, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::process::Place;
use crate::support::server::{Reply, Server, Setup, soon};

const VIEWER: &str = "query Viewer { viewer { roles } }";
const BRANCHES: &str = "query Branches($first: Int!) { branches(first: $first) { totalCount } }";
const TWO: &str = "query One { viewer { roles } } query Two { branches { totalCount } }";

fn id(text: &str) -> String {
    hexadecimal(&Documents::key(text))
}

fn relay(texts: &[&str]) -> Json {
    texts.iter().map(|text| (id(text), json!(text))).collect()
}

fn apollo(texts: &[&str]) -> Json {
    let operation = |text: &&str| json!({"id": id(text), "name": "Any", "type": "query", "body": text});
    let operations: Vec<Json> = texts.iter().map(operation).collect();
    json!({"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations})
}

fn with_manifest(setup: Setup, mode: &str, manifest: &Json) -> Setup {
    let file = setup.folder().join("manifest.json");
    std::fs::write(&file, manifest.to_string()).unwrap();
    setup.set("TRUSTED_DOCUMENTS", mode).set("TRUSTED_DOCUMENTS_FILE", file.display())
}

async fn send(server: &Server, body: &Json) -> Reply {
    Reply::of(server.post(body.to_string())).await
}

async fn verdict(server: &Server, body: &Json) -> (u16, String) {
    send(server, body).await.verdict()
}

fn done() -> (u16, String) {
    (200, String::new())
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[tokio::test]
async fn a_trusted_document_runs_by_its_text_and_by_its_id() {
    for manifest in [relay(&[VIEWER, BRANCHES, TWO]), apollo(&[VIEWER, BRANCHES, TWO])] {
        for mode in ["off", "log", "enforce"] {
            let server = with_manifest(Setup::strict("production"), mode, &manifest).start().await;
            for _ in 0..2 {
                let by_text = send(&server, &json!({"query": VIEWER})).await;
                assert_eq!(by_text.json(), json!({"data": {"viewer": {"roles": ["OFFICER"]}}}), "{mode}");
                for name in [id(VIEWER), format!("sha256:{}", id(VIEWER))] {
                    assert_eq!(send(&server, &json!({"documentId": name})).await.text, by_text.text, "{mode}");
                    assert_eq!(send(&server, &json!({"documentId": name, "query": null})).await.text, by_text.text);
                }
            }
            let page = |variables: Json| json!({"documentId": id(BRANCHES), "variables": variables});
            assert_eq!(verdict(&server, &page(json!({"first": 1}))).await, done());
            assert_eq!(verdict(&server, &page(json!({}))).await, refused("BAD_VARIABLES"));
            assert_eq!(verdict(&server, &page(json!({"first": "1"}))).await, refused("BAD_VARIABLES"));
            let two = |name: Json| json!({"documentId": id(TWO), "operationName": name});
            assert_eq!(send(&server, &two(json!("Two"))).await.json()["data"], json!({"branches": {"totalCount": 0}}));
            assert_eq!(verdict(&server, &two(json!("Three"))).await, refused("OPERATION_NOT_FOUND"));
            assert_eq!(verdict(&server, &two(Json::Null)).await, refused("OPERATION_NOT_FOUND"));
        }
    }
}

#[tokio::test]
async fn the_setting_decides_about_other_documents() {
    for (mode, verdict_of_others) in [("off", done()), ("log", done()), ("enforce", refused("DOCUMENT_NOT_TRUSTED"))] {
        let server = with_manifest(Setup::strict("production"), mode, &relay(&[VIEWER])).start().await;
        for query in
            ["{ viewer { roles } }", "query Viewer { viewer { roles }  }", "{ __typename }", &format!("{VIEWER} ")]
        {
            assert_eq!(verdict(&server, &json!({"query": query})).await, verdict_of_others, "{mode}: {query}");
            assert_eq!(verdict(&server, &json!({"query": query})).await, verdict_of_others, "{mode}: again");
        }
        let unknown = json!({"documentId": id("{ viewer { roles } }")});
        assert_eq!(verdict(&server, &unknown).await, refused("DOCUMENT_NOT_FOUND"), "{mode}: seen, but not trusted");
    }
}

/// Nothing of a stranger's text is read: it is not parsed, not counted, not told what is wrong with it.
#[tokio::test]
async fn strangers_are_refused_before_they_are_read() {
    let server = with_manifest(Setup::strict("production"), "enforce", &relay(&[VIEWER])).start().await;
    let first = send(&server, &json!({"query": "{ __typename }"})).await;
    let brackets = "[{(".repeat(1_000);
    for query in ["", "{", "{ bogus }", "{ __schema { types { name } } }", brackets.as_str(), "mutation { bogus }"] {
        assert_eq!(send(&server, &json!({"query": query})).await.text, first.text, "{query:.40}");
    }
    let long = format!("{VIEWER}{}", " ".repeat(20_000));
    assert_eq!(verdict(&server, &json!({"query": long})).await, (413, "QUERY_TOO_LARGE".to_owned()));
    server.assert_alive("strangers").await;
}

#[tokio::test]
async fn ids_that_are_none_are_refused_and_not_repeated() {
    let server = with_manifest(Setup::strict("production"), "enforce", &relay(&[VIEWER])).start().await;
    let good = id(VIEWER);
    let long = "f".repeat(100_000);
    for wrong in [
        "",
        "x",
        VIEWER,
        "sha256:",
        "../../etc/passwd",
        "+254700000001",
        &good[1..],
        &good.to_uppercase(),
        &format!(" {good}"),
        &format!("{good}\u{0}"),
        &format!("md5:{good}"),
        &format!("sha256:sha256:{good}"),
        long.as_str(),
    ] {
        let reply = send(&server, &json!({"documentId": wrong})).await;
        assert_eq!(reply.verdict(), refused("DOCUMENT_NOT_FOUND"), "{wrong:.80}");
        assert!(wrong.len() < 2 || !reply.text.contains(wrong), "{wrong:.80}");
    }
    for (body, code) in [
        (json!({"documentId": good, "query": VIEWER}), "BAD_REQUEST"),
        (json!({"documentId": good, "query": ""}), "BAD_REQUEST"),
        (json!({"documentId": good, "query": "{ bogus }"}), "BAD_REQUEST"),
        (json!({"documentId": 7}), "BAD_REQUEST"),
        (json!({"documentId": [good]}), "BAD_REQUEST"),
        (json!({"documentId": {"sha256": good}}), "BAD_REQUEST"),
        (json!({"documentId": null}), "BAD_REQUEST"),
        (json!({"documentID": good}), "BAD_REQUEST"),
        (json!({"id": good}), "BAD_REQUEST"),
        (json!([{"documentId": good}]), "BATCH_NOT_SUPPORTED"),
        (
            json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": good}}}),
            "PERSISTED_QUERY_NOT_SUPPORTED",
        ),
    ] {
        assert_eq!(verdict(&server, &body).await, refused(code), "{body}");
    }
    assert_eq!(verdict(&server, &json!({"documentId": good})).await, done());
}

#[tokio::test]
async fn without_a_manifest_ids_are_refused_by_a_code_of_their_own() {
    let server = Setup::strict("production").start().await;
    assert_eq!(verdict(&server, &json!({"documentId": id(VIEWER)})).await, refused("DOCUMENT_ID_NOT_SUPPORTED"));
    assert_eq!(verdict(&server, &json!({"query": VIEWER})).await, done());
}

/// An id is no way around anything else: a caller is known first, and a mutation is no query.
#[tokio::test]
async fn an_id_is_judged_like_a_text() {
    let approve = "mutation Approve($input: ApproveLoanInput!) { approveLoan(input: $input) { userErrors { code } } }";
    let setup = with_manifest(Setup::strict("production"), "enforce", &relay(&[VIEWER, approve]));
    let server = setup.set("GRAPHQL_GET", "on").start().await;
    let stranger = Reply::of(server.anonymous(json!({"documentId": id(VIEWER)}).to_string())).await;
    assert_eq!(stranger.verdict(), (401, "UNAUTHENTICATED".to_owned()));
    let input = json!({"loanId": "loan_00000000000000000000000001"});
    let officer = send(&server, &json!({"documentId": id(approve), "variables": {"input": input}})).await;
    assert_eq!(officer.verdict(), (200, "FORBIDDEN".to_owned()));
    let get = |text: &str| {
        let request = server.get(&format!("/graphql?documentId={}&variables=%7B%22input%22:{input}%7D", id(text)));
        Reply::of(request.header("accept", "application/json").bearer_auth(server.issuer().token()))
    };
    assert_eq!(get(VIEWER).await.verdict(), done());
    assert_eq!(get(approve).await.verdict(), (405, "METHOD_NOT_ALLOWED".to_owned()));
}

/// Sends one operation over a socket and gives what comes back for it.
async fn over_socket(server: &Server, payload: Json) -> Json {
    let mut request = format!("ws://{}/graphql/ws", server.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    let mut socket = soon(connect_async(request)).await.unwrap().0;
    let authorization = format!("Bearer {}", server.issuer().token());
    let init = json!({"type": "connection_init", "payload": {"authorization": authorization}});
    let subscribe = json!({"type": "subscribe", "id": "1", "payload": payload});
    for message in [init, subscribe] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    loop {
        let Some(Ok(Message::Text(text))) = soon(socket.next()).await else { panic!("no answer to {payload}") };
        let message: Json = serde_json::from_str(&text).unwrap();
        if message["id"] == "1" {
            let payload = &message["payload"];
            let code = payload["errors"][0]["extensions"]["code"].clone();
            return if code.is_null() { payload.clone() } else { code };
        }
    }
}

#[tokio::test]
async fn sockets_are_no_way_around() {
    let server = with_manifest(Setup::strict("production"), "enforce", &relay(&[VIEWER, BRANCHES])).start().await;
    let viewer = json!({"data": {"viewer": {"roles": ["OFFICER"]}}});
    let branches = json!({"data": {"branches": {"totalCount": 0}}});
    for (payload, answer) in [
        (json!({"query": VIEWER}), viewer.clone()),
        (json!({"documentId": id(VIEWER)}), viewer.clone()),
        (json!({"documentId": format!("sha256:{}", id(VIEWER)), "query": null}), viewer),
        (json!({"documentId": id(BRANCHES), "variables": {"first": 1}, "extensions": {"x": 1}}), branches),
        (json!({"documentId": id(BRANCHES)}), json!("BAD_VARIABLES")),
        (json!({"query": "{ viewer { roles } }"}), json!("DOCUMENT_NOT_TRUSTED")),
        (json!({"query": "{{{"}), json!("DOCUMENT_NOT_TRUSTED")),
        (json!({}), json!("DOCUMENT_NOT_TRUSTED")),
        (json!({"documentId": id("{ viewer { roles } }")}), json!("DOCUMENT_NOT_FOUND")),
        (json!({"documentId": ""}), json!("DOCUMENT_NOT_FOUND")),
        (json!({"documentId": id(VIEWER), "query": VIEWER}), json!("BAD_REQUEST")),
        (json!({"documentId": 7}), json!("BAD_REQUEST")),
        (json!({"extensions": {"documentId": id(VIEWER)}}), json!("DOCUMENT_NOT_TRUSTED")),
    ] {
        assert_eq!(over_socket(&server, payload.clone()).await, answer, "{payload}");
    }
}

#[test]
fn a_stranger_is_logged_by_its_hash_alone() {
    let place = Place::new();
    let file = place.path().join("manifest.json");
    std::fs::write(&file, relay(&[VIEWER]).to_string()).unwrap();
    let place =
        place.set("LOG_FORMAT", "json").set("TRUSTED_DOCUMENTS", "log").set("TRUSTED_DOCUMENTS_FILE", file.display());
    let (server, base) = place.serve(&["serve"]);
    let secret = "query Secret($x: String) { loans(filter: {search: \"Wanjiru\", officer: {eq: $x}}) { totalCount } }";
    let ask = async |query: &str| {
        let body = json!({"query": query, "variables": {"x": "+254700000001"}});
        let request = reqwest::Client::new().post(format!("{base}/graphql")).json(&body);
        Reply::of(request).await.verdict()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert_eq!(ask(VIEWER).await, done());
        assert_eq!(ask(secret).await, done());
    });
    server.signal("TERM");
    let outcome = server.finish();
    assert!(outcome.status.success(), "{outcome:?}");
    let (log, hash) = (format!("{}{}", outcome.stdout, outcome.stderr), id(secret));
    let lines: Vec<Json> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told: Vec<&Json> = lines.iter().filter(|line| line["document"] == hash.as_str()).collect();
    assert_eq!(told.len(), 1, "{log}");
    assert_eq!(told[0]["level"], "WARN");
    assert!(lines.iter().any(|line| line["operation_name"] == "Secret"), "{log}");
    assert!(!log.contains(&id(VIEWER)), "{log}");
    assert!(!log.contains("Wanjiru") && !log.contains("254700000001") && !log.contains("search"), "{log}");
}

#[test]
fn a_manifest_that_cannot_be_used_stops_the_start() {
    let bogus = "{ bogus }";
    let deep = format!("{{ {}id{} }}", "loans { nodes { group { ".repeat(5), " } } }".repeat(5));
    for (manifest, named) in [
        ("{".to_owned(), "not JSON"),
        ("[]".to_owned(), "no manifest"),
        (json!({"format": "other", "version": 1, "operations": []}).to_string(), "no manifest"),
        (json!({id(VIEWER): "{ viewer { subject } }"}).to_string(), &*id(VIEWER)),
        (json!({"0cc175b9c0f1b6a831c399e269772661": VIEWER}).to_string(), "0cc175b9c0f1b6a831c399e269772661"),
        (relay(&[VIEWER, bogus]).to_string(), &id(bogus)),
        (relay(&[VIEWER, "{ viewer {"]).to_string(), &id("{ viewer {")),
        (apollo(&[VIEWER, &deep]).to_string(), &id(&deep)),
    ] {
        let place = Place::new();
        let file = place.path().join("manifest.json");
        std::fs::write(&file, &manifest).unwrap();
        let place = place.set("TRUSTED_DOCUMENTS", "enforce").set("TRUSTED_DOCUMENTS_FILE", file.display());
        let refusal = place.run(&["serve"]).refusal();
        assert!(refusal.contains("TRUSTED_DOCUMENTS_FILE") && refusal.contains(named), "{manifest}: {refusal}");
        assert!(!place.path().join("branch-loan-api.db").exists(), "refused before the database is touched");
    }
    let place = Place::new().set("TRUSTED_DOCUMENTS_FILE", "no-such-file");
    let refusal = place.run(&["serve"]).refusal();
    assert!(refusal.contains("TRUSTED_DOCUMENTS_FILE") && refusal.contains("cannot be read"), "{refusal}");
    let refusal = Place::new().set("TRUSTED_DOCUMENTS", "enforce").run(&["serve"]).refusal();
    assert!(refusal.contains("TRUSTED_DOCUMENTS_FILE must be set"), "{refusal}");
}
