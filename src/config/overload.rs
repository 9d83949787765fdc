//! How much the server takes on at once, who waits, and who is turned away: budgets of queries and mutations, the rate of
//! one address, and whose word for a client's address is believed. Keeping to it is the HTTP layer's work.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::effective::Effective;
use super::environment::Environment;
use super::values::{count, count_or_none, count_u32, milliseconds};

/// Requests a second and at once from one address, behind which may be an office: ten callers' worth.
const ADDRESS_RATE: (u32, u32) = (1_000, 10_000);

/// The same where one address is all there is.
const DEVELOPMENT_ADDRESS_RATE: (u32, u32) = (100_000, 1_000_000);

/// Settings of overload, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Overload")]
pub struct OverloadArgs {
    /// Queries executed at once: four for each connection of the pool, so that some compute while others read. More would
    /// only wait for a connection, and time out there.
    #[arg(long, env = "READS_IN_FLIGHT", default_value = "32", value_parser = count)]
    pub reads_in_flight: usize,
    /// Queries that may wait for a place; the next one is refused with 503 at once. As many as are in flight: a moment's
    /// burst, served well within the second it may wait. More would wait in vain, and be refused late instead of at once.
    #[arg(long, env = "READS_QUEUED", default_value = "32", value_parser = count_or_none)]
    pub reads_queued: usize,
    /// Mutations executed at once. Twice the connections of the pool, because each keeps one from beginning to commit; apart
    /// from queries, so that neither keeps the other out.
    #[arg(long, env = "WRITES_IN_FLIGHT", default_value = "16", value_parser = count)]
    pub writes_in_flight: usize,
    /// Mutations that may wait for a place; the next one is refused with 503 at once, and nothing of it was carried out.
    #[arg(long, env = "WRITES_QUEUED", default_value = "32", value_parser = count_or_none)]
    pub writes_queued: usize,
    /// Longest wait for a place, in milliseconds, part of `REQUEST_DEADLINE_MS`. Who waits longer is better told to come
    /// again than served when nobody looks any more.
    #[arg(long, env = "QUEUE_WAIT_MS", default_value = "1000", value_parser = milliseconds)]
    pub queue_wait_ms: Duration,
    /// Requests that one client address may send per second, whoever sends them, counted before tokens are looked at. IPv6
    /// addresses count by their /64. Behind a proxy set `TRUSTED_PROXIES`, or all clients are one address. Default: 100000
    /// in development, 1000 otherwise.
    #[arg(long, env = "ADDRESS_RATE_PER_SECOND", value_parser = count_u32)]
    pub address_rate_per_second: Option<u32>,
    /// Requests that one client address can save up and send at once. Default: 1000000 in development, 10000 otherwise.
    #[arg(long, env = "ADDRESS_RATE_BURST", value_parser = count_u32)]
    pub address_rate_burst: Option<u32>,
    /// Networks of the proxies in front of the server, separated by commas (`10.0.0.0/8,192.0.2.7`): only they are believed
    /// about a client's address. Empty: the client is whoever connects.
    #[arg(long, env = "TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,
    /// The header that the trusted proxies append their client's address to: `x-forwarded-for` or `forwarded`. The other one
    /// is never read, because a proxy hands it on as its client made it up.
    #[arg(long, env = "CLIENT_ADDRESS_HEADER", default_value = "x-forwarded-for", hide_possible_values = true)]
    pub client_address_header: AddressHeader,
}

/// The header in which proxies tell whose request they forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AddressHeader {
    /// `X-Forwarded-For: client, proxy`
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239)
    Forwarded,
}

impl AddressHeader {
    fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// What the server takes on.
#[derive(Debug, Clone)]
pub struct OverloadConfig {
    /// Queries executed at once.
    pub reads_in_flight: usize,
    /// Queries that may wait.
    pub reads_queued: usize,
    /// Mutations executed at once.
    pub writes_in_flight: usize,
    /// Mutations that may wait.
    pub writes_queued: usize,
    /// Longest wait for a place.
    pub queue_wait: Duration,
    /// Requests that one address may send per second.
    pub address_rate_per_second: u32,
    /// Requests that one address can save up.
    pub address_rate_burst: u32,
    /// Who is believed about a client's address.
    pub trusted_proxies: TrustedProxies,
    /// Where they tell it.
    pub client_address_header: AddressHeader,
}

impl OverloadArgs {
    /// Fills in what depends on the environment.
    #[must_use]
    pub fn resolve(self, environment: Environment) -> OverloadConfig {
        let (per_second, burst) = if environment.is_development() { DEVELOPMENT_ADDRESS_RATE } else { ADDRESS_RATE };
        OverloadConfig {
            reads_in_flight: self.reads_in_flight,
            reads_queued: self.reads_queued,
            writes_in_flight: self.writes_in_flight,
            writes_queued: self.writes_queued,
            queue_wait: self.queue_wait_ms,
            address_rate_per_second: self.address_rate_per_second.unwrap_or(per_second),
            address_rate_burst: self.address_rate_burst.unwrap_or(burst),
            trusted_proxies: self.trusted_proxies,
            client_address_header: self.client_address_header,
        }
    }
}

impl OverloadConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.show("READS_IN_FLIGHT", self.reads_in_flight);
        out.show("READS_QUEUED", self.reads_queued);
        out.show("WRITES_IN_FLIGHT", self.writes_in_flight);
        out.show("WRITES_QUEUED", self.writes_queued);
        out.span("QUEUE_WAIT_MS", self.queue_wait);
        out.show("ADDRESS_RATE_PER_SECOND", self.address_rate_per_second);
        out.show("ADDRESS_RATE_BURST", self.address_rate_burst);
        out.show("TRUSTED_PROXIES", &self.trusted_proxies);
        out.show("CLIENT_ADDRESS_HEADER", self.client_address_header.as_str());
    }
}

/// Networks whose word for a client's address is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether the machine at this address is one of them. An IPv4 address in IPv6's clothes must have been taken out of
    /// them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&networks.join(","))
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    match network {
        // Whoever trusts everybody lets everybody choose whom to be.
        Ok(network) if network.prefix_len() == 0 => Err(format!("{text:?} is everybody: name the proxies' networks")),
        Ok(network) => Ok(network),
        Err(_) => Err(format!("{text:?} is neither a network like 10.0.0.0/8 nor an address")),
    }
}
