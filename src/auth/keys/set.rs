//! A JSON Web Key Set (RFC 7517), wherever it comes from: which of its keys are used, and each for which algorithm.

use std::collections::HashMap;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// RSA below 2,048 bits can be broken; this is the length of its modulus (256 bytes) in unpadded base64.
const SHORTEST_RSA_MODULUS: usize = 342;

/// A public key and the only algorithm it may be used with.
pub(in crate::auth) struct Key {
    pub(in crate::auth) algorithm: Algorithm,
    pub(in crate::auth) decoding: DecodingKey,
}

/// Public keys by their id.
pub(in crate::auth) struct KeySet(HashMap<String, Key>);

impl KeySet {
    pub(in crate::auth) fn get(&self, kid: &str) -> Option<&Key> {
        self.0.get(kid)
    }

    pub(in crate::auth) fn count(&self) -> usize {
        self.0.len()
    }

    /// Keys that this server cannot use are left out with a line in the log: issuers publish keys for others too.
    pub(in crate::auth) fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(text)
            .map_err(|_| "is not a JSON Web Key Set: it must be an object with a list `keys`".to_owned())?;
        let mut keys = HashMap::new();
        for (index, value) in document.keys.into_iter().enumerate() {
            match usable(value) {
                Ok((kid, key)) => {
                    if keys.insert(kid, key).is_some() {
                        return Err("has two keys with one `kid`: remove one of them".to_owned());
                    }
                }
                Err(reason) => tracing::warn!(index, reason, "a key of the issuer's key set was left out"),
            }
        }
        if keys.is_empty() {
            return Err("has no usable key: it needs an RS256, ES256 or EdDSA public key with a `kid`".to_owned());
        }
        Ok(Self(keys))
    }
}

fn usable(value: Value) -> Result<(String, Key), &'static str> {
    let jwk: Jwk = serde_json::from_value(value).map_err(|_| "it is no JSON Web Key")?;
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) if rsa.n.trim_end_matches('=').len() >= SHORTEST_RSA_MODULUS => Algorithm::RS256,
        AlgorithmParameters::RSA(_) => return Err("RSA needs 2048 bits"),
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        // Among others a shared secret, which has no place in a set of public keys.
        _ => return Err("its kind is not accepted"),
    };
    if jwk.common.key_algorithm.is_some_and(|named| named != KeyAlgorithm::from(algorithm)) {
        return Err("its algorithm is not accepted");
    }
    if jwk.common.public_key_use.as_ref().is_some_and(|named| *named != PublicKeyUse::Signature) {
        return Err("it is not for signatures");
    }
    if jwk.common.key_operations.as_ref().is_some_and(|named| !named.contains(&KeyOperations::Verify)) {
        return Err("it is not for verifying");
    }
    let decoding = DecodingKey::from_jwk(&jwk).map_err(|_| "its numbers do not parse")?;
    let kid = jwk.common.key_id.filter(|kid| !kid.is_empty()).ok_or("it has no kid")?;
    Ok((kid, Key { algorithm, decoding }))
}
