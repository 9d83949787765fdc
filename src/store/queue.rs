//! Questions to the database that are asked at the same time, and answered together: while an answer is under way, further
//! questions of the same queue wait, and go together in the next one. A question that comes alone waits for no timer, only
//! until what is ready to run has had its turn, and may have a question too, and where few are asking, some go beside those
//! that are under way ([`Company`]). Whoever asks sees at least what was committed before they asked, since nobody joins an
//! answer that has begun. What makes questions fit for one queue is its key's affair; nothing here looks at them.
//!
//! Written by hand: async-graphql's data loader waits for a timer, and the crates there are for this run a task that
//! every question has to pass through.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit, oneshot};
use tokio::task::yield_now;

use super::error::StoreError;

/// When a question does not wait for the others.
#[derive(Debug, Clone, Copy)]
pub struct Company {
    /// Questions that may be under way together and have others answered beside them.
    pub few: usize,
    /// How many may be answered beside them.
    pub beside: usize,
}

impl Company {
    /// For what is read. Two at a time however many ask was 7 to 14 % fewer requests a second at 32 connections, and never
    /// more than one was 22 % fewer at four.
    const OF_READS: Self = Self { few: 4, beside: 1 };
}

/// The queues in use, by what their questions have in common.
#[derive(Debug)]
pub struct Queues<K, Q, A> {
    company: Company,
    queues: Mutex<HashMap<K, Arc<Queue<Q, A>>>>,
}

/// Those who wait for the next answer.
#[derive(Debug)]
struct Queue<Q, A> {
    turn: Semaphore,
    line: Mutex<Line<Q, A>>,
}

#[derive(Debug)]
struct Line<Q, A> {
    /// How many answers were begun.
    begun: u64,
    waiting: Vec<(Q, oneshot::Sender<A>)>,
    /// How many are in the answer that is under way.
    under_way: usize,
    /// How many are answered beside it.
    beside: usize,
}

/// An answer under way; it is not any more when this goes.
struct UnderWay<'a, Q, A> {
    queue: &'a Queue<Q, A>,
    is_beside: bool,
}

/// A place in a queue, which goes when the last of them does.
struct Place<'a, K: Eq + Hash, Q, A> {
    queues: &'a Queues<K, Q, A>,
    key: &'a K,
    queue: Arc<Queue<Q, A>>,
}

impl<K, Q, A> Default for Queues<K, Q, A> {
    fn default() -> Self {
        Self::new(Company::OF_READS)
    }
}

impl<K, Q, A> Queues<K, Q, A> {
    /// Nobody asks yet.
    #[must_use]
    pub fn new(company: Company) -> Self {
        Self { company, queues: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, Q, A: Clone> Queues<K, Q, A> {
    /// Asks in the queue of this key. `answer` gets all questions that wait, if it is called at all. `None` when somebody
    /// else's attempt came to nothing: the statement failed, or its client left. That is no answer for anybody else.
    ///
    /// # Errors
    /// What `answer` says, to the one whose it was.
    pub async fn ask(
        &self,
        key: &K,
        question: Q,
        answer: impl AsyncFnOnce(Vec<Q>) -> Result<A, StoreError>,
    ) -> Result<Option<A>, StoreError> {
        let place = self.place(key);
        let queue = &place.queue;
        if let Some(_beside) = queue.beside(self.company) {
            return answer(vec![question]).await.map(Some);
        }
        let (sender, mut answered) = oneshot::channel();
        let number = queue.join(question, sender);
        tokio::select! {
            biased;
            told = &mut answered => Ok(told.ok()),
            turn = queue.turn() => match queue.take(number) {
                Some((together, under_way)) => {
                    let (questions, senders): (Vec<_>, Vec<_>) = together.into_iter().unzip();
                    let found = answer(questions).await?;
                    drop(under_way);
                    drop(turn);
                    for sender in senders {
                        // Whoever has stopped waiting needs no answer.
                        let _ = sender.send(found.clone());
                    }
                    Ok(Some(found))
                }
                None => {
                    drop(turn);
                    Ok(answered.await.ok())
                }
            },
        }
    }

    fn place<'a>(&'a self, key: &'a K) -> Place<'a, K, Q, A> {
        let mut queues = locked(&self.queues);
        let queue = match queues.get(key) {
            Some(queue) => Arc::clone(queue),
            None => Arc::clone(queues.entry(key.clone()).or_default()),
        };
        Place { queues: self, key, queue }
    }
}

impl<K: Eq + Hash, Q, A> Drop for Place<'_, K, Q, A> {
    fn drop(&mut self) {
        let mut queues = locked(&self.queues.queues);
        // Places are only given away under this lock: the table's and this one are the last two.
        if Arc::strong_count(&self.queue) == 2 {
            queues.remove(self.key);
        }
    }
}

impl<Q, A> Default for Queue<Q, A> {
    fn default() -> Self {
        let line = Line { begun: 0, waiting: Vec::new(), under_way: 0, beside: 0 };
        Self { turn: Semaphore::new(1), line: Mutex::new(line) }
    }
}

/// Those whose turn it is.
type Together<Q, A> = Vec<(Q, oneshot::Sender<A>)>;

impl<Q, A> Queue<Q, A> {
    /// Leave to be answered beside the few who are under way.
    fn beside(&self, company: Company) -> Option<UnderWay<'_, Q, A>> {
        let mut line = locked(&self.line);
        let are_few = (1..=company.few).contains(&line.under_way) && line.waiting.is_empty();
        let may = are_few && line.beside < company.beside;
        line.beside += usize::from(may);
        may.then(|| UnderWay { queue: self, is_beside: true })
    }

    /// The turn of all who wait. Whoever is about to ask can join before it begins: an answer can be there before its
    /// question has waited, and then no two would ever go together.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        let turn = self.turn.acquire().await;
        yield_now().await;
        turn
    }

    /// Joins the line, and says for which answer.
    fn join(&self, question: Q, sender: oneshot::Sender<A>) -> u64 {
        let mut line = locked(&self.line);
        line.waiting.push((question, sender));
        line.begun
    }

    /// Everybody who waits for this answer; `None` when another has begun it.
    fn take(&self, number: u64) -> Option<(Together<Q, A>, UnderWay<'_, Q, A>)> {
        let mut line = locked(&self.line);
        if line.begun != number {
            return None;
        }
        line.begun = line.begun.wrapping_add(1);
        let together = mem::take(&mut line.waiting);
        line.under_way = together.len();
        Some((together, UnderWay { queue: self, is_beside: false }))
    }
}

impl<Q, A> Drop for UnderWay<'_, Q, A> {
    fn drop(&mut self) {
        let mut line = locked(&self.queue.line);
        match self.is_beside {
            true => line.beside = line.beside.saturating_sub(1),
            false => line.under_way = 0,
        }
    }
}

/// Nothing panics while these locks are held, so a poisoned one holds what it should.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::pin::{Pin, pin};

    use futures_util::FutureExt;

    use super::*;

    type Numbers = Queues<(), u32, Vec<u32>>;

    /// Asks, and is answered with all that went together once `may` says so.
    async fn ask(queues: &Numbers, number: u32, may: oneshot::Receiver<()>) -> Vec<u32> {
        let answer = async |together| {
            may.await.ok();
            Ok(together)
        };
        queues.ask(&(), number, answer).await.unwrap().unwrap()
    }

    #[test]
    fn one_goes_beside_few_and_the_others_go_together() {
        let queues = Numbers::default();
        let (first_may, allow_first) = oneshot_pair();
        let (second_may, allow_second) = oneshot_pair();
        let mut first = pin!(ask(&queues, 1, first_may));
        assert!(settled(first.as_mut()).is_none());
        let mut second = pin!(ask(&queues, 2, second_may));
        assert!(settled(second.as_mut()).is_none());
        let mut third = pin!(ask(&queues, 3, ready()));
        assert!(settled(third.as_mut()).is_none());
        let mut fourth = pin!(ask(&queues, 4, ready()));
        assert!(settled(fourth.as_mut()).is_none());
        allow_second.send(()).unwrap();
        assert_eq!(settled(second.as_mut()), Some(vec![2]));
        assert!(settled(third.as_mut()).is_none(), "the first is still under way, and others wait");
        allow_first.send(()).unwrap();
        assert_eq!(settled(first.as_mut()), Some(vec![1]));
        assert_eq!(settled(third.as_mut()), Some(vec![3, 4]));
        assert_eq!(settled(fourth.as_mut()), Some(vec![3, 4]));
    }

    #[test]
    fn nobody_goes_beside_many_and_whoever_leaves_makes_room() {
        let queues = Numbers::default();
        let (first_may, allow_first) = oneshot_pair();
        let mut first = Box::pin(ask(&queues, 0, first_may));
        assert!(settled(first.as_mut()).is_none());
        let mut beside = Box::pin(ask(&queues, 1, pending()));
        assert!(settled(beside.as_mut()).is_none());
        let mut many: Vec<_> = (2..=6).map(|number| Box::pin(ask(&queues, number, pending()))).collect();
        for waiting in &mut many {
            assert!(settled(waiting.as_mut()).is_none());
        }
        drop(beside);
        allow_first.send(()).unwrap();
        assert_eq!(settled(first.as_mut()), Some(vec![0]));
        for waiting in &mut many {
            assert!(settled(waiting.as_mut()).is_none());
        }
        let mut late = Box::pin(ask(&queues, 7, ready()));
        assert!(settled(late.as_mut()).is_none(), "five are under way");
        drop(many);
        assert_eq!(settled(late.as_mut()), Some(vec![7]));
        assert_eq!(settled(pin!(ask(&queues, 8, ready()))), Some(vec![8]));
        assert!(locked(&queues.queues).is_empty());
    }

    #[test]
    fn whoever_asks_before_the_first_was_sent_goes_with_it() {
        let queues = Numbers::default();
        let mut asked: Vec<_> = (1..=3).map(|number| Box::pin(ask(&queues, number, ready()))).collect();
        for one in &mut asked {
            assert!(one.as_mut().now_or_never().is_none());
        }
        for one in &mut asked {
            assert_eq!(settled(one.as_mut()), Some(vec![1, 2, 3]));
        }
    }

    #[test]
    fn as_many_go_beside_as_may() {
        for beside in 0..3 {
            let queues = Numbers::new(Company { few: 1, beside });
            let mut first = Box::pin(ask(&queues, 0, pending()));
            assert!(settled(first.as_mut()).is_none());
            let mut further: Vec<_> = (1..=3).map(|number| Box::pin(ask(&queues, number, ready()))).collect();
            let answered = further.iter_mut().filter_map(|one| settled(one.as_mut())).count();
            assert_eq!(answered, if beside > 0 { 3 } else { 0 }, "one after the other");
            let mut held: Vec<_> = (1..=3).map(|number| Box::pin(ask(&queues, number, pending()))).collect();
            for one in &mut held {
                assert!(settled(one.as_mut()).is_none());
            }
            let at_once: usize = locked(&queues.queues).values().map(|queue| locked(&queue.line).beside).sum();
            assert_eq!(at_once, beside);
        }
    }

    /// What it comes to, if it is not waiting for anything but its next turn to run.
    fn settled<F: Future>(mut asked: Pin<&mut F>) -> Option<F::Output> {
        (0..3).find_map(|_| asked.as_mut().now_or_never())
    }

    fn oneshot_pair() -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (allow, may) = oneshot::channel();
        (may, allow)
    }

    fn ready() -> oneshot::Receiver<()> {
        oneshot_pair().0
    }

    /// Never answered: its sender is forgotten, and so never dropped.
    fn pending() -> oneshot::Receiver<()> {
        let (may, allow) = oneshot_pair();
        std::mem::forget(allow);
        may
    }
}
