//! `AUTH_MODE=dev`: no token is the development administrator; a token signed with the development secret stands for
//! anybody, so that roles and branches can be tried out. The configuration refuses this mode outside development.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use secrecy::ExposeSecret;
use serde_json::json;

use super::actor::{Actor, BranchGrant};
use super::claims::{self, Expected};
use super::error::{AuthError, MintError};
use super::role::Role;
use super::token;
use crate::config::DevAuth;

/// Issuer and audience of development tokens.
const SELF: &str = "branch-loan-api-development";

/// Who calls without a token.
pub const ADMINISTRATOR: &str = "dev-admin";

/// Recognises callers on a developer's machine.
pub struct DevAuthenticator {
    key: DecodingKey,
    expected: Expected,
}

impl DevAuthenticator {
    /// With the configured secret.
    #[must_use]
    pub fn new(config: &DevAuth) -> Self {
        let expected = Expected {
            issuer: SELF.to_owned(),
            audience: SELF.to_owned(),
            roles_claim: "roles".to_owned(),
            branches_claim: "branches".to_owned(),
        };
        Self { key: DecodingKey::from_secret(config.secret.expose_secret().as_bytes()), expected }
    }

    pub(super) fn authenticate(&self, authorization: Option<&str>, now: DateTime<Utc>) -> Result<Actor, AuthError> {
        // A token that is wrong is refused, never taken for no token: the administrator would answer for it.
        let Some(authorization) = authorization else { return Ok(administrator()) };
        let token = token::bearer(authorization)?;
        if token::header(token)?.alg != Algorithm::HS256 {
            return Err(AuthError::WrongAlgorithm);
        }
        let claims = token::signed_claims(token, Algorithm::HS256, &self.key)?;
        claims::actor(&claims, &self.expected, now)
    }
}

fn administrator() -> Actor {
    Actor {
        subject: ADMINISTRATOR.to_owned(),
        roles: BTreeSet::from([Role::Admin]),
        branches: BranchGrant::All,
        request_id: None,
    }
}

/// A development token that stands for `actor` from `now` for `valid_for`; `AUTH_MODE=dev` with the same secret
/// accepts it, nothing else does.
///
/// # Errors
/// See [`MintError`].
pub fn mint(config: &DevAuth, actor: &Actor, valid_for: TimeDelta, now: DateTime<Utc>) -> Result<String, MintError> {
    if actor.roles.is_empty() {
        return Err(MintError::NoRole);
    }
    if !claims::is_subject(&actor.subject) {
        return Err(MintError::BadSubject);
    }
    if valid_for < TimeDelta::seconds(1) {
        return Err(MintError::TooShort);
    }
    let branches = match &actor.branches {
        BranchGrant::All => vec!["*"],
        BranchGrant::Codes(codes) => codes.iter().map(String::as_str).collect(),
    };
    let roles: Vec<&str> = actor.roles.iter().map(|role| role.as_str()).collect();
    let claims = json!({
        "iss": SELF,
        "aud": SELF,
        "sub": actor.subject,
        "iat": now.timestamp(),
        "exp": now.timestamp().saturating_add(valid_for.num_seconds()),
        "roles": roles,
        "branches": branches,
    });
    let key = EncodingKey::from_secret(config.secret.expose_secret().as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(|_| MintError::Signing)
}
