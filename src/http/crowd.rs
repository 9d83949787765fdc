//! Connections that are to end with their answer: those above the cap, on which only probes are served, and all of them
//! once the server drains. It decides about connections; what a request may do is decided further in.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode, Version};
use axum::middleware::Next;
use axum::response::Response;

use super::admission::overloaded;
use super::negotiation::{self, MediaType};
use super::state::HttpState;
use super::{body, health, observe};
use crate::graphql::request::RequestId;
use crate::telemetry::metrics::requests::Budget;

/// Time for the rest of a body that is not wanted: what a client in full health sends in one go.
const PATIENCE: Duration = Duration::from_millis(500);

/// Put by the accept loop into requests on connections above the cap.
#[derive(Debug, Clone, Copy)]
pub struct Crowded;

/// Refuses what comes on a connection above the cap, probes apart, and tells clients to open a new connection next time
/// where this one will not be there any more: who is told in time never sends into a connection that closes.
pub async fn turn_away(State(state): State<Arc<HttpState>>, request: Request, next: Next) -> Response {
    let crowded = request.extensions().get::<Crowded>().is_some();
    let keeps = request.version() >= Version::HTTP_2;
    let mut response = match crowded && !health::is_probe(request.uri().path()) {
        true => {
            state.telemetry.metrics.requests.shed(Budget::Connections);
            refuse(request).await
        }
        false => next.run(request).await,
    };
    let ends = crowded || state.shutdown.is_cancelled();
    if ends && !keeps && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn refuse(request: Request) -> Response {
    let (parts, unwanted) = request.into_parts();
    body::discard(&parts, unwanted, PATIENCE).await;
    let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_else(observe::fresh_id);
    overloaded().respond(&request_id, negotiation::negotiate(&parts.headers).unwrap_or(MediaType::Json))
}
