//! What the harness is asked to do. It has its own flags, refuses what it does not know, and takes the flags that
//! `cargo test` hands to every test binary.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::runner::RunnerFlags;

/// The database behind the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Asks more of a server than it can do, and watches what becomes of it.
#[derive(Debug, Parser)]
#[command(name = "overload")]
pub struct Arguments {
    /// Measure, and give each of the phases (three for the capacity, then overload, normal, slow clients) so many seconds.
    /// Without it each is short, and only behavior is judged.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Connections that are slow on purpose. Default: 1000 when measuring, 120 otherwise.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    slow: Option<u32>,
    /// The database; both if omitted. Repeat it for several.
    #[arg(long = "engine", value_enum)]
    engines: Vec<Engine>,
    /// Another server's binary than the one of this build, such as target/release/branch-loan-api.
    #[arg(long)]
    pub server: Option<PathBuf>,

    #[command(flatten)]
    pub runner: RunnerFlags,
}

impl Arguments {
    /// What is to run: what was asked for by name, less what the test runner's own filters leave out.
    pub fn engines(&self) -> Vec<Engine> {
        let asked = if self.engines.is_empty() { &[Engine::Sqlite, Engine::Postgres][..] } else { &self.engines[..] };
        asked.iter().copied().filter(|engine| self.runner.run(&format!("overload::{}", engine.name()))).collect()
    }

    pub fn measured(&self) -> bool {
        self.seconds.is_some()
    }

    /// How long a phase takes.
    pub fn length(&self) -> Duration {
        self.seconds.map_or(Duration::from_millis(600), Duration::from_secs)
    }

    pub fn slow(&self) -> usize {
        let usual = if self.measured() { 1_000 } else { 120 };
        self.slow.map_or(usual, |slow| slow as usize)
    }
}
