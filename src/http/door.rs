//! The doors between the transport and what lies behind it: who is calling ([`Authenticate`]) and what runs the operation
//! ([`GraphqlDoor`]). The transport knows nothing else of authentication, guards and the schema, and must not.

use async_graphql::{Name, Response};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::guard::Refusal;
use super::request::GraphqlRequest;
use crate::auth::{Actor, Authenticator, Recognition};
use crate::graphql::request::{Position, ReadyJson, RequestId};

/// Turns the `Authorization` header into a caller.
pub trait Authenticate: Send + Sync {
    /// `authorization` is the header's whole value, scheme included, or `None` when it was not sent.
    fn authenticate<'a>(&'a self, authorization: Option<&'a str>, now: DateTime<Utc>) -> Recognition<'a>;
}

impl Authenticate for Authenticator {
    fn authenticate<'a>(&'a self, authorization: Option<&'a str>, now: DateTime<Utc>) -> Recognition<'a> {
        Self::authenticate(self, authorization, now)
    }
}

/// What travels with an operation into its resolvers.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The id of the HTTP request, or of the operation on a socket.
    pub request_id: RequestId,
    /// Who asked.
    pub caller: Actor,
    /// What a query must see of what was written before, as an earlier answer said.
    pub read_after: Option<Position>,
    /// Whether the answer may have parts that are JSON already.
    pub ready_json: Option<ReadyJson>,
}

/// The kinds of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads; may be dropped at any moment.
    Query,
    /// Writes; once begun it runs to its end, whoever has stopped listening.
    Mutation,
    /// A stream; WebSocket only.
    Subscription,
}

impl OperationKind {
    /// As the language writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// Admits operations. Checks the whole request before anything of it runs.
pub trait GraphqlDoor: Send + Sync {
    /// Scans, parses and checks; does not execute.
    fn admit(&self, request: GraphqlRequest) -> Result<Box<dyn AdmittedOperation>, Refusal>;
}

/// An operation that may run, once.
pub trait AdmittedOperation: Send {
    /// What it is; known before it runs, so that a GET never mutates.
    fn kind(&self) -> OperationKind;
    /// Its name in the document, for the log.
    fn name(&self) -> Option<&str>;
    /// The fields of the schema's root that it asks for, for metrics and traces.
    fn root_fields(&self) -> &[Name] {
        &[]
    }
    /// Its cost by the query-cost limit, for the rate limit.
    fn cost(&self) -> u64;
    /// Runs a query or a mutation.
    fn execute(self: Box<Self>, context: RequestContext) -> BoxFuture<'static, Response>;
    /// Runs anything, as a stream of answers.
    fn subscribe(self: Box<Self>, context: RequestContext) -> BoxStream<'static, Response>;
}
