//! Sealing personal values (telephone number, national id) before they are stored, and opening them for those who may
//! see them. Values are encrypted with AES-256-GCM under a key derived from the configured one, and found by an HMAC
//! of their normalized form under another. Nothing here ever prints a value.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;

use super::error::ServiceError;
use crate::store::borrowers::Sealed;

/// A nonce of this many bytes stands before the ciphertext.
const NONCE_BYTES: usize = 12;

/// The keys for personal data.
pub struct PersonalDataKeys {
    id: String,
    sealing: RandomizedNonceKey,
    finding: hmac::Key,
}

impl std::fmt::Debug for PersonalDataKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PersonalDataKeys").field("id", &self.id).finish_non_exhaustive()
    }
}

struct ThirtyTwoBytes;

impl KeyType for ThirtyTwoBytes {
    fn len(&self) -> usize {
        32
    }
}

/// A key could not be derived; aws-lc says no more.
#[derive(Debug, thiserror::Error)]
#[error("the key for personal data is unusable")]
pub struct UnusableKey;

impl PersonalDataKeys {
    /// Derives the keys from the configured secret.
    ///
    /// # Errors
    /// [`UnusableKey`] when the cryptographic library refuses it.
    pub fn new(secret: &[u8; 32]) -> Result<Self, UnusableKey> {
        let derive = |purpose: &[u8]| -> Result<[u8; 32], UnusableKey> {
            let mut key = [0_u8; 32];
            Salt::new(HKDF_SHA256, b"branch-loan-api personal data")
                .extract(secret)
                .expand(&[purpose], ThirtyTwoBytes)
                .and_then(|material| material.fill(&mut key))
                .map_err(|_| UnusableKey)?;
            Ok(key)
        };
        let id = derive(b"id")?;
        Ok(Self {
            id: id[..4].iter().map(|byte| format!("{byte:02x}")).collect(),
            sealing: RandomizedNonceKey::new(&AES_256_GCM, &derive(b"seal")?).map_err(|_| UnusableKey)?,
            finding: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"find")?),
        })
    }

    /// Names the key, so that a row tells which one it was sealed with.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts a value and computes the hash it can be found by.
    ///
    /// # Errors
    /// [`ServiceError::Unreadable`] when the cryptographic library refuses.
    pub fn seal(&self, value: &str) -> Result<Sealed, ServiceError> {
        let mut ciphertext = value.as_bytes().to_vec();
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::empty(), &mut ciphertext)
            .map_err(|_| ServiceError::Unreadable)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&ciphertext);
        Ok(Sealed { sealed, hash: self.hash(value) })
    }

    /// Decrypts a value.
    ///
    /// # Errors
    /// [`ServiceError::Unreadable`] when it was sealed with another key or has been tampered with.
    pub fn open(&self, value: &Sealed) -> Result<String, ServiceError> {
        let (nonce, ciphertext) = value.sealed.split_at_checked(NONCE_BYTES).ok_or(ServiceError::Unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| ServiceError::Unreadable)?;
        let mut buffer = ciphertext.to_vec();
        let plain =
            self.sealing.open_in_place(nonce, Aad::empty(), &mut buffer).map_err(|_| ServiceError::Unreadable)?;
        String::from_utf8(plain.to_vec()).map_err(|_| ServiceError::Unreadable)
    }

    /// The hash a value is found by, whatever its punctuation and case.
    #[must_use]
    pub fn hash(&self, value: &str) -> Vec<u8> {
        let normalized: String =
            value.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        hmac::sign(&self.finding, normalized.as_bytes()).as_ref().to_vec()
    }
}

/// A value with all but its last three characters hidden; the number of characters is hidden too.
#[must_use]
pub fn masked(value: &str) -> String {
    let count = value.chars().count();
    let shown: String = if count > 5 { value.chars().skip(count - 3).collect() } else { String::new() };
    format!("•••••{shown}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_with_its_key_only() {
        let keys = PersonalDataKeys::new(&[1; 32]).unwrap();
        let sealed = keys.seal("+254 700 000 001").unwrap();
        assert_eq!(keys.open(&sealed).unwrap(), "+254 700 000 001");
        assert!(!sealed.sealed.windows(3).any(|part| part == b"254"));
        let others = PersonalDataKeys::new(&[2; 32]).unwrap();
        assert!(matches!(others.open(&sealed), Err(ServiceError::Unreadable)));
        assert_ne!(keys.id(), others.id());
    }

    #[test]
    fn a_tampered_value_does_not_open() {
        let keys = PersonalDataKeys::new(&[1; 32]).unwrap();
        let mut sealed = keys.seal("12345678").unwrap();
        let last = sealed.sealed.len() - 1;
        sealed.sealed[last] ^= 1;
        assert!(matches!(keys.open(&sealed), Err(ServiceError::Unreadable)));
        assert!(matches!(keys.open(&Sealed { sealed: vec![1, 2], hash: vec![] }), Err(ServiceError::Unreadable)));
    }

    #[test]
    fn equal_values_differ_sealed_and_agree_hashed() {
        let keys = PersonalDataKeys::new(&[1; 32]).unwrap();
        let (one, two) = (keys.seal("+254 700-000-001").unwrap(), keys.seal("+254700000001").unwrap());
        assert_ne!(one.sealed, two.sealed);
        assert_eq!(one.hash, two.hash);
        assert_ne!(one.hash, PersonalDataKeys::new(&[2; 32]).unwrap().hash("+254700000001"));
    }

    #[test]
    fn masking_shows_three_characters_of_long_values_and_none_of_short_ones() {
        assert_eq!(masked("+254700000001"), "•••••001");
        assert_eq!(masked("12345"), "•••••");
    }
}
