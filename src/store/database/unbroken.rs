//! Work that is done to its end even when whoever waits for it leaves: it goes on by itself then, on a task of its own.
//! Until then it needs none, which would be a detour for every write.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::abandonment;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work that is not to be cut off.
pub(super) struct Unbroken<T: Send + 'static> {
    /// What is left of it.
    work: Option<Work<T>>,
    /// On whose behalf it is done.
    caller: Option<CancellationToken>,
}

impl<T: Send + 'static> Unbroken<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)), caller: abandonment::caller() }
    }
}

impl<T: Send + 'static> Future for Unbroken<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = self.work.as_mut() else { return Poll::Pending };
        let outcome = ready!(work.as_mut().poll(context));
        self.work = None;
        Poll::Ready(outcome)
    }
}

impl<T: Send + 'static> Drop for Unbroken<T> {
    fn drop(&mut self) {
        // Without a runtime its connections are gone too.
        if let (Some(rest), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            runtime.spawn(abandonment::on_behalf_of(self.caller.take(), rest));
        }
    }
}
