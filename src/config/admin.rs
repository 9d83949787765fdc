//! The port for the inside: metrics and health for those who run the server. It is plain HTTP and asks nobody who they
//! are, so that it listens on this machine only unless it is told otherwise.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::effective::Effective;
use super::values::{host, milliseconds_from_100, port};

/// Settings of the admin port, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Admin")]
pub struct AdminArgs {
    /// The address of the admin port. It speaks plain HTTP and asks for no token: never publish it.
    #[arg(long, env = "ADMIN_HOST", default_value = "127.0.0.1", value_parser = host)]
    pub admin_host: IpAddr,
    /// The port of `/metrics`, `/livez`, `/readyz` and `/health` for the inside; 0 takes any free one. Default: none, it
    /// is off.
    #[arg(long, env = "ADMIN_PORT", value_parser = port)]
    pub admin_port: Option<u16>,
    /// Time between two looks of the admin port at whether all debits are all credits, in milliseconds. Each reads every
    /// line of the journal.
    #[arg(long, env = "BOOKS_CHECK_INTERVAL_MS", default_value = "3600000", value_parser = milliseconds_from_100)]
    pub books_check_interval_ms: Duration,
}

/// The configuration of the admin port.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// Address to bind.
    pub host: IpAddr,
    /// Port to bind, 0 for any free one; `None` for no admin port.
    pub port: Option<u16>,
    /// Time between two looks at the ledger's balance.
    pub books_check_interval: Duration,
}

impl AdminArgs {
    /// Takes what is given.
    #[must_use]
    pub fn resolve(self) -> AdminConfig {
        AdminConfig { host: self.admin_host, port: self.admin_port, books_check_interval: self.books_check_interval_ms }
    }
}

impl AdminConfig {
    /// Address and port to bind, if there is an admin port.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.port.map(|port| SocketAddr::new(self.host, port))
    }

    pub(super) fn describe(&self, out: &mut Effective) {
        out.show("ADMIN_HOST", self.host);
        if let Some(port) = self.port {
            out.show("ADMIN_PORT", port);
        }
        out.span("BOOKS_CHECK_INTERVAL_MS", self.books_check_interval);
    }
}
