//! A TCP proxy between the server and PostgreSQL that makes COMMITs go wrong: it resets the connection before or after
//! the word has passed, so that nobody on the server's side can know which, or holds it back for longer than anybody
//! waits.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// What is done to a COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    ResetBefore,
    ResetAfter,
    StallAndPass,
    StallAndReset,
}

/// What becomes of the connections.
struct Faults {
    armed: AtomicBool,
    dice: Mutex<StdRng>,
    stall: Duration,
    resets: AtomicU64,
    stalls: AtomicU64,
}

impl Faults {
    /// The fault of one COMMIT, if it is to have one.
    fn draw(&self) -> Option<Fault> {
        if !self.armed.load(Ordering::Relaxed) {
            return None;
        }
        let fault = match self.dice.lock().unwrap().random_range(0..100) {
            0..12 => Fault::ResetBefore,
            12..24 => Fault::ResetAfter,
            24..27 => Fault::StallAndPass,
            27..30 => Fault::StallAndReset,
            _ => return None,
        };
        if fault != Fault::StallAndPass {
            self.resets.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(fault, Fault::StallAndPass | Fault::StallAndReset) {
            self.stalls.fetch_add(1, Ordering::Relaxed);
        }
        Some(fault)
    }
}

pub struct Proxy {
    pub port: u16,
    faults: Arc<Faults>,
    _accepting: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts one in front of a port of this machine. It is harmless until it is armed.
    pub async fn start(to: u16, seed: u64, stall: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::new(Faults {
            armed: AtomicBool::new(false),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            stall,
            resets: AtomicU64::new(0),
            stalls: AtomicU64::new(0),
        });
        let shared = Arc::clone(&faults);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let faults = Arc::clone(&shared);
                // A connection that breaks is what this is for.
                tokio::spawn(async move { drop(carry(client, to, &faults).await) });
            }
        });
        Self { port, faults, _accepting: AbortOnDropHandle::new(accepting) }
    }

    pub fn arm(&self, armed: bool) {
        self.faults.armed.store(armed, Ordering::Relaxed);
    }

    /// So many connections were reset, and so many COMMITs held back.
    pub fn count(&self) -> (u64, u64) {
        (self.faults.resets.load(Ordering::Relaxed), self.faults.stalls.load(Ordering::Relaxed))
    }
}

async fn carry(mut client: TcpStream, to: u16, faults: &Faults) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", to)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let bytes = &asked[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let commits = bytes.windows(6).any(|word| word == b"COMMIT");
                let fault = commits.then(|| faults.draw()).flatten();
                if matches!(fault, Some(Fault::StallAndPass | Fault::StallAndReset)) {
                    tokio::time::sleep(faults.stall).await;
                }
                if matches!(fault, Some(Fault::ResetBefore | Fault::StallAndReset)) {
                    return client.set_zero_linger();
                }
                server.write_all(bytes).await?;
                if fault == Some(Fault::ResetAfter) {
                    // The database reads the COMMIT and then the end; the server never hears of it.
                    server.shutdown().await?;
                    return client.set_zero_linger();
                }
            }
            read = server.read(&mut answered) => {
                let bytes = &answered[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}
