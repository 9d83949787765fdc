//! How fast business days are closed: any number of active loans of which none is late, on a private PostgreSQL cluster
//! with a server's usual durability, or on a SQLite file. Every day is closed by the use case itself; at the end the
//! books are verified, and what breaks fails the run.
//!
//! `cargo bench --bench end_of_day -- --loans 200000 --chunk 1000,10000,50000 --days 3`

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

mod fill;
mod usage;
#[allow(dead_code, unused_macros, reason = "of the tests' support only the engines and the world are needed")]
#[macro_use]
#[path = "../../tests/integration/support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use branch_loan_api::service::close_day::CloseDay;
use branch_loan_api::store::{Database, DatabaseOptions};
use chrono::{Days, NaiveDate};
use clap::{Parser, ValueEnum};
use sea_orm::ConnectionTrait;

use usage::{peak_memory, processor_time};

use support::engines::{Engine, Schema, postgres_binaries};
use support::postgres::Cluster;
use support::services::{World, admin};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As a server of a few gigabytes is set up; what is durable by default stays so.
const SETTINGS: &str = "shared_buffers = 1GB\nmax_wal_size = 4GB\neffective_cache_size = 3GB\n";
const EXPLAIN: &str = "session_preload_libraries = 'auto_explain'\nauto_explain.log_min_duration = 0\n\
                       auto_explain.log_analyze = on\nauto_explain.log_buffers = on\nauto_explain.log_triggers = on\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Postgres,
    Sqlite,
}

/// How fast business days are closed.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many active loans, in tens.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(i32).range(10..=10_000_000))]
    loans: i32,
    /// How many branches they are spread over.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    branches: i32,
    /// Loans taken at once; one size after the other.
    #[arg(long, value_delimiter = ',', default_value = "10000")]
    chunk: Vec<u32>,
    /// Days closed with each size.
    #[arg(long, default_value_t = 3)]
    days: u64,
    #[arg(long, value_enum, default_value_t = Which::Postgres)]
    engine: Which,
    /// Writes the server's log with the plan of every statement to this file; everything takes longer then.
    #[arg(long)]
    explain: Option<PathBuf>,
    /// SQL that is run on the filled database before the first day: to try what another index or setting would do.
    #[arg(long)]
    try_sql: Option<PathBuf>,
    /// Leaves out the verification of the books, which takes longer than the days.
    #[arg(long)]
    no_verify: bool,
    /// What `cargo bench` says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let sizes = u64::try_from(arguments.chunk.len()).unwrap();
    assert!(
        sizes * arguments.days <= fill::DAYS_WITHOUT_ARREARS,
        "no more than {} days: then the first installments are due",
        fill::DAYS_WITHOUT_ARREARS
    );
    let cluster = match arguments.engine {
        Which::Sqlite => None,
        Which::Postgres => Some(cluster(arguments.explain.is_some()).await),
    };
    let engine = match &cluster {
        None => Engine::sqlite(Schema::Nothing).await,
        Some(cluster) => Engine::at(cluster.url("postgres")),
    };
    let world = open(engine).await;
    let since = Instant::now();
    let loans = fill::fill(&world, arguments.loans, arguments.branches).await;
    println!(
        "{:?}: {loans} loans in {} branches, made in {:.1?}",
        arguments.engine,
        arguments.branches,
        since.elapsed()
    );
    println!(
        "{:<12}{:>8}{:>10}{:>10}{:>10}{:>19}{:>14}",
        "day", "chunk", "loans", "seconds", "loans/s", "processor µs each", "peak memory"
    );
    if let Some(path) = &arguments.try_sql {
        let raw = world.engine.raw().await;
        raw.execute_unprepared(&std::fs::read_to_string(path).unwrap()).await.unwrap();
        raw.close().await.unwrap();
    }
    let server = cluster.as_ref().and_then(Cluster::server);
    let mut on = fill::first_day();
    for chunk in &arguments.chunk {
        for _ in 0..arguments.days {
            close(&world, server, on, *chunk, loans).await;
            on = on.checked_add_days(Days::new(1)).unwrap();
        }
    }
    if !arguments.no_verify {
        verify(&world).await;
    }
    world.database.close().await;
    if let (Some(path), Some(cluster)) = (&arguments.explain, &cluster) {
        std::fs::write(path, cluster.log()).unwrap();
    }
}

async fn cluster(explain: bool) -> Cluster {
    let binaries = postgres_binaries().expect("no initdb and postgres in PG_BIN, PATH or /usr/lib/postgresql");
    let settings = if explain { format!("{SETTINGS}{EXPLAIN}") } else { SETTINGS.to_owned() };
    Cluster::start_with(binaries, &settings).await.unwrap()
}

/// With the time limits a server has when nobody says otherwise.
async fn open(engine: Engine) -> World {
    let options = DatabaseOptions {
        acquire_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_secs(5),
        lock_timeout: Duration::from_secs(3),
        ..engine.options()
    };
    let database = Database::connect(&options, None).await.unwrap();
    database.migrate().await.unwrap();
    World::over(engine, database)
}

async fn close(world: &World, server: Option<u32>, on: NaiveDate, chunk: u32, loans: u64) {
    world.clock.set(&format!("{on}T20:00:00Z"));
    let input = CloseDay { branch: None, on: Some(on), chunk, idempotency_key: None };
    let (since, before) = (Instant::now(), processor_time(server));
    let closed = world.services.close_days(&admin(), &input).await.unwrap();
    let (took, worked) = (since.elapsed(), processor_time(server).saturating_sub(before));
    let done: u64 = closed.branches.iter().map(|branch| branch.work.loans).sum();
    let folded: u64 = closed.branches.iter().map(|branch| branch.work.folded).sum();
    assert_eq!((done, folded), (loans, 0), "every loan, and none that is late");
    let speed = u128::from(done) * 1_000 / took.as_millis().max(1);
    let seconds = format!("{:.2}", took.as_secs_f64());
    let each = format!("{:.1}", worked.as_secs_f64() * 1e6 / done as f64);
    println!("{on:<12}{chunk:>8}{done:>10}{seconds:>10}{speed:>10}{each:>19}{:>14}", peak_memory());
}

async fn verify(world: &World) {
    let since = Instant::now();
    let verification = world.services.verify_books(&admin(), None).await.unwrap();
    assert!(verification.is_clean(), "the books do not hold: {verification:#?}");
    println!(
        "the books hold: {} loans verified in {:.1?}, {} at most",
        verification.loans,
        since.elapsed(),
        peak_memory()
    );
}
