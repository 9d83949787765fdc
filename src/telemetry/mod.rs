//! What the server tells of itself: the log, metrics and traces. Each says where it comes from and how long it took, and
//! none of them anything about a person, nor a word that a client chose. Whoever uses it knows neither Prometheus nor
//! OpenTelemetry.

pub mod log;
pub mod metrics;
mod otlp;
pub mod traces;

use std::sync::Arc;

pub use log::{TelemetryError, init, init_for_server};
use metrics::Metrics;
use traces::Traces;

/// Metrics and traces of one server, cheap to clone.
#[derive(Clone, Default)]
pub struct Telemetry {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is traced, if anything.
    pub traces: Traces,
}
