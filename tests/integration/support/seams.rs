//! What tests put in place of the outside world: a clock they set, ids they know beforehand, an ear for SQL statements.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use branch_loan_api::clock::Clock;
use branch_loan_api::ids::IdSource;
use branch_loan_api::store::database::StatementObserver;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    /// A clock that shows this moment.
    pub fn at(moment: &str) -> Self {
        Self(Mutex::new(moment.parse().unwrap()))
    }

    /// Moves the clock to a moment.
    pub fn set(&self, moment: &str) {
        *self.0.lock().unwrap() = moment.parse().unwrap();
    }

    /// Moves the clock on.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap().trunc_subsecs(3)
    }
}

/// UUIDs in the form of version 7 that count instead of being random: the first id of a test is always the same.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl IdSource for CountingIds {
    fn next(&self, now: DateTime<Utc>) -> Uuid {
        let milliseconds = u128::try_from(now.timestamp_millis()).unwrap();
        let count = u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        Uuid::from_u128(milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | count)
    }
}

/// The SQL statements sent since the last look, without their values.
#[derive(Clone, Debug, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// What to connect a database with, so that its statements are heard here.
    pub fn observer(&self) -> StatementObserver {
        let seen = Arc::clone(&self.0);
        Arc::new(move |info| seen.lock().unwrap().push(info.statement.sql.clone()))
    }

    /// Takes what was heard.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Forgets what was heard.
    pub fn reset(&self) {
        self.take();
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Their texts, for the message of a failed assertion.
    pub fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Lets a future be polled so many times, and drops it then.
pub async fn cut_off<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}
