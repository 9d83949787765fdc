//! A schema, a door and an authenticator that do as tests need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    Context, Error, ErrorExtensions, Executor, Object, Request, Response, Result, Schema, Subscription,
};
use async_graphql_parser::types::{DocumentOperations, OperationType};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, Stream};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::Semaphore;

use crate::auth::{Actor, AuthError, BranchGrant, Recognition, Role, settled};
use crate::http::door::{AdmittedOperation, Authenticate, GraphqlDoor, OperationKind, RequestContext};
use crate::http::guard::Refusal;
use crate::http::request::{Document, GraphqlRequest};

/// Holds resolvers until a test lets them go on.
pub(super) struct Gate {
    entered: Semaphore,
    open: Semaphore,
    pub(super) notes: AtomicUsize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { entered: Semaphore::new(0), open: Semaphore::new(0), notes: AtomicUsize::new(0) }
    }
}

impl Gate {
    async fn pass(&self) {
        self.entered.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }

    /// Until one more resolver stands at the gate.
    pub(super) async fn someone_waits(&self) {
        super::soon(self.entered.acquire()).await.unwrap().forget();
    }

    pub(super) fn let_one_pass(&self) {
        self.open.add_permits(1);
    }
}

pub(super) struct ToyQuery;

#[Object]
impl ToyQuery {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn whoami<'a>(&self, ctx: &Context<'a>) -> Result<&'a str> {
        Ok(ctx.data::<Actor>()?.subject.as_str())
    }

    async fn text(&self, length: usize) -> String {
        "x".repeat(length)
    }

    async fn wait(&self, ctx: &Context<'_>) -> Result<bool> {
        ctx.data::<Arc<Gate>>()?.pass().await;
        Ok(true)
    }

    async fn panics(&self, #[graphql(default = true)] really: bool) -> bool {
        assert!(!really, "a resolver panics");
        false
    }

    async fn leaks(&self) -> Option<Result<bool>> {
        Some(Err(Error::new("no such column: borrowers.phone")))
    }

    async fn unavailable(&self) -> Option<Result<bool>> {
        let error = Error::new("The database is not available; try again.");
        Some(Err(error.extend_with(|_, extensions| extensions.set("code", "UNAVAILABLE"))))
    }
}

pub(super) struct ToyMutation;

#[Object]
impl ToyMutation {
    async fn note(&self, ctx: &Context<'_>) -> Result<usize> {
        Ok(ctx.data::<Arc<Gate>>()?.notes.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn slow_note(&self, ctx: &Context<'_>) -> Result<usize> {
        let gate = ctx.data::<Arc<Gate>>()?;
        gate.pass().await;
        Ok(gate.notes.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

pub(super) struct ToySubscription;

#[Subscription]
impl ToySubscription {
    async fn count(&self, to: u32) -> impl Stream<Item = u32> + use<> {
        stream::iter(1..=to)
    }

    async fn forever(&self) -> impl Stream<Item = u32> + use<> {
        stream::pending()
    }

    async fn fails(&self) -> impl Stream<Item = Result<u32>> + use<> {
        stream::once(async { Err(Error::new("no such column: borrowers.phone")) })
    }
}

type ToySchema = Schema<ToyQuery, ToyMutation, ToySubscription>;

/// Parses and finds the operation; a query with the word `forbidden` in it stands for what guards refuse.
pub(super) struct ToyDoor {
    schema: ToySchema,
}

impl ToyDoor {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { schema: Schema::build(ToyQuery, ToyMutation, ToySubscription).data(gate).finish() }
    }
}

fn unknown_operation() -> Refusal {
    Refusal::request("OPERATION_NOT_FOUND", "Name one that exists.")
}

impl GraphqlDoor for ToyDoor {
    fn admit(&self, request: GraphqlRequest) -> Result<Box<dyn AdmittedOperation>, Refusal> {
        let Document::Text(query) = request.document else {
            return Err(Refusal::guard("DOCUMENT_ID_NOT_SUPPORTED", "Send the text."));
        };
        if query.contains("forbidden") {
            return Err(Refusal::guard("TOO_DEEP", "Flatten it."));
        }
        let document = async_graphql_parser::parse_query(&query)?;
        let (name, operation) = match (&document.operations, &request.operation_name) {
            (DocumentOperations::Single(operation), _) => (None, operation),
            (DocumentOperations::Multiple(operations), Some(name)) => match operations.get(name.as_str()) {
                Some(operation) => (Some(name.clone()), operation),
                None => return Err(unknown_operation()),
            },
            (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
                Some((name, operation)) if operations.len() == 1 => (Some(name.to_string()), operation),
                _ => return Err(unknown_operation()),
            },
        };
        let kind = match operation.node.ty {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        };
        let cost = if query.contains("dear") { 5_000 } else { 1 };
        let mut engine = Request::new(query).variables(request.variables);
        engine.operation_name = name.clone();
        Ok(Box::new(ToyOperation { schema: self.schema.clone(), kind, name, cost, request: engine }))
    }
}

struct ToyOperation {
    schema: ToySchema,
    kind: OperationKind,
    name: Option<String>,
    cost: u64,
    request: Request,
}

impl AdmittedOperation for ToyOperation {
    fn kind(&self) -> OperationKind {
        self.kind
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn cost(&self) -> u64 {
        self.cost
    }

    fn execute(self: Box<Self>, context: RequestContext) -> BoxFuture<'static, Response> {
        let request = self.request.data(context.caller).data(context.request_id);
        let schema = self.schema;
        async move { schema.execute(request).await }.boxed()
    }

    fn subscribe(self: Box<Self>, context: RequestContext) -> BoxStream<'static, Response> {
        let request = self.request.data(context.caller).data(context.request_id);
        Executor::execute_stream(&self.schema, request, None).boxed()
    }
}

/// `Bearer user-…` is the user of that name.
pub(super) struct ToyAuthenticator {
    pub(super) dev: bool,
}

fn actor(subject: &str) -> Actor {
    Actor { subject: subject.to_owned(), roles: [Role::Admin].into(), branches: BranchGrant::All, request_id: None }
}

impl Authenticate for ToyAuthenticator {
    fn authenticate<'a>(&'a self, authorization: Option<&'a str>, _: DateTime<Utc>) -> Recognition<'a> {
        settled(match authorization {
            None if self.dev => Ok(actor("dev")),
            None => Err(AuthError::Missing),
            Some(value) => match value.strip_prefix("Bearer ").filter(|token| token.starts_with("user-")) {
                Some("user-nobody-can-check") => Err(AuthError::NoKeys),
                Some(token) => Ok(actor(token)),
                None => Err(AuthError::BadSignature),
            },
        })
    }
}
