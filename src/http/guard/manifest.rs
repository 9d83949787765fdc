//! Manifests of persisted operations, as the build of a frontend leaves them: every text under the SHA-256 of itself. Pure;
//! what is read here is checked against the schema elsewhere.
//!
//! Two forms are read: Relay's, `{"<id>": "<text>"}`, and Apollo's, `{"format": "apollo-persisted-query-manifest",
//! "version": 1, "operations": [{"id": "<id>", "body": "<text>", …}]}`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use super::{documents::DocumentKey, documents::Documents, refusal::Refusal};

/// What Apollo's manifests call themselves.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// Hexadecimal digits of an id.
const DIGITS: usize = 64;

/// Why a manifest cannot be used. Each text is one line that says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("the file cannot be read ({0}): check its path and who may read it")]
    Unreadable(std::io::ErrorKind),
    /// It is not JSON.
    #[error("the file is not JSON (line {line}, column {column}): build the manifest anew")]
    NotJson {
        /// From one.
        line: usize,
        /// From one.
        column: usize,
    },
    /// It is JSON of another form.
    #[error("the file is no manifest: {{\"<id>\": \"<text>\"}} or Apollo's manifest of version 1 is needed")]
    UnknownForm,
    /// An id is not what it must be.
    #[error("{id} is not the SHA-256 of its document in 64 lower-case hexadecimal digits: build the manifest so")]
    WrongId {
        /// The id, as far as it can be shown.
        id: String,
    },
    /// A document would be refused.
    #[error("document {id} would be refused: {reason} Correct it, or move the limit.")]
    BadDocument {
        /// The id.
        id: String,
        /// What a caller would be told.
        reason: String,
    },
}

/// Texts by the SHA-256 of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    pub(super) texts: BTreeMap<DocumentKey, String>,
}

#[derive(Deserialize)]
struct ApolloManifest {
    format: String,
    version: u32,
    operations: Vec<ApolloOperation>,
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    body: String,
}

impl Manifest {
    /// Reads a manifest of either form.
    ///
    /// # Errors
    /// [`ManifestError`], for the first thing that is wrong.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let value: Value = serde_json::from_slice(json)
            .map_err(|error| ManifestError::NotJson { line: error.line(), column: error.column() })?;
        let Value::Object(members) = value else { return Err(ManifestError::UnknownForm) };
        let pairs: Vec<(String, String)> = match members.contains_key("format") {
            true => {
                let apollo: ApolloManifest =
                    serde_json::from_value(Value::Object(members)).map_err(|_| ManifestError::UnknownForm)?;
                if apollo.format != APOLLO || apollo.version != 1 {
                    return Err(ManifestError::UnknownForm);
                }
                apollo.operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
            }
            false => members
                .into_iter()
                .map(|(id, text)| match text {
                    Value::String(text) => Ok((id, text)),
                    _ => Err(ManifestError::UnknownForm),
                })
                .collect::<Result<_, _>>()?,
        };
        let mut texts = BTreeMap::new();
        for (id, text) in pairs {
            let key = Documents::key(&text);
            if parse_id(&id) != Some(key) {
                return Err(ManifestError::WrongId {
                    id: id.chars().filter(|letter| !letter.is_control()).take(80).collect(),
                });
            }
            texts.insert(key, text);
        }
        Ok(Self { texts })
    }

    /// How many documents it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

impl ManifestError {
    pub(super) fn bad_document(key: &DocumentKey, refusal: &Refusal) -> Self {
        Self::BadDocument { id: hexadecimal(key), reason: refusal.message.clone() }
    }
}

/// Reads `sha256:<id>` or the bare id; `None` for everything else.
#[must_use]
pub fn parse_id(text: &str) -> Option<DocumentKey> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
    if digits.len() != DIGITS {
        return None;
    }
    let mut key = DocumentKey::default();
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
    }
    Some(key)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a')?.checked_add(10),
        _ => None,
    }
}

/// A key as ids are written.
#[must_use]
pub fn hexadecimal(key: &DocumentKey) -> String {
    key.iter().fold(String::with_capacity(DIGITS), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
