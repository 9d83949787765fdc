//! Connections and transactions, for both engines behind one door: reads go to a pool, or to a replica's, writes run as one
//! closure that begins, decides, writes and commits once, and that is run again from the start when it collided with
//! another.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::time::Instant;

use super::abandonment;
use super::error::StoreError;

mod ended;
mod inspection;
mod kept;
mod migrations;
mod pools;
mod reader;
mod replica;
mod traces;
mod unbroken;

pub use ended::{Ended, observer};
pub use inspection::{Endpoint, PostgresFacts, SqliteFacts, endpoint};
use kept::Kept;
pub use migrations::Migrations;
pub use pools::{Pool, Purpose};
pub use reader::{Reader, from_replica};
pub use replica::{Replica, ReplicaOptions, ReplicaTally, Standing};
use unbroken::Unbroken;

/// A failed attempt is followed by at most this many further ones: past that the database is overloaded, and waiting
/// longer would only add to its queue.
const RETRIES: u32 = 5;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// `sqlite://…` or `postgres://…`, credentials included: never to be logged.
    pub url: String,
    /// Connections in the pool of readers (SQLite) or of both (PostgreSQL).
    pub max_connections: u32,
    /// How long a request may wait for a free connection.
    pub acquire_timeout: Duration,
    /// How long PostgreSQL may work on one statement.
    pub statement_timeout: Duration,
    /// How long to wait for a lock: PostgreSQL's `lock_timeout`, SQLite's busy timeout.
    pub lock_timeout: Duration,
}

/// A running transaction, to hand to the store's functions. Its closure must not keep a copy.
#[derive(Clone)]
pub struct Transaction(Arc<DatabaseTransaction>);

impl std::ops::Deref for Transaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

/// A transaction that only reads, to hand to the store's finders.
pub type Snapshot = DatabaseTransaction;

/// The database: cheap to clone, shared by everyone.
#[derive(Clone, Debug)]
pub struct Database {
    reader: Reader,
    writer: DatabaseConnection,
    /// A connection of its own for probes: they must not wait behind requests.
    probe: DatabaseConnection,
    many_writers: bool,
}

/// Called once per SQL statement, for tests and metrics. It must be quick and must not log parameters.
pub type StatementObserver = Arc<dyn Fn(&sea_orm::metric::Info<'_>) + Send + Sync>;

impl Database {
    /// Connects. SQLite is opened (and its file created when the URL says so) at once; PostgreSQL lazily, so that a
    /// server can start, and say that it is not ready, before its database does.
    ///
    /// # Errors
    /// [`StoreError::UnreadableAddress`] when the URL is none, [`StoreError::Unavailable`] when SQLite's file cannot be
    /// opened.
    pub async fn connect(options: &DatabaseOptions, observer: Option<StatementObserver>) -> Result<Self, StoreError> {
        let is_sqlite = options.url.starts_with("sqlite:");
        let (mut reader, mut writer, probe) = if is_sqlite {
            connect_sqlite(options).await?
        } else {
            let both = open(postgres_options(options), options.lock_timeout).await?;
            let alone = DatabaseOptions { max_connections: 1, ..options.clone() };
            (both.clone(), both, open(postgres_options(&alone), options.lock_timeout).await?)
        };
        let kept = Kept::of(&reader, observer.clone());
        if let Some(observer) = observer {
            let second = Arc::clone(&observer);
            reader.set_metric_callback(move |info| observer(info));
            writer.set_metric_callback(move |info| second(info));
        }
        let reader = Reader { primary: reader, kept, replica: None };
        Ok(Self { reader, writer, probe, many_writers: !is_sqlite && options.max_connections > 1 })
    }

    /// The connections to read from.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Whether this is PostgreSQL (and not SQLite).
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Postgres
    }

    /// Runs `work` in a transaction and commits if it succeeds. When the engine reports a collision, all of `work` runs
    /// again, up to five times with growing, jittered pauses: it must therefore have no effect outside the transaction.
    ///
    /// # Errors
    /// What `work` fails with; a [`StoreError`] when the transaction cannot begin or commit.
    pub async fn write<T, E, F, W>(&self, work: W) -> Result<T, E>
    where
        W: Fn(Transaction) -> F,
        F: Future<Output = Result<T, E>>,
        E: From<StoreError> + Collides,
    {
        let mut attempt = 0;
        loop {
            match self.write_once(&work).await {
                Err(error) if error.is_collision() && attempt < RETRIES => {
                    attempt += 1;
                    tokio::time::sleep(pause(attempt)).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Does the same with one attempt, whatever comes of it.
    ///
    /// # Errors
    /// What `work` fails with; a [`StoreError`] when the transaction cannot begin or commit.
    pub async fn write_once<T, E, F>(&self, work: impl FnOnce(Transaction) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<StoreError>,
    {
        let transaction = self.begin().await?;
        let shared = Transaction(Arc::new(transaction));
        let outcome = work(shared.clone()).await?;
        let Some(transaction) = Arc::into_inner(shared.0) else {
            return Err(StoreError::Corrupt("a transaction outlived its closure".to_owned()).into());
        };
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(outcome)
    }

    async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            // A plain BEGIN that later turns into a write gets SQLITE_BUSY at once, whatever the busy timeout.
            sqlite_transaction_mode: (!self.is_postgres()).then_some(SqliteTransactionMode::Immediate),
        };
        self.reader.kept.making_room(begin(&self.writer, options)).await
    }

    /// Whether several transactions can write at the same time.
    #[must_use]
    pub fn has_many_writers(&self) -> bool {
        self.many_writers
    }

    /// Gives SQLite's writer half a gigabyte to keep pages in from now on, so that a transaction with a great many rows
    /// writes each page once. PostgreSQL needs no preparation.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn prepare_for_bulk(&self) -> Result<(), StoreError> {
        if !self.is_postgres() {
            self.writer.execute_unprepared("PRAGMA cache_size = -524288").await?;
        }
        Ok(())
    }

    /// A transaction that only reads, and sees everything as it was at its beginning. It may take long: PostgreSQL's
    /// statement timeout does not apply to it. Dropping it ends it. It is always the primary's: on a replica, whatever
    /// takes long is canceled by what the primary cleans up.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let postgres = self.is_postgres();
        let options = TransactionOptions {
            isolation_level: postgres.then_some(IsolationLevel::RepeatableRead),
            access_mode: postgres.then_some(AccessMode::ReadOnly),
            sqlite_transaction_mode: (!postgres).then_some(SqliteTransactionMode::Deferred),
        };
        let transaction = self.reader.kept.making_room(begin(&self.reader.primary, options)).await?;
        if postgres {
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        Ok(transaction)
    }

    /// Asks the database for a sign of life, on the connection for probes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it gives none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.probe.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        if let Some(replica) = self.replica() {
            replica.close().await;
        }
        self.reader.kept.give_back();
        for connection in [&self.reader.primary, &self.writer, &self.probe] {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(%error, "the database connection did not close cleanly");
            }
        }
    }
}

/// Begins a transaction. Nobody cuts it off between BEGIN and its answer: that would leave a connection in the pool that is
/// in a transaction and does not know it. A transaction nobody waits for any more is dropped, and with that rolled back.
async fn begin(
    connection: &DatabaseConnection,
    options: TransactionOptions,
) -> Result<DatabaseTransaction, StoreError> {
    let connection = connection.clone();
    Ok(Unbroken::new(async move { connection.begin_with_options(options).await }).await?)
}

/// Errors that can tell whether they were a collision between transactions.
pub trait Collides {
    /// Whether running the whole transaction again may succeed at once.
    fn is_collision(&self) -> bool;
}

impl Collides for StoreError {
    fn is_collision(&self) -> bool {
        Self::is_collision(self)
    }
}

fn pause(attempt: u32) -> Duration {
    let ceiling = 5_u64.saturating_mul(1 << attempt.min(6));
    Duration::from_millis(rand::rng().random_range(1..=ceiling))
}

fn common(options: &DatabaseOptions) -> ConnectOptions {
    let mut connect = ConnectOptions::new(options.url.clone());
    connect
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .sqlx_logging(false)
        // A ping at every checkout would be one more round trip per request.
        .test_before_acquire_if_idle_for(kept::FRESH);
    connect
}

fn postgres_options(options: &DatabaseOptions) -> ConnectOptions {
    let mut connect = common(options);
    let statement_timeout = options.statement_timeout.as_millis().to_string();
    let lock_timeout = options.lock_timeout.as_millis().to_string();
    connect.connect_lazy(true).map_sqlx_postgres_opts(move |postgres| {
        postgres.application_name("branch-loan-api").options([
            ("statement_timeout", statement_timeout.as_str()),
            ("lock_timeout", lock_timeout.as_str()),
            ("client_connection_check_interval", abandonment::CLIENT_CHECK_INTERVAL),
        ])
    });
    connect.map_sqlx_postgres_pool_opts(abandonment::close_what_is_abandoned);
    connect
}

/// A pool of readers, one writer, and one connection for probes: SQLite has a single write lock, and queueing for it here
/// is fair and cheap.
async fn connect_sqlite(
    options: &DatabaseOptions,
) -> Result<(DatabaseConnection, DatabaseConnection, DatabaseConnection), StoreError> {
    let busy = options.lock_timeout;
    let mut writer = common(options);
    writer.max_connections(1).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(busy)
            // KiB. With SQLite's 2 MiB a large transaction writes its pages out again and again before it commits.
            .pragma("cache_size", "-8192")
            // What is deleted or overwritten is wiped on its page, where that costs no further writing. Pages that go out
            // of use keep what they held until `clear_traces`.
            .pragma("secure_delete", "FAST")
    });
    if is_in_memory(&options.url) {
        // Every connection to an in-memory database is a database of its own; this one must never be dropped.
        writer.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
        let only = open(writer, busy).await?;
        return Ok((only.clone(), only.clone(), only));
    }
    drop_what_is_stuck(&mut writer);
    let writer = open(writer, busy).await?;
    let reader = open(sqlite_reader(options), busy).await?;
    let alone = DatabaseOptions { max_connections: 1, ..options.clone() };
    Ok((reader, writer, open(sqlite_reader(&alone), busy).await?))
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

fn sqlite_reader(options: &DatabaseOptions) -> ConnectOptions {
    let busy = options.lock_timeout;
    let mut reader = common(options);
    abandonment::interrupt_what_is_abandoned(&mut reader);
    reader.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite.foreign_keys(true).busy_timeout(busy).pragma("query_only", "ON").create_if_missing(false)
    });
    reader
}

/// Closes a connection that comes back to its pool in a transaction, and lets the pool open another. On a full disk SQLite
/// ends a transaction by itself; the library's ROLLBACK then fails, it counts the transaction as running still, and makes
/// savepoints of all that come after, in an outer one that nobody commits: acknowledged, and gone with the connection.
fn drop_what_is_stuck(options: &mut ConnectOptions) {
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.after_release(|connection, _| {
            Box::pin(async move {
                // What was begun when its transaction was dropped, the rollback, is over with the answer.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
    });
}

/// Opens a pool. Two processes that turn a new SQLite file to WAL at the same time get in each other's way: one of them is
/// told SQLITE_BUSY at once, whatever its busy timeout, and tries again here for as long.
async fn open(options: ConnectOptions, patience: Duration) -> Result<DatabaseConnection, StoreError> {
    let deadline = Instant::now() + patience;
    let mut attempt = 0;
    loop {
        match sea_orm::Database::connect(options.clone()).await.map_err(unopened) {
            Err(error) if error.is_collision() && Instant::now() < deadline => {
                attempt += 1;
                tokio::time::sleep(pause(attempt)).await;
            }
            outcome => return outcome,
        }
    }
}

fn unopened(error: DbErr) -> StoreError {
    match error {
        // The library's text for an address it cannot read repeats it, and with it the password.
        DbErr::Conn(RuntimeErr::Internal(_)) => StoreError::UnreadableAddress,
        error => error.into(),
    }
}
