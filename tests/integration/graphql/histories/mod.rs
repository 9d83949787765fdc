//! The histories of other lending systems' own tests (`lending/tests/histories`), replayed through the public API: the
//! terms as a product or as the overrides of an application, each step as its mutation, each expectation as a `loan` as
//! of its day, compared on every published figure. Every step that is refused and every figure that differs is reported;
//! there is no list of exceptions, and nothing is left out.
//!
//! They are replayed twice. `Afterwards`: years later, every date in the past, as whoever brings loans along from another
//! system does it; on both engines. `AsItHappened`: the clock goes along with the history; on SQLite alone, since what
//! differs is the clock and not the engine. All histories are replayed each time.

mod ask;
mod compare;
mod conditions;
mod replay;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::task::JoinSet;

use self::replay::{Pace, replay};
use crate::support::api::TestApi;
use crate::support::engines::{Engine, Schema};

/// How many servers the histories are shared out among.
const SERVERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_history_comes_out_years_later_on_sqlite() {
    every_history_comes_out(Pace::Afterwards, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_history_comes_out_as_it_happens_on_sqlite() {
    every_history_comes_out(Pace::AsItHappened, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_history_comes_out_years_later_on_postgres() {
    every_history_comes_out(Pace::Afterwards, true).await;
}

/// A history with its name.
struct History {
    name: String,
    text: Json,
}

async fn every_history_comes_out(pace: Pace, postgres: bool) {
    let histories = Arc::new(histories());
    let mut servers = JoinSet::new();
    for place in 0..SERVERS {
        let engine = if postgres {
            // Where there is no PostgreSQL, that was said and counted.
            let Some(engine) = Engine::postgres(Schema::Migrated).await else { return };
            engine
        } else {
            Engine::sqlite(Schema::Migrated).await
        };
        servers.spawn(share(Arc::clone(&histories), place, pace, engine));
    }
    let mut told: Vec<(String, Vec<String>)> = servers.join_all().await.into_iter().flatten().collect();
    assert_eq!(told.len(), histories.len(), "every history was replayed");
    told.retain(|(_, differences)| !differences.is_empty());
    told.sort();
    let report: String = told.iter().map(|(name, found)| format!("\n{name}\n  {}\n", found.join("\n  "))).collect();
    assert!(told.is_empty(), "{} of {} histories differ:{report}", told.len(), histories.len());
}

/// Replays one server's share of the histories; gives the differences of each.
async fn share(histories: Arc<Vec<History>>, place: usize, pace: Pace, engine: Engine) -> Vec<(String, Vec<String>)> {
    let api = TestApi::start_with(&[("DATABASE_URL", &engine.url)]).await;
    let mut told = Vec::new();
    for (number, history) in histories.iter().enumerate().skip(place).step_by(SERVERS) {
        let differences = replay(&api, pace, number, &history.text).await;
        told.push((format!("{} ({})", history.name, history.text["source"]), differences));
    }
    told
}

/// All of them, or those whose name contains what `HISTORY` says.
fn histories() -> Vec<History> {
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/lending/tests/histories")), &mut files);
    files.sort();
    let wanted = std::env::var("HISTORY").unwrap_or_default();
    let named = files.into_iter().map(|file| (file.file_stem().unwrap().to_string_lossy().into_owned(), file));
    let histories: Vec<History> = named
        .filter(|(name, _)| name.contains(&wanted))
        .map(|(name, file)| {
            let text = std::fs::read_to_string(file).unwrap();
            let text = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            History { name, text }
        })
        .collect();
    assert!(!histories.is_empty(), "there are no histories");
    histories
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}
