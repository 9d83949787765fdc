//! What the fuzzer is asked to do. It takes the flags that `cargo test` hands to every test binary, too.

use std::path::PathBuf;

use clap::Parser;

use super::runner::RunnerFlags;

/// Runs the fuzz targets on their seeds and on what chance makes of those.
#[derive(Debug, Parser)]
#[command(name = "fuzz")]
pub struct Arguments {
    /// How many inputs each target gets beside its seeds.
    #[arg(long, default_value_t = 2_000)]
    pub runs: u64,
    /// For how many seconds each target gets inputs, instead of so many.
    #[arg(long, conflicts_with = "runs")]
    pub seconds: Option<u64>,
    /// Where the random choices come from; drawn and printed if omitted.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Runs one target on this file alone: an input that was kept when a target failed on it.
    #[arg(long, requires = "target")]
    pub input: Option<PathBuf>,
    /// Only the target of this name.
    #[arg(long)]
    pub target: Option<String>,

    #[command(flatten)]
    pub runner: RunnerFlags,
}

impl Arguments {
    /// Whether a target was asked for, and the test runner's own filters leave it in.
    pub fn wants(&self, target: &str) -> bool {
        self.target.as_ref().is_none_or(|only| only == target) && self.runner.run(&format!("fuzz::{target}"))
    }
}
