//! What keeps reports on the portfolio quick in a running server: what writes added to its sums is put together every
//! moment, and loans whose balances change by the day are refreshed when a branch's day begins. Reports are exact
//! whatever becomes of it; several servers do not get in each other's way.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::service::Services;
use crate::service::portfolio::Pace;

/// Stale loans are looked for every sixth time; when there are none, that is a look into an index for each
/// business date.
const TIMES_TO_A_REFRESH: u32 = 6;

/// Does both, for the first time after one interval: what a server that starts has to do first is to answer. Ends when it
/// is told to; a transaction that has begun is finished.
pub(super) async fn run(services: Arc<Services>, interval: Duration, stop: CancellationToken) {
    tokio::join!(roll_up(&services, interval, &stop), refresh(&services, interval, &stop));
}

async fn roll_up(services: &Services, interval: Duration, stop: &CancellationToken) {
    let mut failing = false;
    let mut ticks = ticks(interval, interval);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        note(&mut failing, "changes of the portfolio cannot be put together", services.roll_up_portfolio().await);
    }
}

async fn refresh(services: &Services, interval: Duration, stop: &CancellationToken) {
    let mut failing = false;
    let mut ticks = ticks(interval, interval.saturating_mul(TIMES_TO_A_REFRESH));
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        note(&mut failing, "loans cannot be refreshed", services.refresh_portfolio(Pace::Yielding, stop).await);
    }
}

fn ticks(first: Duration, period: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Once is enough to know while the database is away.
fn note<E: Debug>(failing: &mut bool, what: &'static str, outcome: Result<u64, E>) {
    match outcome {
        Ok(0) => *failing = false,
        Ok(count) => {
            *failing = false;
            tracing::debug!(count, "the portfolio was tidied");
        }
        Err(cause) if !*failing => {
            *failing = true;
            tracing::error!(?cause, "{what}; trying again");
        }
        Err(cause) => tracing::debug!(?cause, "{what} yet"),
    }
}
