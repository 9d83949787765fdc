//! The one door to a running application: settings and a clock in, an application out. The binary and the tests both
//! come in here, so that what is tested is what runs.

use std::sync::Arc;
use std::time::Duration;

use async_graphql_parser::Error as SdlError;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::auth::{AuthSetupError, Authenticator};
use crate::clock::Clock;
use crate::config::{Config, PiiKey};
use crate::graphql::abandonment::StopsWhenAbandoned;
use crate::graphql::read_after::ReadsFromReplica;
use crate::graphql::schema;
use crate::http::guard::{Engine, ManifestError};
use crate::http::health::{Readiness, ReadinessCheck};
use crate::http::settings::{HttpSettings, ServerSettings};
use crate::http::tls::{self, Tls, TlsError};
use crate::http::{self, HttpState, server};
use crate::ids::IdSource;
use crate::service::approval_limits::UnreadableLimits;
use crate::service::personal_data::{PersonalDataKeys, UnusableKey};
use crate::service::{Rules, Services};
use crate::store::database::{Migrations, ReplicaOptions, StatementObserver};
use crate::store::{Database, DatabaseOptions, StoreError};
use crate::telemetry::Telemetry;
use crate::telemetry::traces::{Traces, TracesError};

mod guard;
mod instruments;
mod limits;
mod portfolio;
mod rounds;
mod sealer;

use instruments::Instruments;

/// Connections of the admin port: a scraper, a probe, somebody who looks.
const ADMIN_CONNECTIONS: usize = 32;

/// Why the application cannot start. Each text is one line that says what to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened.
    #[error(
        "DATABASE_URL: the database cannot be opened ({0}). Check the path or the address, and who may write there."
    )]
    Database(#[source] StoreError),
    /// The database is there and its schema cannot be brought up to date.
    #[error(
        "DATABASE_URL: the database cannot be migrated ({0}). Check that it is reachable and that its user may create tables."
    )]
    Migration(#[source] StoreError),
    /// The schema was made by a newer version, and this one cannot bring it up to date.
    #[error(
        "DATABASE_URL: a newer version has changed the database's schema ({}). It is left as it is: run the newer version, \
         or serve with MIGRATE_ON_START=off.",
        .0.join(", ")
    )]
    NewerSchema(Vec<String>),
    /// The replica's address is none.
    #[error("DATABASE_READ_URL: {0}. Write it like postgres://user:password@host/name.")]
    Replica(#[source] StoreError),
    /// The keys of the token issuer are unusable.
    #[error(transparent)]
    Authentication(#[from] AuthSetupError),
    /// The key for personal data is unusable.
    #[error("PII_KEY: {0}. Make a new one with `openssl rand -base64 32`.")]
    PersonalData(#[from] UnusableKey),
    /// The limits of approvals cannot be read.
    #[error("APPROVAL_LIMITS {0}")]
    ApprovalLimits(#[from] UnreadableLimits),
    /// The certificate is unusable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The manifest of trusted documents is unusable.
    #[error("TRUSTED_DOCUMENTS_FILE: {0}")]
    TrustedDocuments(#[from] ManifestError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// The schema's own text does not parse: a defect.
    #[error("the GraphQL schema is broken: {0}")]
    Schema(#[from] SdlError),
}

/// What the outside decides for the application beside its settings. Tests pass their own.
pub struct Surroundings {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Where new ids come from.
    pub ids: Arc<dyn IdSource>,
    /// Told of every SQL statement, if anyone is.
    pub observer: Option<StatementObserver>,
}

impl Surroundings {
    /// The machine's clock and random ids.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Arc::new(crate::clock::SystemClock), ids: Arc::new(crate::ids::RandomIds), observer: None }
    }
}

/// An application, ready to serve.
pub struct App {
    state: Arc<HttpState>,
    authenticator: Arc<Authenticator>,
    tls: Option<Arc<Tls>>,
    server: ServerSettings,
    database: Database,
    services: Arc<Services>,
    seal_interval: Duration,
    tidy_interval: Duration,
    instruments: Arc<Instruments>,
    ledger_interval: Duration,
}

/// Opens the database of a configuration.
///
/// # Errors
/// [`StartError::Database`].
pub async fn open_database(config: &Config, observer: Option<StatementObserver>) -> Result<Database, StartError> {
    let options = options(config, &config.database.url);
    Database::connect(&options, observer).await.map_err(StartError::Database)
}

/// Brings the schema up to date, unless a newer version has been at it; tells how many changes that took.
///
/// # Errors
/// [`StartError::NewerSchema`], [`StartError::Migration`].
pub async fn migrate(database: &Database) -> Result<usize, StartError> {
    let Migrations { pending, unknown } = database.migrations().await.map_err(StartError::Migration)?;
    if !unknown.is_empty() {
        return Err(StartError::NewerSchema(unknown));
    }
    database.migrate().await.map_err(StartError::Migration)?;
    Ok(pending.len())
}

/// Adds the replica of a configuration, if there is one.
///
/// # Errors
/// [`StartError::Replica`].
pub async fn with_replica(
    config: &Config,
    database: Database,
    observer: Option<StatementObserver>,
) -> Result<Database, StartError> {
    let Some(replica) = &config.database.replica else { return Ok(database) };
    let options = ReplicaOptions { database: options(config, &replica.url), max_lag: replica.max_lag };
    database.with_replica(&options, observer).await.map_err(StartError::Replica)
}

fn options(config: &Config, url: &SecretString) -> DatabaseOptions {
    DatabaseOptions {
        url: url.expose_secret().to_owned(),
        max_connections: config.database.max_connections,
        acquire_timeout: config.database.acquire_timeout,
        statement_timeout: config.database.statement_timeout,
        lock_timeout: config.database.lock_timeout,
    }
}

/// Puts the use cases of a configuration together over a database.
///
/// # Errors
/// [`StartError::PersonalData`], [`StartError::ApprovalLimits`].
pub fn services(config: &Config, database: Database, around: &Surroundings) -> Result<Services, StartError> {
    let others = config.personal_data.old_keys.iter().map(PiiKey::expose);
    let personal_data = PersonalDataKeys::new(config.personal_data.key.expose())?.with_others(others)?;
    let rules = Rules {
        maker_checker: config.lending.maker_checker,
        disbursement_maker_checker: config.lending.disbursement_maker_checker,
        approval_limits: config.lending.approval_limits.parse()?,
    };
    Ok(Services::new(database, Arc::clone(&around.clock), Arc::clone(&around.ids), personal_data, rules))
}

/// Builds the application: reads keys and certificates, opens the database, migrates it if the settings say so. What can
/// be refused without the database is refused before it is touched.
///
/// # Errors
/// [`StartError`], with what to change.
pub async fn build(config: &Config, around: Surroundings) -> Result<App, StartError> {
    let authenticator = Arc::new(Authenticator::from_config(config)?);
    let tls = match &config.tls.files {
        Some(files) => Some(Arc::new(Tls::load(files.clone())?)),
        None => None,
    };
    let guard = Arc::new(guard::of(config).await?);
    let telemetry = Telemetry { metrics: Arc::default(), traces: Traces::start(&config.traces)? };
    let observer = instruments::of_statements(&telemetry, around.observer.clone());
    let database = open_database(config, Some(Arc::clone(&observer))).await?;
    let database = with_replica(config, database, Some(observer)).await?;
    if config.database.migrate_on_start {
        migrate(&database).await?;
    }
    let services = Arc::new(services(config, database.clone(), &around)?);
    let schemas = schema::build(Arc::clone(&services), limits::api(config));
    let behind = |schema| StopsWhenAbandoned(ReadsFromReplica { schema, services: Arc::clone(&services) });
    let engine = Engine::new(Arc::clone(&guard), behind(schemas.strict), behind(schemas.fast));
    let mut checks: Vec<Arc<dyn ReadinessCheck>> =
        vec![Arc::new(DatabaseAnswers(database.clone())), Arc::new(SchemaIsCurrent(database.clone()))];
    if authenticator.has_issuer() {
        checks.push(Arc::new(IssuerKeysAreThere(Arc::clone(&authenticator), Arc::clone(&around.clock))));
    }
    let clock = Arc::clone(&around.clock);
    let state = HttpState::new(
        HttpSettings::from_config(config),
        authenticator.clone(),
        Arc::new(engine),
        Readiness::new(checks),
        around.clock,
        CancellationToken::new(),
    );
    let state = Arc::new(state.with_telemetry(telemetry.clone()));
    let instruments = Instruments {
        telemetry,
        database: database.clone(),
        services: Arc::clone(&services),
        guard,
        http: Arc::clone(&state),
        clock,
    };
    Ok(App {
        state,
        authenticator,
        tls,
        server: ServerSettings::from_config(config),
        database,
        services,
        seal_interval: config.audit.seal_interval,
        tidy_interval: config.portfolio.tidy_interval,
        instruments: Arc::new(instruments),
        ledger_interval: config.admin.books_check_interval,
    })
}

impl App {
    /// Cancelling this token shuts the server down in order.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.state.shutdown.clone()
    }

    /// The use cases, for what comes in by another door than HTTP.
    #[must_use]
    pub fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    /// Serves on a listener until the shutdown token is cancelled and everything under way has ended; what it left on the
    /// audit trail is sealed then.
    ///
    /// # Errors
    /// Whatever the operating system answers.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        self.serve_with_admin(listener, None).await
    }

    /// The same, with the admin port on a listener of its own until everything else has ended.
    ///
    /// # Errors
    /// Whatever the operating system answers.
    pub async fn serve_with_admin(self, listener: TcpListener, admin: Option<TcpListener>) -> std::io::Result<()> {
        let shutdown = self.shutdown();
        let stop_admin = CancellationToken::new();
        let admin = admin.map(|listener| tokio::spawn(self.admin(listener, stop_admin.clone())));
        if let Some(tls) = &self.tls {
            tokio::spawn(Arc::clone(tls).watch(tls::RELOAD_EVERY, shutdown.clone()));
        }
        // Until the end, and not only until the shutdown begins: requests under way may need a new key.
        let authenticator = Arc::clone(&self.authenticator);
        let _issuer = AbortOnDropHandle::new(tokio::spawn(async move { authenticator.follow_issuer().await }));
        let database = self.database.clone();
        let follower = AbortOnDropHandle::new(tokio::spawn(async move { database.follow_replica().await }));
        let stop_sealing = CancellationToken::new();
        let sealer = tokio::spawn(sealer::run(self.services.clone(), self.seal_interval, stop_sealing.clone()));
        let tidying = tokio::spawn(portfolio::run(self.services.clone(), self.tidy_interval, stop_sealing.clone()));
        let router = http::router(Arc::clone(&self.state));
        let background = self.state.background.clone();
        let served = server::serve(listener, self.tls, router, self.server, background, shutdown).await;
        stop_sealing.cancel();
        if let Err(error) = sealer.await {
            tracing::error!(%error, "the sealer of the audit trail did not end well");
        }
        if let Err(error) = tidying.await {
            tracing::error!(%error, "the portfolio's background work did not end well");
        }
        sealer::finish(&self.services).await;
        stop_admin.cancel();
        if let Some(admin) = admin
            && let Err(error) = admin.await
        {
            tracing::error!(%error, "the admin port did not end well");
        }
        self.instruments.telemetry.traces.stop().await;
        // Before the connections close, which it would take for a replica that has gone.
        follower.abort();
        let _ = follower.await;
        self.database.close().await;
        served
    }

    /// Serves the admin port and takes the looks that it shows.
    fn admin(&self, listener: TcpListener, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        let instruments = Arc::clone(&self.instruments);
        let router = http::admin::router(Arc::clone(&self.state), {
            let instruments = Arc::clone(&instruments);
            move || instruments.text()
        });
        let settings = ServerSettings {
            max_connections: ADMIN_CONNECTIONS,
            shutdown: Duration::from_secs(1),
            ..ServerSettings::default()
        };
        let ledger_interval = self.ledger_interval;
        async move {
            let watching = instruments.watch(ledger_interval, stop.clone());
            let serving = server::serve(listener, None, router, settings, TaskTracker::new(), stop.clone());
            if let (Err(error), ()) = tokio::join!(serving, watching) {
                tracing::error!(%error, "the admin port failed");
            }
        }
    }
}

struct DatabaseAnswers(Database);

impl ReadinessCheck for DatabaseAnswers {
    fn name(&self) -> &'static str {
        "database"
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.0.ping().await.map_err(|error| error.to_string()) })
    }
}

struct SchemaIsCurrent(Database);

impl ReadinessCheck for SchemaIsCurrent {
    fn name(&self) -> &'static str {
        "migrations"
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            let pending = self.0.pending_migrations().await.map_err(|error| error.to_string())?;
            if pending.is_empty() { Ok(()) } else { Err(format!("not applied: {}", pending.join(", "))) }
        })
    }
}

struct IssuerKeysAreThere(Arc<Authenticator>, Arc<dyn Clock>);

impl ReadinessCheck for IssuerKeysAreThere {
    fn name(&self) -> &'static str {
        "issuer-keys"
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        let outcome = match self.0.is_ready(self.1.now()) {
            true => Ok(()),
            false => Err("the issuer has not answered yet".to_owned()),
        };
        Box::pin(std::future::ready(outcome))
    }
}
