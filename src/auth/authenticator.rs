//! The one door from an `Authorization` header to an [`Actor`].

use chrono::{DateTime, Utc};

use super::actor::Actor;
use super::dev::DevAuthenticator;
use super::error::{AuthError, AuthSetupError};
use super::jwt::JwtAuthenticator;
use crate::config::{AuthConfig, Config};

/// Recognises callers in the configured way. Shared by all requests.
pub enum Authenticator {
    /// A developer's machine.
    Dev(Box<DevAuthenticator>),
    /// An issuer's tokens.
    Jwt(Box<JwtAuthenticator>),
}

impl Authenticator {
    /// In the configured mode; reads the issuer's keys if there is one.
    ///
    /// # Errors
    /// The key file cannot be read or holds no usable key.
    pub fn from_config(config: &Config) -> Result<Self, AuthSetupError> {
        match &config.auth {
            AuthConfig::Dev(dev) => Ok(Self::Dev(Box::new(DevAuthenticator::new(dev)))),
            AuthConfig::Jwt(jwt) => Ok(Self::Jwt(Box::new(JwtAuthenticator::new(jwt)?))),
        }
    }

    /// The caller behind the value of an `Authorization` header, at the given time.
    ///
    /// # Errors
    /// The caller is not recognised; the cause is in the log already.
    pub fn authenticate(&self, authorization: Option<&str>, now: DateTime<Utc>) -> Result<Actor, AuthError> {
        let outcome = match self {
            Self::Dev(dev) => dev.authenticate(authorization, now),
            Self::Jwt(jwt) => jwt.authenticate(authorization, now),
        };
        if let Err(cause) = &outcome {
            tracing::info!(%cause, "caller not recognised");
        }
        outcome
    }
}
