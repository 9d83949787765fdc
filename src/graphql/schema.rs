//! The schema: its roots, how it is built, and its text. Limits on queries are not set here: the guard in front of the
//! schema applies them before a query reaches it, because the library's own come too late.

use std::sync::Arc;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

use super::mutation::Mutation;
use super::query::Query;
use super::request::ApiLimits;
use crate::service::Services;

/// The schema's type.
pub type ApiSchema = Schema<Query, Mutation, EmptySubscription>;

/// The same schema twice: `strict` validates a document in full, `fast` executes one that has been validated before.
#[derive(Clone)]
pub struct Schemas {
    /// For documents seen for the first time.
    pub strict: ApiSchema,
    /// For documents that `strict` has accepted before.
    pub fast: ApiSchema,
}

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    // Suggestions ("did you mean …") would tell the names of the schema to those who may not introspect it.
    Schema::build(Query::default(), Mutation::default(), EmptySubscription).disable_suggestions()
}

/// Builds both schemas over the use cases.
pub fn build(services: Arc<Services>, limits: ApiLimits) -> Schemas {
    Schemas {
        strict: builder().data(Arc::clone(&services)).data(limits).finish(),
        fast: builder().data(services).data(limits).validation_mode(ValidationMode::Fast).finish(),
    }
}

/// The schema without anything behind it, which can tell whether a document fits and run none.
#[must_use]
pub fn validator() -> ApiSchema {
    builder().finish()
}

/// The schema in the schema definition language, as committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let text = builder().finish().sdl_with_options(
        SDLExportOptions::new().include_specified_by().sorted_fields().sorted_arguments().sorted_enum_items(),
    );
    let mut text = text.trim().to_owned();
    text.push('\n');
    text
}
