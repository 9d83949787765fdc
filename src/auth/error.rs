//! Why a caller was not recognised. To the caller every cause is one code and a sentence (a second code where it is this
//! server that lacks the keys); the cause itself goes to the log, and neither ever holds a part of the token.

use std::path::PathBuf;

/// A caller that is not recognised. `Display` is the cause, for the log; callers get [`AuthError::message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token, where one is required.
    #[error("no token was sent")]
    Missing,
    /// Not a bearer token in the form of a signed JSON Web Token.
    #[error("the token is malformed")]
    Malformed,
    /// Larger than any token this server accepts.
    #[error("the token is larger than 8 KiB")]
    TooLarge,
    /// Signed in a way that is not accepted, or not the way its key is for.
    #[error("the token's algorithm is not accepted")]
    WrongAlgorithm,
    /// The issuer has not been reached since the start, so that no token can be checked. Nothing is said of the token.
    #[error("there are no keys yet to check tokens with")]
    NoKeys,
    /// The issuer's key set has no such key.
    #[error("the token names no known key")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// A claim is missing or has the wrong form; holds its name.
    #[error("the token's claim {0} is missing or has the wrong form")]
    BadClaim(&'static str),
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is not the configured issuer.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// `aud` does not name this server.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The token carries no role that this server knows.
    #[error("the token grants no known role")]
    NoRole,
}

impl AuthError {
    /// The public code of every cause but [`AuthError::NoKeys`]; HTTP status 401.
    pub const CODE: &'static str = "UNAUTHENTICATED";

    /// What the caller is told: enough to act on, nothing about keys or expectations.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NoKeys => "The identity provider cannot be reached to check your token: try again in a moment.",
            Self::Missing => "This request needs a token: send it in the header `Authorization: Bearer <token>`.",
            Self::Expired => "The token has expired: sign in again and send the new one.",
            Self::NoRole => "The token grants no role in this system: ask your administrator for one.",
            _ => "The token was not accepted: sign in again and send the new one.",
        }
    }
}

/// Authentication cannot start. `Display` is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// The key set's file could not be read.
    #[error("AUTH_JWKS_FILE={path:?} cannot be read ({cause}): correct the path or the file's permissions")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::ErrorKind,
    },
    /// The file holds no usable key set.
    #[error("AUTH_JWKS_FILE={path:?} {problem}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The file of authorities could not be read.
    #[error("AUTH_JWKS_CA_FILE={path:?} cannot be read ({cause}): correct the path or the file's permissions")]
    CaUnreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::ErrorKind,
    },
    /// The file of authorities holds no certificate.
    #[error("AUTH_JWKS_CA_FILE={path:?} holds no certificate: it must be a PEM file with BEGIN CERTIFICATE in it")]
    CaUnusable {
        /// The file.
        path: PathBuf,
    },
    /// The library for TLS does not start.
    #[error("AUTH_JWKS_URL cannot be asked over TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A development token cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// A token without a role is refused by the server.
    #[error("a token needs a role")]
    NoRole,
    /// The subject is empty, too long or has control characters.
    #[error("a token needs a subject of 1 to 255 printable characters")]
    BadSubject,
    /// It would never be valid.
    #[error("a token must be valid for at least a second")]
    TooShort,
    /// The library could not sign.
    #[error("the token could not be signed")]
    Signing,
}
