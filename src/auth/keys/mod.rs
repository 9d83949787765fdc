//! The issuer's public keys: from a file that is followed, or from the issuer's own address. Whoever asks gets the keys
//! there are, without waiting; only a token that names a key nobody knows may wait, for one look at the issuer.

mod client;
mod file;
mod freshness;
mod issuer;
mod set;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::error::AuthSetupError;
use crate::config::JwksSource;

pub(super) use client::{Client, FetchError};
pub(super) use file::KeyFile;
#[cfg(test)]
pub(super) use file::RELOAD_FLOOR;
pub(super) use issuer::IssuerKeys;
#[cfg(test)]
pub(super) use issuer::Pace;
pub(super) use set::KeySet;

/// Where the keys come from.
pub(super) enum Keys {
    /// A file.
    File(KeyFile),
    /// The issuer.
    Issuer(Box<IssuerKeys>),
}

impl Keys {
    /// A file is read now, and must be usable; the issuer is asked later, and may be down.
    pub(super) fn open(source: &JwksSource) -> Result<Self, AuthSetupError> {
        match source {
            JwksSource::File(path) => KeyFile::open(path).map(Self::File),
            JwksSource::Url { url, ca_file } => {
                IssuerKeys::new(url, ca_file.as_deref()).map(|keys| Self::Issuer(Box::new(keys)))
            }
        }
    }

    /// The keys as of now; `None` while the issuer has not answered yet.
    pub(super) fn current(&self, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        match self {
            Self::File(file) => Some(file.current(now)),
            Self::Issuer(issuer) => issuer.current(),
        }
    }

    /// Something to wait for when the keys there are do not do; `None` when it is no use.
    pub(super) fn look_again(&self, now: DateTime<Utc>) -> Option<BoxFuture<'_, ()>> {
        match self {
            Self::File(_) => None,
            Self::Issuer(issuer) => issuer.look_again(now),
        }
    }
}
