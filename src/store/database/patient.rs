//! Waiting for SQLite. Its statements run on a thread of their own, which hands rows over one by one, and most are done in
//! less time than it takes to put the waiting thread to sleep and to wake it, once for each row. So whoever is the only one
//! to wait looks again for a moment, and lets others have their turn in between.

use std::future::{Future, poll_fn};
use std::hint::spin_loop;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// How long to look again for a read. What takes longer is worth a sleep.
pub(super) const READ: Duration = Duration::from_micros(300);

/// How long to look again for all of a transaction's statements, for which all other writers wait.
pub(super) const WRITE: Duration = Duration::from_millis(2);

/// Looks before others have their turn: some ten microseconds.
const LOOKS: u32 = 8;

/// Pauses of the processor between two looks.
const PAUSES: u32 = 32;

/// Those who wait at the same time.
#[derive(Debug, Default)]
pub(super) struct Waiting(AtomicUsize);

/// One who waits, until they do not any more.
struct Waits<'a>(&'a Waiting);

impl Waiting {
    /// Does `work`, most of which a thread of SQLite's does, looking again for as long as nobody else waits here, at most
    /// for so long.
    pub(super) async fn through<F: Future>(&self, work: F, most: Duration) -> F::Output {
        let others = self.0.fetch_add(1, Ordering::Relaxed);
        let _waits = Waits(self);
        let mut work = pin!(work);
        if others > 0 {
            return work.await;
        }
        let until = Instant::now() + most;
        poll_fn(|context| {
            for _ in 0..LOOKS {
                if let Poll::Ready(outcome) = work.as_mut().poll(context) {
                    return Poll::Ready(outcome);
                }
                (0..PAUSES).for_each(|_| spin_loop());
            }
            if self.0.load(Ordering::Relaxed) == 1 && Instant::now() < until {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures_util::FutureExt;
    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn others_have_their_turn_while_one_looks_again() {
        let waiting = Waiting::default();
        let (answer, asked) = oneshot::channel();
        let other = async {
            yield_now().await;
            answer.send(7).unwrap();
        };
        let (found, ()) = tokio::join!(waiting.through(asked, Duration::from_secs(3600)), other);
        assert_eq!(found, Ok(7));
    }

    #[tokio::test]
    async fn whoever_has_waited_long_enough_or_is_not_alone_sleeps_until_woken() {
        let waiting = Waiting::default();
        for most in [Duration::ZERO, Duration::from_secs(3600)] {
            let (_keep, never) = oneshot::channel::<()>();
            let mut first = Box::pin(waiting.through(never, most));
            assert!(first.as_mut().now_or_never().is_none());
            let (answer, asked) = oneshot::channel();
            let later = async {
                yield_now().await;
                answer.send(7).unwrap();
            };
            let (found, ()) = tokio::join!(waiting.through(asked, Duration::from_secs(3600)), later);
            assert_eq!(found, Ok(7));
            drop(first);
            assert_eq!(waiting.0.load(Ordering::Relaxed), 0);
        }
    }
}
