//! Puts the guard of a configuration together, with the documents that the operator trusts.

use super::{StartError, limits};
use crate::config::Config;
use crate::graphql::schema;
use crate::graphql::types::scalars;
use crate::http::guard::{Guard, Manifest, ManifestError};

/// The guard, once every document of the manifest has passed it and fits the schema.
pub(super) async fn of(config: &Config) -> Result<Guard, StartError> {
    let guard = Guard::from_sdl(limits::guard(config), &schema::sdl())?.checking(&scalars::CHECKS);
    let Some(file) = &config.trusted_documents.file else { return Ok(guard) };
    let text = std::fs::read(file).map_err(|error| ManifestError::Unreadable(error.kind()))?;
    let guard = guard.trusting(config.trusted_documents.mode, &Manifest::parse(&text)?)?;
    guard.trusted().validate(&schema::validator()).await?;
    Ok(guard)
}
