//! A client: it lends to a borrower of its own, records on that loan and on those it shares with the others, and hangs
//! up now and then. Its choices come from a seed; the answers decide what it can choose from.

use std::time::Duration;

use chrono::{Days, NaiveDate, TimeDelta, Utc};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;

use super::requests::{Answer, Operation, Request, Sent};
use super::world::Parties;

/// Longer than the server may take for anything.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// How far the client's own loan is.
#[derive(Debug, Clone)]
enum Stage {
    None,
    Applied(String),
    Approved(String),
    Disbursed(String),
}

pub struct Client {
    name: String,
    dice: StdRng,
    http: reqwest::Client,
    url: String,
    parties: Parties,
    shared: Vec<String>,
    hangs_up: bool,
    stage: Stage,
    payments: Vec<(String, String)>,
    count: u32,
}

impl Client {
    pub fn new(name: String, dice: StdRng, url: String, parties: Parties, shared: Vec<String>) -> Self {
        let (stage, payments) = (Stage::None, Vec::new());
        Self { name, dice, http: http(), url, parties, shared, hangs_up: false, stage, payments, count: 0 }
    }

    /// Lets it leave in the middle of a request now and then.
    pub fn that_hangs_up(mut self) -> Self {
        self.hangs_up = true;
        self
    }

    /// Sends one request more.
    pub async fn send(&mut self) -> Sent {
        let request = self.next();
        let patience = match self.hangs_up && self.dice.random_ratio(1, 12) {
            true => Duration::from_micros(self.dice.random_range(200..20_000)),
            false => CLIENT_TIMEOUT,
        };
        let attempt = tokio::time::timeout(patience, attempt(&self.http, &self.url, &request));
        let answer = attempt.await.unwrap_or_else(|_| Answer::Unknown("hung up".to_owned()));
        self.learn(&request, &answer);
        Sent { request, answer }
    }

    fn next(&mut self) -> Request {
        self.count += 1;
        let key = format!("{}-{}", self.name, self.count);
        let today = today();
        let loan = match self.stage.clone() {
            Stage::None => return self.parties.application(&key, 1_000_000),
            Stage::Applied(loan) => return approval(&key, &loan),
            Stage::Approved(loan) => return disbursement(&key, &loan),
            Stage::Disbursed(own) if self.shared.is_empty() || self.dice.random_ratio(2, 3) => own,
            Stage::Disbursed(_) => self.shared[self.dice.random_range(0..self.shared.len())].clone(),
        };
        let backdated = self.dice.random_ratio(2, 5).then(|| before(today, self.dice.random_range(1..10)));
        match self.dice.random_range(0..100) {
            0..15 => {
                let amount = self.dice.random_range(1..=20_000);
                Request::new(&key, Operation::Charge, Some(amount), json!({"loanId": loan, "on": backdated}))
            }
            15..30 if !self.payments.is_empty() => {
                let (loan, transaction) = self.payments.swap_remove(self.dice.random_range(0..self.payments.len()));
                let input = json!({"loanId": loan, "transactionId": transaction, "reason": "crash harness"});
                Request::new(&key, Operation::Reverse, None, input)
            }
            30..38 => Request::new(&key, Operation::Refund, None, json!({"loanId": loan})),
            38..43 => self.payment(&key, &loan, 1_500_000, backdated),
            43..50 => self.parties.application(&key, 1_000_000),
            _ => {
                let amount = self.dice.random_range(1..=50_000);
                self.payment(&key, &loan, amount, backdated)
            }
        }
    }

    fn payment(&self, key: &str, loan: &str, amount: i64, on: Option<NaiveDate>) -> Request {
        Request::new(key, Operation::Pay, Some(amount), json!({"loanId": loan, "on": on}))
    }

    fn learn(&mut self, request: &Request, answer: &Answer) {
        let own = matches!(request.operation, Operation::Apply | Operation::Approve | Operation::Disburse);
        match (answer, request.operation) {
            (Answer::Done(done), Operation::Apply) => self.stage = Stage::Applied(done.loan.clone()),
            (Answer::Done(done), Operation::Approve) => self.stage = Stage::Approved(done.loan.clone()),
            (Answer::Done(done), Operation::Disburse) => self.stage = Stage::Disbursed(done.loan.clone()),
            (Answer::Done(done), Operation::Pay | Operation::Charge) => {
                self.payments.extend(done.transaction.clone().map(|id| (done.loan.clone(), id)));
            }
            // Whoever does not know how far a loan is begins with another.
            (_, _) if own => self.stage = Stage::None,
            _ => {}
        }
    }
}

/// A keep-alive connection of its own.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder().timeout(CLIENT_TIMEOUT).build().unwrap()
}

/// Sends a request once.
pub async fn attempt(http: &reqwest::Client, url: &str, request: &Request) -> Answer {
    let sent = http.post(url).header("content-type", "application/json").body(request.body()).send();
    match sent.await {
        Ok(response) => match response.text().await {
            Ok(text) => Answer::read(&text),
            Err(error) => Answer::Unknown(error.to_string()),
        },
        Err(error) => Answer::Unknown(error.to_string()),
    }
}

/// Sends a request until its sender knows what came of it.
pub async fn insist(http: &reqwest::Client, url: &str, request: &Request) -> Answer {
    let insisting = async {
        loop {
            match attempt(http, url, request).await {
                Answer::Unknown(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                known => return known,
            }
        }
    };
    let patience = 4 * CLIENT_TIMEOUT;
    let answer = tokio::time::timeout(patience, insisting).await;
    answer.unwrap_or_else(|_| Answer::Wrong(format!("no answer to {} in {patience:?}", request.key)))
}

/// The business date of the harness's branch.
pub fn today() -> NaiveDate {
    (Utc::now() + TimeDelta::hours(3)).date_naive()
}

pub fn before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap()
}

pub fn approval(key: &str, loan: &str) -> Request {
    Request::new(key, Operation::Approve, None, json!({"loanId": loan, "on": before(today(), 15)}))
}

pub fn disbursement(key: &str, loan: &str) -> Request {
    Request::new(key, Operation::Disburse, None, json!({"loanId": loan, "on": before(today(), 10)}))
}
