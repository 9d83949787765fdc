//! Traces, as a collector receives them: spans in the caller's trace, and nothing in them that a client chose.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::serve::Listener;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::attacks_values::world;
use crate::support::server::{Reply, Setup};

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.start_on(listener)
    }

    /// The same over TLS, as `localhost`; the certificate is its own authority.
    async fn start_tls(&self) -> (SocketAddr, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = self.start_on(TlsListener { listener, acceptor: TlsAcceptor::from(Arc::new(config)) });
        (address, made.cert.pem())
    }

    fn start_on(&self, listener: impl Listener<Addr = SocketAddr>) -> SocketAddr {
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(keep)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.0.lock().unwrap();
        bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let scopes = self.requests().into_iter().flat_map(|request| request.resource_spans);
        scopes.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// Everything that was sent, as text.
    fn text(&self) -> String {
        format!("{:?}", self.requests()).to_lowercase()
    }
}

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // Whoever does not trust the certificate hangs up.
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn keep(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collector.0.lock().unwrap().push(body);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    found.map(|attribute| format!("{:?}", attribute.value)).unwrap_or_default()
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_its_operation_and_its_statements_are_spans_of_the_callers_trace() {
    let collector = Collector::default();
    let endpoint = format!("http://{}", collector.start().await);
    let setup = Setup::development().set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let setup = setup.set("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=a-test");
    let server = setup.start().await;
    let world = world(&server).await;

    let query = "mutation Canary($canary: ApplyForLoanInput!) { canary: applyForLoan(input: $canary) { loan { id } } }";
    let input = json!({
        "idempotencyKey": "canary-key", "borrowerId": world["borrower"], "productId": world["product"],
        "principal": {"amount": "1000.00", "currency": "KES"}, "externalRef": "canary-ref",
    });
    let body = json!({"query": query, "operationName": "Canary", "variables": {"canary": input}}).to_string();
    let request = server.post(body).header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let request = request.header("tracestate", "vendor=canary").header("user-agent", "canary/1");
    let reply = Reply::of(request).await;
    assert!(reply.status == 200 && reply.json().get("errors").is_none(), "{}", reply.text);
    let told = reply.header("traceresponse").to_owned();
    Reply::of(server.get("/health")).await;
    let viewer = server.data("{ viewer { subject } }", json!({})).await;
    let subject = viewer["viewer"]["subject"].as_str().unwrap().to_lowercase();
    server.stop().await;

    let spans: Vec<Span> = collector.spans().into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let requests = named("POST /graphql");
    assert_eq!(requests.len(), 1, "{spans:#?}");
    assert_eq!(hex(&requests[0].parent_span_id), PARENT);
    assert_eq!(told, format!("00-{TRACE}-{}-01", hex(&requests[0].span_id)));
    assert!(attribute(requests[0], "http.response.status_code").contains("200"));
    let operations = named("mutation");
    assert_eq!(operations.len(), 1, "{spans:#?}");
    assert_eq!(operations[0].parent_span_id, requests[0].span_id);
    assert!(attribute(operations[0], "graphql.operation.root_fields").contains("applyForLoan"));
    let inserts = named("INSERT");
    assert!(inserts.iter().any(|span| attribute(span, "db.query.text").contains("loans")), "{spans:#?}");
    for insert in inserts {
        assert_eq!(insert.parent_span_id, operations[0].span_id, "a mutation's task keeps the span");
        assert!(insert.start_time_unix_nano <= insert.end_time_unix_nano);
    }
    assert!(collector.spans().iter().all(|span| span.name != "GET /health"), "probes are no news");
    let text = collector.text();
    assert!(text.contains("deployment.environment.name") && text.contains("branch-loan-api"));
    assert!(!text.contains("canary") && !text.contains("1000.00"), "{text}");
    assert!(!text.contains(&subject), "who asked: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_does_not_trace_is_not_traced() {
    let collector = Collector::default();
    let endpoint = format!("http://{}/", collector.start().await);
    let server = Setup::development().set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).start().await;
    let body = json!({"query": "{ __typename }"}).to_string();
    let reply = Reply::of(server.post(body).header("traceparent", format!("00-{TRACE}-{PARENT}-00"))).await;
    assert!(reply.header("traceresponse").starts_with(&format!("00-{TRACE}-")), "{:?}", reply.headers);
    assert!(reply.header("traceresponse").ends_with("-00"));
    server.stop().await;
    assert!(collector.spans().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_endpoint_nothing_is_said_of_traces() {
    let server = Setup::development().start().await;
    let body = json!({"query": "{ __typename }"}).to_string();
    let reply = Reply::of(server.post(body).header("traceparent", format!("00-{TRACE}-{PARENT}-01"))).await;
    assert_eq!((reply.status, reply.header("traceresponse")), (200, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_traces_and_nothing_else() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let setup = Setup::development().set("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{nobody}"));
    let server = setup.start().await;
    server.data("{ __typename }", json!({})).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_https_only_a_collector_that_is_trusted_is_told() {
    let collector = Collector::default();
    let (address, certificate) = collector.start_tls().await;
    let endpoint = format!("https://localhost:{}", address.port());
    let setup = || Setup::development().set("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);

    let server = setup().start().await;
    server.data("{ __typename }", json!({})).await;
    server.stop().await;
    assert!(collector.spans().is_empty(), "the public authorities have not signed this certificate");

    let trusting = |content: &str| {
        let setup = setup();
        let path = setup.folder().join("collectors.pem");
        std::fs::write(&path, content).unwrap();
        setup.set("OTEL_EXPORTER_OTLP_CERTIFICATE", path.display())
    };
    let server = trusting(&certificate).start().await;
    server.data("{ __typename }", json!({})).await;
    server.stop().await;
    assert!(collector.spans().iter().any(|span| span.name == "POST /graphql"), "{}", collector.text());

    let missing = setup().set("OTEL_EXPORTER_OTLP_CERTIFICATE", "/does/not/exist.pem");
    for (setup, named) in [(missing, "cannot be read"), (trusting("no certificate"), "holds no certificate")] {
        let message = setup.try_start().await.err().unwrap().to_string();
        assert!(message.contains("OTEL_EXPORTER_OTLP_CERTIFICATE=") && message.contains(named), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
}
