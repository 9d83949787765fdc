//! What a server does again and again beside requests, until it is told to stop. It decides nothing about the work; a
//! failure is told once, and not each time while the database is away.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// When, and how it is told.
pub(super) struct Rounds {
    /// Time until the first: what a server that starts has to do first is to answer.
    pub first: Duration,
    /// Time between two.
    pub period: Duration,
    /// What has happened when something was done.
    pub done: &'static str,
    /// What has happened when it failed.
    pub failed: &'static str,
}

impl Rounds {
    /// Works, round after round, until `stop`; a round that has begun is finished. The work tells how much it did.
    pub(super) async fn run<F, E>(self, stop: &CancellationToken, work: impl Fn() -> F)
    where
        F: Future<Output = Result<u64, E>>,
        E: Debug,
    {
        let mut ticks = interval_at(Instant::now() + self.first, self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match work().await {
                Ok(0) => failing = false,
                Ok(count) => {
                    failing = false;
                    tracing::debug!(count, "{}", self.done);
                }
                Err(cause) if !failing => {
                    failing = true;
                    tracing::error!(?cause, "{}; trying again", self.failed);
                }
                Err(cause) => tracing::debug!(?cause, "{} yet", self.failed),
            }
        }
    }
}
