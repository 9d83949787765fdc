//! The real server for tests: built through the application's one door on a SQLite file of its own, served on a free
//! port, with a clock that the test sets, ids that are known beforehand and a count of the SQL statements.

use std::ops::Deref;
use std::sync::Arc;

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::auth::{Actor, BranchGrant, Role, dev};
use branch_loan_api::clock::Clock;
use branch_loan_api::config::{AuthConfig, Config, Sources};
use branch_loan_api::service::Services;
use branch_loan_api::store::StoreError;
use chrono::TimeDelta;
use reqwest::header;
use sea_orm::ConnectionTrait;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::seams::{CountingIds, Statements, TestClock};

/// When every test begins: a Monday morning, noon in Nairobi, evening in Ho Chi Minh City.
pub const START: &str = "2026-03-02T09:00:00.000Z";

/// The request id every test request carries, so that whole answers can be compared.
pub const REQUEST_ID: &str = "test";

/// What a server does beside requests would add its statements to those of the test; a test that wants it calls it.
const NEVER: &str = "86400000";

/// What came back over HTTP.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body as it came.
    pub text: String,
    /// The body; null when it was not JSON.
    pub body: Json,
}

/// Someone who calls the server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// Sends a query or mutation whose document is accepted, and gives the answer's body.
    pub async fn query(&self, query: &str, variables: Json) -> Json {
        let answer = self.post(&json!({"query": query, "variables": variables})).await;
        assert_eq!(answer.status, 200, "{query}\n{:#}", answer.body);
        answer.body
    }

    /// The same, for a query without errors: gives `data`.
    pub async fn data(&self, query: &str, variables: Json) -> Json {
        let mut body = self.query(query, variables).await;
        assert!(body.get("errors").is_none(), "{query}\n{body:#}");
        body["data"].take()
    }

    /// The same, for a query with exactly one error: gives its code, message and path.
    pub async fn error(&self, query: &str, variables: Json) -> Json {
        let body = self.query(query, variables).await;
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no error: {query}\n{body:#}"));
        assert_eq!(errors.len(), 1, "{query}\n{body:#}");
        let error = &errors[0];
        assert_eq!(error["extensions"]["requestId"], REQUEST_ID, "{body:#}");
        json!({"code": error["extensions"]["code"], "message": error["message"], "path": error["path"]})
    }

    /// Sends a document that is refused before anything runs, and gives its one error's code and message.
    pub async fn refused(&self, query: &str, variables: Json) -> Json {
        let answer = self.post(&json!({"query": query, "variables": variables})).await;
        assert_eq!(answer.status, 400, "{query}\n{:#}", answer.body);
        assert!(answer.body.get("data").is_none(), "{query}\n{:#}", answer.body);
        let error = &answer.body["errors"][0];
        json!({"code": error["extensions"]["code"], "message": error["message"]})
    }

    /// Sends any JSON to `/graphql`.
    pub async fn post(&self, body: &Json) -> Answer {
        let mut request = self
            .http
            .post(&self.url)
            .header(header::ACCEPT, "application/graphql-response+json")
            .header("x-request-id", REQUEST_ID)
            .json(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Json::Null);
        Answer { status, text, body }
    }
}

/// A running server. It is also a [`Client`] that calls without a token: the development administrator.
pub struct TestApi {
    /// The time of day.
    pub clock: Arc<TestClock>,
    config: Config,
    administrator: Client,
    services: Arc<Services>,
    statements: Statements,
    shutdown: CancellationToken,
    _folder: TempDir,
}

impl Deref for TestApi {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.administrator
    }
}

impl Drop for TestApi {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl TestApi {
    /// A server with default settings and an empty database.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A server with further settings, by their environment names.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
        // A test is one caller who is always in a hurry; the rate limit has tests of its own.
        let defaults = [
            ("DATABASE_URL", database.as_str()),
            ("RATE_BURST", "1000000"),
            ("RATE_PER_SECOND", "1000000"),
            ("AUDIT_SEAL_INTERVAL_MS", NEVER),
            ("PORTFOLIO_TIDY_INTERVAL_MS", NEVER),
        ];
        let config = Config::load(&Sources::of(defaults.iter().chain(settings).copied())).unwrap();

        let clock = Arc::new(TestClock::at(START));
        let statements = Statements::default();
        let around = Surroundings {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ids: Arc::new(CountingIds::default()),
            observer: Some(statements.observer()),
        };
        let app = app::build(&config, around).await.unwrap_or_else(|error| panic!("{error}"));
        let shutdown = app.shutdown();
        let services = app.services();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        tokio::spawn(app.serve(listener));

        statements.reset();
        let administrator = Client { http: reqwest::Client::new(), url, token: None };
        Self { clock, config, administrator, services, statements, shutdown, _folder: folder }
    }

    /// Someone with these roles at these branches (by code; none stands for all of them).
    pub fn as_role(&self, roles: &[Role], branches: &[&str]) -> Client {
        self.as_someone("someone", roles, branches)
    }

    /// The same, under a name.
    pub fn as_someone(&self, subject: &str, roles: &[Role], branches: &[&str]) -> Client {
        let branches = match branches {
            [] => BranchGrant::All,
            codes => BranchGrant::Codes(codes.iter().map(|&code| code.to_owned()).collect()),
        };
        let actor =
            Actor { subject: subject.to_owned(), roles: roles.iter().copied().collect(), branches, request_id: None };
        self.as_actor(&actor)
    }

    /// Anyone.
    pub fn as_actor(&self, actor: &Actor) -> Client {
        let AuthConfig::Dev(dev) = &self.config.auth else { panic!("tokens are minted with AUTH_MODE=dev only") };
        let token = dev::mint(dev, actor, TimeDelta::days(365), self.clock.now()).unwrap();
        Client { token: Some(token), ..self.administrator.clone() }
    }

    /// The use cases the server works with.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The SQL statements the server sent.
    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Runs a statement on the server's database, to bring about what no use case does. It must change something.
    pub async fn sql(&self, statement: &str) {
        let database = app::open_database(&self.config, None).await.unwrap();
        let write = database.write(|transaction| async move {
            Ok::<_, StoreError>(transaction.execute_unprepared(statement).await?.rows_affected())
        });
        assert_ne!(write.await.unwrap(), 0, "{statement}");
        database.close().await;
    }
}
