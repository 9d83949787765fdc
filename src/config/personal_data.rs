//! The key that keeps borrowers' phone numbers and national ids unreadable in the database. Encrypting is the store's
//! and the service's work; here the key is only judged.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::effective::Effective;
use super::environment::Environment;
use super::error::ConfigError;
use super::secret;

/// Protects made-up borrowers on a developer's machine. Public, hence refused everywhere else.
const DEVELOPMENT_KEY: [u8; 32] = *b"branch-loan-api development key!";

/// Settings of personal data, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Personal data")]
pub struct PersonalDataArgs {
    /// The key that encrypts phone numbers and national ids: 32 random bytes in base64 (`openssl rand -base64 32`).
    /// Losing it loses that data. Required outside development. Default: a fixed development key.
    #[arg(long, env = "PII_KEY", hide_env_values = true)]
    pub pii_key: Option<SecretString>,
    /// A file that holds the value of `PII_KEY`.
    #[arg(long, env = "PII_KEY_FILE")]
    pub pii_key_file: Option<PathBuf>,
    /// Further keys, separated by commas: personal data sealed with one of them can still be read and found. New data is
    /// sealed with `PII_KEY`; `rotate-keys` seals the old anew.
    #[arg(long, env = "PII_KEYS_OLD", hide_env_values = true)]
    pub pii_keys_old: Option<SecretString>,
    /// A file that holds the value of `PII_KEYS_OLD`; line ends separate keys too.
    #[arg(long, env = "PII_KEYS_OLD_FILE")]
    pub pii_keys_old_file: Option<PathBuf>,
}

/// The configuration of personal data.
#[derive(Debug, Clone)]
pub struct PersonalDataConfig {
    /// The key of encryption and of the keyed hash.
    pub key: PiiKey,
    /// Further keys that data may still be sealed with.
    pub old_keys: Vec<PiiKey>,
}

/// A 32-byte key that `Debug` does not show. Cheap to clone.
#[derive(Clone)]
pub struct PiiKey(Arc<SecretBox<[u8; 32]>>);

impl PiiKey {
    /// The bytes, for the cipher only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(SecretBox::new(Box::new(bytes))))
    }
}

impl std::fmt::Debug for PiiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PiiKey(***)")
    }
}

impl PersonalDataArgs {
    /// Reads and judges the key.
    ///
    /// # Errors
    /// Not 32 bytes of base64; outside development also a missing, public or trivial key.
    pub fn resolve(self, environment: Environment) -> Result<PersonalDataConfig, ConfigError> {
        let make_one = "make one with `openssl rand -base64 32`";
        let given = secret::resolve("PII_KEY", self.pii_key, self.pii_key_file.as_deref())?;
        let bytes = match given {
            Some(text) => decode("PII_KEY", text.expose_secret())?,
            None if environment.is_development() => DEVELOPMENT_KEY,
            None => {
                return Err(ConfigError::refused(
                    "PII_KEY",
                    format!("must be set when APP_ENV={environment}: {make_one}"),
                ));
            }
        };
        let trivial = bytes == DEVELOPMENT_KEY || bytes.iter().all(|byte| *byte == bytes[0]);
        if trivial && !environment.is_development() {
            return Err(ConfigError::refused(
                "PII_KEY",
                format!("is a public or trivial key, which APP_ENV={environment} refuses: {make_one}"),
            ));
        }
        let old = secret::resolve("PII_KEYS_OLD", self.pii_keys_old, self.pii_keys_old_file.as_deref())?;
        let old_keys = match &old {
            Some(text) => several(text)?,
            None => Vec::new(),
        };
        Ok(PersonalDataConfig { key: PiiKey::new(bytes), old_keys })
    }
}

impl PersonalDataConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        out.secret("PII_KEY", &SecretString::from(STANDARD.encode(self.key.expose())));
        if !self.old_keys.is_empty() {
            let texts: Vec<_> = self.old_keys.iter().map(|key| STANDARD.encode(key.expose())).collect();
            out.secret("PII_KEYS_OLD", &SecretString::from(texts.join(",")));
        }
    }
}

fn several(text: &SecretString) -> Result<Vec<PiiKey>, ConfigError> {
    let words = text.expose_secret().split(|letter: char| letter == ',' || letter.is_whitespace());
    let keys = words.filter(|word| !word.is_empty()).map(|word| decode("PII_KEYS_OLD", word).map(PiiKey::new));
    keys.collect()
}

fn decode(name: &'static str, text: &str) -> Result<[u8; 32], ConfigError> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| ConfigError::refused(name, "is not 32 bytes in base64: make one with `openssl rand -base64 32`"))
}
