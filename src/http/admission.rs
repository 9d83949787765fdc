//! Who may execute, who waits and who is turned away: a bounded number of places for reads and one for writes, each with a
//! bounded queue in front. It is asked once a document has been admitted, since only then is known which of the two it
//! is; what comes before is cheap and bounded by the connections. Probes never come here.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::{Instant, timeout_at};

use super::door::OperationKind;
use super::errors::HttpError;
use super::settings::{AdmissionSettings, BudgetSettings};

/// A place among the operations in flight, held until the operation is over.
pub type Place = OwnedSemaphorePermit;

/// How many of a budget's places somebody has, and how many are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Operations that execute.
    pub used: usize,
    /// Places that nobody has.
    pub free: usize,
}

/// The places of the whole server.
pub struct Admission {
    reads: Budget,
    writes: Budget,
}

impl Admission {
    /// All places free.
    pub fn new(settings: &AdmissionSettings) -> Self {
        Self {
            reads: Budget::new(&settings.reads, settings.wait),
            writes: Budget::new(&settings.writes, settings.wait),
        }
    }

    /// A place for an operation of this kind: at once, or after a wait that ends at `deadline` at the latest.
    ///
    /// # Errors
    /// `OVERLOADED` (503) when no place is free in time, or too many wait already.
    pub async fn place(&self, kind: OperationKind, deadline: Instant) -> Result<Place, HttpError> {
        match kind {
            OperationKind::Query | OperationKind::Subscription => self.reads.place(deadline).await,
            OperationKind::Mutation => self.writes.place(deadline).await,
        }
    }

    /// The places for queries, as they stand.
    pub fn reads(&self) -> Standing {
        self.reads.stands()
    }

    /// The places for mutations, as they stand.
    pub fn writes(&self) -> Standing {
        self.writes.stands()
    }

    /// Whether nothing executes and nothing waits.
    #[cfg(test)]
    pub(super) fn is_idle(&self, settings: &AdmissionSettings) -> bool {
        self.reads.is_idle(&settings.reads) && self.writes.is_idle(&settings.writes)
    }
}

/// Places for one kind of operation, and for those that wait for them.
struct Budget {
    places: Arc<Semaphore>,
    all: usize,
    queue: Semaphore,
    wait: Duration,
}

impl Budget {
    fn new(settings: &BudgetSettings, wait: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(settings.in_flight)),
            all: settings.in_flight,
            queue: Semaphore::new(settings.queued),
            wait,
        }
    }

    /// Waiters are served in their order; nobody overtakes them.
    async fn place(&self, deadline: Instant) -> Result<Place, HttpError> {
        match self.places.clone().try_acquire_owned() {
            Ok(place) => return Ok(place),
            Err(TryAcquireError::Closed) => return Err(overloaded()),
            Err(TryAcquireError::NoPermits) => {}
        }
        let Ok(_waiting) = self.queue.try_acquire() else { return Err(overloaded()) };
        let patience = deadline.min(Instant::now() + self.wait);
        match timeout_at(patience, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(overloaded()),
        }
    }

    fn stands(&self) -> Standing {
        let free = self.places.available_permits();
        Standing { used: self.all.saturating_sub(free), free }
    }

    #[cfg(test)]
    fn is_idle(&self, settings: &BudgetSettings) -> bool {
        self.places.available_permits() == settings.in_flight && self.queue.available_permits() == settings.queued
    }
}

/// The refusal of everything that there is no room for.
pub fn overloaded() -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", "The server is busy. Try again in a second.")
        .retry_after(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::header;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn settings(in_flight: usize, queued: usize, wait: Duration) -> AdmissionSettings {
        let budget = BudgetSettings { in_flight, queued };
        AdmissionSettings { reads: budget.clone(), writes: budget, wait }
    }

    async fn ask(admission: &Admission, kind: OperationKind) -> Result<Place, HttpError> {
        admission.place(kind, Instant::now() + HOUR).await
    }

    #[tokio::test]
    async fn over_the_bound_is_a_503_that_says_when_to_come_back() {
        let admission = Admission::new(&settings(1, 0, HOUR));
        let _place = ask(&admission, OperationKind::Query).await.unwrap();
        let refused = ask(&admission, OperationKind::Query).await.unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code, refused.retryable), (503, "OVERLOADED", true));
        assert_eq!(refused.headers, [(header::RETRY_AFTER, 1.into())]);
    }

    #[tokio::test]
    async fn reads_and_writes_have_places_of_their_own() {
        let admission = Admission::new(&settings(1, 0, HOUR));
        let _read = ask(&admission, OperationKind::Query).await.unwrap();
        let write = ask(&admission, OperationKind::Mutation).await.unwrap();
        ask(&admission, OperationKind::Query).await.unwrap_err();
        ask(&admission, OperationKind::Mutation).await.unwrap_err();
        assert_eq!(admission.writes(), Standing { used: 1, free: 0 });
        drop(write);
        assert_eq!(admission.reads(), Standing { used: 1, free: 0 });
        assert_eq!(admission.writes(), Standing { used: 0, free: 1 });
        let _write = ask(&admission, OperationKind::Mutation).await.unwrap();
        ask(&admission, OperationKind::Query).await.unwrap_err();
    }

    #[tokio::test]
    async fn the_queue_is_served_in_order_and_is_bounded() {
        let settings = settings(1, 2, HOUR);
        let admission = Arc::new(Admission::new(&settings));
        let mut place = ask(&admission, OperationKind::Query).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let admission = Arc::clone(&admission);
            waiting.push(tokio::spawn(async move { ask(&admission, OperationKind::Query).await }));
            // On one thread the other task is in the queue when this one goes on.
            tokio::task::yield_now().await;
        }
        ask(&admission, OperationKind::Query).await.unwrap_err();
        for next in waiting {
            assert!(!next.is_finished());
            drop(place);
            place = next.await.unwrap().unwrap();
        }
        drop(place);
        assert!(admission.is_idle(&settings));
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_allowed() {
        let settings = settings(1, 1, Duration::from_millis(10));
        let admission = Admission::new(&settings);
        let place = ask(&admission, OperationKind::Mutation).await.unwrap();
        assert_eq!(ask(&admission, OperationKind::Mutation).await.unwrap_err().code, "OVERLOADED");
        drop(place);
        assert!(admission.is_idle(&settings));
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_their_deadline() {
        let admission = Admission::new(&settings(1, 1, HOUR));
        let _place = ask(&admission, OperationKind::Query).await.unwrap();
        let soon = Instant::now() + Duration::from_millis(10);
        assert_eq!(admission.place(OperationKind::Query, soon).await.unwrap_err().code, "OVERLOADED");
    }

    #[tokio::test]
    async fn who_leaves_the_queue_leaves_room() {
        let settings = settings(1, 1, HOUR);
        let admission = Admission::new(&settings);
        let place = ask(&admission, OperationKind::Query).await.unwrap();
        let left = tokio::time::timeout(Duration::from_millis(10), ask(&admission, OperationKind::Query)).await;
        assert!(left.is_err(), "it waited, and left");
        drop(place);
        assert!(admission.is_idle(&settings));
    }
}
