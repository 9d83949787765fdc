//! The end of a server under load. Clients do what a load balancer has them do: they go on until the server says that it
//! is not ready, and a moment longer. Nothing that they sent may be lost. Others do not care, and go on until nobody
//! listens any more; they are counted, since a connection that closes while they send is theirs to try again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::load::{Load, Outcome, Sample};
use super::world::{DRAIN_MS, World};

const OBEDIENT: usize = 16;
const STUBBORN: usize = 4;

/// Between two looks of the load balancer.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
pub struct Stopped {
    /// Requests of obedient clients, from before the signal to the end.
    pub answered: u64,
    /// Obedient clients' requests without an answer, and wrong answers to anybody.
    pub violations: Vec<String>,
    /// Stubborn clients' requests that found the connection closing.
    pub cut: u64,
    pub took: Duration,
}

pub async fn under_load(world: World, length: Duration) -> Stopped {
    // New clients: connections that were idle before are closed at once, by right.
    let load = Load::new(&world);
    let balancer = Balancer { url: format!("{}/readyz", world.base()), sends: Arc::new(AtomicBool::new(true)) };
    let mut obedient = spawn(OBEDIENT, &load, Some(balancer.sends.clone()));
    let mut stubborn = spawn(STUBBORN, &load, None);
    tokio::time::sleep(length.min(Duration::from_secs(2))).await;

    let since = Instant::now();
    world.server.signal("TERM");
    let mut stopped = Stopped::default();
    if !balancer.sees_it_unready().await {
        stopped.violations.push("it never said that it is not ready".to_owned());
    }
    tokio::time::sleep(Duration::from_millis(DRAIN_MS / 5)).await;
    balancer.sends.store(false, Ordering::Relaxed);
    while let Some(samples) = obedient.join_next().await {
        for sample in samples.unwrap() {
            match sample.outcome {
                Outcome::Accepted | Outcome::Refused | Outcome::Unavailable => stopped.answered += 1,
                other => stopped.violations.push(format!("lost in the shutdown: {other:?}")),
            }
        }
    }
    while let Some(samples) = stubborn.join_next().await {
        for sample in samples.unwrap() {
            match sample.outcome {
                Outcome::Wrong(wrong) => stopped.violations.push(wrong),
                Outcome::Lost(_) => stopped.cut += 1,
                _ => {}
            }
        }
    }
    let end = tokio::task::spawn_blocking(|| world.server.finish()).await.unwrap();
    stopped.took = since.elapsed();
    if !end.status.success() || !end.stdout.ends_with("Stopped.\n") {
        stopped.violations.push(format!("it did not stop well: {end:?}"));
    }
    stopped
}

/// Clients that ask until they are told to stop, or nobody listens any more.
fn spawn(count: usize, load: &Load, sends: Option<Arc<AtomicBool>>) -> JoinSet<Vec<Sample>> {
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let (load, sends) = (load.clone(), sends.clone());
        tasks.spawn(async move {
            let (since, mut samples) = (Instant::now(), Vec::new());
            while sends.as_ref().is_none_or(|sends| sends.load(Ordering::Relaxed)) {
                let sample = load.one(since).await;
                let over = sample.outcome == Outcome::NoConnection;
                samples.push(sample);
                if over {
                    break;
                }
            }
            samples
        });
    }
    tasks
}

struct Balancer {
    url: String,
    sends: Arc<AtomicBool>,
}

impl Balancer {
    /// Until the server says so; false when it is gone without having said it.
    async fn sees_it_unready(&self) -> bool {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        loop {
            match http.get(&self.url).send().await {
                Ok(answer) if answer.status() == 503 => return true,
                Ok(_) => tokio::time::sleep(LOOK).await,
                Err(_) => return false,
            }
        }
    }
}
