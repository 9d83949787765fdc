//! The admin port: `/metrics` and the probes, for those who run the server. It asks nobody who they are and is plain HTTP;
//! it tells nothing about a person, and still has no business on a network that others reach.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;

use super::health;
use super::state::HttpState;
use crate::telemetry::metrics::CONTENT_TYPE;

/// The routes of the admin port. `metrics` writes down everything that is counted, as it stands.
pub fn router(state: Arc<HttpState>, metrics: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    let metrics = move || async move { ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics()) };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health::health))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(state)
}
