//! Asking who one is.

use async_graphql::{Context, Object, Result};

use crate::graphql::request::request;
use crate::graphql::types::viewer::Viewer;

/// The queries around the caller.
#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Whoever asks: subject, roles, branches, permissions.
    fn viewer(&self, context: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer::from(request(context)?.actor))
    }
}
