//! Tokens good and bad against both modes, with keys made anew for every run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dev;
mod issuer;
mod jwt;
mod keys;
mod publisher;
mod verified;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::{Actor, AuthError, Recognition};

const ISSUER: &str = "https://id.example/realms/loans";
const AUDIENCE: &str = "branch-loan-api";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// An issuer's key pair under an id.
struct Signer {
    kid: &'static str,
    algorithm: Algorithm,
    encoding: EncodingKey,
    pair: KeyPair,
}

impl Signer {
    fn new(kid: &'static str, algorithm: Algorithm) -> Self {
        let pair = KeyPair::generate_for(match algorithm {
            Algorithm::RS256 => &PKCS_RSA_SHA256,
            Algorithm::ES256 => &PKCS_ECDSA_P256_SHA256,
            _ => &PKCS_ED25519,
        })
        .unwrap();
        let encoding = match algorithm {
            // The library wants PKCS#1 in DER, and finds it inside the PEM.
            Algorithm::RS256 => EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap(),
            Algorithm::ES256 => EncodingKey::from_ec_der(pair.serialized_der()),
            _ => EncodingKey::from_ed_der(pair.serialized_der()),
        };
        Self { kid, algorithm, encoding, pair }
    }

    /// The public key as its issuer publishes it.
    fn jwk(&self) -> Value {
        let mut jwk = match self.algorithm {
            Algorithm::EdDSA => {
                use base64::Engine;
                let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.pair.public_key_raw());
                json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x})
            }
            algorithm => serde_json::to_value(Jwk::from_encoding_key(&self.encoding, algorithm).unwrap()).unwrap(),
        };
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.to_owned());
        header
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    fn sign_with(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.encoding).unwrap()
    }
}

/// Claims that the configured server accepts.
fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "usr_42", "exp": now().timestamp() + 300,
        "roles": ["OFFICER"], "branches": ["NBO"],
    })
}

/// Good claims with changes; `null` removes a claim.
fn claims(changes: Value) -> Value {
    let mut claims = good_claims();
    for (name, value) in changes.as_object().unwrap() {
        let object = claims.as_object_mut().unwrap();
        if value.is_null() {
            object.remove(name)
        } else {
            object.insert(name.clone(), value.clone())
        };
    }
    claims
}

/// The outcome of a recognition that need not wait for anybody.
fn at_once(recognition: Recognition<'_>) -> Result<Actor, AuthError> {
    recognition.now_or_never().expect("known at once")
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
