//! Sealing personal values (telephone number, national id) before they are stored, and opening them for those who may
//! see them. Values are encrypted with AES-256-GCM under a key derived from a configured one, and found by an HMAC of
//! their normalized form under another. Several keys may be known: all of them open and find, the current one seals.
//! Nothing here ever prints a value.
//!
//! A sealed value is, byte after byte: `pii2`, 4 bytes of the key's id, 12 of the nonce, the ciphertext with its tag of
//! 16. Those first 8 bytes, the borrower's id and the field's name are authenticated with it, so that a value copied to
//! another row or field does not open. Values older than that are nonce and ciphertext alone; they still open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use uuid::Uuid;

use super::error::ServiceError;
use super::problem::PersonalField;
use crate::store::borrowers::{BorrowerRecord, Sealed};

/// What stands before the key's id. A nonce that begins like this and like a known id is one of 2^64.
const FORM: &[u8; 4] = b"pii2";

/// The form's name and the key's id take this many bytes.
const HEAD_BYTES: usize = 8;

/// A nonce of this many bytes stands before the ciphertext.
const NONCE_BYTES: usize = 12;

/// Where a value belongs: it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whose it is.
    pub borrower: Uuid,
    /// What it is.
    pub field: PersonalField,
}

impl Place {
    fn bound(self, head: &[u8]) -> Vec<u8> {
        let field: &[u8] = match self.field {
            PersonalField::Phone => b"phone",
            PersonalField::NationalId => b"national_id",
        };
        [head, self.borrower.as_bytes(), field].concat()
    }
}

/// The keys for personal data: the current one, and others that values may still be sealed with.
#[derive(Debug)]
pub struct PersonalDataKeys {
    current: Key,
    others: Vec<Key>,
}

struct Key {
    head: [u8; HEAD_BYTES],
    id: String,
    sealing: RandomizedNonceKey,
    finding: hmac::Key,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
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

impl Key {
    fn new(secret: &[u8; 32]) -> Result<Self, UnusableKey> {
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
        let [first, second, third, fourth, ..] = id;
        let [f, o, r, m] = *FORM;
        Ok(Self {
            head: [f, o, r, m, first, second, third, fourth],
            id: format!("2:{}", hex(&id[..4])),
            sealing: RandomizedNonceKey::new(&AES_256_GCM, &derive(b"seal")?).map_err(|_| UnusableKey)?,
            finding: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"find")?),
        })
    }

    fn open(&self, nonce_and_ciphertext: &[u8], bound: &[u8]) -> Result<String, ServiceError> {
        let (nonce, ciphertext) = nonce_and_ciphertext.split_at_checked(NONCE_BYTES).ok_or(ServiceError::Unreadable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| ServiceError::Unreadable)?;
        let mut buffer = ciphertext.to_vec();
        let plain =
            self.sealing.open_in_place(nonce, Aad::from(bound), &mut buffer).map_err(|_| ServiceError::Unreadable)?;
        String::from_utf8(plain.to_vec()).map_err(|_| ServiceError::Unreadable)
    }

    fn hash(&self, normalized: &str) -> Vec<u8> {
        hmac::sign(&self.finding, normalized.as_bytes()).as_ref().to_vec()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl PersonalDataKeys {
    /// Derives the keys from the configured secret.
    ///
    /// # Errors
    /// [`UnusableKey`] when the cryptographic library refuses it.
    pub fn new(secret: &[u8; 32]) -> Result<Self, UnusableKey> {
        Ok(Self { current: Key::new(secret)?, others: Vec::new() })
    }

    /// With further secrets that values may still be sealed with. One that is known already adds nothing.
    ///
    /// # Errors
    /// [`UnusableKey`] when the cryptographic library refuses one.
    pub fn with_others<'a>(mut self, secrets: impl IntoIterator<Item = &'a [u8; 32]>) -> Result<Self, UnusableKey> {
        for secret in secrets {
            let key = Key::new(secret)?;
            if self.all().all(|known| known.head != key.head) {
                self.others.push(key);
            }
        }
        Ok(self)
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.others)
    }

    /// Names the current key and the form of sealing, as rows do whose values are all sealed so: `2:` and eight digits.
    /// Rows of older forms have the digits alone.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.current.id
    }

    /// Encrypts a value for its place under the current key and computes the hash it can be found by.
    ///
    /// # Errors
    /// [`ServiceError::Unreadable`] when the cryptographic library refuses.
    pub fn seal(&self, place: Place, value: &str) -> Result<Sealed, ServiceError> {
        let Key { head, sealing, .. } = &self.current;
        let mut ciphertext = value.as_bytes().to_vec();
        let nonce = sealing
            .seal_in_place_append_tag(Aad::from(place.bound(head)), &mut ciphertext)
            .map_err(|_| ServiceError::Unreadable)?;
        let sealed = [head.as_slice(), nonce.as_ref(), &ciphertext].concat();
        Ok(Sealed { sealed, hash: self.current.hash(&normalized(value)) })
    }

    /// Decrypts a value of a place with whichever known key it was sealed with.
    ///
    /// # Errors
    /// [`ServiceError::Unreadable`] when none of the keys opens it, it belongs elsewhere, or it has been tampered with.
    pub fn open(&self, place: Place, value: &Sealed) -> Result<String, ServiceError> {
        if let Some((head, rest)) = value.sealed.split_at_checked(HEAD_BYTES)
            && head.starts_with(FORM)
            && let Some(key) = self.all().find(|key| key.head == *head)
        {
            return key.open(rest, &place.bound(head));
        }
        self.all().find_map(|key| key.open(&value.sealed, &[]).ok()).ok_or(ServiceError::Unreadable)
    }

    /// The hashes a value is found by, whatever its punctuation and case: one for each key, that of the current one first.
    /// A value without a letter or a digit is found by none.
    #[must_use]
    pub fn hashes(&self, value: &str) -> Vec<Vec<u8>> {
        let normalized = normalized(value);
        if normalized.is_empty() {
            return Vec::new();
        }
        self.all().map(|key| key.hash(&normalized)).collect()
    }

    /// Seals a borrower's values anew that are not under the current key, and says how many could not be opened: those
    /// stay as they are, and with them the name of the key, so that the row is still told from the others.
    ///
    /// # Errors
    /// [`ServiceError::Unreadable`] when the cryptographic library refuses to seal.
    pub fn renew(&self, record: &mut BorrowerRecord) -> Result<u64, ServiceError> {
        let borrower = record.id;
        let mut unreadable = 0_u64;
        for (field, value) in
            [(PersonalField::Phone, &mut record.phone), (PersonalField::NationalId, &mut record.national_id)]
        {
            let Some(sealed) = value else { continue };
            if sealed.sealed.starts_with(&self.current.head) {
                continue;
            }
            let place = Place { borrower, field };
            match self.open(place, sealed) {
                Ok(plain) => *sealed = self.seal(place, &plain)?,
                Err(_) => unreadable = unreadable.saturating_add(1),
            }
        }
        if unreadable == 0 {
            record.key_id = Some(self.id().to_owned());
        }
        Ok(unreadable)
    }
}

fn normalized(value: &str) -> String {
    value.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
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

    const HERE: Place = Place { borrower: Uuid::from_u128(1), field: PersonalField::Phone };

    fn keys(secret: u8, others: &[u8]) -> PersonalDataKeys {
        let others: Vec<[u8; 32]> = others.iter().map(|byte| [*byte; 32]).collect();
        PersonalDataKeys::new(&[secret; 32]).unwrap().with_others(&others).unwrap()
    }

    /// As values were sealed before they were bound to their places.
    fn sealed_of_old(keys: &PersonalDataKeys, value: &str) -> Sealed {
        let mut ciphertext = value.as_bytes().to_vec();
        let nonce = keys.current.sealing.seal_in_place_append_tag(Aad::empty(), &mut ciphertext).unwrap();
        Sealed {
            sealed: [nonce.as_ref().as_slice(), &ciphertext].concat(),
            hash: keys.current.hash(&normalized(value)),
        }
    }

    #[test]
    fn a_sealed_value_opens_with_its_key_only() {
        let sealed = keys(1, &[]).seal(HERE, "+254 700 000 001").unwrap();
        assert_eq!(keys(1, &[]).open(HERE, &sealed).unwrap(), "+254 700 000 001");
        assert!(!sealed.sealed.windows(3).any(|part| part == b"254"));
        assert!(matches!(keys(2, &[]).open(HERE, &sealed), Err(ServiceError::Unreadable)));
        assert_eq!(keys(2, &[3, 1]).open(HERE, &sealed).unwrap(), "+254 700 000 001");
        assert_ne!(keys(1, &[]).id(), keys(2, &[1]).id());
    }

    #[test]
    fn a_value_opens_in_its_own_place_only() {
        let keys = keys(1, &[]);
        let sealed = keys.seal(HERE, "12345678").unwrap();
        for place in
            [Place { borrower: Uuid::from_u128(2), ..HERE }, Place { field: PersonalField::NationalId, ..HERE }]
        {
            assert!(matches!(keys.open(place, &sealed), Err(ServiceError::Unreadable)), "{place:?}");
        }
        // Without its head it is not taken for a value of the older form, which knew no places.
        let headless = Sealed { sealed: sealed.sealed[HEAD_BYTES..].to_vec(), hash: vec![] };
        assert!(matches!(keys.open(HERE, &headless), Err(ServiceError::Unreadable)));
    }

    #[test]
    fn a_tampered_value_does_not_open() {
        let keys = keys(1, &[2]);
        let sealed = keys.seal(HERE, "12345678").unwrap();
        for index in 0..sealed.sealed.len() {
            let mut tampered = sealed.clone();
            tampered.sealed[index] ^= 1;
            assert!(matches!(keys.open(HERE, &tampered), Err(ServiceError::Unreadable)), "byte {index}");
        }
        for short in [&b""[..], b"pii2", &sealed.sealed[..HEAD_BYTES], &sealed.sealed[..30], &[1, 2]] {
            let cut = Sealed { sealed: short.to_vec(), hash: vec![] };
            assert!(matches!(keys.open(HERE, &cut), Err(ServiceError::Unreadable)));
        }
    }

    #[test]
    fn a_value_of_the_older_form_opens_and_is_renewed_into_its_place() {
        let (old, new) = (keys(1, &[]), keys(2, &[1]));
        let before = sealed_of_old(&old, "12345678");
        assert_eq!(old.open(HERE, &before).unwrap(), "12345678");
        assert_eq!(new.open(HERE, &before).unwrap(), "12345678");
        assert!(matches!(keys(2, &[]).open(HERE, &before), Err(ServiceError::Unreadable)));
        let mut record = borrower(Some(before));
        assert_eq!(new.renew(&mut record).unwrap(), 0);
        assert_eq!(record.key_id.as_deref(), Some(new.id()));
        let renewed = record.phone.clone().unwrap();
        assert_eq!(keys(2, &[]).open(HERE, &renewed).unwrap(), "12345678");
        assert_eq!(keys(2, &[]).hashes("12345678"), [renewed.hash.as_slice()]);
        assert_eq!(new.renew(&mut record).unwrap(), 0);
        assert!(record.phone == Some(renewed), "what is renewed stays as it is");
    }

    #[test]
    fn a_value_that_no_key_opens_stays_as_it_is() {
        let before = keys(3, &[]).seal(HERE, "12345678").unwrap();
        let mut record = borrower(Some(before.clone()));
        assert_eq!(keys(2, &[1]).renew(&mut record).unwrap(), 1);
        assert!(record.phone == Some(before) && record.key_id.is_none());
    }

    fn borrower(phone: Option<Sealed>) -> BorrowerRecord {
        let moment = chrono::DateTime::UNIX_EPOCH;
        BorrowerRecord {
            id: HERE.borrower,
            branch_id: Uuid::nil(),
            number: "B-000000001".to_owned(),
            name: "Achieng".to_owned(),
            external_ref: None,
            phone,
            national_id: None,
            key_id: None,
            date_of_birth: None,
            erased_at: None,
            version: 1,
            created_at: moment,
            updated_at: moment,
        }
    }

    #[test]
    fn equal_values_differ_sealed_and_agree_hashed() {
        let keys_ = keys(1, &[2]);
        let (one, two) = (keys_.seal(HERE, "+254 700-000-001").unwrap(), keys_.seal(HERE, "+254700000001").unwrap());
        assert_ne!(one.sealed, two.sealed);
        assert_eq!(one.hash, two.hash);
        let other = keys(2, &[]).seal(HERE, "+254700000001").unwrap();
        assert_ne!(one.hash, other.hash);
        assert_eq!(keys_.hashes("+254700000001"), [one.hash, other.hash]);
        assert!(keys_.hashes(" -+()").is_empty());
    }

    #[test]
    fn masking_shows_three_characters_of_long_values_and_none_of_short_ones() {
        assert_eq!(masked("+254700000001"), "•••••001");
        assert_eq!(masked("12345"), "•••••");
    }
}
