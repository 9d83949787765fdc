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
mod copies;
mod facts;
mod measure;
mod payable;
mod place;
mod processes;
mod report;
mod stage;
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
use std::time::Instant;

use clap::Parser;
use serde_json::json;

use arguments::{Arguments, Engine};
use baseline::BaselineArguments;
use baseline::pools::Pools;
use facts::Facts;
use payable::Set;
use place::Place;
use report::Series;
use stage::Stage;
use support::issuer::Issuer;
use target::{Keys, Target};
use workload::Workload;

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
    place.fill(&server, arguments.loans, arguments.made(), scratch).await;
    let workloads = arguments.workloads();
    let sets = sets(&workloads);
    prepare(&place, &server, arguments, &sets, scratch, keys).await;

    let writes = workloads.iter().any(|workload| workload.writes());
    let targets = start(&place, arguments, scratch, keys, writes).await;
    let mut pools = Vec::new();
    for target in &targets {
        pools.push(match &target.url {
            Some(url) => Some(Pools::open(url).await),
            None => None,
        });
    }
    println!("\n{}, {} loans, {} rounds of {} ms", engine.name(), arguments.loans, arguments.rounds, arguments.turn);
    for target in &targets {
        report::before(target);
    }
    let of_server = pools[0].as_ref().expect("the server's database");
    let facts = Facts::read(of_server, &targets[0], &sets).await;
    let is_asked = |wanted: &i64| workloads.iter().any(|workload| workload.page() == Some(*wanted));
    for (wanted, page, _) in facts.pages.iter().filter(|(wanted, page, _)| wanted != page && is_asked(wanted)) {
        println!("page-{wanted} is page {page}: there are not enough loans");
    }
    report::head();
    let stage = Stage { engine, arguments, place: &place, targets: &targets, pools: &pools, facts: &facts };
    for workload in &workloads {
        stage.compare(*workload).await;
    }
    let mut all = Vec::new();
    for group in Workload::groups(&workloads) {
        for connections in &arguments.connections {
            all.extend(stage.measure(group, *connections).await);
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

/// The loans that are needed; some always, of which borrowers, a product and branches are applied for too.
fn sets(workloads: &[Workload]) -> Vec<Set> {
    let mut sets = vec![Set::Any];
    for set in workloads.iter().filter_map(|workload| workload.pays()) {
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

fn copy_name(number: usize) -> String {
    format!("turn_{number}")
}

/// Makes today's loans to pay, unless they are there, and has a server put the portfolio's sums together.
async fn prepare(place: &Place, server: &Path, arguments: &Arguments, sets: &[Set], scratch: &Path, keys: &Keys) {
    let target = Arc::new(Target::server("prepare", server, &place.filled(), keys, &arguments.settings, scratch));
    let pools = Pools::open(&place.filled()).await;
    let mut is_changed = false;
    for set in sets {
        let since = Instant::now();
        if payable::complete(&target, &pools, *set, arguments.quick).await {
            println!("{set:?}: loans to pay made in {:.0?}", since.elapsed());
            is_changed = true;
        }
    }
    measure::sealed(&pools).await;
    measure::rolled_up(&pools).await;
    // The last to close SQLite's file, so that all is in it when it is copied.
    drop(target);
    pools.close().await;
    if is_changed {
        place.tidy().await;
    }
}

/// The targets; the server is the first, the baseline the last of the harness's own.
async fn start(place: &Place, arguments: &Arguments, scratch: &Path, keys: &Keys, writes: bool) -> Vec<Target> {
    let settings_b = [arguments.settings.as_slice(), arguments.settings_b.as_slice()].concat();
    let mut programs = vec![("server", Some((program(arguments.server.as_ref()), arguments.settings.clone())))];
    if arguments.is_with_second() {
        let second = program(arguments.server_b.as_ref().or(arguments.server.as_ref()));
        programs.push(("server-b", Some((second, settings_b))));
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
            Some((program, settings)) => Target::server(name, program, url, keys, settings, scratch),
            None => Target::baseline(url, keys, arguments.baseline_page, arguments.baseline_token, scratch),
        })
        .collect();
    let token = arguments.peer_token.as_ref().map(|path| std::fs::read_to_string(path).unwrap().trim().to_owned());
    let peers = arguments.peers.iter().map(|peer| Target::peer(peer, token.clone().unwrap_or_default()));
    targets.extend(peers);
    targets
}
