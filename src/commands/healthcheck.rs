//! `healthcheck`: asks the server on this machine whether it lives, for containers that have no other client. Over TLS
//! it does not ask who the certificate was made for: it speaks to its own process.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use branch_loan_api::config::{ConfigArgs, ConfigError};

use super::Failure;

/// Below the 3 seconds after which container engines give up by themselves.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the server is.
pub struct Target {
    address: SocketAddr,
    tls: bool,
}

impl Target {
    /// Reads only the settings it needs, so that a health check does not fail for want of a secret it never uses.
    pub fn of(config: ConfigArgs) -> Result<Self, ConfigError> {
        let server = config.server.resolve(config.environment.app_env);
        let tls = config.tls.resolve()?.files.is_some();
        let mut address = server.address();
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Ok(Self { address, tls })
    }
}

pub fn run(target: &Target) -> Result<(), Failure> {
    let mut stream = TcpStream::connect_timeout(&target.address, PATIENCE)
        .map_err(|error| format!("nothing answers on {} ({error})", target.address))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if target.tls {
        // That the port accepts connections is all that can be told without trusting a certificate.
        return Ok(());
    }
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err("the server answers, but not with 200".into()) }
}
