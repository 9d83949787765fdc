//! A server to overload: the real binary as a child process, over demonstration data in a database of its own.

use std::net::SocketAddr;

use serde_json::{Value as Json, json};

use super::arguments::Arguments;
use crate::support::postgres::Cluster;
use crate::support::process::{Place, Running};
use crate::support::server::soon;

/// Loans to read from: many pages, and quickly made.
const LOANS: &str = "200";

/// Between "not ready" and closed doors: the time an orchestrator has.
pub const DRAIN_MS: u64 = 1_500;

pub struct World {
    pub server: Running,
    pub branch: String,
    base: String,
    _place: Place,
}

/// Memory of the server, in KiB.
pub struct Memory {
    pub resident: u64,
    pub peak: u64,
}

impl World {
    pub async fn start(arguments: &Arguments, cluster: Option<&Cluster>) -> Self {
        let place = Place::new();
        let url = match cluster {
            None => format!("sqlite://{}?mode=rwc", place.path().join("loans.db").display()),
            Some(cluster) => {
                cluster.create_database("overload").await.unwrap();
                cluster.url("overload")
            }
        };
        let place = arguments.server.iter().fold(place, |place, program| place.running(program));
        let place = place
            .set("DATABASE_URL", url)
            .set("SHUTDOWN_DRAIN_MS", DRAIN_MS)
            .set("LOG_LEVEL", "error")
            // What is asked for here is more than anybody may: it is the places that are to be the limit.
            .set("RATE_PER_SECOND", 1_000_000)
            .set("RATE_BURST", 1_000_000)
            .set("ADDRESS_RATE_PER_SECOND", 1_000_000)
            .set("ADDRESS_RATE_BURST", 1_000_000)
            // The slow clients beside everybody else.
            .set("MAX_CONNECTIONS", 2_048);
        place.run(&["demo", "--loans", LOANS]).printed();
        let (server, base) = place.serve(&["serve"]);
        let base = base.replace("localhost", "127.0.0.1");
        let branch = first_branch(&base).await;
        Self { server, branch, base, _place: place }
    }

    /// Where it listens, as `http://127.0.0.1:8000`.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn address(&self) -> SocketAddr {
        self.base.trim_start_matches("http://").parse().unwrap()
    }

    /// What the system says of the server's memory; nothing where it says nothing.
    pub fn memory(&self) -> Memory {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let figure = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        Memory { resident: figure("VmRSS:"), peak: figure("VmHWM:") }
    }
}

async fn first_branch(base: &str) -> String {
    let body = json!({"query": "{ branches(first: 1) { nodes { id } } }"}).to_string();
    let request = reqwest::Client::new().post(format!("{base}/graphql")).header("content-type", "application/json");
    let answer = soon(request.body(body).send()).await.unwrap().text().await.unwrap();
    let answer: Json = serde_json::from_str(&answer).unwrap();
    answer["data"]["branches"]["nodes"][0]["id"].as_str().expect("a branch").to_owned()
}
