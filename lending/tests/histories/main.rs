//! Histories of loans as another lender's engine works them out, replayed through the fold and compared to the cent.
//! The figures are facts carried over from the tests of Apache Fineract; every file says which. A file that differs
//! fails the test: there is no list of tolerated differences, so a history our rules do not know is not here at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

mod compare;
mod format;
mod replay;

use std::fs;
use std::path::{Path, PathBuf};

use format::History;

#[test]
fn every_history_comes_out_to_the_cent() {
    let files = files();
    assert!(!files.is_empty(), "no history was found below {}", folder().display());
    let reports: Vec<String> = files.iter().filter_map(|file| report(file)).collect();
    assert!(reports.is_empty(), "{} of {} histories differ:\n\n{}", reports.len(), files.len(), reports.join("\n\n"));
}

/// What differs in one file, under its name; `None` when nothing does.
fn report(file: &Path) -> Option<String> {
    let differences = match read(file) {
        Ok(history) => replay::differences(&history),
        Err(problem) => vec![problem],
    };
    let name = file.strip_prefix(folder()).unwrap_or(file).display().to_string();
    (!differences.is_empty()).then(|| format!("{name}\n    {}", differences.join("\n    ")))
}

fn read(file: &Path) -> Result<History, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("cannot be read: {error}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories")
}

/// Every history of every family, in the order of their names.
fn files() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = entries(&folder())
        .into_iter()
        .filter(|family| family.is_dir())
        .flat_map(|family| entries(&family))
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
