//! The real door: the guards and the schemas behind them, as the transport wants to see them. It only translates.

use async_graphql::{Executor, Name, Request, Response};
use async_graphql_parser::types::OperationType;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::door::{AdmittedOperation, GraphqlDoor, OperationKind, RequestContext};
use super::guard::manifest::hexadecimal;
use super::guard::{Admitted, Engine, Refusal};
use super::request::{Document, GraphqlRequest};
use crate::auth::Actor;
use crate::graphql::request::Access;

impl<E: Executor> GraphqlDoor for Engine<E> {
    fn admit(&self, request: GraphqlRequest) -> Result<Box<dyn AdmittedOperation>, Refusal> {
        let (guard, name) = (self.guard(), request.operation_name.as_deref());
        let admitted = match &request.document {
            Document::Text(query) => guard.admit(query, name, &request.variables),
            Document::Id(id) => guard.admit_by_id(id, name, &request.variables),
        }?;
        tell(&admitted);
        // The executor takes the parsed document and never looks at a text.
        let mut engine_request = Request::new("").variables(request.variables);
        engine_request.operation_name = request.operation_name;
        Ok(Box::new(EngineOperation { engine: self.clone(), admitted, request: engine_request }))
    }
}

/// Notes a document that is not in the manifest, by its hash: the text may hold a person's data.
fn tell(admitted: &Admitted) {
    if let Some(key) = &admitted.stranger {
        tracing::warn!(document = hexadecimal(key), "a document that is not in the manifest runs");
    }
}

struct EngineOperation<E> {
    engine: Engine<E>,
    admitted: Admitted,
    request: Request,
}

/// Every resolver finds the actor and the request's id in its context. The actor knows the id too, for the audit trail.
fn with_context(request: Request, context: RequestContext, admitted: &Admitted) -> Request {
    let access = match admitted.operation_type {
        OperationType::Query => Access::Read { after: context.read_after },
        OperationType::Mutation | OperationType::Subscription => Access::Write,
    };
    let caller = Actor { request_id: Some(context.request_id.0.clone()), ..context.caller };
    let request = request.data(caller).data(context.request_id).data(access);
    match context.ready_json.filter(|_| !admitted.document.selects_again) {
        Some(ready_json) => request.data(ready_json),
        None => request,
    }
}

impl<E: Executor> AdmittedOperation for EngineOperation<E> {
    fn kind(&self) -> OperationKind {
        match self.admitted.operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        }
    }

    fn name(&self) -> Option<&str> {
        self.admitted.operation_name.as_deref()
    }

    fn root_fields(&self) -> &[Name] {
        self.admitted.root_fields()
    }

    fn cost(&self) -> u64 {
        self.admitted.cost
    }

    fn execute(self: Box<Self>, context: RequestContext) -> BoxFuture<'static, Response> {
        let Self { engine, admitted, request } = *self;
        let request = with_context(request, context, &admitted);
        async move { engine.execute_admitted(&admitted, request).await }.boxed()
    }

    fn subscribe(self: Box<Self>, context: RequestContext) -> BoxStream<'static, Response> {
        let Self { engine, admitted, request } = *self;
        let request = with_context(request, context, &admitted);
        engine.stream_admitted(admitted, request, None)
    }
}
