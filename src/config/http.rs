//! What the HTTP layer lets in before GraphQL sees it: origins, sizes, rates, deadlines.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::effective::Effective;
use super::environment::Environment;
use super::error::ConfigError;
use super::values::{count, count_u32, milliseconds, switch};

/// Points a second and at once for one caller of many.
const RATE: (u32, u32) = (100, 1_000);

/// The same where one caller is all there is, with their scripts and imports: it shows that there is a limit, and is in
/// nobody's way.
const DEVELOPMENT_RATE: (u32, u32) = (10_000, 100_000);

/// Settings of the HTTP layer, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// Whether queries may be sent by GET; a GET never mutates. Default: on in development, off otherwise.
    #[arg(long, env = "GRAPHQL_GET", value_parser = switch)]
    pub graphql_get: Option<bool>,
    /// Whether `GET /graphql` shows GraphiQL to browsers; development only. Default: on in development, off otherwise.
    #[arg(long, env = "GRAPHIQL", value_parser = switch)]
    pub graphiql: Option<bool>,
    /// Points each caller earns per second; a request costs one point or its query's cost divided by 100. In development
    /// everybody without a token is one caller. Default: 10000 in development, 100 otherwise.
    #[arg(long, env = "RATE_PER_SECOND", value_parser = count_u32)]
    pub rate_per_second: Option<u32>,
    /// Points a caller can save up and spend at once, so that a page that opens with many queries is not refused.
    /// Default: 100000 in development, 1000 otherwise.
    #[arg(long, env = "RATE_BURST", value_parser = count_u32)]
    pub rate_burst: Option<u32>,
    #[command(flatten)]
    pub(super) limits: HttpLimits,
}

/// Limits of the HTTP layer. Used as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpLimits {
    /// Web origins whose pages may call the API, separated by commas (`https://app.example.com`). Empty: only pages
    /// of the same origin.
    #[arg(long, env = "CORS_ORIGINS", default_value = "", hide_default_value = true)]
    pub cors_origins: Origins,
    /// Largest request body, in bytes. The longest query with generous variables needs a tenth of it.
    #[arg(long, env = "BODY_LIMIT_BYTES", default_value = "262144", value_parser = count)]
    pub body_limit_bytes: usize,
    /// Largest response, in bytes. A page of 100 rows with everything selected stays below 1 MiB.
    #[arg(long, env = "RESPONSE_LIMIT_BYTES", default_value = "8388608", value_parser = count)]
    pub response_limit_bytes: usize,
    /// Time a request may take in all, in milliseconds.
    #[arg(long, env = "REQUEST_DEADLINE_MS", default_value = "10000", value_parser = milliseconds)]
    pub request_deadline_ms: Duration,
}

/// The configuration of the HTTP layer.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Queries by GET.
    pub graphql_get: bool,
    /// Serve GraphiQL.
    pub graphiql: bool,
    /// Points each caller earns per second.
    pub rate_per_second: u32,
    /// Points a caller can save up.
    pub rate_burst: u32,
    /// Sizes, deadlines, origins.
    pub limits: HttpLimits,
}

impl HttpArgs {
    /// Fills in what depends on the environment.
    ///
    /// # Errors
    /// GraphiQL outside development.
    pub fn resolve(self, environment: Environment) -> Result<HttpConfig, ConfigError> {
        let development = environment.is_development();
        let graphiql = self.graphiql.unwrap_or(development);
        if graphiql && !development {
            return Err(ConfigError::refused(
                "GRAPHIQL",
                format!("is on, which APP_ENV={environment} refuses: switch it off, or point a local GraphiQL here"),
            ));
        }
        let (per_second, burst) = if development { DEVELOPMENT_RATE } else { RATE };
        Ok(HttpConfig {
            graphql_get: self.graphql_get.unwrap_or(development),
            graphiql,
            rate_per_second: self.rate_per_second.unwrap_or(per_second),
            rate_burst: self.rate_burst.unwrap_or(burst),
            limits: self.limits,
        })
    }
}

impl HttpConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.switch("GRAPHQL_GET", self.graphql_get);
        out.switch("GRAPHIQL", self.graphiql);
        out.show("CORS_ORIGINS", &self.limits.cors_origins);
        out.show("BODY_LIMIT_BYTES", self.limits.body_limit_bytes);
        out.show("RESPONSE_LIMIT_BYTES", self.limits.response_limit_bytes);
        out.span("REQUEST_DEADLINE_MS", self.limits.request_deadline_ms);
        out.show("RATE_PER_SECOND", self.rate_per_second);
        out.show("RATE_BURST", self.rate_burst);
    }
}

/// Web origins, each `scheme://host[:port]` in lower case, as browsers send them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The origins, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// True if no other origin may call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(origin).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

fn origin(text: &str) -> Result<String, String> {
    let place = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match place {
        // A wildcard would let any page a user visits speak for that user.
        _ if text.contains('*') => Err("a wildcard is not allowed: list the origins".to_owned()),
        Some(place) if is_host(place) => Ok(text.to_ascii_lowercase()),
        _ => Err(format!(
            "{text:?} is not an origin: write scheme and host without a path, like https://app.example.com"
        )),
    }
}

fn is_host(place: &str) -> bool {
    !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}
