//! The listening socket and the life of the process: address, connections, shutdown.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::effective::Effective;
use super::environment::Environment;
use super::values::{count, host, milliseconds, milliseconds_or_none, port};

/// Settings of the listener, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// The address to listen on. The default is reachable from this machine only; `0.0.0.0` is every interface.
    #[arg(long, env = "API_HOST", default_value = "127.0.0.1", value_parser = host)]
    pub api_host: IpAddr,
    /// The port to listen on; 0 takes any free one.
    #[arg(long, env = "API_PORT", default_value = "8000", value_parser = port)]
    pub api_port: u16,
    /// Open connections at once. Each costs memory even when idle; the next one waits in the system's queue.
    #[arg(long, env = "MAX_CONNECTIONS", default_value = "1024", value_parser = count)]
    pub max_connections: usize,
    /// Time a client has to send the head of a request, in milliseconds. Stops clients that send one byte at a time.
    #[arg(long, env = "HEADER_READ_TIMEOUT_MS", default_value = "10000", value_parser = milliseconds)]
    pub header_read_timeout_ms: Duration,
    /// Time between answering "not ready" and refusing new connections at shutdown, in milliseconds, so that load
    /// balancers notice. Default: 0 in development, 5000 otherwise.
    #[arg(long, env = "SHUTDOWN_DRAIN_MS", value_parser = milliseconds_or_none)]
    pub shutdown_drain_ms: Option<Duration>,
    /// Time that requests in flight have to finish at shutdown, in milliseconds. With the drain it must stay below the
    /// orchestrator's grace period.
    #[arg(long, env = "SHUTDOWN_TIMEOUT_MS", default_value = "15000", value_parser = milliseconds)]
    pub shutdown_timeout_ms: Duration,
}

/// The listener's configuration.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address to bind.
    pub host: IpAddr,
    /// Port to bind; 0 means any free one.
    pub port: u16,
    /// Open connections at once.
    pub max_connections: usize,
    /// Time for the head of a request.
    pub header_read_timeout: Duration,
    /// Time between "not ready" and closing the listener.
    pub shutdown_drain: Duration,
    /// Time for requests in flight at shutdown.
    pub shutdown_timeout: Duration,
}

impl ServerArgs {
    /// Fills in what depends on the environment.
    #[must_use]
    pub fn resolve(self, environment: Environment) -> ServerConfig {
        let drain = if environment.is_development() { Duration::ZERO } else { Duration::from_secs(5) };
        ServerConfig {
            host: self.api_host,
            port: self.api_port,
            max_connections: self.max_connections,
            header_read_timeout: self.header_read_timeout_ms,
            shutdown_drain: self.shutdown_drain_ms.unwrap_or(drain),
            shutdown_timeout: self.shutdown_timeout_ms,
        }
    }
}

impl ServerConfig {
    /// Address and port to bind.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    pub(super) fn describe(&self, out: &mut Effective) {
        out.show("API_HOST", self.host);
        out.show("API_PORT", self.port);
        out.show("MAX_CONNECTIONS", self.max_connections);
        out.span("HEADER_READ_TIMEOUT_MS", self.header_read_timeout);
        out.span("SHUTDOWN_DRAIN_MS", self.shutdown_drain);
        out.span("SHUTDOWN_TIMEOUT_MS", self.shutdown_timeout);
    }
}
