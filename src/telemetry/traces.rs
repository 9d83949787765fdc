//! Traces: a span for each request, for its operation and for its SQL statements, in the trace that the caller's
//! `traceparent` names. Nobody who calls this holds a span while there is no endpoint. A span says what kind of thing was
//! done and which fields of the schema were asked for; never a query's text, a variable, a name that a client chose, or
//! who asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{
    FutureExt as _, Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use super::metrics::requests::method_label;
use super::metrics::statements;
use super::otlp::Client;
use crate::config::{TracesConfig, TracesSampler};

/// Longest part of a statement's text that a span shows, in bytes; a page's statement with a hundred keys fits.
const MOST_TEXT: usize = 4096;

/// The one header that is read; `tracestate` may say anything, and is not passed on.
const TRACEPARENT: &str = "traceparent";

/// Traces cannot be sent. `Display` is one line.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The library refuses the endpoint.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Endpoint(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The library refuses its own defaults.
    #[error("traces cannot be sent over TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The file of authorities could not be read.
    #[error(
        "OTEL_EXPORTER_OTLP_CERTIFICATE={path:?} cannot be read ({cause}): correct the path or the file's permissions"
    )]
    CaUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::ErrorKind,
    },
    /// The file of authorities holds no certificate.
    #[error(
        "OTEL_EXPORTER_OTLP_CERTIFICATE={path:?} holds no certificate: it must be a PEM file with BEGIN CERTIFICATE in it"
    )]
    CaUnusable {
        /// The file.
        path: PathBuf,
    },
}

/// Where spans go. The default is nowhere.
#[derive(Clone, Default)]
pub struct Traces(Option<Arc<Sending>>);

struct Sending {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// A span that has begun. It ends when it is told to.
#[derive(Clone)]
pub struct Trace(Context);

impl Traces {
    /// Sends spans to the collector that the settings name, if they name one. Call it on the server's runtime.
    ///
    /// # Errors
    /// [`TracesError`].
    pub fn start(config: &TracesConfig) -> Result<Self, TracesError> {
        let Some(base) = &config.endpoint else { return Ok(Self::default()) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(config.certificate.as_deref())?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler(config))
            .with_resource(resource(config))
            .build();
        let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
        Ok(Self(Some(Arc::new(Sending { provider, tracer, propagator: TraceContextPropagator::new() }))))
    }

    /// Begins a request's span. `route` is the pattern of the router.
    #[must_use]
    pub fn request(&self, headers: &HeaderMap, method: &str, route: Option<&str>) -> Option<Trace> {
        let sending = self.0.as_ref()?;
        let parent = sending.propagator.extract_with_context(&Context::new(), &Parent(headers));
        let method = method_label(method);
        let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
        let mut attributes = vec![KeyValue::new("http.request.method", method)];
        attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
        Some(sending.begin(SpanBuilder::from_name(name).with_kind(SpanKind::Server), attributes, &parent))
    }

    /// Begins an operation's span below the one that is current. `root_fields` are names of the schema.
    #[must_use]
    pub fn operation<'a>(&self, kind: &'static str, root_fields: impl Iterator<Item = &'a str>) -> Option<Trace> {
        let sending = self.0.as_ref()?;
        let parent = Context::current();
        // Of a request that is not traced nothing else is: most are not where only a share is.
        if parent.has_active_span() && !parent.span().span_context().is_sampled() {
            return None;
        }
        let fields: Vec<StringValue> = root_fields.map(|field| field.to_owned().into()).collect();
        let attributes = vec![
            KeyValue::new("graphql.operation.type", kind),
            KeyValue::new("graphql.operation.root_fields", Value::Array(Array::String(fields))),
        ];
        Some(sending.begin(SpanBuilder::from_name(kind), attributes, &parent))
    }

    /// A statement has ended that began so long ago, below the span that is current; without one there is none.
    pub fn statement(&self, is_postgres: bool, sql: &str, failed: bool, took: Duration) {
        let Some(sending) = &self.0 else { return };
        let parent = Context::current();
        if !parent.span().span_context().is_sampled() {
            return;
        }
        let operation = statements::operation(sql);
        let mut end = MOST_TEXT.min(sql.len());
        while !sql.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        // The library's clock, which its other spans go by.
        let ended = opentelemetry::time::now();
        let builder = SpanBuilder::from_name(operation)
            .with_kind(SpanKind::Client)
            .with_start_time(ended.checked_sub(took).unwrap_or(ended))
            .with_attributes([
                KeyValue::new("db.system.name", if is_postgres { "postgresql" } else { "sqlite" }),
                KeyValue::new("db.operation.name", operation),
                KeyValue::new("db.query.text", sql.get(..end).unwrap_or_default().to_owned()),
            ]);
        let mut span = sending.tracer.build_with_context(builder, &parent);
        if failed {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(ended);
    }

    /// Sends what is left. It waits for the collector, seconds at most.
    pub async fn stop(&self) {
        let Some(sending) = self.0.clone() else { return };
        let stopped = tokio::task::spawn_blocking(move || sending.provider.shutdown());
        if !matches!(stopped.await, Ok(Ok(()))) {
            tracing::warn!("the last traces were not sent");
        }
    }
}

impl Sending {
    fn begin(&self, builder: SpanBuilder, attributes: Vec<KeyValue>, parent: &Context) -> Trace {
        let span = self.tracer.build_with_context(builder.with_attributes(attributes), parent);
        Trace(parent.with_span(span))
    }
}

impl Trace {
    /// The trace's id and the span's, in hexadecimal.
    #[must_use]
    pub fn ids(&self) -> (String, String) {
        let span = self.0.span();
        (span.span_context().trace_id().to_string(), span.span_context().span_id().to_string())
    }

    /// What the answer says of the trace, in the form of a `traceresponse` header.
    #[must_use]
    pub fn response_header(&self) -> String {
        let span = self.0.span();
        let context = span.span_context();
        format!("00-{}-{}-0{}", context.trace_id(), context.span_id(), u8::from(context.is_sampled()))
    }

    /// What `work` does is done in this span.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        work.with_context(self.0.clone()).await
    }

    /// Ends a request's span with the status of its answer.
    pub fn end_request(&self, status: u16) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end();
    }

    /// Ends an operation's span.
    pub fn end_operation(&self, outcome: &'static str, failed: bool) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("graphql.operation.outcome", outcome));
        if failed {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// The caller's `traceparent`.
struct Parent<'a>(&'a HeaderMap);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then(|| self.0.get(TRACEPARENT)?.to_str().ok()).flatten()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

fn sampler(config: &TracesConfig) -> Sampler {
    // The settings have checked that it is a number.
    let share = || Sampler::TraceIdRatioBased(config.share.parse().unwrap_or(1.0));
    match config.sampler {
        TracesSampler::AlwaysOn => Sampler::AlwaysOn,
        TracesSampler::AlwaysOff => Sampler::AlwaysOff,
        TracesSampler::TraceIdRatio => share(),
        TracesSampler::ParentBasedAlwaysOn => Sampler::ParentBased(Box::new(Sampler::AlwaysOn)),
        TracesSampler::ParentBasedAlwaysOff => Sampler::ParentBased(Box::new(Sampler::AlwaysOff)),
        TracesSampler::ParentBasedTraceIdRatio => Sampler::ParentBased(Box::new(share())),
    }
}

fn resource(config: &TracesConfig) -> Resource {
    let given = config.attributes.0.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
    Resource::builder_empty()
        .with_attributes(given)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_service_name(config.service_name.clone())
        .build()
}
