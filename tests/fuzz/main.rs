//! The fuzz targets on a stable compiler, in every run of the tests: each gets its seeds, then what chance makes of them.
//! It is blind where libFuzzer sees which branches an input took; `fuzz/` runs the same targets under that.
//!
//! `cargo test --workspace --test fuzz -- --seconds 60 --target documents`

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod mutate;
#[path = "../integration/support/runner.rs"]
mod runner;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use arguments::Arguments;
use branch_loan_api::fuzzing::{TARGETS, Target};
use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Inputs between two looks at the clock.
const AT_ONCE: u64 = 50;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted: Vec<_> = TARGETS.into_iter().filter(|(name, _)| arguments.wants(name)).collect();
    if arguments.runner.list {
        wanted.iter().for_each(|(name, _)| println!("fuzz::{name}: test"));
        return ExitCode::SUCCESS;
    }
    every_target_has_seeds_and_a_program();
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let failed = wanted.iter().filter(|(name, target)| !Fuzz::new(name, *target).run(&arguments, seed)).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// `fuzz/`, the workflow and this list of targets are kept by hand; none may forget one.
fn every_target_has_seeds_and_a_program() {
    let listed = |folder: &str| {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed("corpus"), names, "fuzz/corpus has a folder for each target");
    assert_eq!(listed("fuzz_targets"), names, "fuzz/fuzz_targets has a program for each target");
    let workflow = fs::read_to_string(root().join("../.github/workflows/fuzz.yml")).unwrap();
    assert!(
        workflow.contains(&format!("target: [{}]", names.join(", "))),
        ".github/workflows/fuzz.yml runs each target"
    );
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "fuzz/Cargo.toml has the program {name}");
    }
}

/// One target, and the file that holds the input it is at, so that one which ends the process is found there.
struct Fuzz {
    name: &'static str,
    target: Target,
    current: PathBuf,
}

impl Fuzz {
    fn new(name: &'static str, target: Target) -> Self {
        let current = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}-{}", std::process::id()));
        Self { name, target, current }
    }

    /// Whether the target held.
    fn run(&self, arguments: &Arguments, seed: u64) -> bool {
        if let Some(input) = &arguments.input {
            return self.holds(&fs::read(input).unwrap());
        }
        let seeds = self.seeds();
        let mut random = StdRng::seed_from_u64(seed);
        let end = arguments.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut inputs = 0;
        let mut held = seeds.iter().all(|input| self.holds(input));
        while held && end.map_or(inputs < arguments.runs, |end| Instant::now() < end) {
            held = (0..AT_ONCE).all(|_| self.holds(&mutate::mutant(&seeds, &mut random)));
            inputs += AT_ONCE;
        }
        if held {
            println!("fuzz::{}: {} seeds, {inputs} more inputs", self.name, seeds.len());
        } else {
            let (name, path) = (self.name, self.current.display());
            eprintln!("fuzz::{name} failed (seed {seed}); the input is kept:");
            eprintln!("cargo test --workspace --test fuzz -- --target {name} --input {path}");
        }
        held
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(root().join("corpus").join(self.name)).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{} has no seeds", self.name);
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    fn holds(&self, input: &[u8]) -> bool {
        fs::write(&self.current, input).unwrap();
        let held = catch_unwind(AssertUnwindSafe(|| (self.target)(input))).is_ok();
        if held {
            fs::remove_file(&self.current).unwrap();
        }
        held
    }
}
