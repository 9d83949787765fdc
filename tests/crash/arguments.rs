//! What the harness is asked to do. It has its own flags, refuses what it does not know, and takes the flags that
//! `cargo test` hands to every test binary.

use clap::{Parser, ValueEnum};

use super::runner::RunnerFlags;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The server is killed, on SQLite.
    Sqlite,
    /// The server is killed, on PostgreSQL.
    Postgres,
    /// PostgreSQL is killed with all its processes, and the server goes on.
    PostgresKilled,
    /// Connections between server and PostgreSQL are reset around a COMMIT, or stall.
    Proxy,
    /// Nothing goes wrong, but every request is sent eight times at once.
    Keys,
    /// SQLite's disk is full.
    FullDisk,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Sqlite, Self::Postgres, Self::PostgresKilled, Self::Proxy, Self::Keys, Self::FullDisk];

    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap()
    }
}

/// Kills servers and databases at random moments, and checks that nothing acknowledged is lost and nothing is done twice.
#[derive(Debug, Parser)]
#[command(name = "crash")]
pub struct Arguments {
    /// How many crashes of each kind.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub cycles: u32,
    /// Where the random choices come from; drawn and printed if omitted.
    #[arg(long)]
    pub seed: Option<u64>,
    /// What goes wrong; everything if omitted. Repeat it for several.
    #[arg(long = "kind", value_enum)]
    kinds: Vec<Kind>,
    /// How many clients send at the same time: enough for changes to go together.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub clients: u32,
    /// How many keys are sent eight times each.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub keys: u32,

    #[command(flatten)]
    pub runner: RunnerFlags,
}

impl Arguments {
    /// What is to run: what was asked for by name, less what the test runner's own filters leave out.
    pub fn kinds(&self) -> Vec<Kind> {
        let asked = if self.kinds.is_empty() { &Kind::ALL[..] } else { &self.kinds[..] };
        asked.iter().copied().filter(|kind| self.runner.run(&format!("crash::{}", kind.name()))).collect()
    }
}
