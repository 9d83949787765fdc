//! How the HTTP layer refuses: one error type, one JSON body, the same as GraphQL's own errors. It decides no status
//! itself; whoever refuses names it.

use std::borrow::Cow;

use async_graphql::{ErrorExtensionValues, Pos, Response as Answer, ServerError};
use axum::body::Body;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::negotiation::MediaType;
use crate::graphql::request::RequestId;

/// What the world is told about a failure of ours. The cause is in the log, under the request id.
pub const INTERNAL_MESSAGE: &str = "Something went wrong on our side. Quote the requestId when you report it.";

/// A request refused before, or instead of, a GraphQL answer.
///
/// Its body is `{"errors":[{"message":…,"extensions":{"code":…,"requestId":…,"retryable":…}}]}`.
#[derive(Debug, Clone)]
pub struct HttpError {
    /// The status of the answer.
    pub status: StatusCode,
    /// UPPER_SNAKE, for programs.
    pub code: &'static str,
    /// One sentence for people, which says what to do. Never personal data.
    pub message: Cow<'static, str>,
    /// Whether the same request may succeed later, unchanged, without having done anything now.
    pub retryable: bool,
    /// Where in the query text; empty when it is not about the text.
    pub locations: Vec<Pos>,
    /// Headers that belong to the refusal (`Allow`, `Retry-After`, `WWW-Authenticate`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// The code of a refusal, among the extensions of its answer: the outermost layer counts it, whoever refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedWith(pub &'static str);

impl HttpError {
    /// A refusal that the same request will meet again.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), retryable: false, locations: Vec::new(), headers: Vec::new() }
    }

    /// The request was not understood: 400.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// A failure of ours: 500, a fixed message.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", INTERNAL_MESSAGE)
    }

    /// The same refusal, marked as worth repeating.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same refusal, worth repeating after so many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.retryable().header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The same refusal with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The refusal as a GraphQL answer, for transports that have no status.
    pub fn into_answer(self, request_id: &RequestId) -> Answer {
        let mut error = ServerError::new(self.message, None);
        error.locations = self.locations;
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code);
        extensions.set("requestId", request_id.0.as_str());
        extensions.set("retryable", self.retryable);
        error.extensions = Some(extensions);
        Answer::from_errors(vec![error])
    }

    /// The answer, in the media type the client asked for.
    pub fn respond(self, request_id: &RequestId, media: MediaType) -> Response {
        let mut error = json!({
            "message": self.message,
            "extensions": { "code": self.code, "requestId": request_id.0, "retryable": self.retryable },
        });
        if !self.locations.is_empty() {
            error["locations"] = json!(self.locations);
        }
        let mut response = Response::new(Body::from(json!({ "errors": [error] }).to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, media.header_value());
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(RefusedWith(self.code));
        response
    }
}
