//! A line of the log as a JSON object: when, how bad, what the event says, where it comes from, and the span or the
//! request it happened in. The form is tracing-subscriber's, but that a number with a point, which nothing here logs,
//! comes as text.
//!
//! Written by hand: the library writes through three adapters, each of which looks at every piece of text again, and
//! reads a span's fields back from JSON for every line.

use std::fmt::{self, Debug};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::during;

/// Events as JSON; the fields of spans must be JSON objects already.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut object = Object { text: Vec::with_capacity(USUAL) };
        object.member("timestamp", &timestamp);
        object.member("level", metadata.level().as_str());
        event.record(&mut object);
        object.member("target", metadata.target());
        let span = event.parent().and_then(|id| context.span(id)).or_else(|| context.lookup_current());
        if let Some(span) = span
            && let Some(fields) = span.extensions().get::<FormattedFields<N>>()
        {
            let mut within = Object { text: fields.fields.strip_suffix('}').unwrap_or_default().as_bytes().to_vec() };
            within.member("name", span.name());
            object.nested("span", within);
        } else {
            let mut within = Object { text: Vec::new() };
            if during::tell(|name, value| within.member(name, value)) {
                within.member("name", "request");
                object.nested("span", within);
            }
        }
        object.text.extend_from_slice(b"}\n");
        writer.write_str(str::from_utf8(&object.text).map_err(|_| fmt::Error)?)
    }
}

/// Bytes of most lines.
const USUAL: usize = 512;

/// An object without its end.
struct Object {
    text: Vec<u8>,
}

impl Object {
    fn name(&mut self, name: &str) {
        match self.text.len() {
            0 => self.text.push(b'{'),
            1 => {}
            _ => self.text.push(b','),
        }
        self.value(name);
        self.text.push(b':');
    }

    fn member(&mut self, name: &str, value: impl Serialize) {
        self.name(name);
        self.value(value);
    }

    fn nested(&mut self, name: &str, mut within: Self) {
        self.name(name);
        self.text.append(&mut within.text);
        self.text.push(b'}');
    }

    fn value(&mut self, value: impl Serialize) {
        let before = self.text.len();
        if serde_json::to_writer(&mut self.text, &value).is_err() {
            self.text.truncate(before);
            self.text.extend_from_slice(b"null");
        }
    }
}

impl Visit for Object {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field.name(), format_args!("{value:?}"));
    }
}
