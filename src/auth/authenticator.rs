//! The one door from an `Authorization` header to an [`Actor`].

use std::future::{Ready, ready};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};

use super::actor::Actor;
use super::dev::DevAuthenticator;
use super::error::{AuthError, AuthSetupError};
use super::jwt::JwtAuthenticator;
use crate::config::{AuthConfig, Config};

/// The caller, or why not: known at once, without an allocation, but for a token whose key the issuer has to be asked for.
pub type Recognition<'a> = Either<Ready<Result<Actor, AuthError>>, BoxFuture<'a, Result<Actor, AuthError>>>;

/// A recognition that need not wait.
#[must_use]
pub fn settled<'a>(outcome: Result<Actor, AuthError>) -> Recognition<'a> {
    Either::Left(ready(outcome))
}

/// Recognises callers in the configured way. Shared by all requests.
pub enum Authenticator {
    /// A developer's machine.
    Dev(Box<DevAuthenticator>),
    /// An issuer's tokens.
    Jwt(Box<JwtAuthenticator>),
}

impl Authenticator {
    /// In the configured mode. Reads a file of keys; asks an issuer for nothing yet, see [`Self::follow_issuer`].
    ///
    /// # Errors
    /// A file cannot be read or holds nothing usable.
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
    pub fn authenticate<'a>(&'a self, authorization: Option<&'a str>, now: DateTime<Utc>) -> Recognition<'a> {
        let recognition = match self {
            Self::Dev(dev) => settled(dev.authenticate(authorization, now)),
            Self::Jwt(jwt) => jwt.authenticate(authorization, now),
        };
        match recognition {
            Either::Left(known) => settled(logged(known.into_inner())),
            Either::Right(waiting) => Either::Right(waiting.map(logged).boxed()),
        }
    }

    /// Whether keys come from the issuer's own address, so that they may be missing for a while.
    #[must_use]
    pub fn has_issuer(&self) -> bool {
        matches!(self, Self::Jwt(jwt) if jwt.has_issuer())
    }

    /// Whether tokens can be checked. False only until an issuer has answered for the first time.
    #[must_use]
    pub fn is_ready(&self, now: DateTime<Utc>) -> bool {
        match self {
            Self::Dev(_) => true,
            Self::Jwt(jwt) => jwt.has_keys(now),
        }
    }

    /// Keeps the issuer's keys fresh for as long as it is polled; without an issuer there is nothing to do.
    pub async fn follow_issuer(&self) {
        if let Self::Jwt(jwt) = self {
            jwt.follow_issuer().await;
        }
    }
}

fn logged(outcome: Result<Actor, AuthError>) -> Result<Actor, AuthError> {
    if let Err(cause) = &outcome {
        tracing::info!(%cause, "caller not recognised");
    }
    outcome
}
