//! The admin port's side of the application: what metrics are looked up from, and the looks at the books that are taken
//! every so often. They are taken while the admin port is on, and only then: nobody else would see them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::http::HttpState;
use crate::http::guard::Guard;
use crate::service::{ServiceError, Services};
use crate::store::Database;
use crate::store::database::{Ended, Purpose, ReplicaTally, Standing, StatementObserver, observer};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::requests::Budget;
use crate::telemetry::metrics::state::{EndOfDay, EndOfDayRun, Pool, ReplicaState, State};

/// Time between two looks at the audit trail and the end of day: as often as Prometheus asks by most people's settings.
const EVERY: Duration = Duration::from_secs(15);

/// Tells metrics and traces of every statement, and lets `also` see it.
pub(super) fn of_statements(telemetry: &Telemetry, also: Option<StatementObserver>) -> StatementObserver {
    let telemetry = telemetry.clone();
    let tell = move |ended: &Ended<'_>| {
        let Ended { sql, is_postgres, failed, took } = *ended;
        telemetry.metrics.statements.ended(is_postgres, sql, failed, took);
        telemetry.traces.statement(is_postgres, sql, failed, took);
    };
    observer(tell, also)
}

/// What metrics are looked up from.
pub(super) struct Instruments {
    pub(super) telemetry: Telemetry,
    pub(super) database: Database,
    pub(super) services: Arc<Services>,
    pub(super) guard: Arc<Guard>,
    pub(super) http: Arc<HttpState>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Instruments {
    /// Everything that is counted, as it stands.
    pub(super) fn text(&self) -> String {
        self.telemetry.metrics.note(|state| self.look(state));
        self.telemetry.metrics.text()
    }

    fn look(&self, state: &State) {
        let pools = self.database.pools().into_iter().map(|pool| Pool {
            name: match pool.purpose {
                Purpose::Read => "reader",
                Purpose::Write => "writer",
                Purpose::Both => "both",
                Purpose::Replica => "replica",
            },
            used: pool.open.saturating_sub(pool.idle),
            idle: pool.idle,
            max: pool.max,
        });
        state.pools(&pools.collect::<Vec<_>>());
        if let Some(replica) = self.database.replica() {
            let ReplicaTally { there, at_primary, fallbacks } = replica.tally();
            let in_use = replica.standing() == Standing::InUse;
            state.replica(&ReplicaState { in_use, lag: replica.lag(), there, at_primary, fallbacks });
        }
        let documents = self.guard.documents();
        state.document_cache(documents.hits(), documents.misses(), documents.len(), documents.bytes());
        let (reads, writes) = (self.http.admission.reads(), self.http.admission.writes());
        state.places(Budget::Reads, reads.used, reads.free);
        state.places(Budget::Writes, writes.used, writes.free);
        let free = self.http.sockets.available_permits();
        state.places(Budget::Sockets, self.http.settings.socket.max_sockets.saturating_sub(free), free);
        let tally = self.services.tally();
        state.replays(tally.replays());
        for (code, count) in tally.take_problems() {
            state.refusals(&code, count);
        }
        if let Some(run) = tally.last_run() {
            let ended_at = run.ended_at.timestamp();
            state.last_run(EndOfDayRun { loans: run.loans, took: run.took, ended_at });
        }
    }

    /// Looks at the audit trail and the end of day, and at the ledger every so often, until it is told to stop.
    pub(super) async fn watch(&self, ledger_every: Duration, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.watch_days() => {}
            () = self.watch_ledger(ledger_every) => {}
        }
    }

    async fn watch_days(&self) {
        let mut ticks = ticks(EVERY);
        loop {
            ticks.tick().await;
            self.look_at_days().await;
        }
    }

    async fn watch_ledger(&self, every: Duration) {
        let mut ticks = ticks(every);
        loop {
            ticks.tick().await;
            self.look_at_ledger().await;
        }
    }

    async fn look_at_days(&self) {
        let looked = async {
            let unsealed = self.services.count_unsealed().await?;
            Ok::<_, ServiceError>((unsealed, self.services.days_to_close().await?))
        };
        match looked.await {
            Ok((unsealed, days)) => self.telemetry.metrics.note(|state| {
                state.unsealed(unsealed);
                state.end_of_day(EndOfDay { branches_behind: days.branches, days_behind: days.most_days });
            }),
            Err(cause) => self.failed(&cause),
        }
    }

    async fn look_at_ledger(&self) {
        match self.services.count_unbalanced().await {
            Ok(unbalanced) => {
                if unbalanced > 0 {
                    tracing::error!(unbalanced, "debits are not credits; run `branch-loan-api verify`");
                }
                let now = self.clock.now().timestamp();
                self.telemetry.metrics.note(|state| state.ledger(unbalanced, now));
            }
            Err(cause) => self.failed(&cause),
        }
    }

    fn failed(&self, cause: &ServiceError) {
        tracing::debug!(?cause, "a look at the books came to nothing");
        self.telemetry.metrics.note(State::watch_failed);
    }
}

/// The first tick is at once.
fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
