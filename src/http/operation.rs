//! The way of one operation, whichever transport brought it: admission, its price, a place among those in flight, and
//! execution within the deadline. It reads no headers and writes no answers.

use async_graphql::Response as Answer;
use axum::http::StatusCode;
use tokio::time::{Instant, timeout_at};

use super::door::{AdmittedOperation, OperationKind, RequestContext};
use super::errors::HttpError;
use super::guard::{Refusal, RefusalKind};
use super::observe::Facts;
use super::rate::Principal;
use super::request::GraphqlRequest;
use super::state::HttpState;
use super::watch::Watch;
use crate::auth::Actor;
use crate::telemetry::log;
use crate::telemetry::metrics::requests::Budget;

/// Why an operation does not run.
#[derive(Debug)]
pub enum Refused {
    /// The transport refuses it.
    Http(HttpError),
    /// The document is mistaken; this is the GraphQL answer that says so.
    Document(Box<Answer>),
}

impl From<HttpError> for Refused {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

/// Admits an operation and takes its price.
pub fn admit(
    state: &HttpState,
    request: GraphqlRequest,
    caller: &Actor,
    facts: &Facts,
) -> Result<Box<dyn AdmittedOperation>, Refused> {
    let operation = state.door.admit(request).map_err(refused)?;
    facts.operation(operation.kind(), operation.name());
    state.rate.charge_cost(&Principal::Subject(caller.subject.clone()), operation.cost())?;
    Ok(operation)
}

/// A mistake in the document is reported as GraphQL reports it; a guard's refusal keeps its status.
fn refused(refusal: Refusal) -> Refused {
    match refusal.kind {
        RefusalKind::Syntax | RefusalKind::Request => Refused::Document(Box::new(refusal.into())),
        RefusalKind::Guard => {
            let mut error = HttpError::new(refusal.status, refusal.code, refusal.message);
            error.locations = refusal.locations;
            Refused::Http(error)
        }
    }
}

/// Runs a query or a mutation within the deadline, once there is a place for it.
///
/// A query is dropped when the deadline passes or the client leaves, and with it what it was doing in the database. So is
/// a mutation that waits for its place still. Once begun it is not: it has a task of its own, which the shutdown waits
/// for, because half a mutation's work is what nobody wants.
pub async fn execute(
    state: &HttpState,
    operation: Box<dyn AdmittedOperation>,
    context: RequestContext,
) -> Result<Answer, HttpError> {
    let deadline = Instant::now() + state.settings.deadline;
    let kind = operation.kind();
    let place = state.admission.place(kind, deadline).await;
    let place = place.inspect_err(|_| state.telemetry.metrics.requests.shed(budget(kind)))?;
    let watch = Watch::begin(&state.telemetry, &*operation);
    let work = async move {
        let answer = watch.run(operation.execute(context)).await;
        drop(place);
        answer
    };
    if kind != OperationKind::Mutation {
        return timeout_at(deadline, work).await.map_err(|_| query_too_slow());
    }
    let task = state.background.spawn(log::Request::carry(work));
    match timeout_at(deadline, task).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(failure)) if failure.is_panic() => std::panic::resume_unwind(failure.into_panic()),
        Ok(Err(_)) => Err(HttpError::internal()),
        Err(_) => Err(mutation_too_slow()),
    }
}

/// The budget whose places an operation of this kind takes.
fn budget(kind: OperationKind) -> Budget {
    match kind {
        OperationKind::Query | OperationKind::Subscription => Budget::Reads,
        OperationKind::Mutation => Budget::Writes,
    }
}

fn query_too_slow() -> HttpError {
    HttpError::new(
        StatusCode::GATEWAY_TIMEOUT,
        "TIMEOUT",
        "The query took too long and was stopped. Ask for less, or try again later.",
    )
    .retryable()
}

/// Not marked retryable: a mutation without an idempotency key would be carried out twice.
fn mutation_too_slow() -> HttpError {
    HttpError::new(
        StatusCode::GATEWAY_TIMEOUT,
        "TIMEOUT",
        "The mutation is still running. Ask again with the same idempotency key, or read the object, to learn its outcome.",
    )
}
