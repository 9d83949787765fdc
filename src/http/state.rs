//! What every handler shares. It is built once, by whoever starts the server, and holds no request's data.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::Admission;
use super::door::{Authenticate, GraphqlDoor};
use super::health::Readiness;
use super::rate::RateLimit;
use super::settings::HttpSettings;
use crate::clock::Clock;
use crate::telemetry::Telemetry;

/// The router's state.
pub struct HttpState {
    /// Numbers and switches.
    pub settings: HttpSettings,
    /// Who is calling.
    pub authenticator: Arc<dyn Authenticate>,
    /// Where operations are admitted and run.
    pub door: Arc<dyn GraphqlDoor>,
    /// What must work before requests are welcome.
    pub readiness: Readiness,
    /// The time of day, for tokens.
    pub clock: Arc<dyn Clock>,
    /// One bucket per principal.
    pub rate: RateLimit,
    /// One bucket per client address.
    pub address_rate: RateLimit,
    /// Places for operations in flight.
    pub admission: Admission,
    /// Places for bodies that are being read.
    pub bodies: Semaphore,
    /// Places for sockets.
    pub sockets: Arc<Semaphore>,
    /// Mutations under way and open sockets. The shutdown waits for them, also when their clients have left.
    pub background: TaskTracker,
    /// What is counted and traced.
    pub telemetry: Telemetry,
    /// Cancelled when the server stops: unready from then on, and sockets say goodbye.
    pub shutdown: CancellationToken,
}

impl HttpState {
    /// The state of a server that has just started.
    pub fn new(
        settings: HttpSettings,
        authenticator: Arc<dyn Authenticate>,
        door: Arc<dyn GraphqlDoor>,
        readiness: Readiness,
        clock: Arc<dyn Clock>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            rate: RateLimit::new(&settings.rate),
            address_rate: RateLimit::new(&settings.address_rate),
            admission: Admission::new(&settings.admission),
            bodies: Semaphore::new(settings.max_bodies),
            sockets: Arc::new(Semaphore::new(settings.socket.max_sockets)),
            background: TaskTracker::new(),
            telemetry: Telemetry::default(),
            settings,
            authenticator,
            door,
            readiness,
            clock,
            shutdown,
        }
    }

    /// The same, counted and traced elsewhere than by itself.
    #[must_use]
    pub fn with_telemetry(self, telemetry: Telemetry) -> Self {
        Self { telemetry, ..self }
    }
}
