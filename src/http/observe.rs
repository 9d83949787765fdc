//! Around every request: its id, its line in the log, its span, and the net that catches a panic. What goes into the line is
//! decided here, and it is never query text, variables or anything about a person but their opaque subject.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::door::OperationKind;
use super::errors::{HttpError, RefusedWith};
use super::health;
use super::negotiation::MediaType;
use super::state::HttpState;
use crate::graphql::request::RequestId;
use crate::telemetry::log;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::requests::Active;
use crate::telemetry::traces::Trace;

/// The header a request id comes and goes in.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header that tells a caller which trace its request belongs to.
const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// What the inner layers learn about a request and the log line tells.
#[derive(Debug, Clone, Default)]
pub struct Facts(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    subject: Option<String>,
    operation: Option<(OperationKind, Option<String>)>,
}

impl Facts {
    /// Who is calling.
    pub fn subject(&self, subject: &str) {
        self.lock().subject = Some(subject.to_owned());
    }

    /// What is asked for. The name comes from a parsed document, so it is letters, digits and underscores.
    pub fn operation(&self, kind: OperationKind, name: Option<&str>) {
        self.lock().operation = Some((kind, name.map(str::to_owned)));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Written when it is dropped, so that a request whose client has left is logged too.
struct Line {
    request_id: RequestId,
    method: Method,
    path: String,
    started: Instant,
    route: Option<MatchedPath>,
    facts: Facts,
    metrics: Arc<Metrics>,
    trace: Option<Trace>,
    ids: Option<(String, String)>,
    status: Option<StatusCode>,
    _active: Active,
}

impl Drop for Line {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // 499 is what nginx writes for a client that closed the connection before the answer.
        let left = StatusCode::from_u16(499).unwrap_or(StatusCode::REQUEST_TIMEOUT);
        let answered = self.status.unwrap_or(left);
        let status = answered.as_u16();
        let route = self.route.as_ref().map(MatchedPath::as_str);
        self.metrics.requests.ended(self.method.as_str(), route, answered.as_str(), took);
        if let Some(trace) = &self.trace {
            trace.end_request(status);
        }
        let (trace_id, span_id) = self.ids.as_ref().map(|(trace, span)| (trace.as_str(), span.as_str())).unzip();
        let known = self.facts.lock();
        let (kind, name) = match &known.operation {
            Some((kind, name)) => (Some(kind.as_str()), name.as_deref()),
            None => (None, None),
        };
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(
                    target: "branch_loan_api::request",
                    $level,
                    method = self.method.as_str(),
                    path = self.path,
                    status,
                    duration_us,
                    operation_type = kind,
                    operation_name = name,
                    subject = known.subject.as_deref(),
                    request_id = self.request_id.0,
                    trace_id,
                    span_id,
                    "request"
                )
            };
        }
        // Probes come every few seconds and say nothing while they succeed.
        if status < 400 && health::is_probe(&self.path) {
            line!(tracing::Level::DEBUG);
        } else {
            line!(tracing::Level::INFO);
        }
    }
}

/// The outermost layer.
pub async fn observe(State(state): State<Arc<HttpState>>, mut request: Request, next: Next) -> Response {
    let request_id = incoming_id(request.headers()).unwrap_or_else(fresh_id);
    let facts = Facts::default();
    let telemetry = &state.telemetry;
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().as_str();
    let trace = match health::is_probe(request.uri().path()) {
        true => None,
        false => telemetry.traces.request(request.headers(), method, route.as_ref().map(MatchedPath::as_str)),
    };
    let mut line = Line {
        request_id: request_id.clone(),
        method: request.method().clone(),
        // Without the query string, which may hold a query text and its variables.
        path: request.uri().path().chars().take(256).collect(),
        started: Instant::now(),
        route,
        facts: facts.clone(),
        metrics: Arc::clone(&telemetry.metrics),
        trace: trace.clone(),
        ids: trace.as_ref().map(Trace::ids),
        status: None,
        _active: telemetry.metrics.requests.begun(method),
    };
    request.extensions_mut().insert(request_id.clone());
    request.extensions_mut().insert(facts);
    let running = AssertUnwindSafe(next.run(request)).catch_unwind();
    let running = log::Request { id: request_id.0.clone(), trace: line.ids.clone() }.run(running);
    let answer = match &trace {
        Some(trace) => trace.run(running).await,
        None => running.await,
    };
    let mut response = answer.unwrap_or_else(|panic| {
        tracing::error!(request_id = request_id.0, cause = panic_text(&*panic), "a request panicked");
        HttpError::internal().respond(&request_id, MediaType::Json)
    });
    if let Some(RefusedWith(code)) = response.extensions().get() {
        telemetry.metrics.requests.refused(code);
    }
    if let Ok(value) = HeaderValue::from_str(&request_id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(Ok(value)) = trace.map(|trace| HeaderValue::try_from(trace.response_header())) {
        response.headers_mut().insert(TRACE_RESPONSE, value);
    }
    line.status = Some(response.status());
    response
}

/// An id that sorts by time.
pub fn fresh_id() -> RequestId {
    RequestId(Uuid::now_v7().to_string())
}

/// The caller's own id, when it is sane: it goes into logs and headers as it is.
fn incoming_id(headers: &HeaderMap) -> Option<RequestId> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    ((1..=64).contains(&id.len()) && id.bytes().all(sane)).then(|| RequestId(id.to_owned()))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "not a text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_are_kept() {
        let kept = |id: &str| {
            let value = HeaderValue::from_bytes(id.as_bytes()).unwrap_or(HeaderValue::from_static(""));
            incoming_id(&HeaderMap::from_iter([(REQUEST_ID, value)])).is_some()
        };
        assert!(kept("a"));
        assert!(kept("0190163d-8694-739b-aea5-966c26f8ad91.A_b"));
        assert!(kept(&"x".repeat(64)));
        for id in ["", " ", "a b", "a\"b", "é", "a/b", "{}"] {
            assert!(!kept(id), "{id}");
        }
        assert!(!kept(&"x".repeat(65)));
        assert!(incoming_id(&HeaderMap::new()).is_none());
    }
}
