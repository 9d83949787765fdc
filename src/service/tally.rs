//! What the use cases count since the start, for whoever watches the server. Nothing is decided by it, and nothing in it
//! is about a person.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::problem::Problem;

/// A run of the end of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndOfDayRun {
    /// Loans whose day was closed.
    pub loans: u64,
    /// How long it took.
    pub took: Duration,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Tally {
    replays: AtomicU64,
    problems: Mutex<BTreeMap<String, u64>>,
    last_run: Mutex<Option<EndOfDayRun>>,
}

impl Tally {
    /// Requests that were answered from what an earlier one under the same key had done.
    #[must_use]
    pub fn replays(&self) -> u64 {
        self.replays.load(Ordering::Relaxed)
    }

    /// Takes what inputs were refused for since this was last asked, by the problems' codes.
    #[must_use]
    pub fn take_problems(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last run of the end of day here, if there was one.
    #[must_use]
    pub fn last_run(&self) -> Option<EndOfDayRun> {
        *self.last_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn replayed(&self) {
        self.replays.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self, problems: &[Problem]) {
        let mut counted = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in problems {
            let count = counted.entry(problem.code.name()).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn closed_days(&self, run: EndOfDayRun) {
        *self.last_run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
    }
}
