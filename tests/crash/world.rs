//! A lender to crash: the real server as a child process over a database of its own, and the record of everything that
//! was sent to it.

use std::sync::Arc;

use rand::rngs::StdRng;
use serde_json::{Value as Json, json};

use super::client::{self, before, today};
use super::requests::{Answer, Operation, Request, Sent};
use crate::support::postgres::Cluster;
use crate::support::process::{Place, Running};
use crate::support::server::{PATIENCE, soon};

/// Whom a loan is for, and by which product.
#[derive(Debug, Clone)]
pub struct Parties {
    pub borrower: String,
    pub product: String,
}

impl Parties {
    pub fn application(&self, key: &str, principal: i64) -> Request {
        let input = json!({
            "borrowerId": self.borrower, "productId": self.product, "appliedOn": before(today(), 20),
        });
        Request::new(key, Operation::Apply, Some(principal), input)
    }
}

/// Where a world's data are.
pub enum Data {
    Sqlite,
    Postgres { cluster: Arc<Cluster>, database: String },
}

pub struct World {
    pub name: String,
    pub place: Place,
    /// The database as the checks reach it, past every proxy.
    pub database_url: String,
    pub parties: Parties,
    pub record: Vec<Sent>,
    server: Option<Running>,
    base: String,
    http: reqwest::Client,
}

impl World {
    /// Starts a server over an empty database. `through` is the port of a proxy to PostgreSQL; `settings` are the
    /// server's.
    pub async fn start(name: String, data: Data, through: Option<u16>, settings: &[(&str, &str)]) -> Self {
        let mut place = Place::new();
        let (checked, served) = match data {
            Data::Sqlite => {
                let url = format!("sqlite://{}?mode=rwc", place.path().join("loans.db").display());
                (url.clone(), url)
            }
            Data::Postgres { cluster, database } => {
                cluster.create_database(&database).await.unwrap();
                let direct = cluster.url(&database);
                let served = through.map_or_else(|| direct.clone(), |port| cluster.url_through(port, &database));
                (direct, served)
            }
        };
        // One caller who is always in a hurry; a sealer at work whenever the end comes.
        let usual = [
            ("DATABASE_URL", served.as_str()),
            ("RATE_PER_SECOND", "1000000"),
            ("RATE_BURST", "1000000"),
            ("AUDIT_SEAL_INTERVAL_MS", "100"),
            ("LOG_LEVEL", "warn"),
        ];
        for (setting, value) in usual.iter().chain(settings) {
            place = place.set(setting, value);
        }
        let parties = Parties { borrower: String::new(), product: String::new() };
        let (record, http) = (Vec::new(), client::http());
        let mut world =
            Self { name, place, database_url: checked, parties, record, server: None, base: String::new(), http };
        world.serve();
        world.parties = world.found().await;
        world
    }

    pub fn url(&self) -> String {
        format!("{}/graphql", self.base)
    }

    /// Starts the server, and waits until it listens.
    pub fn serve(&mut self) {
        let (running, base) = self.place.serve(&["serve"]);
        self.base = base.replace("localhost", "127.0.0.1");
        self.server = Some(running);
    }

    /// Kills the server.
    pub fn kill(&self) {
        self.server.as_ref().unwrap().signal("KILL");
    }

    /// Waits until a killed server is gone; gives its log.
    pub fn bury(&mut self) -> String {
        self.server.take().unwrap().finish().stderr
    }

    /// Asks the server to stop; gives its log.
    pub fn stop(&mut self) -> String {
        let Some(server) = self.server.take() else { return String::new() };
        server.signal("TERM");
        let outcome = server.finish();
        assert!(outcome.status.success(), "it did not stop well: {outcome:?}");
        outcome.stderr
    }

    /// The data of a query or mutation that must succeed.
    pub async fn ask(&self, query: &str, variables: Json) -> Json {
        let body = json!({"query": query, "variables": variables}).to_string();
        let sent = self.http.post(self.url()).header("content-type", "application/json").body(body).send();
        let text = soon(soon(sent).await.unwrap().text()).await.unwrap();
        let mut answer: Json = serde_json::from_str(&text).unwrap();
        assert!(answer.get("errors").is_none(), "{query}: {text}");
        answer["data"].take()
    }

    async fn found(&self) -> Parties {
        let branch = "mutation { done: createBranch(input: { code: \"NBO\", name: \"Nairobi\", currency: \"KES\",
            timeZone: \"Africa/Nairobi\" }) { branch { id } } }";
        let branch = self.ask(branch, json!({})).await["done"]["branch"]["id"].take();
        let product = "mutation { done: createLoanProduct(input: { code: \"MICRO\", name: \"Micro\", currency: \"KES\",
            defaultAnnualRate: \"24\" }) { loanProduct { id } } }";
        let product = self.ask(product, json!({})).await["done"]["loanProduct"]["id"].take();
        let borrower = "mutation($branch: ID!) { done: registerBorrower(input: { branchId: $branch, name: \"Amina\" })
            { borrower { id } } }";
        let borrower = self.ask(borrower, json!({"branch": branch})).await["done"]["borrower"]["id"].take();
        let word = |value: &Json| value.as_str().expect("an id").to_owned();
        Parties { borrower: word(&borrower), product: word(&product) }
    }

    /// Sends until it is done, and puts it on the record.
    pub async fn must(&mut self, request: Request) -> String {
        let answer = client::insist(&self.http, &self.url(), &request).await;
        let Answer::Done(done) = answer.clone() else { panic!("{request:?}: {answer:?}") };
        self.record.push(Sent { request, answer });
        done.loan
    }

    /// A loan that is paid out, for everybody to record on.
    pub async fn running_loan(&mut self, key: &str, principal: i64) -> String {
        let loan = self.must(self.parties.application(&format!("{key}-a"), principal)).await;
        self.must(client::approval(&format!("{key}-b"), &loan)).await;
        self.must(client::disbursement(&format!("{key}-c"), &loan)).await
    }

    /// Sends everything in doubt again, under its own key, until it is known what came of it; gives how many that were.
    pub async fn settle(&mut self) -> u64 {
        use futures_util::StreamExt;
        let (http, url) = (self.http.clone(), self.url());
        let doubtful = self.record.iter_mut().filter(|sent| matches!(sent.answer, Answer::Unknown(_)));
        futures_util::stream::iter(doubtful)
            .map(|sent| {
                let (http, url) = (&http, &url);
                async move { sent.answer = client::insist(http, url, &sent.request).await }
            })
            .buffer_unordered(8)
            .count()
            .await
            .try_into()
            .unwrap()
    }

    /// Waits until the server finds itself ready.
    pub async fn ready(&self) {
        let url = format!("{}/readyz", self.base);
        soon(async {
            loop {
                if self.http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                    return;
                }
                tokio::time::sleep(PATIENCE / 3_000).await;
            }
        })
        .await;
    }

    pub fn client(&self, name: String, dice: StdRng, shared: &[String]) -> client::Client {
        client::Client::new(name, dice, self.url(), self.parties.clone(), shared.to_vec())
    }
}
