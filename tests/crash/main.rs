//! The crash harness: the real server as a child process, clients that move money, and something that goes wrong in the
//! middle of it, again and again. Whatever was acknowledged must be there once afterwards, whatever was in doubt must
//! have a definite end when it is sent again under its key, and the books must hold.
//!
//! `cargo test --test crash -- --cycles 20 --seed 7 --kind postgres`

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
mod checks;
mod client;
mod cycles;
mod figures;
mod full_disk;
mod keys;
mod proxy;
mod requests;
#[path = "../integration/support/runner.rs"]
mod runner;
#[allow(dead_code, unused_macros, reason = "of the tests' support only processes and clusters are needed")]
#[macro_use]
#[path = "../integration/support/mod.rs"]
mod support;
mod world;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use arguments::{Arguments, Kind};
use clap::Parser;
use figures::Figures;
use support::engines::postgres_binaries;
use support::postgres::Cluster;

/// As durable as in production: what a careless cluster keeps is luck.
const SETTINGS: &str = "fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nshared_buffers = 64MB\n";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let kinds = arguments.kinds();
    if arguments.runner.list {
        kinds.iter().for_each(|kind| println!("crash::{}: test", kind.name()));
        return ExitCode::SUCCESS;
    }
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let mut cluster = None;
    let mut failed = false;
    for kind in kinds {
        println!("crash: {} begins: --cycles {} --seed {seed}", kind.name(), arguments.cycles);
        for postgres in engines(kind) {
            let on = match postgres {
                false => None,
                true => match shared(&mut cluster).await {
                    Some(cluster) => Some(cluster),
                    None => continue,
                },
            };
            failed |= !run(kind, &arguments, seed, on).await;
        }
    }
    match failed {
        false => ExitCode::SUCCESS,
        true => ExitCode::FAILURE,
    }
}

/// Whether a kind runs on SQLite (false), on PostgreSQL (true), or on both.
fn engines(kind: Kind) -> &'static [bool] {
    match kind {
        Kind::Sqlite | Kind::FullDisk => &[false],
        Kind::Postgres | Kind::PostgresKilled | Kind::Proxy => &[true],
        Kind::Keys => &[false, true],
    }
}

/// The cluster of this run; `None`, said and counted, where there is no PostgreSQL.
async fn shared(cluster: &mut Option<Arc<Cluster>>) -> Option<Arc<Cluster>> {
    if cluster.is_none() {
        *cluster = Some(Arc::new(Cluster::start_with(postgres_binaries()?, SETTINGS).await.unwrap()));
    }
    cluster.clone()
}

/// Runs a kind and prints its closing line; false when something did not hold.
async fn run(kind: Kind, arguments: &Arguments, seed: u64, cluster: Option<Arc<Cluster>>) -> bool {
    let since = Instant::now();
    let title = match (kind, &cluster) {
        (Kind::Keys, Some(_)) => "keys on PostgreSQL".to_owned(),
        (Kind::Keys, None) => "keys on SQLite".to_owned(),
        _ => kind.name(),
    };
    let figures: Option<Figures> = match kind {
        Kind::Keys => Some(keys::run(arguments.keys, cluster).await),
        Kind::FullDisk => full_disk::run().await,
        _ => Some(cycles::run(kind, arguments, seed, cluster).await),
    };
    let Some(figures) = figures else {
        println!("crash: {}: SKIPPED 1: only root may mount a small disk to fill", kind.name());
        return true;
    };
    for violation in &figures.violations {
        println!("crash: {}: {violation}", kind.name());
    }
    println!("{}", figures.line(&title, since.elapsed()));
    if !figures.violations.is_empty() {
        println!("{}", figures.end_of_log());
        let (name, cycles) = (kind.name(), arguments.cycles);
        println!("crash: again: cargo test --workspace --test crash -- --kind {name} --cycles {cycles} --seed {seed}");
    }
    figures.violations.is_empty()
}
