//! A look at the issuer's keys for an operator: the same reading that the server does, once, with what it found.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::error::AuthSetupError;
use super::keys::{Client, FetchError, KeyFile, KeySet};
use crate::config::JwksSource;

/// What a source of keys gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeysFound {
    /// Keys that tokens can be checked with.
    pub usable: usize,
    /// The issuer's clock, where it was asked and told.
    pub issuer_clock: Option<DateTime<Utc>>,
}

/// Why there are no keys. Each is a line that names the setting.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// The files that the settings name.
    #[error(transparent)]
    Setup(#[from] AuthSetupError),
    /// The issuer's address; what it said is no secret.
    #[error("AUTH_JWKS_URL cannot be fetched: {0}")]
    Fetch(String),
}

/// Reads the keys once.
///
/// # Errors
/// [`NoKeys`].
pub async fn look_at_keys(source: &JwksSource) -> Result<KeysFound, NoKeys> {
    match source {
        JwksSource::File(path) => Ok(KeysFound { usable: in_file(path)?, issuer_clock: None }),
        JwksSource::Url { url, ca_file } => {
            let told = |error: FetchError| NoKeys::Fetch(error.to_string());
            let fetched = Client::new(url, ca_file.as_deref())?.fetch().await.map_err(told)?;
            let keys = KeySet::parse(&fetched.text).map_err(|problem| told(FetchError::Unusable(problem)))?;
            Ok(KeysFound { usable: keys.count(), issuer_clock: fetched.sent_at })
        }
    }
}

fn in_file(path: &Path) -> Result<usize, AuthSetupError> {
    KeyFile::open(path).map(|file| file.count())
}
