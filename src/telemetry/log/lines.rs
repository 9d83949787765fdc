//! Lines on their way out. Whoever logs adds a line to what waits, and a thread of its own writes what waits, all at once
//! and then not again for a moment: a busy server makes a hundred system calls a second for it, and wakes the thread as
//! often. It knows nothing of what lines say.
//!
//! Written by hand: tracing-appender hands every line over by itself and wakes its thread for each, with which a line
//! was a quarter of the smallest request (`cargo bench --bench load -- --workload no-database --set-b LOG_LEVEL=off`).

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long the thread rests when it has written. A line that comes after a rest is written at once.
const REST: Duration = Duration::from_millis(10);

/// Bytes that wait at most, the better part of a second of a busy server's lines. Where they are not taken, those who log
/// wait.
const MOST: usize = 4 * 1024 * 1024;

/// Bytes there is room for from the start, and that are kept when more were needed once.
const USUAL: usize = 64 * 1024;

/// Where lines are added.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(Arc<Shared>);

/// Writes what waits until it is dropped, and then the rest.
#[derive(Debug)]
pub struct WritesRest {
    lines: Lines,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write, or the end has come.
    more: Condvar,
    /// There is room again.
    room: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    is_last: bool,
}

impl Lines {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn to(mut out: impl Write + Send + 'static) -> io::Result<(Self, WritesRest)> {
        let lines = Self::default();
        let taken_from = lines.clone();
        let thread = thread::Builder::new().name("log".to_owned()).spawn(move || taken_from.0.write_all(&mut out))?;
        Ok((lines.clone(), WritesRest { lines, thread: Some(thread) }))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let is_full = |waiting: &mut Waiting| waiting.text.len() >= MOST && !waiting.is_last;
        let mut waiting = self.room.wait_while(self.lock(), is_full).unwrap_or_else(PoisonError::into_inner);
        let is_first = waiting.text.is_empty();
        waiting.text.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.more.notify_one();
        }
    }

    fn write_all(&self, out: &mut impl Write) {
        let mut text = Vec::with_capacity(USUAL);
        loop {
            let is_idle = |waiting: &mut Waiting| waiting.text.is_empty() && !waiting.is_last;
            let mut waiting = self.more.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut waiting.text, &mut text);
            let is_last = waiting.is_last;
            drop(waiting);
            self.room.notify_all();
            // Where standard error is gone there is nobody left to tell.
            let _ = out.write_all(&text).and_then(|()| out.flush());
            if is_last {
                return;
            }
            text.clear();
            text.shrink_to(USUAL);
            let goes_on = |waiting: &mut Waiting| !waiting.is_last;
            drop(self.more.wait_timeout_while(self.lock(), REST, goes_on));
        }
    }
}

impl Drop for WritesRest {
    fn drop(&mut self) {
        self.lines.0.lock().is_last = true;
        self.lines.0.more.notify_one();
        self.lines.0.room.notify_all();
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked, and if it did there would be nothing to do about it.
            let _ = thread.join();
        }
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Tells what is written, and writes no further until it may.
    struct Gate {
        written: Sender<Vec<u8>>,
        may: Receiver<()>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written.send(bytes.to_vec()).unwrap();
            let _ = self.may.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Lines of which the first is being written, what is written after it, and the leave to write it.
    fn while_one_is_written() -> (Lines, WritesRest, Receiver<Vec<u8>>, Sender<()>) {
        let ((written, seen), (allow, may)) = (channel(), channel());
        let (lines, rest) = Lines::to(Gate { written, may }).unwrap();
        (&lines).write_all(b"one\n").unwrap();
        assert_eq!(seen.recv().unwrap(), b"one\n");
        (lines, rest, seen, allow)
    }

    #[test]
    fn lines_that_come_while_others_are_written_are_written_at_once_and_in_their_order() {
        let (lines, rest, seen, allow) = while_one_is_written();
        for line in ["two\n", "three\n", "four\n"] {
            (&lines).write_all(line.as_bytes()).unwrap();
        }
        allow.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), b"two\nthree\nfour\n");
        drop(allow);
        drop(rest);
        assert!(seen.try_recv().is_err());
    }

    #[test]
    fn what_waits_at_the_end_is_written() {
        let (lines, rest, seen, allow) = while_one_is_written();
        (&lines).write_all(b"last\n").unwrap();
        drop(allow);
        drop(rest);
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [b"last\n"]);
    }

    #[test]
    fn whoever_logs_more_than_there_is_room_for_waits() {
        let (lines, rest, seen, allow) = while_one_is_written();
        (&lines).write_all(&vec![b'x'; MOST]).unwrap();
        let (other, (done, is_done)) = (lines.clone(), channel());
        let waits = thread::spawn(move || {
            (&other).write_all(b"more\n").unwrap();
            done.send(()).unwrap();
        });
        assert!(is_done.recv_timeout(Duration::from_millis(50)).is_err());
        assert_eq!(rest.lines.0.lock().text.len(), MOST);
        drop(allow);
        is_done.recv().unwrap();
        waits.join().unwrap();
        drop(rest);
        assert_eq!(seen.try_iter().map(|text| text.len()).sum::<usize>(), MOST + 5);
    }
}
