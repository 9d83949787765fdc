//! Runs admitted operations. Two schemas over the same roots share the work: the strict one validates an operation at
//! first sight, the fast one runs it from then on. Nothing reaches either schema except through the guard, and the
//! executor's own parser is never used.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response, ServerError, Value};
use futures_util::{StreamExt, stream, stream::BoxStream};

use super::{Admitted, Guard, refusal::Refusal};

/// The guard and the two schemas behind it. Cheap to clone.
///
/// Both schemas need the same roots and data. Build both with `disable_suggestions()` (a validation error must not
/// offer names), `strict` with `ValidationMode::Strict` and `fast` with `ValidationMode::Fast`. Leave `is_valid` of
/// custom scalars alone and refuse in `parse`: `is_valid` is consulted at first sight only.
#[derive(Clone)]
pub struct Engine<E> {
    guard: Arc<Guard>,
    strict: E,
    fast: E,
}

impl<E: Executor> Engine<E> {
    /// An engine over two schemas that differ in their validation mode only.
    pub fn new(guard: Arc<Guard>, strict: E, fast: E) -> Self {
        Self { guard, strict, fast }
    }

    /// The guard in front.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Judges a request by its query, operation name and variables.
    ///
    /// # Errors
    /// Whatever [`Guard::admit`] refuses.
    pub fn admit(&self, request: &Request) -> Result<Admitted, Refusal> {
        self.guard.admit(&request.query, request.operation_name.as_deref(), &request.variables)
    }

    /// Runs what was admitted. `request` must be the one that was: its variables are not looked at again.
    pub async fn execute_admitted(&self, admitted: &Admitted, request: Request) -> Response {
        let request = prepare(admitted, request);
        let mut response = match admitted.is_validated() {
            true => self.fast.execute(request).await,
            false => {
                let response = self.strict.execute(request).await;
                note(admitted, &response);
                response
            }
        };
        self.guard.hide_names(admitted, &mut response);
        response
    }

    /// Runs what was admitted as a stream: a subscription, or a query or mutation with a single answer.
    pub fn stream_admitted(
        &self,
        admitted: Admitted,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let request = prepare(&admitted, request);
        let guard = Arc::clone(&self.guard);
        let is_validated = admitted.is_validated();
        let responses = match is_validated {
            true => self.fast.execute_stream(request, session_data),
            false => self.strict.execute_stream(request, session_data),
        };
        let finish = move |mut response: Response| {
            if !is_validated {
                note(&admitted, &response);
            }
            guard.hide_names(&admitted, &mut response);
            response
        };
        responses.map(finish).boxed()
    }
}

/// For the WebSocket protocol, which brings its requests to an executor: the guard stands in front of those too.
impl<E: Executor> Executor for Engine<E> {
    async fn execute(&self, request: Request) -> Response {
        match self.admit(&request) {
            Ok(admitted) => self.execute_admitted(&admitted, request).await,
            Err(refusal) => refusal.into(),
        }
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        match self.admit(&request) {
            Ok(admitted) => self.stream_admitted(admitted, request, session_data),
            Err(refusal) => stream::once(std::future::ready(Response::from(refusal))).boxed(),
        }
    }
}

fn prepare(admitted: &Admitted, mut request: Request) -> Request {
    request.set_parsed_query(admitted.document.document.clone());
    request
}

fn note(admitted: &Admitted, response: &Response) {
    if passed_validation(response) {
        admitted.mark_validated();
    }
}

/// Whether an answer of the strict schema proves that validation passed. Validation refuses as a whole: no data, and
/// errors that have no path. Execution that fails leaves data, or at least one error with the path of its field. An
/// answer that could be either counts as not validated, which costs time and nothing else.
pub fn passed_validation(response: &Response) -> bool {
    response.errors.is_empty()
        || response.data != Value::Null
        || response.errors.iter().any(|error| !error.path.is_empty())
}

/// Whether the executor speaks of the document, and not a resolver of what it did. The engine reads some arguments (scalars,
/// enum values, input objects) only when it reaches their field, and reports what it cannot read without a code or a source.
pub fn is_about_document(error: &ServerError) -> bool {
    let message = error.message.as_str();
    let is_unreadable_argument =
        message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"");
    error.extensions.is_none() && error.source.is_none() && (error.path.is_empty() || is_unreadable_argument)
}
