//! The kinds that go round in cycles: load, a crash in the middle of it, recovery, everything in doubt sent again, and a
//! look at everything there is. A few cycles share a database, so that what a crash has left meets the next one.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::arguments::{Arguments, Kind};
use super::checks;
use super::figures::Figures;
use super::proxy::Proxy;
use super::requests::{Answer, Sent};
use super::world::{Data, World};
use crate::support::postgres::Cluster;
use crate::support::server::soon;

/// How many cycles share a database: what is checked grows with each.
const CYCLES_A_WORLD: u32 = 10;
/// Unanswered requests in a row after which a client stops: the server it talks to is gone.
const GIVES_UP_AFTER: u32 = 3;
/// Longer than every time limit of the server in front of the proxy.
const STALL: Duration = Duration::from_millis(2_500);

/// Runs the cycles of a kind.
pub async fn run(kind: Kind, arguments: &Arguments, seed: u64, cluster: Option<Arc<Cluster>>) -> Figures {
    let mut dice = StdRng::seed_from_u64(seed);
    let proxy = match (kind, &cluster) {
        (Kind::Proxy, Some(cluster)) => Some(Proxy::start(cluster.port(), dice.random(), STALL).await),
        _ => None,
    };
    let mut run = Run { kind, clients: arguments.clients, cluster, proxy, figures: Figures::default(), kills: 0 };
    let mut left = arguments.cycles;
    let mut number = 0;
    while left > 0 && run.figures.violations.is_empty() {
        let cycles = left.min(CYCLES_A_WORLD);
        run.world(number, cycles, &mut dice).await;
        left -= cycles;
        number += 1;
    }
    let Run { mut figures, proxy, kills, .. } = run;
    figures.breaks = match (kind, proxy) {
        (Kind::PostgresKilled, _) => vec![(kills, "kills of PostgreSQL")],
        (_, Some(proxy)) => vec![(proxy.count().0, "resets"), (proxy.count().1, "stalls")],
        _ => vec![(kills, "kills")],
    };
    figures
}

struct Run {
    kind: Kind,
    clients: u32,
    cluster: Option<Arc<Cluster>>,
    proxy: Option<Proxy>,
    figures: Figures,
    kills: u64,
}

impl Run {
    async fn world(&mut self, number: u32, cycles: u32, dice: &mut StdRng) {
        let name = format!("{}-{number}", self.kind.name());
        let data = match &self.cluster {
            None => Data::Sqlite,
            Some(cluster) => Data::Postgres { cluster: Arc::clone(cluster), database: name.replace('-', "_") },
        };
        // Behind the proxy nobody waits for long, so that a stall outlasts everybody's patience.
        let short = [
            ("DATABASE_ACQUIRE_TIMEOUT_MS", "1000"),
            ("DATABASE_LOCK_TIMEOUT_MS", "1000"),
            ("DATABASE_STATEMENT_TIMEOUT_MS", "1500"),
            ("REQUEST_DEADLINE_MS", "2000"),
        ];
        let settings = if self.proxy.is_some() { &short[..] } else { &[] };
        let port = self.proxy.as_ref().map(|proxy| proxy.port);
        let mut world = World::start(name, data, port, settings).await;
        let mut log = String::new();
        for cycle in 0..cycles {
            let doubts = self.cycle(&mut world, cycle, dice, &mut log).await;
            self.figures.cycles += 1;
            self.figures.in_doubt += doubts;
            self.figures.violations.extend(checks::check(&world).await);
            if !self.figures.violations.is_empty() {
                break;
            }
        }
        log += &world.stop();
        self.figures.violations.extend(checks::check_log(&log));
        self.figures.log = log;
        self.figures.sent += world.record.len() as u64;
        let acknowledged = world.record.iter().filter(|sent| matches!(sent.answer, Answer::Done(_)));
        self.figures.acknowledged += acknowledged.count() as u64;
    }

    /// One crash; gives how many requests were in doubt after it.
    async fn cycle(&mut self, world: &mut World, cycle: u32, dice: &mut StdRng, log: &mut String) -> u64 {
        let prefix = format!("{}-{cycle}", world.name);
        let mut shared = Vec::new();
        for hot in 0..2 {
            shared.push(world.running_loan(&format!("{prefix}-hot{hot}"), 1_000_000).await);
        }
        if let Some(proxy) = &self.proxy {
            proxy.arm(true);
        }
        let (stop, mut answers) = self.load(world, &prefix, &shared, dice);
        let enough = dice.random_range(5..60);
        let mut acknowledged = 0;
        while acknowledged < enough {
            let Some(sent) = soon(answers.recv()).await else { break };
            acknowledged += u32::from(matches!(sent.answer, Answer::Done(_)));
            world.record.push(sent);
        }
        // Not only right after an answer: anywhere between two of them.
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..30_000))).await;
        self.crash(world, &stop, log);
        self.recover(world).await;
        while let Some(sent) = answers.recv().await {
            world.record.push(sent);
        }
        world.settle().await
    }

    /// Lets the clients loose until they are stopped or get no answers any more.
    fn load(
        &self,
        world: &World,
        prefix: &str,
        shared: &[String],
        dice: &mut StdRng,
    ) -> (CancellationToken, mpsc::UnboundedReceiver<Sent>) {
        let stop = CancellationToken::new();
        let (sender, answers) = mpsc::unbounded_channel();
        // Whoever hangs up leaves something that still runs; only where the server dies is it sure to be over.
        let hang_up = matches!(self.kind, Kind::Sqlite | Kind::Postgres);
        let gives_up = self.proxy.is_none();
        for number in 0..self.clients {
            let client = world.client(format!("{prefix}-{number}"), StdRng::seed_from_u64(dice.random()), shared);
            let mut client = if hang_up { client.that_hangs_up() } else { client };
            let (stop, sender) = (stop.clone(), sender.clone());
            tokio::spawn(async move {
                let mut unanswered = 0;
                while !stop.is_cancelled() && (!gives_up || unanswered != GIVES_UP_AFTER) {
                    let sent = client.send().await;
                    unanswered = if matches!(sent.answer, Answer::Unknown(_)) { unanswered + 1 } else { 0 };
                    sender.send(sent).unwrap();
                }
            });
        }
        (stop, answers)
    }

    /// The end of the load, in whichever way this kind ends it; clients that have an answer due wait for it.
    fn crash(&mut self, world: &mut World, stop: &CancellationToken, log: &mut String) {
        match (self.kind, &self.cluster) {
            (Kind::Proxy, _) => return stop.cancel(),
            (Kind::PostgresKilled, Some(cluster)) => {
                cluster.kill();
                stop.cancel();
            }
            _ => {
                world.kill();
                stop.cancel();
                *log += &world.bury();
            }
        }
        self.kills += 1;
    }

    async fn recover(&self, world: &mut World) {
        match (self.kind, &self.cluster, &self.proxy) {
            (Kind::PostgresKilled, Some(cluster), _) => {
                cluster.run().await.unwrap();
                world.ready().await;
            }
            (_, _, Some(proxy)) => {
                proxy.arm(false);
                world.ready().await;
            }
            _ => world.serve(),
        }
    }
}
