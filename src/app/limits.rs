//! Lays the configured limits over the layers' own, so that a layer need not know the configuration.

use crate::config::Config;
use crate::graphql::request::ApiLimits;
use crate::http::guard::Limits;

/// What a query may cost.
pub(super) fn guard(config: &Config) -> Limits {
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

/// What a page may hold.
pub(super) fn api(config: &Config) -> ApiLimits {
    ApiLimits { largest_page: u32::try_from(config.graphql.limits.page_size_max).unwrap_or(u32::MAX) }
}
