//! From the `Authorization` header to signed claims. Nothing in a token is believed before its signature is checked,
//! except the two header fields that say which key to check it with.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::error::AuthError;

/// Real tokens are one or two kilobytes; more is somebody trying how much the server will read.
pub(super) const LARGEST: usize = 8 * 1024;

/// The token of a header value `Bearer <token>`.
pub(super) fn bearer(authorization: &str) -> Result<&str, AuthError> {
    if authorization.len() > LARGEST + "Bearer ".len() {
        return Err(AuthError::TooLarge);
    }
    let (scheme, token) = authorization.trim().split_once(' ').ok_or(AuthError::Malformed)?;
    let token = token.trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || !token.bytes().all(is_token) {
        return Err(AuthError::Malformed);
    }
    if token.len() > LARGEST {
        return Err(AuthError::TooLarge);
    }
    Ok(token)
}

/// The token's header, refused if it asks for something this server does not do.
pub(super) fn header(token: &str) -> Result<Header, AuthError> {
    let header = decode_header(token).map_err(|_| AuthError::Malformed)?;
    // RFC 7515: a critical extension that is not understood makes the token invalid.
    if header.crit.is_some() {
        return Err(AuthError::Malformed);
    }
    // A logout token or another kind of statement by the same issuer must not work as an access token.
    match header.typ.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("jwt" | "at+jwt" | "application/at+jwt") => Ok(header),
        Some(_) => Err(AuthError::Malformed),
    }
}

/// The claims, once the signature is known to be right. The claims themselves are not judged here: the library would
/// read the machine's clock.
pub(super) fn signed_claims(
    token: &str,
    algorithm: Algorithm,
    key: &DecodingKey,
) -> Result<Map<String, Value>, AuthError> {
    let mut signature_only = Validation::new(algorithm);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_nbf = false;
    signature_only.validate_aud = false;
    match decode::<Map<String, Value>>(token, key, &signature_only) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidSignature => AuthError::BadSignature,
            ErrorKind::InvalidAlgorithm => AuthError::WrongAlgorithm,
            _ => AuthError::Malformed,
        }),
    }
}
