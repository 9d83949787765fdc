//! A streaming replica: its connections, how it stands, and how far it has come. It is asked only while it is in use, and
//! what it cannot answer is asked of the primary, so that it can go away at any moment. How it stands is found out by
//! [`follow`], in the background; a request compares numbers in memory.

mod follow;
mod followed;
mod lag;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::watch;
use tokio::time::Instant;

use followed::Followed;

use super::{Database, DatabaseOptions, StatementObserver, open, postgres_options};
use crate::store::error::{StoreError, is_too_slow};
use crate::store::position::Position;

/// The longest wait for one of the replica's connections. The primary is there for those who get none.
const WAIT: Duration = Duration::from_millis(500);

/// How to reach a replica.
#[derive(Debug, Clone)]
pub struct ReplicaOptions {
    /// Its address, pool and time limits.
    pub database: DatabaseOptions,
    /// How far it may lag behind the primary.
    pub max_lag: Duration,
}

/// How a replica stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has not been looked at yet.
    Unknown,
    /// Queries read from it.
    InUse,
    /// It does not answer.
    Away,
    /// It takes writes: a primary, or a replica that was promoted.
    NotAStandby,
    /// Another cluster's, or another database.
    Stranger,
    /// It has not all changes of the schema that this program needs.
    OldSchema,
    /// It is too far behind, or the primary does not tell how far.
    Behind,
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unknown => "it has not been looked at yet",
            Self::InUse => "queries read from it",
            Self::Away => "it does not answer",
            Self::NotAStandby => "it takes writes: it is no replica, or was promoted",
            Self::Stranger => "it is not the replica of this database",
            Self::OldSchema => "its schema is older than this program",
            Self::Behind => "it is too far behind, or the primary does not tell how far",
        })
    }
}

/// What a replica has done since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplicaTally {
    /// Queries that were sent there.
    pub there: u64,
    /// Queries that were not.
    pub at_primary: u64,
    /// Statements it could not answer, which the primary did.
    pub fallbacks: u64,
}

/// A replica: cheap to clone.
#[derive(Clone)]
pub struct Replica(Arc<Inner>);

struct Inner {
    connection: DatabaseConnection,
    /// For looking at it, past the requests.
    probe: DatabaseConnection,
    followed: Followed,
    max_lag: Duration,
    standing: watch::Sender<Standing>,
    /// The position it has come to.
    replayed: AtomicU64,
    /// Everything the primary had done by then is there, in milliseconds since `started`; 0 while nothing is known.
    complete_as_of: AtomicU64,
    started: Instant,
    there: AtomicU64,
    at_primary: AtomicU64,
    fallbacks: AtomicU64,
}

impl fmt::Debug for Replica {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Replica").field(&self.standing()).finish()
    }
}

impl Replica {
    async fn connect(options: &ReplicaOptions, observer: Option<StatementObserver>) -> Result<Self, StoreError> {
        let wait = options.database.acquire_timeout.min(WAIT);
        let pool = DatabaseOptions { acquire_timeout: wait, ..options.database.clone() };
        let alone = DatabaseOptions { max_connections: 1, ..pool.clone() };
        let followed = Followed::default();
        let mut kept = postgres_options(&pool);
        followed.keep(&mut kept);
        let mut connection = open(kept, pool.lock_timeout).await?;
        if let Some(observer) = observer {
            connection.set_metric_callback(move |info| observer(info));
        }
        Ok(Self(Arc::new(Inner {
            connection,
            probe: open(postgres_options(&alone), alone.lock_timeout).await?,
            followed,
            max_lag: options.max_lag,
            standing: watch::Sender::new(Standing::Unknown),
            replayed: AtomicU64::new(0),
            complete_as_of: AtomicU64::new(0),
            started: Instant::now(),
            there: AtomicU64::new(0),
            at_primary: AtomicU64::new(0),
            fallbacks: AtomicU64::new(0),
        })))
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.0.standing.borrow()
    }

    /// How far it is behind: what the primary had done so long ago is all there.
    #[must_use]
    pub fn lag(&self) -> Duration {
        match self.0.complete_as_of.load(Ordering::Relaxed) {
            0 => Duration::MAX,
            complete => self.0.started.elapsed().saturating_sub(Duration::from_millis(complete)),
        }
    }

    fn is_complete_as_of(&self, moment: Instant) {
        let since = moment.saturating_duration_since(self.0.started).as_millis();
        self.0.complete_as_of.store(u64::try_from(since).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
    }

    /// Whether a query may read from it that must see everything before `after`.
    #[must_use]
    pub fn can_answer(&self, after: Option<Position>) -> bool {
        self.standing() == Standing::InUse && self.lag() <= self.0.max_lag && after.is_none_or(|it| self.has(it))
    }

    /// Whether everything before this position is there.
    #[must_use]
    pub fn has(&self, position: Position) -> bool {
        position.number() <= self.0.replayed.load(Ordering::Relaxed)
    }

    /// Counts a query, by where it is sent.
    pub fn count(&self, is_there: bool) {
        let counted = if is_there { &self.0.there } else { &self.0.at_primary };
        counted.fetch_add(1, Ordering::Relaxed);
    }

    /// What it has done since the start.
    #[must_use]
    pub fn tally(&self) -> ReplicaTally {
        let of = |counted: &AtomicU64| counted.load(Ordering::Relaxed);
        ReplicaTally { there: of(&self.0.there), at_primary: of(&self.0.at_primary), fallbacks: of(&self.0.fallbacks) }
    }

    pub(super) fn pool(&self) -> &DatabaseConnection {
        &self.0.connection
    }

    /// Closes its connections.
    pub async fn close(&self) {
        for connection in [&self.0.connection, &self.0.probe] {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(%error, "the replica's connection did not close cleanly");
            }
        }
    }

    /// Asks it; `None` when somebody else has to be asked, because it does not answer, or not this. A statement that takes
    /// too long would take as long elsewhere.
    pub(super) async fn ask<'a, T, F>(
        &'a self,
        reading: impl FnOnce(&'a DatabaseConnection) -> F,
    ) -> Option<Result<T, DbErr>>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let mut standing = self.0.standing.subscribe();
        let gone = async move {
            let seen = standing.wait_for(|standing| *standing == Standing::Away).await;
            drop(seen);
        };
        let answer = tokio::select! {
            biased;
            answer = reading(&self.0.connection) => Some(answer),
            () = gone => None,
        };
        match answer {
            Some(Err(error)) if !is_too_slow(&error) => {
                tracing::debug!(%error, "the replica does not answer a statement");
            }
            Some(answer) => return Some(answer),
            None => {}
        }
        self.0.fallbacks.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl Database {
    /// The same with a replica to read from. It is connected to lazily, and not asked before it has been looked at
    /// ([`Database::follow_replica`]).
    ///
    /// # Errors
    /// [`StoreError::UnreadableAddress`].
    pub async fn with_replica(
        mut self,
        options: &ReplicaOptions,
        observer: Option<StatementObserver>,
    ) -> Result<Self, StoreError> {
        self.reader.replica = Some(Replica::connect(options, observer).await?);
        Ok(self)
    }

    /// The replica, if there is one.
    #[must_use]
    pub fn replica(&self) -> Option<&Replica> {
        self.reader.replica.as_ref()
    }
}
