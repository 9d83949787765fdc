//! The overload harness: the real server as a child process, and more of everything than it can do. It finds the
//! capacity, offers three times as much, goes back to normal, holds slow connections open beside it, and ends the server
//! under load. Without `--seconds` it is short and asserts behavior alone: every answer is a 200, or a 429 or 503 with its
//! code and `Retry-After`; probes are always 200; a shutdown loses no request. With it, it measures and prints a line.
//!
//! `cargo test --test overload -- --seconds 20`

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions
)]

mod arguments;
mod figures;
mod load;
mod probes;
#[path = "../integration/support/runner.rs"]
mod runner;
mod slow;
mod stop;
#[allow(dead_code, unused_macros, reason = "of the tests' support only processes and clusters are needed")]
#[macro_use]
#[path = "../integration/support/mod.rs"]
mod support;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use arguments::{Arguments, Engine};
use clap::Parser;
use figures::Figures;
use load::{Load, Phase};
use probes::Probes;
use support::engines::postgres_binaries;
use support::postgres::Cluster;
use tokio_util::sync::CancellationToken;
use world::World;

/// As durable as in production: what a careless cluster saves is capacity nobody has.
const SETTINGS: &str = "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nshared_buffers = 64MB\n";

/// Clients that ask again as soon as they are answered, tried one after the other for the capacity.
const CROWDS: [usize; 3] = [8, 16, 32];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let engines = arguments.engines();
    if arguments.runner.list {
        engines.iter().for_each(|engine| println!("overload::{}: test", engine.name()));
        return ExitCode::SUCCESS;
    }
    let mut failed = false;
    for engine in engines {
        let cluster = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => match postgres_binaries() {
                Some(binaries) => Some(Cluster::start_with(binaries, SETTINGS).await.unwrap()),
                None => continue,
            },
        };
        let world = World::start(&arguments, cluster.as_ref()).await;
        let figures = run(world, &arguments).await;
        for violation in &figures.violations {
            println!("overload: {}: {violation}", engine.name());
        }
        println!("{}", figures.line(engine.name(), arguments.measured()));
        failed |= !figures.violations.is_empty();
    }
    match failed {
        false => ExitCode::SUCCESS,
        true => ExitCode::FAILURE,
    }
}

async fn run(world: World, arguments: &Arguments) -> Figures {
    let length = arguments.length();
    let mut figures = Figures::default();
    let load = Load::new(&world);
    let over = CancellationToken::new();
    let probes = tokio::spawn(Probes::watch(world.base().to_owned(), over.clone()));

    for crowd in CROWDS {
        let phase = load.closed(crowd, length).await;
        figures.capacity = figures.capacity.max(phase.accepted_per_second());
        figures.note("capacity", &phase);
    }
    figures.memory_before = world.memory().resident;
    let overload = load.offer(3 * figures.capacity.max(1), length).await;
    // At once, so that the recovery includes working off what still waits.
    let normal = load.offer((figures.capacity / 2).max(1), length).await;
    figures.overload(&overload.answered().await);
    figures.normal(&normal.answered().await);
    figures.slow(&beside_slow_clients(&world, &load, arguments.slow(), length).await, arguments.slow());
    figures.memory_peak = world.memory().peak;

    over.cancel();
    figures.probes(probes.await.unwrap());
    figures.stopped(stop::under_load(world, length).await);
    figures
}

async fn beside_slow_clients(world: &World, load: &Load, slow: usize, length: Duration) -> Phase {
    let clients = slow::Clients::hold(world.address(), slow).await;
    let phase = load.closed(CROWDS[0], length).await;
    clients.leave().await;
    phase
}
