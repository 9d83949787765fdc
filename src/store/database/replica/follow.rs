//! Looks at a replica ten times a second: whether it answers, whether it is this database's, and how far it has come. Two
//! short statements, on the connections for probes; it writes nothing, and a change is logged once.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sea_orm::{DatabaseConnection, FromQueryResult, Statement};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::lag::Track;
use super::{Replica, Standing};
use crate::store::database::{Database, migrations};
use crate::store::error::StoreError;
use crate::store::position::Position;

/// Time between two looks.
const EVERY: Duration = Duration::from_millis(100);

/// How long an answer may take: what takes longer is away.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was flushed is on its way to the replicas. What is only in memory yet would make an idle replica look late.
const PRIMARY: &str = "SELECT pg_current_wal_flush_lsn()::text AS position";

/// Everything that is committed by now is before this position, whatever `synchronous_commit` says.
const INSERTED: &str = "SELECT pg_current_wal_insert_lsn()::text AS position";

const REPLICA: &str = "SELECT pg_is_in_recovery() AS is_standby, pg_last_wal_replay_lsn()::text AS position,
    pg_postmaster_start_time()::text AS server";

const IDENTITY: &str =
    "SELECT system_identifier::text AS cluster, current_database()::text AS name FROM pg_control_system()";

#[derive(FromQueryResult)]
struct Primary {
    position: String,
}

#[derive(FromQueryResult)]
struct Seen {
    is_standby: bool,
    position: Option<String>,
    server: String,
}

#[derive(FromQueryResult, PartialEq, Eq)]
struct Identity {
    cluster: String,
    name: String,
}

impl Database {
    /// Keeps looking at the replica until it is dropped; without one there is nothing to do.
    pub async fn follow_replica(&self) {
        let Some(replica) = self.replica() else { return };
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut track = Track::default();
        loop {
            ticks.tick().await;
            let standing = self.look_at(replica, &mut track).await;
            replica.stand(standing);
        }
    }

    /// Looks at the replica for a while, and tells how it stands: as soon as it can be used, or in the end.
    pub async fn replica_stands(&self, patience: Duration) -> Option<Standing> {
        let replica = self.replica()?;
        let mut standing = replica.0.standing.subscribe();
        tokio::select! {
            () = self.follow_replica() => {}
            _ = standing.wait_for(|standing| *standing == Standing::InUse) => {}
            () = sleep(patience) => {}
        }
        Some(replica.standing())
    }

    /// The position that everything committed by now is before.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn position(&self) -> Result<Position, StoreError> {
        position(&self.writer, INSERTED).await
    }

    async fn look_at(&self, replica: &Replica, track: &mut Track) -> Standing {
        let before = Instant::now();
        let (primary, seen) =
            tokio::join!(in_time(position(&self.probe, PRIMARY)), in_time(one::<Seen>(&replica.0.probe, REPLICA)));
        if let Some(primary) = primary {
            track.primary_was_at(primary, before);
        }
        let Some(seen) = seen else { return Standing::Away };
        replica.0.followed.is(&seen.server);
        if !seen.is_standby {
            return Standing::NotAStandby;
        }
        let Some(Ok(replayed)) = seen.position.map(|text| text.parse::<Position>()) else { return Standing::Away };
        let stood = replica.standing();
        if !matches!(stood, Standing::InUse | Standing::Behind) {
            match in_time(self.judge(replica)).await {
                Some(None) => {}
                Some(Some(standing)) => return standing,
                // The primary may be away as well as the replica: nothing is known that was not known before.
                None => return stood,
            }
        }
        replica.0.replayed.store(replayed.number(), Ordering::Relaxed);
        if let Some(moment) = track.replica_is_at(replayed) {
            replica.is_complete_as_of(moment);
        }
        // Who was too far behind has to come closer than that, or it would come and go.
        let allowed = if stood == Standing::InUse { replica.0.max_lag } else { replica.0.max_lag / 2 };
        if replica.lag() <= allowed { Standing::InUse } else { Standing::Behind }
    }

    /// What speaks against a replica that has just come, if anything does.
    async fn judge(&self, replica: &Replica) -> Result<Option<Standing>, StoreError> {
        let (here, there) =
            tokio::try_join!(one::<Identity>(&self.probe, IDENTITY), one::<Identity>(&replica.0.probe, IDENTITY))?;
        if here != there {
            return Ok(Some(Standing::Stranger));
        }
        let pending = migrations::at(&replica.0.probe).await?.pending;
        Ok((!pending.is_empty()).then_some(Standing::OldSchema))
    }
}

impl Replica {
    /// Takes note of how it stands, and tells of a change.
    fn stand(&self, standing: Standing) {
        if self.0.standing.send_replace(standing) == standing {
            return;
        }
        match standing {
            Standing::InUse => tracing::info!("queries read from the replica"),
            why => tracing::warn!(replica = %why, "queries read from the primary alone"),
        }
    }
}

/// The answer, if it comes in time and is one.
async fn in_time<T>(asking: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match timeout(PATIENCE, asking).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(cause)) => {
            tracing::debug!(?cause, "a look at the replica came to nothing");
            None
        }
        Err(_) => None,
    }
}

async fn position(connection: &DatabaseConnection, sql: &str) -> Result<Position, StoreError> {
    let Primary { position } = one(connection, sql).await?;
    position.parse().map_err(|_| StoreError::Corrupt("PostgreSQL tells no position of its log".to_owned()))
}

async fn one<T: FromQueryResult>(connection: &DatabaseConnection, sql: &str) -> Result<T, StoreError> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = T::find_by_statement(statement).one(connection).await?;
    row.ok_or_else(|| StoreError::Corrupt("PostgreSQL tells nothing of itself".to_owned()))
}
