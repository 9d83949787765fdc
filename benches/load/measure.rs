//! A turn: so many connections ask one target for so long, each again as soon as it is answered or when its turn has come.
//! What is measured is what came back, how long that took, and what it cost the processes that did it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::baseline::pools::{Pools, on};
use crate::client::Connection;
use crate::processes::{memory_of, time_of, time_of_family};
use crate::target::Target;
use crate::workload::{KEY, Shot};

/// Every so many answers one is read to its end.
const CLOSELY: u64 = 64;
/// Sealing what was written must come to an end, and so must summing up what was filled in.
const PATIENCE: Duration = Duration::from_secs(60);
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// The next key, counted from the microsecond of the first: no two requests have the same, whatever the run.
static KEYS: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(chrono::Utc::now().timestamp_micros().unsigned_abs()));

/// The requests of a workload for a target, and how far it is with them: it goes on where it stopped.
pub struct Magazine {
    pub shots: Vec<Shot>,
    next: AtomicUsize,
}

impl Magazine {
    pub fn new(shots: Vec<Shot>) -> Self {
        Self { shots, next: AtomicUsize::new(0) }
    }

    fn next(&self) -> &Shot {
        &self.shots[self.next.fetch_add(1, Ordering::Relaxed) % self.shots.len()]
    }
}

impl Shot {
    /// The bytes to send this time.
    pub fn load(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(&self.bytes);
        if let Some(place) = self.key_at {
            let key = format!("{:0width$}", KEYS.fetch_add(1, Ordering::Relaxed), width = KEY.len());
            bytes[place..place + KEY.len()].copy_from_slice(key.as_bytes());
        }
    }
}

/// What a turn came to.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Turn {
    pub requests: u64,
    pub failures: u64,
    pub first_failure: Option<String>,
    pub per_second: f64,
    /// Processor time of the target, in microseconds a request.
    pub target_micros: f64,
    /// The same of the database's processes.
    pub database_micros: f64,
    pub p50_micros: u32,
    pub p99_micros: u32,
    /// Resident memory of the target afterwards and at most so far, in KiB.
    pub memory: (u64, u64),
}

#[derive(Default)]
struct Tally {
    micros: Vec<u32>,
    failures: u64,
    first_failure: Option<String>,
}

/// When a connection asks.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// As soon as it is answered.
    Answered,
    /// At moments that are fixed beforehand.
    Fixed { next: Instant, every: Duration },
}

impl Pace {
    /// One of so many connections' that send so many requests a second together.
    fn of(place: usize, connections: usize, rate: Option<u32>, since: Instant) -> Self {
        let Some(rate) = rate else { return Self::Answered };
        let between = Duration::from_secs(1) / rate;
        let of = |count: usize| between * u32::try_from(count).unwrap();
        Self::Fixed { next: since + of(place), every: of(connections) }
    }

    /// Waits until it is time to ask, and tells from when on the answer is waited for: whoever is still held up by the
    /// answer before waits already.
    async fn wait(&mut self) -> Instant {
        let Self::Fixed { next, every } = self else { return Instant::now() };
        let due = *next;
        *next += *every;
        if due <= Instant::now() {
            return due;
        }
        tokio::time::sleep_until(due.into()).await;
        // The timer's own delay is nobody's.
        Instant::now()
    }
}

/// How a target is asked.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub length: Duration,
    /// Requests a second of all connections together; as many as are answered if there is none.
    pub rate: Option<u32>,
}

/// Gives a target a turn. `sealing` is the database to wait for until the server has sealed what it wrote, which is part
/// of what its writes cost.
pub async fn turn(
    target: &Target,
    magazine: &Arc<Magazine>,
    load: Load,
    database: Option<u32>,
    sealing: Option<&Pools>,
) -> Turn {
    let cost = || (target.process().map(time_of), database.map(time_of_family));
    let before = cost();
    let since = Instant::now();
    let mut tasks = JoinSet::new();
    for place in 0..load.connections {
        let pace = Pace::of(place, load.connections, load.rate, since);
        tasks.spawn(ask(target.address, Arc::clone(magazine), pace, since + load.length));
    }
    let tallies = tasks.join_all().await;
    let took = since.elapsed();
    if let Some(pools) = sealing {
        sealed(pools).await;
    }
    let after = cost();
    let mut micros: Vec<u32> = tallies.iter().flat_map(|tally| tally.micros.iter().copied()).collect();
    micros.sort_unstable();
    let requests = micros.len() as u64;
    let each = |before: Option<Duration>, after: Option<Duration>| {
        let spent = after.unwrap_or_default().saturating_sub(before.unwrap_or_default());
        spent.as_secs_f64() * 1e6 / requests.max(1) as f64
    };
    let part = |of: usize| micros.get(micros.len() * of / 100).copied().unwrap_or_default();
    Turn {
        requests,
        failures: tallies.iter().map(|tally| tally.failures).sum(),
        first_failure: tallies.iter().find_map(|tally| tally.first_failure.clone()),
        per_second: requests as f64 / took.as_secs_f64(),
        target_micros: each(before.0, after.0),
        database_micros: each(before.1, after.1),
        p50_micros: part(50),
        p99_micros: part(99),
        memory: target.process().map(memory_of).unwrap_or_default(),
    }
}

async fn ask(address: std::net::SocketAddr, magazine: Arc<Magazine>, mut pace: Pace, until: Instant) -> Tally {
    let mut tally = Tally::default();
    let mut bytes = Vec::new();
    let mut connection = None;
    loop {
        let since = pace.wait().await;
        if Instant::now() >= until {
            return tally;
        }
        let shot = magazine.next();
        shot.load(&mut bytes);
        let failure = match asked(&mut connection, address, shot, &bytes, tally.micros.len() as u64).await {
            Ok(()) => {
                tally.micros.push(u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX));
                continue;
            }
            Err(failure) => failure,
        };
        connection = None;
        tally.failures += 1;
        tally.first_failure.get_or_insert(failure);
        // Who is refused at once would otherwise do nothing but ask.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// One request; what went wrong with it.
async fn asked(
    connection: &mut Option<Connection>,
    address: std::net::SocketAddr,
    shot: &Shot,
    bytes: &[u8],
    number: u64,
) -> Result<(), String> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(Connection::open(address).await.map_err(|error| error.to_string())?),
    };
    let answer = open.ask(bytes).await.map_err(|error| error.to_string())?;
    if shot.accepts(answer.status, answer.body, number.is_multiple_of(CLOSELY)) {
        return Ok(());
    }
    Err(format!("{}: {:.400}", answer.status, String::from_utf8_lossy(answer.body)))
}

/// Waits until every audit event is sealed.
pub async fn sealed(pools: &Pools) {
    emptied(pools, "audit_pending", PATIENCE).await;
}

/// Waits until the server has put together what changed of the portfolio.
pub async fn rolled_up(pools: &Pools) {
    for changes in ["portfolio_changes", "arrears_changes", "dues_changes"] {
        emptied(pools, changes, LONG_PATIENCE).await;
    }
}

async fn emptied(pools: &Pools, queue: &str, patience: Duration) {
    let deadline = Instant::now() + patience;
    // A list of millions is not counted over and over.
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {queue} LIMIT 1) one");
    loop {
        let waiting: i64 = on!(pools, pool => {
            use sqlx::Row as _;
            sqlx::query(sqlx::AssertSqlSafe(sql.as_str())).fetch_one(pool.read()).await.unwrap().get(0)
        });
        if waiting == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{queue} does not become empty");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
