//! Every number and switch of the HTTP layer, with the reason beside it. Configuration fills these in; nothing here reads
//! the environment.

use std::time::Duration;

use axum::http::HeaderValue;

use super::client_address::Proxies;
use crate::config::Config;

/// What the router and the GraphQL endpoint obey.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Queries by `GET /graphql?query=…`. Off by default: addresses end up in logs and caches. Mutations never run by GET.
    pub allow_get: bool,
    /// The GraphiQL page at `GET /graphql`. For development only.
    pub graphiql: bool,
    /// Origins of browser applications that may call from elsewhere, as `https://app.example.com`. Same-origin always may.
    pub cors_origins: Vec<HeaderValue>,
    /// Longest request body, in bytes. 256 KiB is 16 times the longest query text, which leaves room for the variables of
    /// a list of 250 inputs.
    pub max_body_bytes: usize,
    /// How long a request body may take to arrive. A body that fits arrives in far less than 10 s on a bad phone line;
    /// what takes longer is a client holding the connection open.
    pub body_read: Duration,
    /// How long an operation may run. 10 s is twice the database's statement timeout: what takes longer is stuck.
    pub deadline: Duration,
    /// Bodies being read at the same time: one for each connection, since over HTTP/2 one connection could send a hundred;
    /// 256 MiB at the worst.
    pub max_bodies: usize,
    /// See [`AdmissionSettings`].
    pub admission: AdmissionSettings,
    /// Longest answer, in bytes. A page of 100 loans with everything in it is under 1 MiB.
    pub max_response_bytes: usize,
    /// Errors listed in one answer. After 20 a person reads no further, and one bad list must not fill the answer.
    pub max_errors: usize,
    /// Answers below this many bytes are sent as they are: compressing them costs more than the packet it saves.
    pub compress_above_bytes: u16,
    /// Tells browsers to keep to HTTPS for a year. Only where HTTPS is what people use to reach the server.
    pub strict_transport_security: bool,
    /// How much one caller may ask for.
    pub rate: RateSettings,
    /// How many requests one client address may send, whoever sends them. An address may be a whole office, so it is ten
    /// callers' worth.
    pub address_rate: RateSettings,
    /// Who is believed about a client's address.
    pub proxies: Proxies,
    /// See [`SocketSettings`].
    pub socket: SocketSettings,
    /// How long one readiness check may take. Orchestrators give a probe 1 s by default; the answer must come before.
    pub readiness_check: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            allow_get: false,
            graphiql: false,
            cors_origins: Vec::new(),
            max_body_bytes: 256 * 1024,
            body_read: Duration::from_secs(10),
            deadline: Duration::from_secs(10),
            max_bodies: 1_024,
            admission: AdmissionSettings::default(),
            max_response_bytes: 8 * 1024 * 1024,
            max_errors: 20,
            compress_above_bytes: 1024,
            strict_transport_security: false,
            rate: RateSettings::default(),
            address_rate: RateSettings { points_per_second: 1_000, burst: 10_000, ..RateSettings::default() },
            proxies: Proxies::default(),
            socket: SocketSettings::default(),
            readiness_check: Duration::from_millis(800),
        }
    }
}

impl HttpSettings {
    /// As configured; what has no setting keeps its default.
    pub fn from_config(config: &Config) -> Self {
        let limits = &config.http.limits;
        let defaults = Self::default();
        Self {
            allow_get: config.http.graphql_get,
            graphiql: config.http.graphiql,
            cors_origins: limits.cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect(),
            max_body_bytes: limits.body_limit_bytes,
            deadline: limits.request_deadline_ms,
            max_bodies: config.server.max_connections,
            admission: AdmissionSettings::from_config(config),
            max_response_bytes: limits.response_limit_bytes,
            max_errors: config.graphql.limits.response_errors_max,
            // Where a proxy ends TLS, it is the proxy that knows whether plain HTTP is gone for good.
            strict_transport_security: config.tls.files.is_some() && !config.environment.is_development(),
            rate: RateSettings {
                points_per_second: config.http.rate_per_second,
                burst: config.http.rate_burst,
                ..defaults.rate
            },
            address_rate: RateSettings {
                points_per_second: config.overload.address_rate_per_second,
                burst: config.overload.address_rate_burst,
                ..defaults.address_rate
            },
            proxies: Proxies {
                trusted: config.overload.trusted_proxies.clone(),
                header: config.overload.client_address_header,
            },
            ..defaults
        }
    }
}

/// How many operations execute and wait. Defaults and reasons are the configuration's (`config::overload`).
#[derive(Debug, Clone)]
pub struct AdmissionSettings {
    /// Queries.
    pub reads: BudgetSettings,
    /// Mutations.
    pub writes: BudgetSettings,
    /// Longest wait for a place.
    pub wait: Duration,
}

/// The places of one kind of operation.
#[derive(Debug, Clone)]
pub struct BudgetSettings {
    /// Executing at the same time.
    pub in_flight: usize,
    /// Waiting at the same time.
    pub queued: usize,
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self {
            reads: BudgetSettings { in_flight: 32, queued: 32 },
            writes: BudgetSettings { in_flight: 16, queued: 32 },
            wait: Duration::from_secs(1),
        }
    }
}

impl AdmissionSettings {
    fn from_config(config: &Config) -> Self {
        let overload = &config.overload;
        Self {
            reads: BudgetSettings { in_flight: overload.reads_in_flight, queued: overload.reads_queued },
            writes: BudgetSettings { in_flight: overload.writes_in_flight, queued: overload.writes_queued },
            wait: overload.queue_wait,
        }
    }
}

/// How much one principal may ask for. A request costs its query's cost divided by [`RateSettings::cost_per_point`], at
/// least one point.
#[derive(Debug, Clone)]
pub struct RateSettings {
    /// Points given back every second. 100 simple requests a second is more than a person's screen ever sends.
    pub points_per_second: u32,
    /// Points that may be spent at once. Ten seconds' worth: a screen that opens with many queries, or an import's start.
    pub burst: u32,
    /// Query cost that makes one point. The dearest query allowed (5,000) then takes 50 points: two such a second.
    pub cost_per_point: u32,
    /// Principals remembered. About 100 bytes each; a principal is forgotten once its bucket is full again.
    pub max_principals: usize,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self { points_per_second: 100, burst: 1_000, cost_per_point: 100, max_principals: 100_000 }
    }
}

/// What one WebSocket may do.
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// Operations running on one socket. A screen watches a handful of things; each costs memory here.
    pub max_operations: usize,
    /// How long a client may take to send `connection_init`. It is the first thing every client sends.
    pub init: Duration,
    /// How often the server pings. Below the 30 to 60 s after which proxies cut silent connections.
    pub ping: Duration,
    /// Longest life of a socket. A token is checked when the socket opens; an hour later the client must show it again.
    pub lifetime: Duration,
    /// Sockets open at the same time, counted apart from connections (`max_connections`), whose limit says why.
    pub max_sockets: usize,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            max_operations: 10,
            init: Duration::from_secs(5),
            ping: Duration::from_secs(20),
            lifetime: Duration::from_secs(3600),
            max_sockets: 200,
        }
    }
}

/// What the accept loop obeys.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// How long a client may take from connecting to the end of its first request's headers (and, on TLS, after the
    /// handshake). Slower than that is a client that only holds the connection.
    pub header_read: Duration,
    /// How long a kept-alive HTTP/1.1 connection may wait for its next request. Longer than the 60 s that load balancers
    /// keep theirs, so that it is never this side that closes under a request in flight.
    pub keep_alive: Duration,
    /// How long a TLS handshake may take: two or three round trips.
    pub tls_handshake: Duration,
    /// Connections open at the same time, sockets apart; what comes on the next ones is refused, probes apart. With the
    /// sockets it stays below the usual limit of 1,024 open files, and leaves some for the database. Raise them together.
    pub max_connections: usize,
    /// Connections above the cap, so that probes get through and others are told at once. Each lives for one answer, or
    /// for `reserve_patience`; past these, connections wait in the kernel's queue.
    pub reserve_connections: usize,
    /// How long a connection above the cap may take over its first request.
    pub reserve_patience: Duration,
    /// How long a client may take nothing of its answer before it is given up. Less than a lost network needs to come back
    /// is too little, and a client that reads at all is never silent for so long.
    pub write_stall: Duration,
    /// Streams on one HTTP/2 connection. What browsers expect at least (RFC 9113 recommends 100).
    pub max_concurrent_streams: u32,
    /// How often a silent HTTP/2 connection is pinged; it is closed when the answer takes as long again.
    pub http2_ping: Duration,
    /// Between turning unready and refusing connections: the time an orchestrator needs to stop sending.
    pub drain_delay: Duration,
    /// Time that a connection which has not asked anything yet has to do so at shutdown: its first request may be on its
    /// way, and is answered.
    pub linger: Duration,
    /// How long requests in flight may take to finish at shutdown. Longer than a request's deadline.
    pub shutdown: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            header_read: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            tls_handshake: Duration::from_secs(5),
            max_connections: 768,
            reserve_connections: 32,
            reserve_patience: Duration::from_secs(2),
            write_stall: Duration::from_secs(30),
            max_concurrent_streams: 100,
            http2_ping: Duration::from_secs(20),
            drain_delay: Duration::ZERO,
            linger: Duration::from_millis(500),
            shutdown: Duration::from_secs(15),
        }
    }
}

impl ServerSettings {
    /// As configured; what has no setting keeps its default.
    pub fn from_config(config: &Config) -> Self {
        Self {
            header_read: config.server.header_read_timeout,
            tls_handshake: config.tls.handshake_timeout,
            max_connections: config.server.max_connections,
            drain_delay: config.server.shutdown_drain,
            shutdown: config.server.shutdown_timeout,
            ..Self::default()
        }
    }
}
