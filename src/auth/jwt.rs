//! `AUTH_MODE=jwt`: tokens signed by one issuer's keys. The token chooses a key by its id, and the key alone decides
//! the algorithm, so that no token can talk the server into checking it another way.

use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;

use super::actor::Actor;
use super::claims::{self, Expected};
use super::error::{AuthError, AuthSetupError};
use super::jwks::KeyFile;
use super::token;
use crate::config::JwtAuth;

/// Public-key signatures only: with a shared secret whoever can check tokens could make them.
const ACCEPTED: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Recognises callers by an issuer's tokens.
pub struct JwtAuthenticator {
    keys: KeyFile,
    expected: Expected,
}

impl JwtAuthenticator {
    /// Reads the issuer's keys.
    ///
    /// # Errors
    /// The key file cannot be read or holds no usable key.
    pub fn new(config: &JwtAuth) -> Result<Self, AuthSetupError> {
        let expected = Expected {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            roles_claim: config.roles_claim.clone(),
            branches_claim: config.branches_claim.clone(),
        };
        Ok(Self { keys: KeyFile::open(&config.jwks_file)?, expected })
    }

    pub(super) fn authenticate(&self, authorization: Option<&str>, now: DateTime<Utc>) -> Result<Actor, AuthError> {
        let token = token::bearer(authorization.ok_or(AuthError::Missing)?)?;
        let header = token::header(token)?;
        if !ACCEPTED.contains(&header.alg) {
            return Err(AuthError::WrongAlgorithm);
        }
        let keys = self.keys.current(now);
        let key = header.kid.and_then(|kid| keys.get(&kid)).ok_or(AuthError::UnknownKey)?;
        if key.algorithm != header.alg {
            return Err(AuthError::WrongAlgorithm);
        }
        let claims = token::signed_claims(token, key.algorithm, &key.decoding)?;
        claims::actor(&claims, &self.expected, now)
    }
}
