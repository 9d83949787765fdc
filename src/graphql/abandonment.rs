//! An operation that nobody waits for any more: dropped at its deadline, or because its client has left. What it was reading
//! from the database stops with it.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::stream::BoxStream;

use crate::service::stop_when_abandoned;

/// A schema whose operations stop when they are dropped.
#[derive(Clone)]
pub struct StopsWhenAbandoned<E>(pub E);

impl<E: Executor> Executor for StopsWhenAbandoned<E> {
    async fn execute(&self, request: Request) -> Response {
        stop_when_abandoned(self.0.execute(request)).await
    }

    /// A stream reads for as long as it lasts, and nothing of it runs when it is dropped.
    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.0.execute_stream(request, session_data)
    }
}
