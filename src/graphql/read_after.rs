//! Operations on two databases: a query reads from the replica where it may, and a mutation's answer says what a later query
//! has to have seen, in a header that the transport sends along.

use std::any::{Any, TypeId};
use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::stream::BoxStream;

use super::request::Access;
use crate::auth::Actor;
use crate::service::Services;

/// The header that an answer to a mutation has, and that a query sends to see it.
pub const READ_AFTER: &str = "x-read-after";

/// A schema whose queries read from the replica where they may.
#[derive(Clone)]
pub struct ReadsFromReplica<E> {
    /// The schema.
    pub schema: E,
    /// Who knows the replica.
    pub services: Arc<Services>,
}

impl<E: Executor> Executor for ReadsFromReplica<E> {
    async fn execute(&self, request: Request) -> Response {
        let (actor, access) = match self.services.has_replica() {
            true => (find::<Actor>(&request.data).cloned(), find::<Access>(&request.data).copied()),
            false => (None, None),
        };
        // An operation is a large future: passed on by value it would fill a debug build's stack.
        let work = Box::pin(self.schema.execute(request));
        match (actor, access) {
            (Some(actor), Some(Access::Read { after })) => self.services.read(&actor, after, work).await,
            (Some(actor), Some(Access::Write)) => {
                let (mut response, position) = self.services.write(&actor, work).await;
                if let Some(Ok(value)) = position.map(|position| position.to_string().parse()) {
                    response.http_headers.insert(READ_AFTER, value);
                }
                response
            }
            _ => work.await,
        }
    }

    /// A stream reads for as long as it lasts, from the primary.
    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request, session_data)
    }
}

fn find<T: Any>(data: &Data) -> Option<&T> {
    data.get(&TypeId::of::<T>())?.downcast_ref()
}
