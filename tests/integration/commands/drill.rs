//! A lender at work on the real server, for drills: clients that lend, are paid, charge, reverse and refund at random, and
//! the record of what was acknowledged to them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::Rng;
use sea_orm::Statement;
use sea_orm::{ConnectOptions, ConnectionTrait};
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;

use crate::support::process::{Place, Running};
use crate::support::random::Dice;
use crate::support::server::{PATIENCE, soon};

/// What was acknowledged: its idempotency key, and what was sent under it.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    pub key: String,
    body: String,
}

/// A place where a server runs over a database, generous with time because the tests share two cores.
pub fn place(url: &str) -> Place {
    Place::new()
        .set("DATABASE_URL", url)
        .set("DATABASE_ACQUIRE_TIMEOUT_MS", 50_000)
        .set("DATABASE_LOCK_TIMEOUT_MS", 50_000)
        .set("DATABASE_STATEMENT_TIMEOUT_MS", 50_000)
        .set("REQUEST_DEADLINE_MS", 60_000)
        .set("RATE_PER_SECOND", 1_000_000)
        .set("RATE_BURST", 1_000_000)
        .set("AUDIT_SEAL_INTERVAL_MS", 100)
        .set("LOG_LEVEL", "warn")
}

/// A server with clients at work.
pub struct Lender {
    pub place: Place,
    running: Running,
    record: Arc<Mutex<Vec<Acknowledged>>>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Lender {
    /// Opens for business with so many clients, each with a loan of its own.
    pub async fn open(url: &str, clients: usize) -> Self {
        let place = place(url);
        let (running, base) = place.serve(&["serve"]);
        let desk = Desk::at(&base);
        let branch = r#"mutation { answer: createBranch(input: { code: "NBO", name: "Nairobi", currency: "KES",
            timeZone: "Africa/Nairobi" }) { branch { id } userErrors { message } } }"#;
        let branch = desk.id(branch, json!({}), "branch").await;
        let product = r#"mutation { answer: createLoanProduct(input: { code: "MICRO", name: "Micro", currency: "KES",
            defaultAnnualRate: "24" }) { loanProduct { id } userErrors { message } } }"#;
        let product = desk.id(product, json!({}), "loanProduct").await;
        let (record, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let mut tasks = Vec::new();
        for number in 0..clients {
            let register = "mutation($branch: ID!, $name: String!) { answer: registerBorrower(input:
                { branchId: $branch, name: $name }) { borrower { id } userErrors { message } } }";
            let who = json!({"branch": branch, "name": format!("Borrower {number}")});
            let borrower = desk.id(register, who, "borrower").await;
            let client = Client {
                name: format!("client-{number}"),
                desk: desk.clone(),
                parties: json!({"borrowerId": borrower, "productId": product}),
                record: Arc::clone(&record),
                payments: Vec::new(),
                count: 0,
            };
            tasks.push(tokio::spawn(client.work(Arc::clone(&stop))));
        }
        Self { place, running, record, stop, clients: tasks }
    }

    /// What is acknowledged by now.
    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.record.lock().unwrap().clone()
    }

    /// Waits until so much more is acknowledged; everything that is.
    pub async fn after(&self, more: usize) -> Vec<Acknowledged> {
        let until = self.acknowledged().len() + more;
        let deadline = Instant::now() + PATIENCE;
        while self.acknowledged().len() < until {
            assert!(Instant::now() < deadline, "clients do not get on: {}", self.acknowledged().len());
            assert!(!self.clients.iter().any(JoinHandle::is_finished), "a client has given up");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.acknowledged()
    }

    /// Lets every client finish what it is at, and stops the server.
    pub async fn close(self) -> Vec<Acknowledged> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            soon(client).await.unwrap();
        }
        self.running.signal("TERM");
        assert!(self.running.finish().status.success());
        self.record.lock().unwrap().clone()
    }
}

/// A restored database: its books hold, everything of `before` is there, and a server over it answers what was acknowledged
/// again instead of doing it twice. Gives the keys it knows.
pub async fn assert_restored(url: &str, before: &[Acknowledged]) -> Vec<String> {
    let place = place(url);
    let verified = place.run(&["verify"]).printed();
    assert!(verified.starts_with("The books hold: "), "{verified}");
    let known = keys(url).await;
    let missing: Vec<&str> =
        before.iter().map(|one| one.key.as_str()).filter(|key| !known.iter().any(|one| one == key)).collect();
    assert!(missing.is_empty(), "acknowledged before the backup and not in it: {missing:?}");
    let (running, base) = place.serve(&["serve"]);
    let desk = Desk::at(&base);
    for one in [before.first(), before.last()].into_iter().flatten() {
        let answer = desk.send(one.body.clone()).await;
        assert_eq!((&answer["replayed"], &answer["userErrors"]), (&json!(true), &json!([])), "{}: {answer}", one.key);
    }
    running.signal("TERM");
    assert!(running.finish().status.success());
    known
}

async fn keys(url: &str) -> Vec<String> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let raw = sea_orm::Database::connect(options).await.unwrap();
    let statement = Statement::from_string(raw.get_database_backend(), "SELECT key FROM idempotency_keys");
    let rows = raw.query_all_raw(statement).await.unwrap();
    raw.close().await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

fn graphql(base: &str) -> String {
    format!("{}/graphql", base.replace("localhost", "127.0.0.1"))
}

/// Sends mutations.
#[derive(Clone)]
pub struct Desk {
    http: reqwest::Client,
    url: String,
}

impl Desk {
    /// Of the server at an address.
    pub fn at(base: &str) -> Self {
        Self { http: reqwest::Client::new(), url: graphql(base) }
    }

    /// Sends a mutation whose answer is called `answer`.
    pub async fn send(&self, body: String) -> Json {
        let request = self.http.post(&self.url).header("content-type", "application/json").body(body);
        let text = soon(soon(request.send()).await.unwrap().text()).await.unwrap();
        let mut answer: Json = serde_json::from_str(&text).unwrap();
        assert!(answer.get("errors").is_none(), "{text}");
        answer["data"]["answer"].take()
    }

    pub async fn id(&self, query: &str, variables: Json, of: &str) -> String {
        let answer = self.send(json!({"query": query, "variables": variables}).to_string()).await;
        answer[of]["id"].as_str().unwrap_or_else(|| panic!("{query}: {answer}")).to_owned()
    }
}

struct Client {
    name: String,
    desk: Desk,
    parties: Json,
    record: Arc<Mutex<Vec<Acknowledged>>>,
    payments: Vec<String>,
    count: u32,
}

impl Client {
    async fn work(mut self, stop: Arc<AtomicBool>) {
        let mut dice = Dice::new();
        let terms = with(&self.parties.clone(), json!({"principal": kes(1_000_000)}));
        let loan = self.must("applyForLoan", terms).await;
        self.must("approveLoan", json!({"loanId": loan})).await;
        self.must("disburseLoan", json!({"loanId": loan, "amount": kes(1_000_000)})).await;
        while !stop.load(Ordering::Relaxed) {
            let amount = kes(dice.random_range(1..=20_000));
            let (name, more) = match dice.random_range(0..10) {
                0 | 1 => ("addLoanCharge", json!({"amount": amount})),
                2 | 3 if !self.payments.is_empty() => {
                    let chosen = dice.random_range(0..self.payments.len());
                    let id = self.payments.swap_remove(chosen);
                    ("reverseTransaction", json!({"transactionId": id, "reason": "drill"}))
                }
                4 => ("refundCredit", json!({})),
                _ => ("recordRepayment", json!({"amount": amount})),
            };
            let answer = self.send(name, with(&json!({"loanId": loan}), more)).await;
            if name == "recordRepayment" {
                self.payments.extend(answer["transaction"]["id"].as_str().map(str::to_owned));
            }
        }
    }

    /// Sends a mutation, and puts it on the record when it was done; a refusal is an answer, too.
    async fn send(&mut self, name: &str, input: Json) -> Json {
        self.count += 1;
        let key = format!("{}-{}", self.name, self.count);
        let (first, rest) = name.split_at(1);
        let transaction = match name {
            "applyForLoan" | "approveLoan" => "",
            _ => "transaction { id }",
        };
        let query = format!(
            "mutation($input: {}{rest}Input!) {{ answer: {name}(input: $input) {{ replayed loan {{ id }} {transaction} \
             userErrors {{ code message }} }} }}",
            first.to_uppercase()
        );
        let input = with(&input, json!({"idempotencyKey": key}));
        let body = json!({"query": query, "variables": {"input": input}}).to_string();
        let answer = self.desk.send(body.clone()).await;
        if answer["loan"]["id"].is_string() {
            self.record.lock().unwrap().push(Acknowledged { key, body });
        }
        answer
    }

    async fn must(&mut self, name: &str, input: Json) -> String {
        let answer = self.send(name, input).await;
        answer["loan"]["id"].as_str().unwrap_or_else(|| panic!("{name}: {answer}")).to_owned()
    }
}

fn kes(minor: i64) -> Json {
    json!({"amount": format!("{}.{:02}", minor / 100, minor % 100), "currency": "KES"})
}

fn with(one: &Json, other: Json) -> Json {
    let mut both = one.clone();
    both.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    both
}
