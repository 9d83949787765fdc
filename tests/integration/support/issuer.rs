//! An identity provider: a signing key of its own, its key set as a file, and tokens good and bad.

use std::path::{Path, PathBuf};

use chrono::Utc;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value as Json, json};

pub const ISSUER: &str = "https://id.example/realms/loans";
pub const AUDIENCE: &str = "branch-loan-api";

/// Whoever signs the tokens.
pub struct Issuer {
    key: EncodingKey,
    kid: &'static str,
}

impl Issuer {
    /// An issuer with a new key under an id.
    pub fn new(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self { key: EncodingKey::from_ec_der(pair.serialized_der()), kid }
    }

    /// Writes the key set into a folder.
    pub fn publish(&self, folder: &Path) -> PathBuf {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.key, Algorithm::ES256).unwrap()).unwrap();
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        let path = folder.join("jwks.json");
        std::fs::write(&path, json!({"keys": [jwk]}).to_string()).unwrap();
        path
    }

    /// A token that the server accepts: an officer of one branch.
    pub fn token(&self) -> String {
        self.token_with(json!({}))
    }

    /// The same with other claims; `null` removes one.
    pub fn token_with(&self, changes: Json) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "usr_42", "exp": Utc::now().timestamp() + 3600,
            "roles": ["OFFICER"], "branches": ["NBO"],
        });
        let object = claims.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            object.insert(name.clone(), value.clone());
        }
        object.retain(|_, value| !value.is_null());
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.to_owned());
        encode(&header, &claims, &self.key).unwrap()
    }
}
