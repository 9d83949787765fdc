//! From what the engine answered to what is sent: errors masked, counted and labelled, the status chosen, the size held.
//! It does not change data.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use async_graphql::{ErrorExtensionValues, Response as Answer, ServerError, Value};
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::errors::{HttpError, INTERNAL_MESSAGE};
use super::negotiation::MediaType;
use super::settings::HttpSettings;
use crate::graphql::request::RequestId;
use crate::telemetry::metrics::requests::{Outcome, Requests};

/// Codes whose cause passes by itself.
const RETRYABLE: [&str; 5] = ["UNAVAILABLE", "TIMEOUT", "OVERLOADED", "RATE_LIMITED", "IDEMPOTENCY_IN_PROGRESS"];

/// Codes of failures that are not the caller's.
const OURS: [&str; 3] = ["INTERNAL", "TIMEOUT", "UNAVAILABLE"];

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The document was refused; nothing ran and there is no data.
    NotExecuted,
    /// Resolvers ran.
    Executed,
}

/// Resolvers' errors carry a path; the errors of a document do not, and come alone.
pub fn stage(answer: &Answer) -> Stage {
    let nothing = answer.data == Value::Null && !answer.errors.is_empty();
    let about_document = |error: &ServerError| error.path.is_empty() && error.source.is_none();
    if nothing && answer.errors.iter().all(about_document) { Stage::NotExecuted } else { Stage::Executed }
}

/// Makes an engine's answer fit to be seen: at most `max_errors` errors, each with a code, the request id and whether to
/// retry; what has no code of ours is INTERNAL, its cause in the log only.
#[must_use]
pub fn presentable(mut answer: Answer, request_id: &RequestId, max_errors: usize) -> Answer {
    let stage = stage(&answer);
    answer.errors.truncate(max_errors);
    for error in &mut answer.errors {
        label(error, stage, request_id);
    }
    answer
}

/// How an operation ended that ends with this answer.
pub fn outcome(answer: &Answer) -> Outcome {
    let stage = stage(answer);
    let is_ours = |error: &ServerError| OURS.contains(&&*code(error, stage));
    match answer.errors.as_slice() {
        [] => Outcome::Ok,
        errors if errors.iter().any(is_ours) => Outcome::Failed,
        _ => Outcome::Refused,
    }
}

/// Counts an answer's errors by their codes, as they will be seen.
pub fn count(answer: &Answer, max_errors: usize, requests: &Requests) {
    let stage = stage(answer);
    for error in answer.errors.iter().take(max_errors) {
        requests.refused(&code(error, stage));
    }
}

/// The code that an error will be seen with.
fn code(error: &ServerError, stage: Stage) -> Cow<'static, str> {
    // An error that names itself INTERNAL is masked like one that has no name.
    match (known_code(error).filter(|code| code != "INTERNAL"), stage) {
        (Some(code), _) => code.into(),
        (None, Stage::NotExecuted) => "GRAPHQL_VALIDATION_FAILED".into(),
        (None, Stage::Executed) if is_unreadable_argument(error) => "BAD_USER_INPUT".into(),
        (None, Stage::Executed) => "INTERNAL".into(),
    }
}

fn label(error: &mut ServerError, stage: Stage, request_id: &RequestId) {
    let code = code(error, stage);
    if code == "INTERNAL" {
        tracing::error!(request_id = request_id.0, cause = error.message, path = ?error.path, "internal error");
        error.message = INTERNAL_MESSAGE.to_owned();
        error.extensions = None;
    }
    error.source = None;
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    let retryable = match extensions.get("retryable") {
        Some(Value::Boolean(retryable)) => *retryable,
        _ => RETRYABLE.contains(&&*code),
    };
    extensions.set("code", code.into_owned());
    extensions.set("requestId", request_id.0.as_str());
    extensions.set("retryable", retryable);
}

/// The code that one of our layers gave the error.
fn known_code(error: &ServerError) -> Option<String> {
    let Some(Value::String(code)) = error.extensions.as_ref()?.get("code") else { return None };
    let upper_snake = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (!code.is_empty() && code.bytes().all(upper_snake)).then(|| code.clone())
}

/// The engine reads some arguments (scalars, enum values, input objects) only when it reaches their field, and reports
/// what it cannot read without a code or a source. Those texts speak of the caller's own input.
fn is_unreadable_argument(error: &ServerError) -> bool {
    let message = error.message.as_str();
    error.source.is_none()
        && (message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \""))
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// The HTTP answer for an engine's answer.
pub fn respond(
    answer: Answer,
    request_id: &RequestId,
    media: MediaType,
    settings: &HttpSettings,
) -> Result<Response, HttpError> {
    let stage = stage(&answer);
    let mut answer = presentable(answer, request_id, settings.max_errors);
    let headers = std::mem::take(&mut answer.http_headers);
    let status = status(&answer, stage, media);
    let data = match stage {
        Stage::NotExecuted => None,
        Stage::Executed => Some(&answer.data),
    };
    let payload = Payload { errors: &answer.errors, data, extensions: &answer.extensions };
    let mut body = Capped { bytes: Vec::with_capacity(1024), cap: settings.max_response_bytes };
    if payload.serialize(&mut Serializer::with_formatter(&mut body, WithReadyJson)).is_err() {
        return Err(HttpError::new(
            StatusCode::BAD_REQUEST,
            "RESPONSE_TOO_LARGE",
            format!(
                "The answer is longer than {} bytes; ask for fewer fields or smaller pages. A mutation has been carried out.",
                settings.max_response_bytes
            ),
        ));
    }
    let mut response = Response::new(Body::from(body.bytes));
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response.headers_mut().insert(header::CONTENT_TYPE, media.header_value());
    Ok(response)
}

fn status(answer: &Answer, stage: Stage, media: MediaType) -> StatusCode {
    let unavailable = |error: &ServerError| known_code(error).is_some_and(|code| code == "UNAVAILABLE");
    match (stage, media) {
        (Stage::Executed, _) => StatusCode::OK,
        (Stage::NotExecuted, _) if answer.errors.iter().any(unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        (Stage::NotExecuted, MediaType::Json) => StatusCode::OK,
        (Stage::NotExecuted, MediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
    }
}

/// Compact JSON in which a value of bytes is a part of the answer that is JSON already ([`ReadyJson`]).
///
/// [`ReadyJson`]: crate::graphql::request::ReadyJson
struct WithReadyJson;

impl Formatter for WithReadyJson {
    fn write_byte_array<W: io::Write + ?Sized>(&mut self, writer: &mut W, ready: &[u8]) -> io::Result<()> {
        writer.write_all(ready)
    }
}

/// Takes bytes up to a cap, so that an answer that is too long is not even built.
struct Capped {
    bytes: Vec<u8>,
    cap: usize,
}

impl io::Write for Capped {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.cap {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql::PathSegment;
    use serde_json::json;

    use super::*;

    fn id() -> RequestId {
        RequestId("r1".to_owned())
    }

    fn resolver_error(message: &str, code: Option<&str>) -> ServerError {
        let mut error = ServerError::new(message, None).with_path(vec![PathSegment::Field("loan".to_owned())]);
        error.extensions = code.map(|code| {
            let mut extensions = ErrorExtensionValues::default();
            extensions.set("code", code);
            extensions.set("detail", 7);
            extensions
        });
        error
    }

    fn masked(error: ServerError) -> serde_json::Value {
        let mut answer = Answer::from_errors(vec![error]);
        answer = presentable(answer, &id(), 20);
        serde_json::to_value(&answer.errors[0]).unwrap()
    }

    #[test]
    fn errors_without_a_code_are_masked() {
        let internal = json!({"code": "INTERNAL", "requestId": "r1", "retryable": false});
        for error in [
            resolver_error("SELECT * FROM borrowers WHERE phone = '+254'", None),
            resolver_error("no such table", Some("sqlite")),
            resolver_error("the ledger does not balance", Some("INTERNAL")),
            ServerError {
                source: Some(std::sync::Arc::new(7)),
                ..ServerError::new("Failed to parse \"X\": secret", None)
            },
        ] {
            let shown = masked(error);
            assert_eq!(shown["message"], INTERNAL_MESSAGE);
            assert_eq!(shown["extensions"], internal);
        }
    }

    #[test]
    fn errors_with_a_code_keep_their_text_and_detail() {
        let shown = masked(resolver_error("Come back later.", Some("UNAVAILABLE")));
        assert_eq!(shown["message"], "Come back later.");
        assert_eq!(
            shown["extensions"],
            json!({"code": "UNAVAILABLE", "detail": 7, "requestId": "r1", "retryable": true})
        );
        assert_eq!(masked(resolver_error("No.", Some("NOT_FOUND")))["extensions"]["retryable"], false);
    }

    #[test]
    fn unreadable_arguments_are_the_callers_mistake() {
        let shown = masked(resolver_error("Failed to parse \"Decimal\": not a decimal", None));
        assert_eq!(shown["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(shown["message"], "Failed to parse \"Decimal\": not a decimal");
    }

    #[test]
    fn the_status_depends_on_the_stage_and_the_media_type() {
        let status_of =
            |answer: Answer, media| respond(answer, &id(), media, &HttpSettings::default()).unwrap().status();
        let refused = || Answer::from_errors(vec![ServerError::new("Unknown field", None)]);
        assert_eq!(status_of(refused(), MediaType::Json), 200);
        assert_eq!(status_of(refused(), MediaType::GraphqlResponse), 400);
        for media in [MediaType::Json, MediaType::GraphqlResponse] {
            let failed = Answer::from_errors(vec![resolver_error("Down.", Some("UNAVAILABLE"))]);
            assert_eq!(status_of(failed, media), 200, "a resolver ran");
            let mut error = resolver_error("Down.", Some("UNAVAILABLE"));
            error.path.clear();
            assert_eq!(status_of(Answer::from_errors(vec![error]), media), 503, "nothing ran");
            assert_eq!(status_of(Answer::new(Value::from(1)), media), 200);
        }
    }

    #[test]
    fn at_most_so_many_errors_are_listed() {
        let errors = (0..50).map(|_| resolver_error("No.", Some("NOT_FOUND"))).collect();
        assert_eq!(presentable(Answer::from_errors(errors), &id(), 20).errors.len(), 20);
    }

    #[test]
    fn an_answer_that_is_too_long_is_refused() {
        let settings = HttpSettings { max_response_bytes: 100, ..HttpSettings::default() };
        let refused =
            respond(Answer::new(Value::from("x".repeat(100))), &id(), MediaType::Json, &settings).unwrap_err();
        assert_eq!((refused.status, refused.code), (StatusCode::BAD_REQUEST, "RESPONSE_TOO_LARGE"));
        assert!(respond(Answer::new(Value::from("x".repeat(80))), &id(), MediaType::Json, &settings).is_ok());
    }
}
