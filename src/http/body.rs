//! Reads a request's body, within the bytes and the time allowed. What it says is `request`'s business.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{StatusCode, Version, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use super::admission::overloaded;
use super::errors::HttpError;
use super::state::HttpState;
use crate::telemetry::metrics::requests::Budget;

/// Bytes of a body that is too long which are read and thrown away before the answer. A photograph sent by mistake fits;
/// whoever sends more means no good.
const MOST_DISCARDED: usize = 16 * 1024 * 1024;

/// The whole body.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`, `BAD_REQUEST` when it breaks off, `OVERLOADED` when too many are read already.
pub async fn read(state: &HttpState, parts: &Parts, mut body: Body) -> Result<Bytes, HttpError> {
    let limit = state.settings.max_body_bytes;
    let patience = state.settings.body_read;
    let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        discard(parts, body, patience).await;
        return Err(too_large(limit));
    }
    let Ok(_reading) = state.bodies.try_acquire() else {
        state.telemetry.metrics.requests.shed(Budget::Bodies);
        return Err(overloaded());
    };
    let read = timeout(patience, Limited::new(&mut body, limit).collect()).await.map_err(|_| too_slow())?;
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(failure) if failure.is::<LengthLimitError>() => {
            discard(parts, body, patience).await;
            Err(too_large(limit))
        }
        Err(_) => Err(HttpError::bad_request("The request body broke off; send it again.")),
    }
}

/// Reads on without keeping anything, so that a client in the middle of sending a body that is not wanted finds the answer
/// at its end: cut off, most clients report a broken connection and never look for one. Over HTTP/2 the answer has a way
/// of its own, and who sends `Expect` waits for it before sending.
pub async fn discard(parts: &Parts, mut body: Body, patience: Duration) {
    if parts.version >= Version::HTTP_2 || parts.headers.contains_key(header::EXPECT) {
        return;
    }
    let mut left = MOST_DISCARDED;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else { return };
            left = rest;
        }
    };
    if timeout(patience, reading).await.is_err() {
        tracing::debug!("a body that is not wanted did not end in time");
    }
}

fn too_slow() -> HttpError {
    HttpError::new(
        StatusCode::REQUEST_TIMEOUT,
        "REQUEST_TIMEOUT",
        "The request body did not arrive in time; send it again.",
    )
    .retryable()
}

fn too_large(limit: usize) -> HttpError {
    HttpError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "PAYLOAD_TOO_LARGE",
        format!("The request body is longer than {limit} bytes; send less at a time."),
    )
}
