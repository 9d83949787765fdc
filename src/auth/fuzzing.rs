//! Doors of the fuzz targets: what is read of a token without a key. They decide nothing.

use chrono::DateTime;

use super::claims::{self, Expected};
use super::token;

/// Reads an `Authorization` header's value up to the signature.
pub fn header(value: &str) {
    if let Ok(text) = token::bearer(value) {
        assert!(!text.is_empty() && text.len() <= token::LARGEST);
        let _ = token::header(text);
    }
}

/// Judges claims as if they had been signed, in 1970.
pub fn claims(json: &[u8]) {
    let Ok(claims) = serde_json::from_slice(json) else { return };
    let expected = Expected {
        issuer: "https://id.example".to_owned(),
        audience: "loans".to_owned(),
        roles_claim: "realm_access.roles".to_owned(),
        branches_claim: "branches".to_owned(),
    };
    if let Ok(actor) = claims::actor(&claims, &expected, DateTime::UNIX_EPOCH) {
        assert!(!actor.roles.is_empty() && claims::is_subject(&actor.subject));
    }
}
