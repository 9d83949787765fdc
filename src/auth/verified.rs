//! Tokens whose signature was found right, so that it is checked once and not with every request. Only the signature is
//! remembered: a token's times and claims are judged each time, and nothing that was refused is kept. What is kept is the
//! digest of a token, never the token.

use std::sync::Arc;

use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::keys::KeySet;

/// Tokens to remember; a token's claims take a kilobyte or two.
const MOST: usize = 4_096;

/// The signed claims of tokens.
pub(super) struct Verified(Cache<[u8; 32], Arc<Signed>>);

/// What a token says whose signature was found right.
pub(super) struct Signed {
    /// The keys it was checked with. With other keys, be it only because the file was read again, it is checked again.
    keys: Arc<KeySet>,
    pub(super) claims: Map<String, Value>,
}

impl Default for Verified {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Verified {
    /// The token's claims, if it was checked with these very keys.
    pub(super) fn get(&self, token: &str, keys: &Arc<KeySet>) -> Option<Arc<Signed>> {
        self.0.get(&digest(token)).filter(|signed| Arc::ptr_eq(&signed.keys, keys))
    }

    /// Remembers a token whose signature one of these keys has made.
    pub(super) fn remember(&self, token: &str, keys: Arc<KeySet>, claims: Map<String, Value>) -> Arc<Signed> {
        let signed = Arc::new(Signed { keys, claims });
        self.0.insert(digest(token), Arc::clone(&signed));
        signed
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
