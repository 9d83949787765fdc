//! The issuer's public keys, from a file in the form of a JSON Web Key Set (RFC 7517). The file is looked at again at
//! most every few seconds; a file that has become unusable leaves the last good keys in place and says so in the log.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::error::AuthSetupError;

/// The shortest time between two looks at the file: one `stat` per request would be waste.
pub(super) const RELOAD_FLOOR: TimeDelta = TimeDelta::seconds(5);

/// RSA below 2,048 bits can be broken; this is the length of its modulus (256 bytes) in unpadded base64.
const SHORTEST_RSA_MODULUS: usize = 342;

/// A public key and the only algorithm it may be used with.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// Public keys by their id.
#[derive(Default)]
pub(super) struct KeySet(HashMap<String, Key>);

impl KeySet {
    pub(super) fn get(&self, kid: &str) -> Option<&Key> {
        self.0.get(kid)
    }

    /// Keys that this server cannot use are left out with a line in the log: issuers publish keys for others too.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
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
                Err(reason) => tracing::warn!(index, reason, "key of AUTH_JWKS_FILE left out"),
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

/// What tells one version of the file from the next.
type Version = (Option<SystemTime>, u64);

struct LastLook {
    at: Option<DateTime<Utc>>,
    version: Version,
}

/// A key set that follows its file.
pub(super) struct KeyFile {
    path: PathBuf,
    keys: ArcSwap<KeySet>,
    last_look: Mutex<LastLook>,
}

impl KeyFile {
    /// Reads the file for the first time; here an unusable one is an error.
    pub(super) fn open(path: &Path) -> Result<Self, AuthSetupError> {
        // The version is taken before the content: a change in between is then seen as a change.
        let version = version(path)?;
        let keys = read(path)?;
        Ok(Self {
            path: path.to_owned(),
            keys: ArcSwap::from_pointee(keys),
            last_look: Mutex::new(LastLook { at: None, version }),
        })
    }

    /// The keys as of now.
    pub(super) fn current(&self, now: DateTime<Utc>) -> Arc<KeySet> {
        // Whoever finds somebody else looking goes on with the keys there are.
        if let Ok(mut last) = self.last_look.try_lock() {
            let due = last.at.is_none_or(|at| now < at || now - at >= RELOAD_FLOOR);
            if due {
                last.at = Some(now);
                self.follow(&mut last.version);
            }
        }
        self.keys.load_full()
    }

    fn follow(&self, known: &mut Version) {
        let outcome = version(&self.path).and_then(|found| {
            if found != *known {
                self.keys.store(Arc::new(read(&self.path)?));
                *known = found;
                tracing::info!("AUTH_JWKS_FILE has changed and was read again");
            }
            Ok(())
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "the last good keys stay in use");
        }
    }
}

fn version(path: &Path) -> Result<Version, AuthSetupError> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    Ok((metadata.modified().ok(), metadata.len()))
}

fn read(path: &Path) -> Result<KeySet, AuthSetupError> {
    let text = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    KeySet::parse(&text).map_err(|problem| AuthSetupError::Unusable { path: path.to_owned(), problem })
}

fn unreadable(path: &Path, error: &std::io::Error) -> AuthSetupError {
    AuthSetupError::Unreadable { path: path.to_owned(), cause: error.kind() }
}
