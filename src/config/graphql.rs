//! What a GraphQL document may ask for. Each limit stops one known attack; the defaults leave several times what
//! the largest screen of a frontend needs.

use clap::Args;

use super::effective::Effective;
use super::environment::Environment;
use super::values::{count, switch};

/// Settings of GraphQL, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "GraphQL")]
pub struct GraphqlArgs {
    /// Whether the schema can be asked for through the API. Default: on in development, off otherwise.
    #[arg(long, env = "INTROSPECTION", value_parser = switch)]
    pub introspection: Option<bool>,
    #[command(flatten)]
    pub(super) limits: GraphqlLimits,
}

/// Limits of a document. Used as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "GraphQL")]
pub struct GraphqlLimits {
    /// Longest query text, in bytes. Checked first, so that nothing reads a huge text twice.
    #[arg(long, env = "QUERY_LIMIT_BYTES", default_value = "16384", value_parser = count)]
    pub query_limit_bytes: usize,
    /// Words and signs in a query. Bounds the parser's memory.
    #[arg(long, env = "QUERY_TOKENS", default_value = "2000", value_parser = count)]
    pub query_tokens: usize,
    /// Brackets inside brackets. The parser calls itself for each, and would overflow the stack.
    #[arg(long, env = "QUERY_NESTING", default_value = "40", value_parser = count)]
    pub query_nesting: usize,
    /// Fields inside fields, introspection apart. Each level can multiply the rows below it.
    #[arg(long, env = "QUERY_DEPTH", default_value = "10", value_parser = count)]
    pub query_depth: usize,
    /// Aliases in a query. Many names for one field are many runs of it.
    #[arg(long, env = "QUERY_ALIASES", default_value = "30", value_parser = count)]
    pub query_aliases: usize,
    /// Directives in a query.
    #[arg(long, env = "QUERY_DIRECTIVES", default_value = "50", value_parser = count)]
    pub query_directives: usize,
    /// Directives on one field.
    #[arg(long, env = "QUERY_FIELD_DIRECTIVES", default_value = "10", value_parser = count)]
    pub query_field_directives: usize,
    /// Fields after fragments are written out. Fragments that double each other fit a million into a kilobyte.
    #[arg(long, env = "QUERY_SELECTIONS", default_value = "2000", value_parser = count)]
    pub query_selections: usize,
    /// Fields at the root of a query.
    #[arg(long, env = "QUERY_ROOT_FIELDS", default_value = "20", value_parser = count)]
    pub query_root_fields: usize,
    /// Fields at the root of a mutation. Each is a transaction.
    #[arg(long, env = "MUTATION_ROOT_FIELDS", default_value = "5", value_parser = count)]
    pub mutation_root_fields: usize,
    /// Entries of a list given as an argument. Each can become a bound value of a statement.
    #[arg(long, env = "LIST_INPUT_MAX", default_value = "250", value_parser = count)]
    pub list_input_max: usize,
    /// Cost of a query: roughly the rows it may load.
    #[arg(long, env = "QUERY_COST", default_value = "5000", value_parser = count)]
    pub query_cost: usize,
    /// Rows of one page; more is an error, not a silent cut.
    #[arg(long, env = "PAGE_SIZE_MAX", default_value = "100", value_parser = count)]
    pub page_size_max: usize,
    /// Errors reported in one response; the rest are counted.
    #[arg(long, env = "RESPONSE_ERRORS_MAX", default_value = "20", value_parser = count)]
    pub response_errors_max: usize,
    /// Checked documents kept in memory, so that the second sight of a query costs neither parsing nor checks.
    #[arg(long, env = "DOCUMENT_CACHE_SIZE", default_value = "1000", value_parser = count)]
    pub document_cache_size: usize,
}

/// The configuration of GraphQL.
#[derive(Debug, Clone)]
pub struct GraphqlConfig {
    /// Answer questions about the schema.
    pub introspection: bool,
    /// Limits of a document.
    pub limits: GraphqlLimits,
}

impl GraphqlArgs {
    /// Fills in what depends on the environment.
    #[must_use]
    pub fn resolve(self, environment: Environment) -> GraphqlConfig {
        GraphqlConfig { introspection: self.introspection.unwrap_or(environment.is_development()), limits: self.limits }
    }
}

impl GraphqlConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        let limits = &self.limits;
        out.switch("INTROSPECTION", self.introspection);
        out.show("QUERY_LIMIT_BYTES", limits.query_limit_bytes);
        out.show("QUERY_TOKENS", limits.query_tokens);
        out.show("QUERY_NESTING", limits.query_nesting);
        out.show("QUERY_DEPTH", limits.query_depth);
        out.show("QUERY_ALIASES", limits.query_aliases);
        out.show("QUERY_DIRECTIVES", limits.query_directives);
        out.show("QUERY_FIELD_DIRECTIVES", limits.query_field_directives);
        out.show("QUERY_SELECTIONS", limits.query_selections);
        out.show("QUERY_ROOT_FIELDS", limits.query_root_fields);
        out.show("MUTATION_ROOT_FIELDS", limits.mutation_root_fields);
        out.show("LIST_INPUT_MAX", limits.list_input_max);
        out.show("QUERY_COST", limits.query_cost);
        out.show("PAGE_SIZE_MAX", limits.page_size_max);
        out.show("RESPONSE_ERRORS_MAX", limits.response_errors_max);
        out.show("DOCUMENT_CACHE_SIZE", limits.document_cache_size);
    }
}
