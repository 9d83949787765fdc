//! The sealer of the audit trail in a running server: every so often it links what is new into the chains. A replica that
//! finds another at it leaves it to that one. Whatever stops it, what waits is sealed by whoever comes next.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::service::Services;

/// How long a shutdown waits for the last events: a supervisor does not wait for ever, and the next start seals them too.
const LAST: Duration = Duration::from_secs(5);

/// Seals until it is told to stop; a batch that has begun is finished.
pub(super) async fn run(services: Arc<Services>, every: Duration, stop: CancellationToken) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once.
    ticks.tick().await;
    let mut failing = false;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match services.seal_audit_trail().await {
            Ok(0) => failing = false,
            Ok(sealed) => {
                failing = false;
                tracing::debug!(sealed, "audit events sealed");
            }
            // Once is enough to know while the database is away.
            Err(cause) if !failing => {
                failing = true;
                tracing::error!(?cause, "audit events cannot be sealed; trying again");
            }
            Err(cause) => tracing::debug!(?cause, "audit events cannot be sealed yet"),
        }
    }
}

/// Seals what the server leaves behind.
pub(super) async fn finish(services: &Services) {
    match timeout(LAST, services.seal_audit_trail_now()).await {
        Ok(Ok(sealed)) => tracing::info!(sealed, "audit trail sealed"),
        Ok(Err(cause)) => tracing::error!(?cause, "audit events are left unsealed; the next start seals them"),
        Err(_) => tracing::error!("audit events are left unsealed: sealing took too long; the next start seals them"),
    }
}
