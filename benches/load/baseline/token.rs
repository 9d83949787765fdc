//! Who asks: a token's signature, issuer, audience and times, as the server checks them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::RwLock;

use chrono::Utc;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::arguments::TokenForm;
use crate::support::issuer::{AUDIENCE, ISSUER};

#[derive(Debug, Clone, Deserialize)]
struct Claims {
    sub: String,
    roles: Vec<String>,
    branches: Vec<String>,
    exp: i64,
}

pub struct Caller {
    pub subject: String,
    pub roles: String,
}

pub struct Tokens {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    seen: Option<RwLock<HashMap<String, Claims>>>,
}

impl Tokens {
    pub fn open(path: &Path, form: TokenForm) -> Self {
        let set: JwkSet = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let keys = set.keys.iter();
        let keys = keys.map(|key| (key.common.key_id.clone().unwrap(), DecodingKey::from_jwk(key).unwrap())).collect();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.leeway = 30;
        Self { keys, validation, seen: (form == TokenForm::Cached).then(RwLock::default) }
    }

    pub fn check(&self, token: &str) -> Option<Caller> {
        let known = self.seen.as_ref().and_then(|seen| seen.read().unwrap().get(token).cloned());
        let claims = match known {
            Some(claims) if claims.exp > Utc::now().timestamp() => claims,
            _ => self.verify(token)?,
        };
        let is_admin = claims.roles.iter().any(|role| role == "ADMIN");
        let everywhere = claims.branches.iter().any(|branch| branch == "*");
        (is_admin && everywhere).then(|| Caller { subject: claims.sub, roles: claims.roles.join(",") })
    }

    fn verify(&self, token: &str) -> Option<Claims> {
        let key = self.keys.get(&decode_header(token).ok()?.kid?)?;
        let claims = decode::<Claims>(token, key, &self.validation).ok()?.claims;
        if let Some(seen) = &self.seen {
            seen.write().unwrap().insert(token.to_owned(), claims.clone());
        }
        Some(claims)
    }
}
