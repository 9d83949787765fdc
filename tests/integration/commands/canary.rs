//! Canaries: a borrower whose name, telephone number and national id occur nowhere else is put through everything that
//! can happen to one, by the real binary with its log turned all the way up. Then everything that was written down is
//! searched for them: the log, every error, and the files of the database as they lie on the disk. That each search can
//! find something is shown with what must be there.

use std::process::Command;

use futures_util::{SinkExt, StreamExt};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value as Json, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::engines::Engine;
use crate::support::process::Place;
use crate::support::server::{Reply, soon};

both_engines!(canaries_are_found_nowhere,);

/// In the log and in errors neither of these; the name may be in the database, because it is searched by.
const NAME: &str = "Quillonwen Zzyxath";
/// In nothing that is written down, in none of these forms.
const SECRETS: [&str; 8] = [
    "733918274",
    "733 918 274",
    "733-918-274",
    "CNRY-4471-QX",
    "CNRY4471QX",
    "cnry4471qx",
    // The same as the hexadecimal text that a dump or a debug print would make of the bytes.
    "373333393138323734",
    "434e52592d343437312d5158",
];
const PHONE: &str = "+254 733 918 274";
const NATIONAL_ID: &str = "CNRY-4471-QX";

struct Caller {
    client: reqwest::Client,
    base: String,
    token: Option<String>,
    /// Every body that is not the answer to a request for personal data.
    bodies: Vec<String>,
}

impl Caller {
    async fn send(&mut self, body: String) -> String {
        let mut request = self
            .client
            .post(format!("{}/graphql", self.base))
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Reply::of(request.body(body)).await.text
    }

    /// Asks for something that must not be answered with a canary.
    async fn ask(&mut self, query: &str, variables: Json) -> Json {
        let text = self.send(json!({"query": query, "variables": variables}).to_string()).await;
        self.bodies.push(text.clone());
        serde_json::from_str(&text).unwrap_or(Json::Null)
    }

    async fn change(&mut self, mutation: &str, selection: &str, input: Json) -> Json {
        let pascal = mutation[..1].to_uppercase() + &mutation[1..];
        let query = format!(
            "mutation($input: {pascal}Input!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message path }} }} }}"
        );
        self.ask(&query, json!({"input": input})).await["data"][mutation].take()
    }

    /// The id of what a mutation made.
    async fn made(&mut self, mutation: &str, object: &str, input: Json) -> String {
        let made = self.change(mutation, &format!("{object} {{ id }}"), input).await;
        made[object]["id"].as_str().unwrap_or_else(|| panic!("{mutation}: {made}")).to_owned()
    }
}

/// Everything that goes well.
async fn ordinary_days(caller: &mut Caller) -> (String, String) {
    let branch = json!({"code": "NBO", "name": "Nairobi", "currency": "KES", "timeZone": "Africa/Nairobi"});
    let branch = caller.made("createBranch", "branch", branch).await;
    let product = json!({"code": "STD", "name": "Standard", "currency": "KES"});
    let product = caller.made("createLoanProduct", "loanProduct", product).await;
    let person = json!({
        "branchId": branch, "name": NAME, "phone": PHONE, "nationalId": NATIONAL_ID, "externalRef": "crm-canary",
        "dateOfBirth": "1990-05-17",
    });
    let borrower = caller.made("registerBorrower", "borrower", person).await;
    let update = json!({"borrowerId": borrower, "phone": "0733-918-274", "name": NAME});
    caller.made("updateBorrower", "borrower", update).await;
    let money = |amount: &str| json!({"amount": amount, "currency": "KES"});
    let application = json!({
        "idempotencyKey": "a", "borrowerId": borrower, "productId": product, "principal": money("1500.00"),
    });
    let loan = caller.made("applyForLoan", "loan", application).await;
    caller.made("approveLoan", "loan", json!({"loanId": loan})).await;
    caller.made("disburseLoan", "loan", json!({"loanId": loan, "idempotencyKey": "d"})).await;
    caller
        .made("recordRepayment", "loan", json!({"loanId": loan, "idempotencyKey": "p", "amount": money("20.00")}))
        .await;
    (branch, borrower)
}

/// Everything that does not.
async fn bad_days(caller: &mut Caller, branch: &str, borrower: &str) {
    let person = |changes: Json| {
        let mut input = json!({"branchId": branch, "name": NAME, "phone": PHONE, "nationalId": NATIONAL_ID});
        input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        input
    };
    for (changes, code) in [
        (json!({}), "POSSIBLE_DUPLICATE"),
        (json!({"phone": format!("{PHONE} call after six")}), "INVALID_FORMAT"),
        (json!({"nationalId": NATIONAL_ID.repeat(9)}), "TOO_LONG"),
        (json!({"name": NAME.repeat(20)}), "TOO_LONG"),
        (json!({"name": format!("{NAME}\u{0}")}), "INVALID_FORMAT"),
        (json!({"externalRef": "crm-canary", "allowDuplicate": true}), "ALREADY_TAKEN"),
        (json!({"branchId": NATIONAL_ID}), "INVALID_ID"),
    ] {
        let refused = caller.change("registerBorrower", "borrower { id }", person(changes)).await;
        assert_eq!(refused["userErrors"][0]["code"], code, "{refused}");
    }
    let literal =
        format!("branchId: \"{branch}\", name: \"{NAME}\", phone: \"{PHONE}\", nationalId: \"{NATIONAL_ID}\"");
    for query in [
        // In the text of the query: a duplicate, a type error, an unknown argument, a syntax error, an unknown field.
        format!("mutation {{ registerBorrower(input: {{{literal}}}) {{ userErrors {{ code message }} }} }}"),
        format!(
            "mutation {{ registerBorrower(input: {{{literal}, dateOfBirth: \"{PHONE}\"}}) {{ userErrors {{ code }} }} }}"
        ),
        format!("{{ borrowers(filter: {{phone: {{like: \"{PHONE}\"}}}}) {{ totalCount }} }}"),
        format!("{{ borrowers(filter: {{search: \"{NAME}\" \"{PHONE}\" {{ totalCount }} }}"),
        format!("{{ borrower(by: {{id: \"{NATIONAL_ID}\"}}) {{ id }} }}"),
        format!("{{ borrowers(after: \"{NATIONAL_ID}\") {{ totalCount }} }}"),
        format!("{{ borrowers(filter: {{search: \"{NAME}\"}}) {{ totalCount }} }}"),
        format!(
            "{{ borrowers(filter: {{phone: {{eq: \"{PHONE}\"}}, nationalId: {{eq: \"{NATIONAL_ID}\"}}}}) {{ totalCount }} }}"
        ),
        format!(
            "{{ borrowers(filter: {{or: [{{phone: {{eq: \"{PHONE}\"}}}}, {{phone: {{eq: \"1\"}}}}]}}) {{ totalCount }} }}"
        ),
        format!("{{ nodes(ids: [\"{NAME}\"]) {{ id }} }}"),
        format!("# {NAME} {PHONE} {NATIONAL_ID}\n{{"),
    ] {
        caller.ask(&query, json!({})).await;
    }
    let query = "query($by: BorrowerBy!, $more: BorrowerFilter) { borrower(by: $by) { id } borrowers(filter: $more) { totalCount } }";
    for variables in [
        json!({"by": PHONE}),
        json!({"by": {"number": NAME}, "more": {"dateOfBirth": {"eq": NATIONAL_ID}}}),
        json!({"by": {"number": NAME, "id": PHONE}}),
        json!({"by": {"externalRef": NATIONAL_ID}, "more": {"search": PHONE, "phone": {"eq": PHONE}}}),
        json!({"by": {"number": format!("{PHONE}\u{0}")}}),
    ] {
        caller.ask(query, variables).await;
    }
    for body in [
        format!("{{\"query\": \"{{ viewer {{ subject }} }}\", \"variables\": {{\"a\": \"{PHONE} {NAME}\""),
        format!("[\"{NAME}\", \"{PHONE}\", \"{NATIONAL_ID}\"]"),
        format!("{{\"query\": \"query A {{ viewer {{ subject }} }}\", \"operationName\": \"{NAME} {PHONE}\"}}"),
        format!(
            "{{\"query\": \"{{ viewer {{ subject }} }}\", \"extensions\": {{\"note\": \"{NAME}\"}}, \"more\": \"{PHONE}\"}}"
        ),
        format!("{{\"query\": \"{}\"}}", format!("# {NAME} {PHONE} {NATIONAL_ID} ").repeat(3_000)),
    ] {
        let text = caller.send(body).await;
        caller.bodies.push(text);
    }
    // In an address, and in a token.
    let mut address = reqwest::Url::parse(&format!("{}/graphql", caller.base)).unwrap();
    let query = format!("query($a: String) {{ viewer {{ subject }} borrower(by: {{number: \"{NAME}\"}}) {{ id }} }}");
    let variables = json!({"a": PHONE, "b": NATIONAL_ID}).to_string();
    address.query_pairs_mut().append_pair("query", &query).append_pair("variables", &variables);
    let get = caller.client.get(address);
    let token = caller.client.get(format!("{}/graphql", caller.base)).bearer_auth(format!("{NATIONAL_ID}.733918274.x"));
    for request in [get, token] {
        let text = Reply::of(request).await.text;
        caller.bodies.push(text);
    }
    caller
        .change("updateBorrower", "borrower { id }", json!({"borrowerId": borrower, "phone": "call 733918274"}))
        .await;
}

/// The same over a WebSocket, with a broken message at the end.
async fn on_a_socket(caller: &mut Caller) {
    let address = caller.base.replacen("http", "ws", 1);
    let mut request = format!("{address}/graphql/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let mut socket = soon(connect_async(request)).await.unwrap().0;
    let variables = json!({"by": {"number": NAME}, "phone": PHONE});
    for message in [
        json!({"type": "connection_init", "payload": {}}).to_string(),
        json!({"type": "subscribe", "id": "1", "payload": {"query": "query($by: BorrowerBy!) { borrower(by: $by) { id } }", "variables": variables}}).to_string(),
        json!({"type": "subscribe", "id": "2", "payload": {"query": format!("{{ borrower(by: {{number: \"{PHONE}\"}}) {{ id ")}}).to_string(),
    ] {
        socket.send(Message::text(message)).await.unwrap();
    }
    let mut ended = 0;
    while ended < 2 {
        match soon(socket.next()).await {
            Some(Ok(Message::Text(text))) => {
                ended += usize::from(text.contains("\"complete\"") || text.contains("\"error\""));
                caller.bodies.push(text.to_string());
            }
            Some(Ok(Message::Close(frame))) => panic!("closed too early: {frame:?}"),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    socket.send(Message::text(format!("{{{NAME} {PHONE} {NATIONAL_ID}"))).await.unwrap();
    while let Some(Ok(message)) = soon(socket.next()).await {
        caller.bodies.push(message.to_string());
    }
}

/// A database that refuses a row and says which one: what it says is a defect's cause in the log.
async fn a_refusal_of_the_database(caller: &mut Caller, engine: &Engine, branch: &str) {
    let raw = engine.raw().await;
    let refuse: &[&str] = if engine.is_postgres() {
        &[
            "ALTER TABLE borrowers ADD CONSTRAINT no_canary CHECK (external_ref IS DISTINCT FROM 'crm-refused') NOT VALID",
        ]
    } else {
        &[
            "CREATE TRIGGER no_canary BEFORE INSERT ON borrowers WHEN NEW.external_ref = 'crm-refused' BEGIN SELECT RAISE(ABORT, 'no_canary'); END",
        ]
    };
    for sql in refuse {
        raw.execute_unprepared(sql).await.unwrap();
    }
    let person = json!({
        "branchId": branch, "name": NAME, "phone": PHONE, "nationalId": NATIONAL_ID, "externalRef": "crm-refused",
        "allowDuplicate": true,
    });
    let query = "mutation($input: RegisterBorrowerInput!) { registerBorrower(input: $input) { borrower { id } } }";
    let answer = caller.ask(query, json!({"input": person})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{answer}");
}

/// Which files of the database hold one of these texts as they lie on the disk, in any case. By `grep`, as whoever got
/// hold of the files would look.
pub(super) async fn files_with(engine: &Engine, texts: &[&str]) -> String {
    let mut command = Command::new("grep");
    command.env("LC_ALL", "C").args(["-r", "-a", "-i", "-s", "-l", "-F"]);
    for text in texts {
        command.args(["-e", text]);
    }
    command.arg("--");
    if engine.is_postgres() {
        let raw = engine.raw().await;
        raw.execute_unprepared("CHECKPOINT").await.unwrap();
        let statement = Statement::from_string(engine.backend, "SHOW data_directory");
        let folder: String = raw.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        command.arg(folder);
    } else {
        // The file, its write-ahead log and the log's index.
        let path = engine.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc");
        command.args(["", "-wal", "-shm"].map(|end| format!("{path}{end}")));
    }
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

async fn assert_on_the_disk(engine: &Engine) {
    assert_ne!(files_with(engine, &[NAME]).await, "", "the search finds what is there");
    assert_eq!(files_with(engine, &SECRETS).await, "");
}

fn contains(text: &str, needle: &str) -> bool {
    text.to_lowercase().contains(&needle.to_lowercase())
}

async fn canaries_are_found_nowhere(engine: Engine) {
    let place = Place::new()
        .set("DATABASE_URL", &engine.url)
        .set("DATABASE_LOCK_TIMEOUT_MS", 50_000)
        .set("DATABASE_STATEMENT_TIMEOUT_MS", 50_000)
        .set("REQUEST_DEADLINE_MS", 60_000)
        .set("LOG_FORMAT", "json")
        .set("LOG_LEVEL", "trace,sqlx=trace");
    let officer = place.run(&["token", "--role", "OFFICER", "--branch", "NBO"]).stdout.trim().to_owned();
    let (running, base) = place.serve(&[]);
    let base = base.replace("localhost", "127.0.0.1");
    let mut caller = Caller { client: reqwest::Client::new(), base: base.clone(), token: None, bodies: Vec::new() };
    let (branch, borrower) = ordinary_days(&mut caller).await;
    bad_days(&mut caller, &branch, &borrower).await;
    on_a_socket(&mut caller).await;
    a_refusal_of_the_database(&mut caller, &engine, &branch).await;
    let ready = Reply::of(caller.client.get(format!("{base}/readyz?verbose"))).await.text;
    caller.bodies.push(ready);

    // Who may see them sees them, and who may not sees a tail: the canaries are alive.
    let query = json!({"query": "query($id: ID!) { borrower(by: {id: $id}) { name phone nationalId } }", "variables": {"id": borrower}}).to_string();
    let shown: Json = serde_json::from_str(&caller.send(query.clone()).await).unwrap();
    assert_eq!(shown["data"]["borrower"], json!({"name": NAME, "phone": "0733-918-274", "nationalId": NATIONAL_ID}));
    caller.token = Some(officer);
    let masked: Json = serde_json::from_str(&caller.send(query).await).unwrap();
    assert_eq!(masked["data"]["borrower"], json!({"name": NAME, "phone": "•••••274", "nationalId": "•••••-QX"}));
    let found = caller.send(json!({"query": format!("{{ borrowers(filter: {{phone: {{eq: \"0733918274\"}}}}) {{ nodes {{ name }} }} }}")}).to_string()).await;
    assert!(found.contains(NAME), "{found}");

    assert_on_the_disk(&engine).await;
    running.signal("TERM");
    let outcome = running.finish();
    assert_on_the_disk(&engine).await;

    let log = format!("{}{}", outcome.stdout, outcome.stderr);
    for known in ["/graphql", "\"request\"", "no_canary", "DEBUG"] {
        assert!(log.contains(known), "the log is too quiet for this test: no {known}");
    }
    assert!(caller.bodies.len() > 40, "{}", caller.bodies.len());
    let parts = NAME.split(' ').chain(SECRETS);
    for needle in parts {
        for line in log.lines() {
            assert!(!contains(line, needle), "{needle} in the log: {line}");
        }
        for body in &caller.bodies {
            assert!(!contains(body, needle), "{needle} in an answer: {body}");
        }
    }
}
