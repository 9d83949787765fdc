//! `serve`: runs the server until it is told to stop by SIGTERM, SIGINT or Ctrl-C.

use std::io::ErrorKind;
use std::net::SocketAddr;

use branch_loan_api::app::{self, Surroundings};
use branch_loan_api::config::Config;
use branch_loan_api::telemetry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Failure, block_on, say};

pub fn run(config: &Config) -> Result<(), Failure> {
    // Held until the server has ended, or its last lines are lost.
    let _log = telemetry::init_for_server(&config.telemetry)?;
    block_on(async {
        let listener = bind(config.server.address(), "API_HOST", "API_PORT").await?;
        let address = listener.local_addr()?;
        let admin = match config.admin.address() {
            Some(address) => Some(bind(address, "ADMIN_HOST", "ADMIN_PORT").await?),
            None => None,
        };
        let app = app::build(config, Surroundings::real()).await?;
        tracing::info!(settings = %config.redacted(), "starting");
        announce(config, address)?;
        if let Some(admin) = &admin {
            say(&format!("Admin:    http://{}/metrics", admin.local_addr()?))?;
        }
        tokio::spawn(stop_on_signal(app.shutdown()));
        app.serve_with_admin(listener, admin).await?;
        say("Stopped.")
    })
}

async fn bind(address: SocketAddr, host: &str, port: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => format!("another program listens there: stop it, or set {port} to a free port"),
            ErrorKind::PermissionDenied => format!("ports below 1024 need privileges: set {port} to a higher one"),
            ErrorKind::AddrNotAvailable => format!("this machine has no such address: set {host} to one of its own"),
            _ => format!("check {host} and {port}"),
        };
        format!("cannot listen on {address} ({error}): {remedy}").into()
    })
}

fn announce(config: &Config, address: SocketAddr) -> Result<(), Failure> {
    let host = if address.ip().is_loopback() { "localhost".to_owned() } else { address.ip().to_string() };
    let base = format!("{}://{host}:{}", config.tls.scheme(), address.port());
    let database = config.database.redacted_url();
    match config.database.migrate_on_start {
        true => say(&format!("Database: {database}, schema up to date."))?,
        false => say(&format!("Database: {database}; run `branch-loan-api migrate` after an update."))?,
    }
    say(&format!("Listening on {base} ({}).", config.environment))?;
    say(&format!("GraphQL:  {base}/graphql"))?;
    if config.http.graphiql {
        say(&format!("GraphiQL: open {base}/graphql in a browser"))?;
    }
    Ok(())
}

async fn stop_on_signal(shutdown: CancellationToken) {
    signalled().await;
    shutdown.cancel();
    // Whoever asks a second time wants it now.
    signalled().await;
    std::process::exit(130);
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
