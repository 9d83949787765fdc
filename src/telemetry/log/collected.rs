//! A log that tests read: the server's own lines, kept in memory.

#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

use super::subscriber;
use crate::config::{LogFormat, TelemetryConfig};

/// What was logged so far.
#[derive(Clone, Default)]
pub(crate) struct Collected(Arc<Mutex<Vec<u8>>>);

impl io::Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Collected {
    /// Collects what this thread logs from now on until the guard is dropped.
    pub(crate) fn begin(level: &str, format: LogFormat) -> (Self, DefaultGuard) {
        // While only one dispatcher exists, tracing asks whichever thread first meets a log line whether anyone wants
        // it, and remembers the answer; a thread of another test says no. A second dispatcher makes it ask them all.
        static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));
        LazyLock::force(&SECOND);
        let log = Self::default();
        let writer = log.clone();
        let config = TelemetryConfig { log_level: level.to_owned(), log_format: format };
        let subscriber = subscriber(&config, move || writer.clone(), false).unwrap();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}
