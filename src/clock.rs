//! The one place where the time of day is read. Everything else is handed the time, so that tests decide what day it is.

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time. Implementations are shared between tasks.
pub trait Clock: Send + Sync + 'static {
    /// The present moment, in UTC, whole milliseconds (the precision of the API and of the database).
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}

/// A clock that stands still, for tests.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.trunc_subsecs(3)
    }
}
