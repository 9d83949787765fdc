//! Reads by id, gathered across requests: while a statement is under way, further requests with the same scope wait, and
//! go together in the next one. A request that comes alone goes at once and waits for no timer; the busier the server
//! is, the more rows one round trip brings. Whoever asks sees at least what was committed before they asked, since nobody
//! joins a statement that has begun. Access is not decided here: the scope is part of the statement, and requests of
//! different scopes never share one, nor do those that may read from a replica and those that may not.
//!
//! Written by hand: async-graphql's data loader waits for a timer, and the crates there are for this run a task that
//! every read has to pass through.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::EntityTrait;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

use super::database::Reader;
use super::error::StoreError;
use super::filter::Field;
use super::find;
use super::scope::Scope;

/// Statements that may be under way at once for one scope.
const AT_ONCE: usize = 2;

/// With more scopes than this those that nobody uses are forgotten.
const MOST_IDLE: usize = 1_000;

/// Gathers the reads of one kind of row.
#[derive(Debug)]
pub struct Gather<R> {
    id: fn(&R) -> Uuid,
    /// Reads of the primary, and of the replica: what it answers may be older than somebody else must see.
    queues: [Mutex<HashMap<Scope, Arc<Queue<R>>>>; 2],
}

/// Rows by their ids.
type Rows<R> = Arc<HashMap<Uuid, R>>;

#[derive(Debug)]
struct Queue<R> {
    turns: Semaphore,
    line: Mutex<Line<R>>,
}

/// Those who wait for the next statement.
#[derive(Debug)]
struct Line<R> {
    /// How many statements were begun.
    begun: u64,
    waiting: Vec<Waiting<R>>,
}

#[derive(Debug)]
struct Waiting<R> {
    ids: Vec<Uuid>,
    answer: oneshot::Sender<Rows<R>>,
}

impl<R: Clone> Gather<R> {
    /// Of rows that have these ids.
    #[must_use]
    pub fn new(id: fn(&R) -> Uuid) -> Self {
        Self { id, queues: Default::default() }
    }

    /// The row with this id, if it exists for this scope.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn by_id<F>(&self, connection: &Reader, scope: &Scope, id: Uuid) -> Result<Option<R>, StoreError>
    where
        F: Field,
        R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
    {
        Ok(self.by_ids::<F>(connection, scope, &[id]).await?.pop().flatten())
    }

    /// The rows with these ids, in their order; `None` where none exists for this scope.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn by_ids<F>(
        &self,
        connection: &Reader,
        scope: &Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<R>>, StoreError>
    where
        F: Field,
        R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
    {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let queue = self.queue(scope, connection.is_replica());
        let (answer, mut answered) = oneshot::channel();
        let place = queue.join(Waiting { ids: ids.to_vec(), answer });
        let rows = tokio::select! {
            biased;
            rows = &mut answered => rows.ok(),
            turn = queue.turns.acquire() => match queue.take(place) {
                Some(together) => {
                    let rows = self.load::<F>(connection, scope, &together).await?;
                    drop(turn);
                    for waiting in together {
                        // Whoever has stopped waiting needs no answer.
                        let _ = waiting.answer.send(Arc::clone(&rows));
                    }
                    Some(rows)
                }
                None => {
                    drop(turn);
                    answered.await.ok()
                }
            },
        };
        let rows = match rows {
            Some(rows) => rows,
            // The statement failed, or its client left: that is no answer for anybody else.
            None => self.rows(find::by_ids::<F, R>(connection, scope, ids).await?),
        };
        Ok(ids.iter().map(|id| rows.get(id).cloned()).collect())
    }

    async fn load<F>(&self, connection: &Reader, scope: &Scope, together: &[Waiting<R>]) -> Result<Rows<R>, StoreError>
    where
        F: Field,
        R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
    {
        let mut ids: Vec<Uuid> = together.iter().flat_map(|waiting| &waiting.ids).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(self.rows(find::by_ids::<F, R>(connection, scope, &ids).await?))
    }

    fn rows(&self, rows: Vec<R>) -> Rows<R> {
        Arc::new(rows.into_iter().map(|row| ((self.id)(&row), row)).collect())
    }

    fn queue(&self, scope: &Scope, of_replica: bool) -> Arc<Queue<R>> {
        let mut queues = locked(&self.queues[usize::from(of_replica)]);
        if let Some(queue) = queues.get(scope) {
            return Arc::clone(queue);
        }
        if queues.len() >= MOST_IDLE {
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        let queue = Arc::new(Queue {
            turns: Semaphore::new(AT_ONCE),
            line: Mutex::new(Line { begun: 0, waiting: Vec::new() }),
        });
        queues.insert(scope.clone(), Arc::clone(&queue));
        queue
    }
}

impl<R> Queue<R> {
    /// Joins the line, and says for which statement.
    fn join(&self, waiting: Waiting<R>) -> u64 {
        let mut line = locked(&self.line);
        line.waiting.push(waiting);
        line.begun
    }

    /// Everybody who waits for this statement; `None` when another has begun it.
    fn take(&self, place: u64) -> Option<Vec<Waiting<R>>> {
        let mut line = locked(&self.line);
        if line.begun != place {
            return None;
        }
        line.begun = line.begun.wrapping_add(1);
        Some(mem::take(&mut line.waiting))
    }
}

/// Nothing panics while these locks are held, so a poisoned one holds what it should.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
