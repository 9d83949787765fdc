//! Lays the configuration over the layers' own settings, so that a layer need not know the configuration. A setting that
//! no variable sets keeps the layer's default.

use axum::http::HeaderValue;

use crate::config::{Config, Environment};
use crate::http::guard::Limits;
use crate::http::settings::{HttpSettings, RateSettings, ServerSettings};

/// What a query may cost.
pub(super) fn guard_limits(config: &Config) -> Limits {
    let given = &config.graphql.limits;
    Limits {
        query_bytes: given.query_limit_bytes,
        tokens: given.query_tokens,
        nesting: given.query_nesting,
        depth: given.query_depth,
        aliases: given.query_aliases,
        directives_per_field: given.query_field_directives,
        directives_per_document: given.query_directives,
        expanded_selections: given.query_selections,
        root_query_fields: given.query_root_fields,
        root_mutation_fields: given.mutation_root_fields,
        list_items: given.list_input_max,
        cost: u64::try_from(given.query_cost).unwrap_or(u64::MAX),
        cache_entries: given.document_cache_size,
        introspection: config.graphql.introspection,
        ..Limits::default()
    }
}

/// What the endpoint obeys.
pub(super) fn http(config: &Config) -> HttpSettings {
    let given = &config.http.limits;
    HttpSettings {
        allow_get: config.http.graphql_get,
        graphiql: config.http.graphiql,
        cors_origins: given.cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect(),
        max_body_bytes: given.body_limit_bytes,
        deadline: given.request_deadline_ms,
        max_in_flight: given.max_in_flight,
        max_response_bytes: given.response_limit_bytes,
        max_errors: config.graphql.limits.response_errors_max,
        // In development a browser that once saw the header would refuse plain HTTP on the same name for a year.
        strict_transport_security: config.tls.files.is_some() && config.environment != Environment::Development,
        rate: RateSettings {
            points_per_second: given.rate_per_second,
            burst: given.rate_burst,
            ..RateSettings::default()
        },
        ..HttpSettings::default()
    }
}

/// What the accept loop obeys.
pub(super) fn server(config: &Config) -> ServerSettings {
    ServerSettings {
        header_read: config.server.header_read_timeout,
        tls_handshake: config.tls.handshake_timeout,
        max_connections: config.server.max_connections,
        drain_delay: config.server.shutdown_drain,
        shutdown: config.server.shutdown_timeout,
        ..ServerSettings::default()
    }
}
