//! How things stand when somebody looks: pools, caches, limits, the books. Totals that are kept elsewhere are caught up
//! with, so that they stay counters.

use std::time::Duration;

use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::family::Families;
use super::requests::Budget;

/// A pool of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// `reader` or `writer`; `both` where one pool does both; `replica`.
    pub name: &'static str,
    /// Connections in use.
    pub used: u32,
    /// Connections that wait for work.
    pub idle: u32,
    /// The most there can be.
    pub max: u32,
}

/// How a read replica stands, and what it has done since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaState {
    /// Whether queries read from it.
    pub in_use: bool,
    /// How far it is behind; [`Duration::MAX`] while that is not known.
    pub lag: Duration,
    /// Queries sent there.
    pub there: u64,
    /// Queries sent to the primary.
    pub at_primary: u64,
    /// Statements that the primary answered in its place.
    pub fallbacks: u64,
}

/// The last run of the end of day that this server made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndOfDayRun {
    /// Loans whose day was closed.
    pub loans: u64,
    /// How long it took.
    pub took: Duration,
    /// When it ended, in seconds since 1970.
    pub ended_at: i64,
}

/// Where the end of day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndOfDay {
    /// Branches with a day that is over and not closed.
    pub branches_behind: u64,
    /// The days that the branch furthest behind has to close.
    pub days_behind: u64,
}

/// What is looked up.
pub struct State {
    pool_connections: IntGaugeVec,
    pool_max: IntGaugeVec,
    cache_hits: IntCounter,
    cache_misses: IntCounter,
    cache_documents: IntGauge,
    cache_bytes: IntGauge,
    places: IntGaugeVec,
    replays: IntCounter,
    refusals: IntCounterVec,
    unsealed: IntGauge,
    branches_behind: IntGauge,
    days_behind: IntGauge,
    last_run_loans: IntGauge,
    last_run_seconds: Gauge,
    last_run_ended: IntGauge,
    unbalanced: IntGauge,
    books_checked: IntGauge,
    watch_failures: IntCounter,
    replica_in_use: IntGaugeVec,
    replica_lag: GaugeVec,
    replica_queries: IntCounterVec,
    replica_fallbacks: IntCounterVec,
}

impl State {
    pub(super) fn new(families: &mut Families, refusals: IntCounterVec) -> Self {
        let pool = "db_client_connection_pool_name";
        let build = families.gauges("branch_loan_build_info", "The version that runs; always 1.", &["version"]);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Self {
            pool_connections: families.gauges(
                "db_client_connection_count",
                "Connections to the database.",
                &[pool, "db_client_connection_state"],
            ),
            pool_max: families.gauges("db_client_connection_max", "The most connections of a pool.", &[pool]),
            cache_hits: families
                .counter("branch_loan_document_cache_hits_total", "Documents found in the cache of checked documents."),
            cache_misses: families
                .counter("branch_loan_document_cache_misses_total", "Documents that had to be parsed and checked."),
            cache_documents: families.gauge("branch_loan_document_cache_documents", "Documents in the cache."),
            cache_bytes: families.gauge("branch_loan_document_cache_bytes", "Their size in memory, as estimated."),
            places: families.gauges(
                "branch_loan_places",
                "Places for queries and mutations in flight and for sockets, by whether somebody has them.",
                &["budget", "state"],
            ),
            replays: families.counter(
                "branch_loan_idempotency_replays_total",
                "Requests answered from what an earlier one under the same key had done.",
            ),
            refusals,
            unsealed: families.gauge("branch_loan_audit_events_unsealed", "Audit events that no chain holds yet."),
            branches_behind: families.gauge(
                "branch_loan_end_of_day_branches_behind",
                "Branches with a business day that is over and not closed.",
            ),
            days_behind: families
                .gauge("branch_loan_end_of_day_days_behind", "Days that the branch furthest behind has to close."),
            last_run_loans: families.gauge(
                "branch_loan_end_of_day_last_run_loans",
                "Loans whose day was closed by the last run over the API of this server.",
            ),
            last_run_seconds: families
                .seconds("branch_loan_end_of_day_last_run_duration_seconds", "How long that run took."),
            last_run_ended: families
                .gauge("branch_loan_end_of_day_last_run_timestamp_seconds", "When that run ended; 0 before the first."),
            unbalanced: families.gauge(
                "branch_loan_ledger_unbalanced",
                "Branches and currencies whose debits were not their credits at the last look.",
            ),
            books_checked: families
                .gauge("branch_loan_ledger_checked_timestamp_seconds", "When that look was; 0 before the first."),
            watch_failures: families.counter(
                "branch_loan_watch_failures_total",
                "Looks at the books, the audit trail and the end of day that the database did not answer.",
            ),
            // Without labels, and still vectors: no value at all where there is no replica.
            replica_in_use: families.gauges(
                "branch_loan_replica_in_use",
                "Whether queries read from the replica.",
                &[],
            ),
            replica_lag: families.seconds_of("branch_loan_replica_lag_seconds", "How far the replica is behind.", &[]),
            replica_queries: families.counters(
                "branch_loan_replica_queries_total",
                "Queries, by the database they were sent to.",
                &["database"],
            ),
            replica_fallbacks: families.counters(
                "branch_loan_replica_fallbacks_total",
                "Statements that the replica did not answer and the primary did.",
                &[],
            ),
        }
    }

    /// The pools of connections.
    pub fn pools(&self, pools: &[Pool]) {
        for pool in pools {
            self.pool_connections.with_label_values(&[pool.name, "used"]).set(pool.used.into());
            self.pool_connections.with_label_values(&[pool.name, "idle"]).set(pool.idle.into());
            self.pool_max.with_label_values(&[pool.name]).set(pool.max.into());
        }
    }

    /// The read replica.
    pub fn replica(&self, replica: &ReplicaState) {
        self.replica_in_use.with_label_values(NONE).set(replica.in_use.into());
        // Hundreds of billions of years while it is not known: any threshold is below.
        self.replica_lag.with_label_values(NONE).set(replica.lag.as_secs_f64());
        catch_up(&self.replica_queries.with_label_values(&["replica"]), replica.there);
        catch_up(&self.replica_queries.with_label_values(&["primary"]), replica.at_primary);
        catch_up(&self.replica_fallbacks.with_label_values(NONE), replica.fallbacks);
    }

    /// The cache of documents.
    pub fn document_cache(&self, hits: u64, misses: u64, documents: usize, bytes: u64) {
        catch_up(&self.cache_hits, hits);
        catch_up(&self.cache_misses, misses);
        self.cache_documents.set(whole(documents));
        self.cache_bytes.set(whole(bytes));
    }

    /// The places of a budget.
    pub fn places(&self, budget: Budget, used: usize, free: usize) {
        self.places.with_label_values(&[budget.as_str(), "used"]).set(whole(used));
        self.places.with_label_values(&[budget.as_str(), "free"]).set(whole(free));
    }

    /// Requests that were answered from an earlier one.
    pub fn replays(&self, total: u64) {
        catch_up(&self.replays, total);
    }

    /// Inputs refused by the use cases since the last look.
    pub fn refusals(&self, code: &str, more: u64) {
        self.refusals.with_label_values(&[code]).inc_by(more);
    }

    /// Audit events that wait for the sealer.
    pub fn unsealed(&self, events: u64) {
        self.unsealed.set(whole(events));
    }

    /// Where the end of day stands.
    pub fn end_of_day(&self, stands: EndOfDay) {
        self.branches_behind.set(whole(stands.branches_behind));
        self.days_behind.set(whole(stands.days_behind));
    }

    /// The last run of the end of day.
    pub fn last_run(&self, run: EndOfDayRun) {
        self.last_run_loans.set(whole(run.loans));
        self.last_run_seconds.set(run.took.as_secs_f64());
        self.last_run_ended.set(run.ended_at);
    }

    /// What a look at the ledger found, and when it was, in seconds since 1970.
    pub fn ledger(&self, unbalanced: usize, looked_at: i64) {
        self.unbalanced.set(whole(unbalanced));
        self.books_checked.set(looked_at);
    }

    /// A look that came to nothing.
    pub fn watch_failed(&self) {
        self.watch_failures.inc();
    }
}

/// No labels, for a family that has none.
const NONE: &[&str] = &[];

/// A counter that stands where the total does; a total never falls.
fn catch_up(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
