//! Secrets: given as `X` or in a file named by `X_FILE`, never both, and never a value that everyone knows.

use std::path::Path;

use secrecy::SecretString;

use super::error::ConfigError;

/// What attackers try first.
const WELL_KNOWN: [&str; 12] = [
    "postgres",
    "password",
    "passw0rd",
    "secret",
    "changeme",
    "change-me",
    "admin",
    "root",
    "test",
    "example",
    "123456",
    "12345678",
];

/// The secret `name`, from its variable or its file; the file's last line end does not count.
pub(super) fn resolve(
    name: &'static str,
    value: Option<SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, ConfigError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(ConfigError::BothSet { name }),
        (value, None) => Ok(value),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                name: format!("{name}_FILE"),
                path: path.to_owned(),
                cause: error.kind(),
            })?;
            match text.trim_end_matches(['\n', '\r']) {
                "" => {
                    Err(ConfigError::refused(name, format!("is empty: write it into the file that {name}_FILE names")))
                }
                secret => Ok(Some(SecretString::from(secret))),
            }
        }
    }
}

pub(super) fn is_weak_password(password: &str) -> bool {
    WELL_KNOWN.iter().any(|known| password.eq_ignore_ascii_case(known))
}
