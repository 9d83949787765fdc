//! The flags that `cargo test` hands to every test binary, for those that bring their own `main`: what they leave out is
//! left out, and the rest changes nothing.

use clap::Args;

/// The test runner's own flags.
#[derive(Debug, Args)]
pub struct RunnerFlags {
    /// A part of a name: only what has it runs.
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

impl RunnerFlags {
    /// Whether what goes by this name, `crash::sqlite`, is to run.
    pub fn run(&self, name: &str) -> bool {
        let fits = |filter: &String| if self.exact { name == *filter } else { name.contains(filter.as_str()) };
        !self.ignored && (self.filters.is_empty() || self.filters.iter().any(fits)) && !self.skip.iter().any(fits)
    }
}
