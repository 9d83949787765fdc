//! What an orchestrator does: it asks for health again and again, each time on a new connection, and expects an answer.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

const PAUSE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub struct Probes {
    pub asked: u64,
    pub slowest: Duration,
    /// Answers that were none, or not 200.
    pub failed: Vec<String>,
}

impl Probes {
    /// Asks until it is over.
    pub async fn watch(base: String, over: CancellationToken) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap();
        let mut probes = Self::default();
        while !over.is_cancelled() {
            for path in ["/health", "/livez", "/readyz"] {
                let since = Instant::now();
                match http.get(format!("{base}{path}")).send().await {
                    Ok(answer) if answer.status() == 200 => {}
                    Ok(answer) => {
                        let status = answer.status();
                        probes.failed.push(format!("{path}: {status}: {:?}", answer.text().await));
                    }
                    Err(error) => probes.failed.push(format!("{path}: {error:?}")),
                }
                probes.asked += 1;
                probes.slowest = probes.slowest.max(since.elapsed());
            }
            tokio::time::sleep(PAUSE).await;
        }
        probes
    }
}
