//! The log: lines to standard error, JSON for machines or text for people. What is logged is decided where it happens;
//! here only form and filter are. Personal data and tokens never reach a log call, so nothing is filtered for them.

use std::io::{BufWriter, IsTerminal as _, stderr};

use tracing::Subscriber;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{LogFormat, TelemetryConfig};

/// The log could not be started. `Display` is one line.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error("LOG_LEVEL is not usable ({0}): write a level like info, or info,sqlx=debug")]
    Filter(#[from] ParseError),
    /// A process has one log.
    #[error("the log was started twice")]
    Twice(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Starts the log of this process on standard error, each line written before the call returns. Call it once, before
/// anything worth logging happens.
///
/// # Errors
/// See [`TelemetryError`].
pub fn init(config: &TelemetryConfig) -> Result<(), TelemetryError> {
    let subscriber = subscriber(config, stderr, stderr().is_terminal())?;
    Ok(tracing::subscriber::set_global_default(subscriber)?)
}

/// The same for a server: requests hand their lines to a thread, which writes as many as there are at once, because a
/// system call for each line would be a twentieth of a small request. What waits is written when the guard is dropped;
/// where nobody takes the lines, those who log wait.
///
/// # Errors
/// See [`TelemetryError`].
pub fn init_for_server(config: &TelemetryConfig) -> Result<WorkerGuard, TelemetryError> {
    let lines = BufWriter::with_capacity(AT_ONCE, stderr());
    let builder = NonBlockingBuilder::default().lossy(false).thread_name("log").buffered_lines_limit(WAITING);
    let (writer, guard) = builder.finish(lines);
    let subscriber = subscriber(config, writer, stderr().is_terminal())?;
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(guard)
}

/// Lines that wait for the thread, the better part of a second of a busy server's. Their places are there from the start;
/// the library's 128,000 take 4 MB of an idle server's memory.
const WAITING: usize = 16_384;

/// Bytes written at once; lines beyond are a write of their own.
const AT_ONCE: usize = 64 * 1024;

/// The log onto any writer; `color` applies to the form for people.
fn subscriber<W>(
    config: &TelemetryConfig,
    writer: W,
    color: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(filter(&config.log_level)?).with_writer(writer);
    Ok(match config.log_format {
        LogFormat::Pretty => Box::new(builder.with_ansi(color).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).with_span_list(false).finish()),
    })
}

/// The operator's filter, with SQL statements and the steps of migrations only if they are asked for by name: they are
/// many, and SeaORM logs them at the level of everything else. Its spans show the values bound to a statement, too.
fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    let wanted = EnvFilter::try_new(directives)?;
    let quieter_anyway = wanted.max_level_hint().is_some_and(|level| level <= LevelFilter::WARN);
    if quieter_anyway {
        return Ok(wanted);
    }
    // The operator's directives come last, so that `sqlx=debug` among them replaces these.
    EnvFilter::try_new(format!("{QUIET},{directives}"))
}

/// What is said of the database unless it is asked for by name.
const QUIET: &str = "sqlx=warn,sea_orm=info,sea_orm_migration=warn";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: &str, format: LogFormat, events: impl FnOnce()) -> String {
        let lines = Lines::default();
        let config = TelemetryConfig { log_level: level.to_owned(), log_format: format };
        let writer = lines.clone();
        let subscriber = subscriber(&config, move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, events);
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged("info", LogFormat::Json, || {
            let span = tracing::info_span!("request", request_id = "r1");
            let _inside = span.enter();
            tracing::info!(status = 200, "two\nlines");
            tracing::debug!("unheard");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["level"], &line["message"], &line["status"]),
            (&"INFO".into(), &"two\nlines".into(), &200.into())
        );
        assert_eq!(line["span"]["request_id"], "r1");
        assert!(line["timestamp"].is_string());
    }

    #[test]
    fn statements_are_logged_only_when_asked_for_by_name() {
        let statement = || {
            tracing::info!(target: "sqlx::query", "SELECT 1");
            tracing::warn!(target: "sqlx::query", "slow");
        };
        assert!(!logged("info", LogFormat::Json, statement).contains("SELECT 1"));
        assert!(!logged("trace", LogFormat::Pretty, statement).contains("SELECT 1"));
        assert!(logged("info", LogFormat::Json, statement).contains("slow"));
        assert!(logged("info,sqlx=info", LogFormat::Json, statement).contains("SELECT 1"));
        assert!(logged("sqlx::query=info,warn", LogFormat::Json, statement).contains("SELECT 1"));
        assert_eq!(logged("error", LogFormat::Json, statement), "");
    }
}
