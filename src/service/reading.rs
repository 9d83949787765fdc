//! Reading from a replica without missing what one has written oneself. A query may read there when the replica has come to
//! every position that the query must see: the one its caller names, and that of the last change this caller made through
//! this server, whether or not they name it. Everything else, mutations among it, reads from the primary.

mod writers;

use std::future::Future;

use super::Services;
use crate::auth::Actor;
use crate::store::database::{Replica, from_replica};

pub use crate::store::Position;
use writers::Need;
pub(super) use writers::Writers;

impl Services {
    /// Whether there is a replica that queries may read from.
    #[must_use]
    pub fn has_replica(&self) -> bool {
        self.database.replica().is_some()
    }

    /// Does `work`, a query's, which must see everything before `after`, on the replica if that can answer it.
    pub async fn read<F: Future>(&self, actor: &Actor, after: Option<Position>, work: F) -> F::Output {
        let Some(replica) = self.database.replica() else { return work.await };
        let is_there = self.may_read(replica, &actor.subject, after).await;
        replica.count(is_there);
        if is_there { from_replica(work).await } else { work.await }
    }

    /// Does `work`, a mutation's, and tells which position a reader has to wait for who must see what it did. Without a
    /// replica nobody waits for anything.
    pub async fn write<F: Future>(&self, actor: &Actor, work: F) -> (F::Output, Option<Position>) {
        let Some(replica) = self.database.replica() else { return (work.await, None) };
        let mut writing = self.writers.begin(&actor.subject, |position| replica.has(position));
        let done = work.await;
        let position = self.database.position().await.inspect_err(|cause| {
            tracing::warn!(?cause, "the position of a change is not known: its caller reads from the primary");
        });
        writing.position = position.ok();
        (done, writing.position)
    }

    async fn may_read(&self, replica: &Replica, subject: &str, after: Option<Position>) -> bool {
        if !replica.can_answer(after) {
            return false;
        }
        match self.writers.need(subject) {
            Need::Nothing => true,
            Need::Position(position) => replica.has(position),
            Need::Primary => false,
            Need::Unknown => match self.database.position().await {
                Ok(position) => {
                    self.writers.settle(subject, position);
                    replica.has(position)
                }
                Err(_) => false,
            },
        }
    }
}
