//! Connections that are kept from one statement that reads to the next. One that goes back to its pool is asked for a sign
//! of life first, which is a second round trip for every statement (two on SQLite, whose connections are threads): it was a
//! tenth of a page, and more than a third of a read by id where nobody else asks. So a few stay with whoever reads. They go
//! back when the pool has none left for others, when they have not been used for a while, when they are old, and when a
//! statement failed or its caller left: the pool then finds out what has become of them.
//!
//! Written by hand: sqlx's pool cannot leave the question out, and SeaORM has no connection but a pool's.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::sea_query::Values;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, Executor, IntoArguments, Pool, Postgres, Sqlite};
use sea_orm::{ConnAcquireErr, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use tokio::time::Instant;

use super::StatementObserver;
use crate::store::abandonment::{Awaited, Waiting};

/// For how long one that is not used is thought to be alive; as long as the pool does.
pub(super) const FRESH: Duration = Duration::from_secs(30);

/// How long one is kept from the pool, which closes those that are too old.
const LONGEST: Duration = Duration::from_secs(600);

/// How long whoever waits for the pool waits until what is kept meanwhile is given back.
const AGAIN: Duration = Duration::from_millis(20);

/// The connections to read from.
#[derive(Clone)]
pub(super) struct Kept {
    engine: Engine,
    observer: Option<StatementObserver>,
}

#[derive(Clone)]
enum Engine {
    Postgres(Arc<Keep<Postgres>>),
    Sqlite(Arc<Keep<Sqlite>>),
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Kept").field("number", &self.number()).finish_non_exhaustive()
    }
}

impl Kept {
    /// None yet, of this pool.
    pub fn of(pool: &DatabaseConnection, observer: Option<StatementObserver>) -> Self {
        let engine = match pool.get_database_backend() {
            DbBackend::Postgres => Engine::Postgres(Keep::of(pool.get_postgres_connection_pool())),
            _ => Engine::Sqlite(Keep::of(pool.get_sqlite_connection_pool())),
        };
        Self { engine, observer }
    }

    /// The rows of a statement.
    pub async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.engine {
            Engine::Postgres(keep) => keep.query_all(statement, self.observer.as_ref()).await,
            Engine::Sqlite(keep) => keep.query_all(statement, self.observer.as_ref()).await,
        }
    }

    /// How many are kept, and wait for work.
    pub fn number(&self) -> usize {
        match &self.engine {
            Engine::Postgres(keep) => keep.idle().len(),
            Engine::Sqlite(keep) => keep.idle().len(),
        }
    }

    /// Does what takes a connection of the pool, and gives back what is kept while the pool has none left.
    pub async fn making_room<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.engine {
            Engine::Postgres(keep) => keep.making_room(work).await,
            Engine::Sqlite(keep) => keep.making_room(work).await,
        }
    }

    /// Gives all back.
    pub fn give_back(&self) {
        match &self.engine {
            Engine::Postgres(keep) => keep.give_back(),
            Engine::Sqlite(keep) => keep.give_back(),
        }
    }
}

struct Keep<DB: Awaited> {
    pool: Pool<DB>,
    most: usize,
    idle: Mutex<Vec<Held<DB>>>,
}

/// A connection that is not with its pool.
struct Held<DB: Awaited> {
    connection: PoolConnection<DB>,
    waiting: DB::Waiting,
    taken: Instant,
    used: Instant,
}

impl<DB> Keep<DB>
where
    DB: Awaited,
    SqlxValues: IntoArguments<DB>,
    QueryResult: From<DB::Row>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// As many as half of the pool.
    fn of(pool: &Pool<DB>) -> Arc<Self> {
        let most = usize::try_from(pool.options().get_max_connections() / 2).unwrap_or(usize::MAX);
        Arc::new(Self { pool: pool.clone(), most, idle: Mutex::default() })
    }

    async fn query_all(
        &self,
        statement: Statement,
        observer: Option<&StatementObserver>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let mut held = self.take().await.map_err(not_acquired)?;
        let started = Instant::now();
        let values = statement.values.clone().unwrap_or(Values(Vec::new()));
        // The text is the store's own, and whatever callers send is among the values.
        let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), SqlxValues(values));
        let rows = query.fetch_all(&mut *held.connection).await;
        if let Some(observer) = observer {
            let elapsed = started.elapsed();
            observer(&sea_orm::metric::Info { elapsed, statement: &statement, failed: rows.is_err() });
        }
        let rows = rows.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))?;
        self.keep(held);
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    async fn take(&self) -> Result<Held<DB>, sqlx::Error> {
        // The last one first: those that are not needed grow old.
        let held = self.idle().pop();
        match held.filter(|held| held.used.elapsed() < FRESH) {
            Some(mut held) => {
                held.waiting.begin(&mut held.connection).await?;
                Ok(held)
            }
            None => {
                let (connection, now) = (self.making_room(self.pool.acquire()).await?, Instant::now());
                Ok(Held { connection, waiting: DB::Waiting::default(), taken: now, used: now })
            }
        }
    }

    fn keep(&self, mut held: Held<DB>) {
        if held.taken.elapsed() > LONGEST || self.pool.is_closed() || is_exhausted(&self.pool) {
            return;
        }
        held.waiting.end();
        held.used = Instant::now();
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push(held);
        }
    }
}

impl<DB: Awaited> Keep<DB> {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Held<DB>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    /// Looks again while it waits: another one may have taken what was left when it began.
    async fn making_room<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            if is_exhausted(&self.pool) {
                self.give_back();
            }
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }
}

/// Whether others would have to wait. The pool counts one that it takes before one that comes, so that for a moment it can
/// have fewer than none.
fn is_exhausted<DB: sqlx::Database>(pool: &Pool<DB>) -> bool {
    let most = pool.options().get_max_connections();
    let has_some = (1..=most).contains(&u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
    !has_some && pool.size() >= most
}

fn not_acquired(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
    }
}
