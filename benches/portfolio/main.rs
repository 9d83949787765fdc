//! How long the portfolio takes however many loans there are, by the sums that are kept and over the loans themselves; and
//! how many payments a second eight writers record, all in one branch and spread over fifty. On a private PostgreSQL
//! cluster with a server's usual durability, or on a SQLite file.
//!
//! `cargo bench --bench portfolio -- --loans 20000,200000,2000000`
//! `cargo bench --bench portfolio -- --writes 10`

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions
)]

#[path = "../end_of_day/fill.rs"]
#[allow(dead_code, reason = "days are closed by the other bench")]
mod fill;
mod loans;
#[allow(dead_code, unused_macros, reason = "of the tests' support only the engines and the world are needed")]
#[macro_use]
#[path = "../../tests/integration/support/mod.rs"]
mod support;
mod writes;

use std::time::{Duration, Instant};

use branch_loan_api::service::list::{Filter, Scalar, Test};
use branch_loan_api::service::loans::LoanField;
use branch_loan_api::service::portfolio::{GroupBy, Report};
use branch_loan_api::store::{Database, DatabaseOptions};
use clap::{Parser, ValueEnum};

use support::engines::{Engine, Schema, postgres_binaries};
use support::postgres::Cluster;
use support::services::{World, admin};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As a server of a few gigabytes is set up; what is durable by default stays so.
const SETTINGS: &str = "shared_buffers = 1GB\nmax_wal_size = 4GB\neffective_cache_size = 3GB\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Postgres,
    Sqlite,
}

/// How long the portfolio takes, and how many payments a second are recorded.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many loans; one number after the other, each larger than the one before.
    #[arg(long, value_delimiter = ',', default_value = "20000,200000")]
    loans: Vec<u32>,
    /// How many loans a branch has. There are 10 branches at least.
    #[arg(long, default_value_t = 2_000)]
    loans_per_branch: u32,
    /// Instead, how many seconds to record payments for.
    #[arg(long)]
    writes: Option<u64>,
    #[arg(long, value_enum, default_value_t = Which::Postgres)]
    engine: Which,
    /// What `cargo bench` says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let cluster = match arguments.engine {
        Which::Sqlite => None,
        Which::Postgres => {
            let binaries = postgres_binaries().expect("no initdb and postgres in PG_BIN, PATH or /usr/lib/postgresql");
            Some(Cluster::start_with(binaries, SETTINGS).await.unwrap())
        }
    };
    let engine = match &cluster {
        None => Engine::sqlite(Schema::Nothing).await,
        Some(cluster) => Engine::at(cluster.url("postgres")),
    };
    let world = open(engine).await;
    if let Some(seconds) = arguments.writes {
        writes::compare(world, Duration::from_secs(seconds)).await;
        return;
    }
    let mut portfolio = loans::Loans::begin(&world).await;
    println!(
        "{:>9}{:>10}{:>22}{:>12}{:>12}{:>12}{:>14}",
        "loans", "branches", "asked for", "median ms", "fastest ms", "slowest ms", "over loans ms"
    );
    for loans in &arguments.loans {
        let branches = (loans / arguments.loans_per_branch).max(10);
        portfolio.grow(&world, *loans, branches).await;
        for (name, group, asked) in [
            ("all", GroupBy::Nothing, Asked::Dashboard),
            ("by branch", GroupBy::Branch, Asked::Dashboard),
            ("dues, all", GroupBy::Nothing, Asked::Dues),
            ("dues, by branch", GroupBy::Branch, Asked::Dues),
        ] {
            let mut took = times(&world, &Filter::default(), group, asked, 41).await;
            took.sort();
            let over = Filter::Field(LoanField::Principal, Test::AtLeast(Scalar::Integer(0)));
            let mut over = times(&world, &over, group, asked, 3).await;
            over.sort();
            let milliseconds = |time: Duration| format!("{}.{:02}", time.as_millis(), time.as_micros() % 1_000 / 10);
            println!(
                "{loans:>9}{branches:>10}{name:>22}{:>12}{:>12}{:>12}{:>14}",
                milliseconds(took[took.len() / 2]),
                milliseconds(took[0]),
                milliseconds(took[took.len() - 1]),
                milliseconds(over[1]),
            );
        }
    }
    world.database.close().await;
}

/// What a report is asked for.
#[derive(Clone, Copy)]
enum Asked {
    /// Count, balances and portfolio at risk, as a dashboard asks for them.
    Dashboard,
    /// What is due and overdue, by its age.
    Dues,
}

async fn times(
    world: &World,
    filter: &Filter<LoanField>,
    group: GroupBy,
    asked: Asked,
    rounds: usize,
) -> Vec<Duration> {
    let (services, actor) = (&world.services, admin());
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let since = Instant::now();
        let report = Report::new(filter.clone(), None);
        match asked {
            Asked::Dashboard => {
                report.counted(services, &actor, group).await.unwrap();
                report.owed(services, &actor, group).await.unwrap();
                report.late(services, &actor, group).await.unwrap();
            }
            Asked::Dues => {
                report.aged(services, &actor, group).await.unwrap();
            }
        }
        times.push(since.elapsed());
    }
    times
}

async fn open(engine: Engine) -> World {
    let options = DatabaseOptions {
        acquire_timeout: Duration::from_secs(60),
        statement_timeout: Duration::from_secs(60),
        lock_timeout: Duration::from_secs(60),
        ..engine.options()
    };
    let database = Database::connect(&options, None).await.unwrap();
    database.migrate().await.unwrap();
    World::over(engine, database)
}
