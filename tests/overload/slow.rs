//! Clients that hold connections without getting anywhere: half a head, half a body, nothing at all. One that is cut off
//! comes back.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::server::soon;

const HALF_A_HEAD: &str = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-slow: ";
const HALF_A_BODY: &str =
    "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"query\"";

pub struct Clients {
    tasks: JoinSet<()>,
    leave: CancellationToken,
}

impl Clients {
    /// Returns once all of them are connected.
    pub async fn hold(address: SocketAddr, count: usize) -> Self {
        let leave = CancellationToken::new();
        let connected = Arc::new(Semaphore::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (leave, connected) = (leave.clone(), connected.clone());
            let start = [HALF_A_HEAD, HALF_A_BODY, ""][number % 3];
            tasks.spawn(async move {
                leave.run_until_cancelled(dawdle(address, start, &connected)).await;
            });
        }
        soon(connected.acquire_many(count as u32)).await.unwrap().forget();
        Self { tasks, leave }
    }

    pub async fn leave(self) {
        self.leave.cancel();
        self.tasks.join_all().await;
    }
}

async fn dawdle(address: SocketAddr, start: &str, connected: &Semaphore) {
    let mut first = true;
    loop {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            let _ = stream.write_all(start.as_bytes()).await;
            if std::mem::take(&mut first) {
                connected.add_permits(1);
            }
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
        tokio::task::yield_now().await;
    }
}
