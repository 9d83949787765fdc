//! What keeps reports on the portfolio quick in a running server: what writes added to its sums is put together every
//! moment, and loans whose balances change by the day are refreshed when a branch's day begins. Reports are exact
//! whatever becomes of it; several servers do not get in each other's way.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::rounds::Rounds;
use crate::service::Services;
use crate::service::portfolio::Pace;

/// Stale loans are looked for at every sixth time; when there are none, that is a look into an index for each
/// business date.
const TIMES_TO_A_REFRESH: u32 = 6;

/// Does both until it is told to stop; a transaction that has begun is finished.
pub(super) async fn run(services: Arc<Services>, interval: Duration, stop: CancellationToken) {
    let roll_up = Rounds {
        first: interval,
        period: interval,
        done: "the portfolio was tidied",
        failed: "changes of the portfolio cannot be put together",
    };
    let refresh =
        Rounds { period: interval.saturating_mul(TIMES_TO_A_REFRESH), failed: "loans cannot be refreshed", ..roll_up };
    tokio::join!(
        roll_up.run(&stop, || services.roll_up_portfolio()),
        refresh.run(&stop, || services.refresh_portfolio(Pace::Yielding, &stop)),
    );
}
