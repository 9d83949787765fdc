//! Connections: accepts them, encrypts them, gives each the time and the number it is allowed, and ends them in order.
//! What is said on them is the router's business.
//!
//! Above the cap a few connections more are accepted, for one answer each: probes get through, and others are told at
//! once that there is no room (`crowd`).
//!
//! Shutdown, once the token is cancelled: unready (the router sees the same token) → drain delay, still serving, each
//! answer the last of its connection → no new connections → requests in flight and on their way, mutations and sockets
//! finish → closed. Every step is bounded.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::crowd::Crowded;
use super::graphql::Peer;
use super::settings::ServerSettings;
use super::tls::Tls;

/// Longest request line and headers together, in bytes: a query of 16 KiB by GET triples in a URL.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Pause after `accept` failed for want of something (open files, memory), which only time gives back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What all connections share.
struct Shared {
    router: Router,
    tls: Option<Arc<Tls>>,
    settings: ServerSettings,
    builder: Builder<TokioExecutor>,
    /// Connections finish what they are doing and take nothing new.
    finish: CancellationToken,
    /// Connections that are still there are dropped.
    abandon: CancellationToken,
}

/// Serves `router` on `listener`, over TLS when given, until `shutdown` is cancelled and everything has ended or the
/// settings' patience has.
///
/// `background` holds what outlives its connection: mutations whose client has left, and sockets.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    settings: ServerSettings,
    background: TaskTracker,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let shared = Arc::new(Shared {
        builder: builder(&settings),
        router,
        tls,
        settings,
        finish: CancellationToken::new(),
        abandon: CancellationToken::new(),
    });
    let drained = async {
        shutdown.cancelled().await;
        tracing::info!("shutting down: not ready any more");
        sleep(shared.settings.drain_delay).await;
    };
    let places = Places::new(&shared.settings);
    tokio::select! {
        () = accept_all(&listener, &places, &shared, &connections) => {}
        () = drained => {}
    }
    if let Err(error) = accept_the_last(listener, &places, &shared, &connections) {
        tracing::warn!(%error, "connections that were made last are lost");
    }
    shared.finish.cancel();
    connections.close();
    background.close();
    let everything = async {
        connections.wait().await;
        background.wait().await;
    };
    if timeout(shared.settings.shutdown, everything).await.is_err() {
        let (connections, background) = (connections.len(), background.len());
        tracing::warn!(connections, background, "shutting down with work unfinished");
    }
    shared.abandon.cancel();
    connections.wait().await;
    Ok(())
}

fn builder(settings: &ServerSettings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // hyper counts the wait for the next request as reading its headers, so this is the keep-alive time. The first
    // request has a shorter time, kept by `until_done`. Later ones need none: a client that dawdles over its second
    // request holds the connection no longer than one that sends nothing.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(settings.keep_alive).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(settings.http2_ping)
        .keep_alive_timeout(settings.http2_ping)
        .max_concurrent_streams(settings.max_concurrent_streams)
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX));
    builder
}

/// Places for connections: those up to the cap, and the few above it.
struct Places {
    usual: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
}

/// A connection's place, held until it ends.
struct Place {
    above_cap: bool,
    _held: OwnedSemaphorePermit,
}

impl Places {
    fn new(settings: &ServerSettings) -> Self {
        Self {
            usual: Arc::new(Semaphore::new(settings.max_connections)),
            reserve: Arc::new(Semaphore::new(settings.reserve_connections)),
        }
    }

    fn free(&self) -> Option<Place> {
        let usual = self.usual.clone().try_acquire_owned().map(|held| Place { above_cap: false, _held: held });
        let place = usual
            .or_else(|_| self.reserve.clone().try_acquire_owned().map(|held| Place { above_cap: true, _held: held }));
        place.ok()
    }

    /// The next place that is free. `None` is never the answer, since neither semaphore is ever closed.
    async fn next(&self) -> Option<Place> {
        if let Some(place) = self.free() {
            return Some(place);
        }
        tokio::select! {
            held = self.usual.clone().acquire_owned() => Some(Place { above_cap: false, _held: held.ok()? }),
            held = self.reserve.clone().acquire_owned() => Some(Place { above_cap: true, _held: held.ok()? }),
        }
    }
}

async fn accept_all(listener: &TcpListener, places: &Places, shared: &Arc<Shared>, connections: &TaskTracker) {
    // The place comes first: what has been accepted is nobody's any more if there turns out to be none.
    while let Some(place) = places.next().await {
        let (stream, peer) = accept(listener).await;
        spawn(stream, peer, better(place, places), shared, connections);
    }
}

/// A usual place instead of one above the cap, if one has become free since.
fn better(place: Place, places: &Places) -> Place {
    match place.above_cap {
        true => places.free().unwrap_or(place),
        false => place,
    }
}

/// Takes what the kernel has accepted already: its clients believe that they are connected.
fn accept_the_last(
    listener: TcpListener,
    places: &Places,
    shared: &Arc<Shared>,
    connections: &TaskTracker,
) -> io::Result<()> {
    // The system is asked itself: the runtime may not have heard of the latest yet.
    let listener = listener.into_std()?;
    while let Some(place) = places.free() {
        // Whatever the reason, there is no next one.
        let Ok((stream, peer)) = listener.accept() else { break };
        stream.set_nonblocking(true)?;
        spawn(TcpStream::from_std(stream)?, peer, place, shared, connections);
    }
    Ok(())
}

fn spawn(stream: TcpStream, peer: SocketAddr, place: Place, shared: &Arc<Shared>, connections: &TaskTracker) {
    let shared = Arc::clone(shared);
    connections.spawn(async move { connection(stream, peer, &place, &shared).await });
}

/// The next connection. Failures to accept are waited out: a server that gives up at a full file table does not recover.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the connection broke before it was accepted, which says nothing of the next.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn connection(stream: TcpStream, peer: SocketAddr, place: &Place, shared: &Shared) {
    // Answers are written whole; waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let Some(tls) = &shared.tls else { return until_done(stream, peer, place, shared).await };
    let handshake = timeout(shared.settings.tls_handshake, TlsAcceptor::from(tls.current()).accept(stream));
    match shared.finish.run_until_cancelled(handshake).await {
        Some(Ok(Ok(stream))) => until_done(stream, peer, place, shared).await,
        Some(Ok(Err(error))) => tracing::debug!(%error, "TLS handshake failed"),
        Some(Err(_)) => tracing::debug!("TLS handshake took too long"),
        None => {}
    }
}

/// Serves one connection to its end, or to the end of its first request's time, or of the shutdown's.
async fn until_done<S>(stream: S, peer: SocketAddr, place: &Place, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let settings = &shared.settings;
    let has_asked = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (has_asked, above_cap) = (has_asked.clone(), place.above_cap);
        let router = shared.router.clone();
        move |request| {
            has_asked.store(true, Ordering::Relaxed);
            answer(router.clone(), request, peer, above_cap)
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(settings.write_stall));
    let stream = TokioIo::new(Box::pin(stream));
    let mut connection = pin!(shared.builder.serve_connection_with_upgrades(stream, service));
    let patience = if place.above_cap { settings.reserve_patience } else { settings.header_read };
    let mut first_request = pin!(sleep(patience));
    let (mut waiting, mut finishing) = (true, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "connection ended");
                }
                return;
            }
            () = first_request.as_mut(), if waiting => {
                if !has_asked.load(Ordering::Relaxed) {
                    return;
                }
                waiting = false;
                if finishing || place.above_cap {
                    connection.as_mut().graceful_shutdown();
                }
            }
            () = shared.finish.cancelled(), if !finishing => {
                finishing = true;
                if has_asked.load(Ordering::Relaxed) {
                    connection.as_mut().graceful_shutdown();
                } else {
                    let latest = first_request.deadline().min(Instant::now() + settings.linger);
                    first_request.as_mut().reset(latest);
                }
            }
            () = shared.abandon.cancelled() => return,
        }
    }
}

fn answer(
    mut router: Router,
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    above_cap: bool,
) -> impl Future<Output = Result<Response, Infallible>> {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    if above_cap {
        request.extensions_mut().insert(Crowded);
    }
    router.call(request)
}
