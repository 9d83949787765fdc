//! The application behind a real socket, as the settings of its environment make it: built through its one door, on a
//! SQLite file of its own, with the machine's clock. Requests are sent raw, so that a test sees what a client sees.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use branch_loan_api::app::{self, StartError, Surroundings};
use branch_loan_api::config::{Config, Sources};
use branch_loan_api::service::Services;
use reqwest::header::{self, HeaderMap};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::exposition::Metrics;
use super::issuer::{AUDIENCE, ISSUER, Issuer};

/// Longest wait for what must happen anyway; a test that reaches it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The request id every request carries unless it is given another, so that whole answers can be compared.
pub const REQUEST_ID: &str = "test";

/// 32 bytes in base64 that are neither the development key nor trivial.
pub const PII_KEY: &str = "dGhlIHRlc3RzIG93biBrZXksIDMyIGJ5dGVzIGxvbmc=";

pub async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(PATIENCE, what).await.expect("it never happened")
}

/// A server that has not been started: its settings by their environment names, and the folder of its files.
pub struct Setup {
    settings: BTreeMap<String, String>,
    issuer: Option<Issuer>,
    folder: TempDir,
}

impl Setup {
    /// Development, as in a fresh clone, without the rate limit: a test is one caller who is always in a hurry.
    pub fn development() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
        let setup = Self { settings: BTreeMap::new(), issuer: None, folder };
        setup.set("DATABASE_URL", database).set("RATE_BURST", 1_000_000).set("RATE_PER_SECOND", 1_000_000)
    }

    /// `staging` or `production`: nothing but what those demand.
    pub fn strict(environment: &str) -> Self {
        let issuer = Issuer::new("key-1");
        let mut setup = Self::development();
        let keys = issuer.publish(setup.folder.path());
        setup.issuer = Some(issuer);
        setup
            .set("APP_ENV", environment)
            .set("AUTH_ISSUER", ISSUER)
            .set("AUTH_AUDIENCE", AUDIENCE)
            .set("AUTH_JWKS_FILE", keys.display())
            .set("PII_KEY", PII_KEY)
            .set("MIGRATE_ON_START", "on")
    }

    /// The same with one more setting.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// The same with the issuer's keys from an address instead of a file.
    pub fn with_keys_from(self, url: &str) -> Self {
        self.set("AUTH_JWKS_FILE", "").set("AUTH_JWKS_URL", url)
    }

    /// Where the server's files are.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn issuer(&self) -> &Issuer {
        self.issuer.as_ref().unwrap()
    }

    pub fn config(&self) -> Config {
        Config::load(&Sources::of(self.settings.clone())).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts it; the settings must be usable.
    pub async fn start(self) -> Server {
        self.try_start().await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn try_start(self) -> Result<Server, StartError> {
        let config = self.config();
        let app = app::build(&config, Surroundings::real()).await?;
        let (services, shutdown) = (app.services(), app.shutdown());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let admin_listener = match config.admin.address() {
            Some(address) => Some(TcpListener::bind(address).await.unwrap()),
            None => None,
        };
        let admin = admin_listener.as_ref().map(|listener| listener.local_addr().unwrap());
        let task = tokio::spawn(app.serve_with_admin(listener, admin_listener));
        let token = self.issuer.as_ref().map(Issuer::token);
        Ok(Server {
            address,
            admin,
            client: reqwest::Client::new(),
            config,
            services,
            shutdown,
            task,
            issuer: self.issuer,
            token,
            folder: self.folder,
        })
    }
}

/// A running server. Requests are sent with its issuer's token where it has an issuer, otherwise without one.
pub struct Server {
    pub address: SocketAddr,
    /// Where the admin port is, if the settings want one.
    pub admin: Option<SocketAddr>,
    pub client: reqwest::Client,
    pub config: Config,
    pub services: Arc<Services>,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<std::io::Result<()>>,
    issuer: Option<Issuer>,
    token: Option<String>,
    folder: TempDir,
}

impl Server {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn issuer(&self) -> &Issuer {
        self.issuer.as_ref().unwrap()
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }

    /// A GET of the admin port.
    pub fn get_admin(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("http://{}{path}", self.admin.unwrap()))
    }

    /// Everything that is counted, as the admin port tells it.
    pub async fn metrics(&self) -> Metrics {
        let reply = Reply::of(self.get_admin("/metrics")).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
        Metrics::read(&reply.text)
    }

    /// A POST of JSON to `/graphql` without credentials.
    pub fn anonymous(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.anonymous_accepting(body, "application/graphql-response+json")
    }

    fn anonymous_accepting(&self, body: impl Into<reqwest::Body>, media: &str) -> reqwest::RequestBuilder {
        self.client
            .post(self.url("/graphql"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, media)
            .header("x-request-id", REQUEST_ID)
            .body(body)
    }

    /// A POST of JSON to `/graphql` by a client that reads another media type.
    pub fn post_accepting(&self, body: impl Into<reqwest::Body>, media: &str) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => self.anonymous_accepting(body, media).bearer_auth(token),
            None => self.anonymous_accepting(body, media),
        }
    }

    /// A POST of JSON to `/graphql`.
    pub fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => self.anonymous(body).bearer_auth(token),
            None => self.anonymous(body),
        }
    }

    pub async fn ask(&self, query: &str) -> Reply {
        self.ask_with(query, json!({})).await
    }

    pub async fn ask_with(&self, query: &str, variables: Json) -> Reply {
        Reply::of(self.post(json!({"query": query, "variables": variables}).to_string())).await
    }

    /// The data of a query or mutation that has neither errors nor user errors.
    pub async fn data(&self, query: &str, variables: Json) -> Json {
        let reply = self.ask_with(query, variables).await;
        let mut body = reply.json();
        assert!(reply.status == 200 && body.get("errors").is_none(), "{query}\n{body:#}");
        let payloads = body["data"].as_object().unwrap().values();
        for payload in payloads.filter(|payload| payload.get("userErrors").is_some()) {
            assert_eq!(payload["userErrors"], json!([]), "{query}\n{body:#}");
        }
        body["data"].take()
    }

    /// The process answers, and still does its work.
    pub async fn assert_alive(&self, after: &str) {
        let reply = Reply::of(self.get("/health")).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, r#"{"status":"ok"}"#), "after {after}");
    }

    /// Stops the server, waits until it has, and leaves its folder.
    pub async fn stop(self) -> TempDir {
        self.shutdown.cancel();
        drop(self.client);
        soon(self.task).await.unwrap().unwrap();
        self.folder
    }
}

/// What came back, read to the end.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = soon(request.send()).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: soon(response.text()).await.unwrap() }
    }

    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The codes of all errors, after checking that each has its extensions and the id of the header.
    pub fn codes(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| {
                let extensions = &error["extensions"];
                assert!(error["message"].is_string() && extensions["retryable"].is_boolean(), "{error}");
                assert_eq!(extensions["requestId"], self.header("x-request-id"), "{error}");
                extensions["code"].as_str().expect("a code").to_owned()
            })
            .collect()
    }

    /// The code of the first error; empty when there is none.
    pub fn code(&self) -> String {
        self.codes().into_iter().next().unwrap_or_default()
    }

    /// Status and first code, which is what most tests are about.
    pub fn verdict(&self) -> (u16, String) {
        (self.status, self.code())
    }
}
