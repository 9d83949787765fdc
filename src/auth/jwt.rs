//! `AUTH_MODE=jwt`: tokens signed by one issuer's keys. The token chooses a key by its id, and the key alone decides
//! the algorithm, so that no token can talk the server into checking it another way.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::Either;
use jsonwebtoken::Algorithm;

use super::actor::Actor;
use super::authenticator::{Recognition, settled};
use super::claims::{self, Expected};
use super::error::{AuthError, AuthSetupError};
use super::keys::Keys;
use super::token;
use super::verified::Verified;
use crate::config::JwtAuth;

/// Public-key signatures only: with a shared secret whoever can check tokens could make them.
const ACCEPTED: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Recognises callers by an issuer's tokens.
pub struct JwtAuthenticator {
    keys: Keys,
    expected: Expected,
    verified: Verified,
}

/// A token whose signature can be checked once its key is there.
struct Presented<'a> {
    token: &'a str,
    algorithm: Algorithm,
    kid: String,
}

impl JwtAuthenticator {
    /// Reads a file of keys; an issuer is asked once [`Self::follow_issuer`] runs.
    ///
    /// # Errors
    /// A file cannot be read or holds nothing usable.
    pub fn new(config: &JwtAuth) -> Result<Self, AuthSetupError> {
        Ok(Self::with(Keys::open(&config.jwks)?, config))
    }

    pub(super) fn with(keys: Keys, config: &JwtAuth) -> Self {
        let expected = Expected {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            roles_claim: config.roles_claim.clone(),
            branches_claim: config.branches_claim.clone(),
        };
        Self { keys, expected, verified: Verified::default() }
    }

    pub(super) fn authenticate<'a>(&'a self, authorization: Option<&'a str>, now: DateTime<Utc>) -> Recognition<'a> {
        let token = match authorization.ok_or(AuthError::Missing).and_then(token::bearer) {
            Ok(token) => token,
            Err(refusal) => return settled(Err(refusal)),
        };
        if let Some(signed) = self.keys.current(now).and_then(|keys| self.verified.get(token, &keys)) {
            return settled(claims::actor(&signed.claims, &self.expected, now));
        }
        let presented = match presented(token) {
            Ok(presented) => presented,
            Err(refusal) => return settled(Err(refusal)),
        };
        let outcome = self.judge(&presented, now);
        let looking = match outcome {
            Err(AuthError::UnknownKey | AuthError::NoKeys) => self.keys.look_again(now),
            _ => None,
        };
        match looking {
            Some(looking) => Either::Right(self.after(looking, presented, outcome, now).boxed()),
            None => settled(outcome),
        }
    }

    /// What becomes of a caller once the issuer was looked at. Who came before the first keys has only waited for those;
    /// a key that is not among them is worth a look like any other.
    async fn after(
        &self,
        looking: impl Future<Output = ()>,
        presented: Presented<'_>,
        before: Result<Actor, AuthError>,
        now: DateTime<Utc>,
    ) -> Result<Actor, AuthError> {
        looking.await;
        let outcome = self.judge(&presented, now);
        let was_first = matches!(before, Err(AuthError::NoKeys)) && matches!(outcome, Err(AuthError::UnknownKey));
        let again = if was_first { self.keys.look_again(now) } else { None };
        match again {
            Some(again) => {
                again.await;
                self.judge(&presented, now)
            }
            None => outcome,
        }
    }

    fn judge(&self, presented: &Presented<'_>, now: DateTime<Utc>) -> Result<Actor, AuthError> {
        let keys = self.keys.current(now).ok_or(AuthError::NoKeys)?;
        let key = keys.get(&presented.kid).ok_or(AuthError::UnknownKey)?;
        if key.algorithm != presented.algorithm {
            return Err(AuthError::WrongAlgorithm);
        }
        let claims = token::signed_claims(presented.token, key.algorithm, &key.decoding)?;
        let signed = self.verified.remember(presented.token, Arc::clone(&keys), claims);
        claims::actor(&signed.claims, &self.expected, now)
    }

    pub(super) fn has_issuer(&self) -> bool {
        matches!(self.keys, Keys::Issuer(_))
    }

    pub(super) fn has_keys(&self, now: DateTime<Utc>) -> bool {
        self.keys.current(now).is_some()
    }

    pub(super) async fn follow_issuer(&self) {
        if let Keys::Issuer(issuer) = &self.keys {
            issuer.follow().await;
        }
    }
}

/// What can be refused without a key is refused here: it is no reason to ask the issuer for anything.
fn presented(token: &str) -> Result<Presented<'_>, AuthError> {
    let header = token::header(token)?;
    if !ACCEPTED.contains(&header.alg) {
        return Err(AuthError::WrongAlgorithm);
    }
    let kid = header.kid.ok_or(AuthError::UnknownKey)?;
    Ok(Presented { token, algorithm: header.alg, kid })
}
