//! The sealer of the audit trail in a running server: every so often it links what is new into the chains. A replica that
//! finds another at it leaves it to that one. Whatever stops it, what waits is sealed by whoever comes next.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::rounds::Rounds;
use crate::service::Services;

/// How long a shutdown waits for the last events: a supervisor does not wait for ever, and the next start seals them too.
const LAST: Duration = Duration::from_secs(5);

/// Seals until it is told to stop; a batch that has begun is finished.
pub(super) async fn run(services: Arc<Services>, every: Duration, stop: CancellationToken) {
    let (done, failed) = ("audit events sealed", "audit events cannot be sealed");
    let rounds = Rounds { first: every, period: every, done, failed };
    rounds.run(&stop, || services.seal_audit_trail()).await;
}

/// Seals what the server leaves behind.
pub(super) async fn finish(services: &Services) {
    match timeout(LAST, services.seal_audit_trail_now()).await {
        Ok(Ok(sealed)) => tracing::info!(sealed, "audit trail sealed"),
        Ok(Err(cause)) => tracing::error!(?cause, "audit events are left unsealed; the next start seals them"),
        Err(_) => tracing::error!("audit events are left unsealed: sealing took too long; the next start seals them"),
    }
}
