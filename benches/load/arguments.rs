//! What the harness is asked to do.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::workload::Workload;

/// The database behind every target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

/// How the baseline reads a page with its relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PageForm {
    /// One statement that joins the three tables.
    Join,
    /// The loans, then the borrowers by their ids; the branches are in a map of the process.
    Split,
}

/// How the baseline checks a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenForm {
    /// Its signature and claims, with every request, as the server does.
    Verify,
    /// Its signature once; the claims with every request.
    Cached,
}

/// Measures the server against hand-written axum and sqlx on the same database.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub struct Arguments {
    /// The databases, one after the other.
    #[arg(long = "engine", value_enum, value_delimiter = ',', default_value = "postgres")]
    pub engines: Vec<Engine>,
    /// Made-up loans in the database; of more than 200,000 most are copies of others.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub loans: u32,
    /// A folder that keeps filled databases for the next run; without it they are made anew and go with the run.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// What is asked; everything if omitted.
    #[arg(long = "workload", value_enum, value_delimiter = ',')]
    workloads: Vec<Workload>,
    /// Connections that ask at the same time.
    #[arg(long, value_delimiter = ',', default_value = "32,1")]
    pub connections: Vec<usize>,
    /// Rounds of every workload; in each of them every target has its turn.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: u32,
    /// Length of a turn in milliseconds.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(50..=600_000))]
    pub turn: u64,
    /// Requests a second that all connections together send, whatever is answered; as many as are answered if omitted.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: Option<u32>,
    /// Another server's binary than the one of this build.
    #[arg(long)]
    pub server: Option<PathBuf>,
    /// A second server's binary, measured beside the first. With `--set-b` alone it is the first one's.
    #[arg(long)]
    pub server_b: Option<PathBuf>,
    /// A GraphQL server that runs already, with the same schema, data and `--peer-token`: `NAME=http://127.0.0.1:PORT/path`.
    #[arg(long = "peer")]
    pub peers: Vec<String>,
    /// A file with the token to send to peers.
    #[arg(long)]
    pub peer_token: Option<PathBuf>,
    /// How the baseline reads a page with its relations.
    #[arg(long, value_enum, default_value_t = PageForm::Split)]
    pub baseline_page: PageForm,
    /// How the baseline checks a token.
    #[arg(long, value_enum, default_value_t = TokenForm::Verify)]
    pub baseline_token: TokenForm,
    /// One more setting for the servers, `NAME=VALUE`.
    #[arg(long = "set", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// One more setting for the second server, which has the first one's too; there is a second server then.
    #[arg(long = "set-b", value_parser = setting)]
    pub settings_b: Vec<(String, String)>,
    /// Writes all figures to this file.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Prints every SQL statement with how often a request sends it (PostgreSQL).
    #[arg(long)]
    pub statements: bool,
    /// Both engines, few loans, one short round of everything: whether the harness works, and no figures to go by.
    #[arg(long)]
    pub quick: bool,
    /// What `cargo bench` says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    pub fn read() -> Self {
        let mut arguments = Self::parse();
        if arguments.quick {
            arguments.engines = vec![Engine::Postgres, Engine::Sqlite];
            (arguments.loans, arguments.rounds, arguments.turn) = (300, 1, 200);
            arguments.connections = vec![4, 1];
        }
        arguments
    }

    pub fn workloads(&self) -> Vec<Workload> {
        match self.workloads.as_slice() {
            [] => Workload::value_variants().to_vec(),
            chosen => chosen.to_vec(),
        }
    }

    /// So many loans are made up at most, and more are copies.
    pub fn made(&self) -> u32 {
        if self.quick { 100 } else { 200_000 }
    }

    /// Whether a second server is measured beside the first.
    pub fn is_with_second(&self) -> bool {
        self.server_b.is_some() || !self.settings_b.is_empty()
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
