//! The log: lines to standard error, JSON for machines or text for people. What is logged is decided where it happens;
//! here only form and filter are. Personal data and tokens never reach a log call, so nothing is filtered for them.

#[cfg(test)]
pub(crate) mod collected;
mod during;
mod json;
mod lines;

use std::io::{IsTerminal as _, stderr};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;

pub use self::during::Request;
use self::during::TextLine;
use self::json::JsonLine;
use self::lines::Lines;
pub use self::lines::WritesRest;
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
    /// Lines are written by a thread of its own.
    #[error("no thread for the log ({0})")]
    NoThread(#[from] std::io::Error),
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

/// The same for a server: requests hand their lines to a thread, which writes as many as there are at once. What waits is
/// written when the guard is dropped; where nobody takes the lines, those who log wait.
///
/// # Errors
/// See [`TelemetryError`].
pub fn init_for_server(config: &TelemetryConfig) -> Result<WritesRest, TelemetryError> {
    let (lines, rest) = Lines::to(stderr())?;
    let subscriber = subscriber(config, lines, stderr().is_terminal())?;
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(rest)
}

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
        LogFormat::Pretty => Box::new(builder.with_ansi(color).event_format(TextLine::new(color)).finish()),
        LogFormat::Json => Box::new(builder.json().event_format(JsonLine).finish()),
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
    use futures_util::FutureExt as _;

    use super::collected::Collected;
    use super::*;

    fn logged(level: &str, format: LogFormat, events: impl FnOnce()) -> String {
        let (log, _guard) = Collected::begin(level, format);
        events();
        log.text()
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
    fn json_has_every_kind_of_value_and_the_span() {
        let text = logged("info", LogFormat::Json, || {
            tracing::info_span!("outer", path = "a \"quoted\" one").in_scope(|| {
                tracing::info_span!("inner").in_scope(|| tracing::warn!(half = 0.5, "within"));
                let nobody: Option<&str> = None;
                let cause = std::io::Error::other("no \u{7} bell");
                let error: &dyn std::error::Error = &cause;
                tracing::error!(count = -3, is = true, who = nobody, error, seen = ?Some("it"), size = %"7 m");
            });
        });
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut lines = lines.into_iter();
        let mut take = || {
            let mut line = lines.next().unwrap();
            assert!(line.as_object_mut().unwrap().remove("timestamp").unwrap().is_string());
            line
        };
        let target = module_path!();
        assert_eq!(
            take(),
            serde_json::json!({
                "level": "WARN", "message": "within", "half": "0.5", "target": target,
                "span": {"name": "inner"},
            })
        );
        assert_eq!(
            take(),
            serde_json::json!({
                "level": "ERROR", "count": -3, "is": true, "error": "no \u{7} bell", "seen": "Some(\"it\")",
                "size": "7 m", "target": target, "span": {"path": "a \"quoted\" one", "name": "outer"},
            })
        );
    }

    #[test]
    fn lines_name_the_request_they_are_written_during() {
        let during = |id: &str, trace: Option<(&str, &str)>| {
            let trace = trace.map(|(trace, span)| (trace.to_owned(), span.to_owned()));
            let request = Request { id: id.to_owned(), trace };
            request.run(async { tracing::warn!(tries = 2, "slow") }).now_or_never().unwrap();
        };
        let requests = || {
            during("r1", None);
            during("r2", Some(("ab", "cd")));
            tracing::warn!("alone");
        };
        let json = logged("info", LogFormat::Json, requests);
        let spans = json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["span"].take());
        let expected = [
            serde_json::json!({"request_id": "r1", "name": "request"}),
            serde_json::json!({"request_id": "r2", "trace_id": "ab", "span_id": "cd", "name": "request"}),
            serde_json::Value::Null,
        ];
        assert_eq!(spans.collect::<Vec<_>>(), expected);
        let text = logged("info", LogFormat::Pretty, requests);
        let ends: Vec<&str> = text.lines().map(|line| line.split_once("log::tests: ").unwrap().1).collect();
        assert_eq!(ends, ["slow tries=2 request_id=r1", "slow tries=2 request_id=r2 trace_id=ab span_id=cd", "alone"]);
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
