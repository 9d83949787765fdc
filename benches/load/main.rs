//! The load harness: the server beside hand-written axum and sqlx that answers the same requests from the same data with
//! the same bytes, on a private PostgreSQL cluster or on SQLite files. Rounds are interleaved, so that what else the
//! machine does meets all alike; the table tells ratios, and processor time per request. A failure is a failure, and ends
//! the run with one.
//!
//! `cargo bench --profile dist --bench load -- --loans 200000 --data /var/tmp/load`

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::float_arithmetic
)]

mod arguments;
mod baseline;
mod client;
mod compare;
mod facts;
mod measure;
mod payable;
mod place;
mod processes;
mod report;
mod statements;
#[allow(dead_code, unused_macros, reason = "of the tests' support only clusters and issuers are needed")]
#[macro_use]
#[path = "../../tests/integration/support/mod.rs"]
mod support;
mod target;
mod workload;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use serde_json::json;

use arguments::{Arguments, Engine};
use baseline::BaselineArguments;
use baseline::pools::Pools;
use facts::Facts;
use measure::{Magazine, turn};
use place::Place;
use report::Series;
use support::issuer::Issuer;
use target::{Keys, Target};
use workload::{Form, Shot, Workload};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longer than any run.
const TOKEN_SECONDS: i64 = 24 * 60 * 60;

fn main() -> ExitCode {
    let mut words = std::env::args();
    if words.nth(1).as_deref() == Some("baseline") {
        baseline::serve(BaselineArguments::parse_from(std::env::args().skip(1)));
        return ExitCode::SUCCESS;
    }
    // On one thread: the clients shall leave the rest of the machine to what they measure.
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(&Arguments::read()))
}

async fn run(arguments: &Arguments) -> ExitCode {
    let scratch = tempfile::tempdir().unwrap();
    let folder = arguments.data.clone().unwrap_or_else(|| scratch.path().join("data"));
    std::fs::create_dir_all(&folder).unwrap();
    // PostgreSQL runs as somebody else, who must get to its folder.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(scratch.path(), open).unwrap();
    let issuer = Issuer::new("bench");
    let keys = Keys {
        jwks: issuer.publish(scratch.path()),
        token: issuer.token_with(json!({
            "sub": "usr_bench", "roles": ["ADMIN"], "branches": ["*"],
            "exp": chrono::Utc::now().timestamp() + TOKEN_SECONDS,
        })),
    };
    let mut all = Vec::new();
    for engine in &arguments.engines {
        all.extend(on_engine(*engine, arguments, &folder.canonicalize().unwrap(), scratch.path(), &keys).await);
    }
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&all).unwrap()).unwrap();
    }
    let failed = all.iter().flat_map(|series| &series.turns).any(|turn| turn.failures > 0 || turn.requests == 0);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn program(asked: Option<&PathBuf>) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_branch-loan-api"));
    asked.unwrap_or(&built).canonicalize().expect("the server's binary")
}

async fn on_engine(engine: Engine, arguments: &Arguments, folder: &Path, scratch: &Path, keys: &Keys) -> Vec<Series> {
    let server = program(arguments.server.as_ref());
    let place = Place::open(engine, folder, arguments.loans).await;
    place.fill(&server, arguments.loans, scratch).await;
    let workloads = arguments.workloads();
    prepare(&place, &server, arguments, scratch, keys).await;

    let writes = workloads.iter().any(|workload| workload.writes());
    let targets = start(&place, arguments, scratch, keys, writes).await;
    let mut pools = Vec::new();
    for target in &targets {
        pools.push(match &target.url {
            Some(url) => Some(Pools::open(url).await),
            None => None,
        });
    }
    let of_server = pools[0].as_ref().expect("the server's database");
    let facts = Facts::read(of_server, &targets[0]).await;
    println!("\n{}, {} loans, {} rounds of {} ms", engine.name(), arguments.loans, arguments.rounds, arguments.turn);
    report::head();
    let stage = Stage { engine, arguments, place: &place, targets: &targets, pools: &pools, facts: &facts };
    for workload in &workloads {
        stage.compare(*workload).await;
    }
    let mut all = Vec::new();
    for workload in workloads {
        for connections in &arguments.connections {
            all.extend(stage.measure(workload, *connections).await);
        }
    }
    for pools in pools.iter().flatten() {
        pools.close().await;
    }
    drop(targets);
    for number in 0..3 {
        place.remove(&copy_name(number)).await;
    }
    all
}

fn copy_name(number: usize) -> String {
    format!("turn_{number}")
}

/// Makes today's loans to pay, unless they are there.
async fn prepare(place: &Place, server: &Path, arguments: &Arguments, scratch: &Path, keys: &Keys) {
    let target = Arc::new(Target::server("prepare", server, &place.filled(), keys, arguments, scratch));
    let pools = Pools::open(&place.filled()).await;
    if facts::payable(&pools).await.is_empty() {
        payable::make(&target, arguments.payable()).await;
        measure::sealed(&pools).await;
        place.settle().await;
    }
    // The last to close SQLite's file, so that all is in it when it is copied.
    drop(target);
    pools.close().await;
}

/// The targets; the server is the first, the baseline the last of the harness's own.
async fn start(place: &Place, arguments: &Arguments, scratch: &Path, keys: &Keys, writes: bool) -> Vec<Target> {
    let mut programs = vec![("server", Some(program(arguments.server.as_ref())))];
    if arguments.server_b.is_some() {
        programs.push(("server-b", Some(program(arguments.server_b.as_ref()))));
    }
    programs.push(("baseline", None));
    let mut urls = Vec::new();
    for number in 0..programs.len() {
        urls.push(if writes { place.copy(&copy_name(number)).await } else { place.filled() });
    }
    place.settle().await;
    let mut targets: Vec<Target> = programs
        .iter()
        .zip(&urls)
        .map(|((name, program), url)| match program {
            Some(program) => Target::server(name, program, url, keys, arguments, scratch),
            None => Target::baseline(url, keys, arguments.baseline_page, arguments.baseline_token, scratch),
        })
        .collect();
    let token = arguments.peer_token.as_ref().map(|path| std::fs::read_to_string(path).unwrap().trim().to_owned());
    let peers = arguments.peers.iter().map(|peer| Target::peer(peer, token.clone().unwrap_or_default()));
    targets.extend(peers);
    targets
}

/// What a workload is measured on.
struct Stage<'a> {
    engine: Engine,
    arguments: &'a Arguments,
    place: &'a Place,
    targets: &'a [Target],
    pools: &'a [Option<Pools>],
    facts: &'a Facts,
}

impl Stage<'_> {
    async fn measure(&self, workload: Workload, connections: usize) -> Vec<Series> {
        let magazines: Vec<Arc<Magazine>> =
            self.targets.iter().map(|target| Arc::new(Magazine::new(self.shots(workload, target)))).collect();
        let warm_up = Duration::from_millis(self.arguments.turn.min(1_000));
        self.round(workload, &magazines, connections, warm_up, 0).await;
        let mut all: Vec<Series> = Vec::new();
        for target in self.targets {
            all.push(Series {
                engine: self.engine.name(),
                loans: self.arguments.loans,
                workload: workload.name(),
                connections,
                target: target.name.clone(),
                turns: Vec::new(),
                statements: None,
            });
        }
        let length = Duration::from_millis(self.arguments.turn);
        for number in 0..self.arguments.rounds {
            let turns = self.round(workload, &magazines, connections, length, number as usize).await;
            for (series, turn) in all.iter_mut().zip(turns) {
                series.turns.extend(turn);
            }
        }
        for ((series, target), magazine) in all.iter_mut().zip(self.targets).zip(&magazines) {
            // They are the same with more connections or fewer.
            if !magazine.shots.is_empty() && Some(&connections) == self.arguments.connections.first() {
                series.statements = statements::of(self.place, target, magazine).await;
            }
        }
        all.retain(|series| !series.turns.is_empty());
        let baseline = all.iter().find(|series| series.target == "baseline");
        for series in &all {
            series.print(baseline);
            if self.arguments.statements {
                series.print_statements();
            }
        }
        all
    }

    /// A turn for every target that has this workload; each round begins with another one.
    async fn round(
        &self,
        workload: Workload,
        magazines: &[Arc<Magazine>],
        connections: usize,
        length: Duration,
        number: usize,
    ) -> Vec<Option<measure::Turn>> {
        let database = self.place.cluster.as_ref().and_then(support::postgres::Cluster::server);
        let mut turns = vec![None; self.targets.len()];
        for place in 0..self.targets.len() {
            let place = (place + number) % self.targets.len();
            let (target, magazine) = (&self.targets[place], &magazines[place]);
            if magazine.shots.is_empty() {
                continue;
            }
            let seals = workload.writes() && target.form == Form::Graphql;
            let sealing = self.pools[place].as_ref().filter(|_| seals);
            turns[place] = Some(turn(target, magazine, connections, length, database, sealing).await);
        }
        turns
    }

    fn shots(&self, workload: Workload, target: &Target) -> Vec<Shot> {
        workload.shots(target.form, &target.path, &target.token, self.facts)
    }

    /// Every target of the harness's own does the same as the first. All of them are compared before any is measured: then
    /// their databases are the same too.
    async fn compare(&self, workload: Workload) {
        let mut first: Option<(&Target, Vec<String>, &Pools)> = None;
        for (target, pools) in self.targets.iter().zip(self.pools) {
            let (shots, Some(pools)) = (self.shots(workload, target), pools) else { continue };
            if shots.is_empty() {
                continue;
            }
            let answers = compare::answers(target, &shots).await;
            let Some((first, expected, stored)) = &first else {
                first = Some((target, answers, pools));
                continue;
            };
            compare::alike(workload, (&first.name, expected), (&target.name, &answers));
            if workload == Workload::Repay {
                compare::rows(stored, pools, &self.facts.payable).await;
            }
        }
    }
}
