//! What the fuzzer is asked to do. It takes the flags that `cargo test` hands to every test binary, too.

use std::path::PathBuf;

use clap::Parser;

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

    /// A part of a target's name: only those run.
    #[arg(hide = true)]
    filters: Vec<String>,
    #[arg(long, hide = true)]
    skip: Vec<String>,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    pub list: bool,
    #[arg(long, hide = true)]
    ignored: bool,
    #[arg(long, hide = true)]
    include_ignored: bool,
    #[arg(long, hide = true, alias = "no-capture")]
    nocapture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(short, long, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    test_threads: Option<u32>,
    #[arg(long, hide = true)]
    format: Option<String>,
    #[arg(long, hide = true)]
    color: Option<String>,
}

impl Arguments {
    /// Whether a target was asked for, and the test runner's own filters leave it in.
    pub fn wants(&self, target: &str) -> bool {
        let name = format!("fuzz::{target}");
        let fits = |filter: &String| if self.exact { name == *filter } else { name.contains(filter.as_str()) };
        !self.ignored
            && self.target.as_ref().is_none_or(|only| only == target)
            && (self.filters.is_empty() || self.filters.iter().any(fits))
            && !self.skip.iter().any(fits)
    }
}
