//! Clients, and what they were answered. A closed load asks again as soon as it is answered; an open one asks at its own
//! pace, whatever becomes of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::world::World;

/// Requests of an open load that may be unanswered at the same time: more than the server has places and queues for.
const OUTSTANDING: usize = 600;

/// Pause between two looks of an open load what is due.
const TICK: Duration = Duration::from_millis(5);

/// Longer than the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request in so many writes.
const WRITES: u64 = 10;

const READ: &str = "{ loans(first: 20) { nodes { id number status borrower { name } balances { __typename } } } }";
const WRITE: &str = "mutation($branch: ID!, $name: String!) {
    registerBorrower(input: { branchId: $branch, name: $name }) { borrower { id } userErrors { code message } } }";

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Answered in full.
    Accepted,
    /// 429 or 503, with all that belongs to it.
    Refused,
    /// 200, and the database had no connection free.
    Unavailable,
    /// The door was shut: no connection.
    NoConnection,
    /// Sent, and the connection ended without an answer.
    Lost(String),
    /// An answer that nobody should get.
    Wrong(String),
}

#[derive(Debug)]
pub struct Sample {
    /// When it was answered, from the beginning of the phase.
    pub at: Duration,
    pub took: Duration,
    pub outcome: Outcome,
}

/// What came of a load.
#[derive(Debug)]
pub struct Phase {
    pub length: Duration,
    pub samples: Vec<Sample>,
}

impl Phase {
    pub fn count(&self, wanted: &Outcome) -> u64 {
        self.samples.iter().filter(|sample| sample.outcome == *wanted).count() as u64
    }

    pub fn accepted_per_second(&self) -> u64 {
        per_second(self.count(&Outcome::Accepted), self.length)
    }

    pub fn offered_per_second(&self) -> u64 {
        per_second(self.samples.len() as u64, self.length)
    }

    /// How long answers of a kind took, the shortest first.
    pub fn times(&self, wanted: &Outcome) -> Vec<Duration> {
        let samples = self.samples.iter().filter(|sample| sample.outcome == *wanted);
        let mut times: Vec<Duration> = samples.map(|sample| sample.took).collect();
        times.sort();
        times
    }
}

fn per_second(count: u64, length: Duration) -> u64 {
    (u128::from(count) * 1_000 / length.as_millis().max(1)) as u64
}

/// An open load that has been sent.
pub struct Offered {
    length: Duration,
    tasks: JoinSet<()>,
    samples: Arc<Mutex<Vec<Sample>>>,
}

impl Offered {
    /// Waits for the answers that are due still.
    pub async fn answered(self) -> Phase {
        self.tasks.join_all().await;
        let samples = std::mem::take(&mut *self.samples.lock().unwrap());
        Phase { length: self.length, samples }
    }
}

/// Whoever sends.
#[derive(Clone)]
pub struct Load {
    http: reqwest::Client,
    url: String,
    branch: String,
    number: Arc<AtomicU64>,
}

impl Load {
    pub fn new(world: &World) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let url = format!("{}/graphql", world.base());
        Self { http, url, branch: world.branch.clone(), number: Arc::default() }
    }

    /// So many clients for so long.
    pub async fn closed(&self, clients: usize, length: Duration) -> Phase {
        let since = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let load = self.clone();
            tasks.spawn(async move {
                let mut samples = Vec::new();
                while since.elapsed() < length {
                    samples.push(load.one(since).await);
                }
                samples
            });
        }
        let samples = tasks.join_all().await.into_iter().flatten().collect();
        Phase { length: since.elapsed(), samples }
    }

    /// So many requests a second for so long. What more than [`OUTSTANDING`] unanswered ones leave no room for is not sent.
    /// Answers that are due at the end may come while something else is offered already.
    pub async fn offer(&self, per_second: u64, length: Duration) -> Offered {
        let since = Instant::now();
        let room = Arc::new(Semaphore::new(OUTSTANDING));
        let samples: Arc<Mutex<Vec<Sample>>> = Arc::default();
        let mut tasks = JoinSet::new();
        let mut due_before = 0;
        while since.elapsed() < length {
            let due = per_second * since.elapsed().as_millis() as u64 / 1_000;
            for _ in due_before..due {
                let Ok(place) = room.clone().try_acquire_owned() else { break };
                let (load, samples) = (self.clone(), samples.clone());
                tasks.spawn(async move {
                    let sample = load.one(since).await;
                    samples.lock().unwrap().push(sample);
                    drop(place);
                });
            }
            due_before = due;
            while tasks.try_join_next().is_some() {}
            tokio::time::sleep(TICK).await;
        }
        Offered { length: since.elapsed(), tasks, samples }
    }

    /// One request and its answer.
    pub async fn one(&self, since: Instant) -> Sample {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let body = match number.is_multiple_of(WRITES) {
            false => json!({"query": READ}),
            true => json!({"query": WRITE, "variables": {"branch": self.branch, "name": format!("Client {number}")}}),
        };
        let sent = Instant::now();
        let request = self.http.post(&self.url).header("content-type", "application/json");
        let outcome = match request.body(body.to_string()).send().await {
            Err(error) if error.is_connect() => Outcome::NoConnection,
            Err(error) => Outcome::Lost(format!("{error:?}")),
            Ok(answer) => {
                let status = answer.status().as_u16();
                let retry_after =
                    answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                match answer.text().await {
                    Ok(text) => judge(status, retry_after, &text),
                    Err(error) => Outcome::Lost(format!("{error:?}")),
                }
            }
        };
        Sample { at: since.elapsed(), took: sent.elapsed(), outcome }
    }
}

fn judge(status: u16, retry_after: Option<u64>, text: &str) -> Outcome {
    let wrong = || Outcome::Wrong(format!("{status}, Retry-After {retry_after:?}: {text:.300}"));
    let Ok(body) = serde_json::from_str::<Json>(text) else { return wrong() };
    let extensions = &body["errors"][0]["extensions"];
    match (status, extensions["code"].as_str()) {
        (200, None) if body["data"]["loans"]["nodes"].is_array() => Outcome::Accepted,
        (200, None) if body["data"]["registerBorrower"]["borrower"]["id"].is_string() => Outcome::Accepted,
        (200, Some("UNAVAILABLE")) if extensions["retryable"] == true => Outcome::Unavailable,
        (503, Some("OVERLOADED")) | (429, Some("RATE_LIMITED"))
            if extensions["retryable"] == true && retry_after.is_some_and(|seconds| seconds > 0) =>
        {
            Outcome::Refused
        }
        _ => wrong(),
    }
}
