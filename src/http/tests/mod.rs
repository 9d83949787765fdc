//! The HTTP layer on a real socket, with a toy schema behind the door. One file per concern.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connections;
mod endpoint;
mod engine;
mod execution;
mod logs;
mod pages;
mod probes;
mod sockets;
mod toy;
mod transport_security;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use chrono::DateTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::health::{Readiness, ReadinessCheck};
use super::settings::{HttpSettings, ServerSettings};
use super::tls::Tls;
use super::{HttpState, router, server};
use crate::clock::FixedClock;
use crate::telemetry::Telemetry;
use toy::{Gate, ToyAuthenticator, ToyDoor};

use super::door::GraphqlDoor;

/// Longest wait for what must happen anyway; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<F: std::future::Future>(what: F) -> F::Output {
    tokio::time::timeout(PATIENCE, what).await.expect("it never happened")
}

/// How to start a test server; the default lets everything through.
#[derive(Default)]
struct Setup {
    http: HttpSettings,
    server: ServerSettings,
    tls: Option<Arc<Tls>>,
    checks: Vec<Arc<dyn ReadinessCheck>>,
    /// Instead of the toy.
    door: Option<Arc<dyn GraphqlDoor>>,
    /// No token makes a development administrator.
    dev: bool,
    telemetry: Telemetry,
}

struct TestServer {
    address: SocketAddr,
    state: Arc<HttpState>,
    gate: Arc<Gate>,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    client: reqwest::Client,
}

impl Setup {
    async fn start(self) -> TestServer {
        let gate = Arc::new(Gate::default());
        let shutdown = CancellationToken::new();
        let state = HttpState::new(
            self.http,
            Arc::new(ToyAuthenticator { dev: self.dev }),
            self.door.unwrap_or_else(|| Arc::new(ToyDoor::new(gate.clone()))),
            Readiness::new(self.checks),
            Arc::new(FixedClock(DateTime::UNIX_EPOCH)),
            shutdown.clone(),
        );
        let state = Arc::new(state.with_telemetry(self.telemetry));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = server::serve(
            listener,
            self.tls,
            router(state.clone()),
            self.server,
            state.background.clone(),
            shutdown.clone(),
        );
        let task = tokio::spawn(served);
        TestServer { address, state, gate, shutdown, task, client: reqwest::Client::new() }
    }
}

/// What came back, read to the end.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = soon(request.send()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: soon(response.text()).await.unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The first error's code, after checking that every error has the three extensions and the id of the header.
    fn code(&self) -> String {
        let body = self.json();
        for error in body["errors"].as_array().expect("errors") {
            assert!(error["message"].is_string() && error["extensions"]["retryable"].is_boolean(), "{error}");
            assert_eq!(error["extensions"]["requestId"], self.header("x-request-id"), "{error}");
        }
        body["errors"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }
}

impl TestServer {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }

    /// A POST to `/graphql` by a known user.
    fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.client
            .post(self.url("/graphql"))
            .header("content-type", "application/json")
            .header("authorization", "Bearer user-1")
            .body(body)
    }

    async fn query(&self, query: &str) -> Reply {
        Reply::of(self.post(json!({ "query": query }).to_string())).await
    }

    /// Stops the server and waits until it has.
    async fn stop(self) {
        self.shutdown.cancel();
        soon(self.task).await.unwrap().unwrap();
    }
}
