//! What every GraphQL request carries with it, put there by the HTTP layer, and how resolvers get at it.

use std::sync::Arc;

use async_graphql::{Context, Result};

use super::error::{ErrorCode, error};
use crate::auth::Actor;
use crate::service::{ServiceError, Services};

pub use crate::service::reading::Position;

/// The id a request is known by in its response headers, its errors and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// What an operation does with the data. The transport knows it before anything runs; an operation without it reads and
/// writes at the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads, and must see everything before the position, if there is one.
    Read {
        /// What an earlier answer said.
        after: Option<Position>,
    },
    /// It may write.
    Write,
}

/// The answer to this request is sent as JSON, so that parts of it may be JSON already: a `Value::Binary` in it is a text
/// to be sent as it is. Only a transport that does so may put this into a request, and only where the document selects no
/// object twice in one place: the library cannot put two such texts together.
#[derive(Debug, Clone, Copy)]
pub struct ReadyJson;

/// Limits of the API that the operator chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiLimits {
    /// The most rows on a page.
    pub largest_page: u32,
}

impl Default for ApiLimits {
    /// 100 rows: more would make one request as expensive as many.
    fn default() -> Self {
        Self { largest_page: 100 }
    }
}

/// Who asks, and the use cases to ask: what a resolver needs, and all it gets.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// The use cases.
    pub services: &'a Services,
    /// What the operator allows.
    pub limits: ApiLimits,
}

impl Request<'_> {
    /// Puts a mutation's refusal on the audit trail that its input could not even be read for, and gives it back.
    pub async fn unread(&self, operation: &'static str, refusal: ServiceError) -> ServiceError {
        self.services.refused_unread(self.actor, operation, refusal).await
    }
}

/// The request a resolver works for.
///
/// # Errors
/// INTERNAL when the HTTP layer sent a request without an actor: nobody gets in by accident.
pub fn request<'a>(context: &Context<'a>) -> Result<Request<'a>> {
    let missing =
        |_| error(ErrorCode::Internal, "Something went wrong on our side; report the request id if it lasts.");
    Ok(Request {
        actor: context.data::<Actor>().map_err(missing)?,
        services: context.data::<Arc<Services>>().map_err(missing)?,
        limits: *context.data::<ApiLimits>().map_err(missing)?,
    })
}
