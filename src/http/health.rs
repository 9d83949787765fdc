//! What orchestrators ask. `/health` and `/livez` say that the process answers and touch nothing else; `/readyz` says
//! whether to send requests, by named checks, each within a bounded time. Why a check failed is only in the log.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::state::HttpState;

/// Something that must work before requests are welcome.
pub trait ReadinessCheck: Send + Sync {
    /// Its name in `/readyz`: lower case, one word.
    fn name(&self) -> &'static str;
    /// `Err` holds the cause, for the log.
    fn check(&self) -> BoxFuture<'_, Result<(), String>>;
}

/// The checks `/readyz` makes, besides that the server is not draining.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Vec<Arc<dyn ReadinessCheck>>,
}

impl Readiness {
    /// The checks, in the order they are listed.
    pub fn new(checks: Vec<Arc<dyn ReadinessCheck>>) -> Self {
        Self { checks }
    }

    /// Each check's name and whether it passed, all made at the same time.
    async fn results(&self, limit: Duration) -> Vec<(&'static str, bool)> {
        join_all(self.checks.iter().map(|check| async move {
            let outcome = timeout(limit, check.check()).await.unwrap_or_else(|_| Err("timed out".to_owned()));
            if let Err(cause) = &outcome {
                tracing::warn!(check = check.name(), cause, "readiness check failed");
            }
            (check.name(), outcome.is_ok())
        }))
        .await
    }
}

/// Whether orchestrators ask this path. Probes are served whatever else is going on.
pub fn is_probe(path: &str) -> bool {
    matches!(path, "/health" | "/livez" | "/readyz")
}

/// `GET /health`: `{"status":"ok"}`, always.
pub async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /livez`: the process answers. It never touches the database: restarting the server does not mend one.
pub async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: 200, or 503 with the names of the failing checks. With `?verbose` all checks are listed.
pub async fn ready(State(state): State<Arc<HttpState>>, RawQuery(query): RawQuery) -> Response {
    let mut results = state.readiness.results(state.settings.readiness_check).await;
    // Asked last, so that a drain that began during the checks counts.
    results.push(("serving", !state.shutdown.is_cancelled()));
    let failing: Vec<_> = results.iter().filter(|(_, passed)| !passed).map(|(name, _)| *name).collect();
    let (status, word) = match failing.is_empty() {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let mut body = json!({ "status": word });
    if !failing.is_empty() {
        body["failing"] = json!(failing);
    }
    if is_verbose(query.as_deref()) {
        let listed = results.iter().map(|(name, passed)| json!({ "name": name, "status": word_for(*passed) }));
        body["checks"] = listed.collect();
    }
    (status, Json(body)).into_response()
}

fn word_for(passed: bool) -> &'static str {
    if passed { "ok" } else { "failing" }
}

fn is_verbose(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair == "verbose" || pair.starts_with("verbose=")))
}
