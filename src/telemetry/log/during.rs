//! Which request a line of the log was written during. Lines that are written ask for it, and nothing is done for it
//! besides: a span of the library would be registered, formatted and entered for every request, most of which write but
//! the one line at their end.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Full, Writer};
use tracing_subscriber::registry::LookupSpan;

/// A request, as the lines written during it name it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// Its trace's id and its span's, in hexadecimal.
    pub trace: Option<(String, String)>,
}

tokio::task_local! {
    static CURRENT: Request;
}

impl Request {
    /// Whatever `work` logs is written during this request.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// Work for a task of its own: what it logs is written during the request that is current now, if there is one.
    pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
        let current = CURRENT.try_with(Self::clone).ok();
        async move {
            match current {
                Some(request) => request.run(work).await,
                None => work.await,
            }
        }
    }

    /// Its members, those it has.
    fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let trace =
            self.trace.iter().flat_map(|(trace, span)| [("trace_id", trace.as_str()), ("span_id", span.as_str())]);
        [("request_id", self.id.as_str())].into_iter().chain(trace)
    }
}

/// Tells a line the members of the request it is written during, and whether there is one.
pub(super) fn tell(mut to: impl FnMut(&'static str, &str)) -> bool {
    let told = CURRENT.try_with(|request| request.members().for_each(|(name, value)| to(name, value)));
    told.is_ok()
}

/// The library's lines for people, with the request at their end.
#[derive(Debug)]
pub(super) struct TextLine(Format<Full>);

impl TextLine {
    pub(super) fn new(color: bool) -> Self {
        Self(Format::default().with_ansi(color))
    }
}

impl<S, N> FormatEvent<S, N> for TextLine
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        line.truncate(line.trim_end_matches('\n').len());
        tell(|name, value| line.extend([" ", name, "=", value]));
        line.push('\n');
        writer.write_str(&line)
    }
}
