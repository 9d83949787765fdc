//! From signed claims to an [`Actor`]. Pure: the time and everything expected are handed in.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::actor::{Actor, BranchGrant};
use super::error::AuthError;
use super::role::Role;

/// Clocks of issuer and server may differ by this many seconds; more would keep revoked people in longer.
pub(super) const LEEWAY_SECONDS: i64 = 30;

const LONGEST_SUBJECT: usize = 255;
const LONGEST_BRANCH_CODE: usize = 64;

/// What a token must say, and where it says who the caller is.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) roles_claim: String,
    pub(super) branches_claim: String,
}

type Claims = Map<String, Value>;

/// Judges the claims and reads the caller out of them.
pub(super) fn actor(claims: &Claims, expected: &Expected, now: DateTime<Utc>) -> Result<Actor, AuthError> {
    check_times(claims, now.timestamp())?;
    if text(claims, "iss")? != expected.issuer {
        return Err(AuthError::WrongIssuer);
    }
    if !audiences(claims)?.contains(&expected.audience.as_str()) {
        return Err(AuthError::WrongAudience);
    }
    let subject = text(claims, "sub")?;
    if !is_subject(subject) {
        return Err(AuthError::BadClaim("sub"));
    }
    Ok(Actor {
        subject: subject.to_owned(),
        roles: roles(claims, &expected.roles_claim)?,
        branches: branches(claims, &expected.branches_claim)?,
        request_id: None,
    })
}

/// Printable and short: the subject is written to the log and the audit trail.
pub(super) fn is_subject(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_SUBJECT && !text.chars().any(char::is_control)
}

fn check_times(claims: &Claims, now: i64) -> Result<(), AuthError> {
    let expires = seconds(claims, "exp")?.ok_or(AuthError::BadClaim("exp"))?;
    if now >= expires.saturating_add(LEEWAY_SECONDS) {
        return Err(AuthError::Expired);
    }
    match seconds(claims, "nbf")? {
        Some(begins) if now < begins.saturating_sub(LEEWAY_SECONDS) => Err(AuthError::NotYetValid),
        _ => Ok(()),
    }
}

/// Whole seconds since 1970; RFC 7519 allows a fraction, which is cut off.
fn seconds(claims: &Claims, name: &'static str) -> Result<Option<i64>, AuthError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let Value::Number(number) = value else { return Err(AuthError::BadClaim(name)) };
    let digits = number.to_string();
    let whole = digits.split_once('.').map_or(digits.as_str(), |(whole, _)| whole);
    // A number in exponent form ends here too: 1e400 is no time.
    if digits.contains(['e', 'E']) {
        Err(AuthError::BadClaim(name))
    } else {
        whole.parse().map(Some).map_err(|_| AuthError::BadClaim(name))
    }
}

fn text<'a>(claims: &'a Claims, name: &'static str) -> Result<&'a str, AuthError> {
    claims.get(name).and_then(Value::as_str).ok_or(AuthError::BadClaim(name))
}

fn audiences(claims: &Claims) -> Result<Vec<&str>, AuthError> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(many)) => many.iter().map(|one| one.as_str().ok_or(AuthError::BadClaim("aud"))).collect(),
        _ => Err(AuthError::BadClaim("aud")),
    }
}

/// The claim under its literal name (some issuers use URLs with dots), else along the dotted path.
fn at<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let mut steps = path.split('.');
    let first = claims.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(step))
}

/// The words of a list claim: an array of strings, or one string with words between spaces or commas.
fn words<'a>(value: &'a Value, what: &'static str) -> Result<Vec<&'a str>, AuthError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(text.split([' ', ',']).filter(|word| !word.is_empty()).collect()),
        Value::Array(items) => items.iter().map(|item| item.as_str().ok_or(AuthError::BadClaim(what))).collect(),
        _ => Err(AuthError::BadClaim(what)),
    }
}

/// Roles this server does not know are for other systems; at least one must be for this one.
fn roles(claims: &Claims, path: &str) -> Result<BTreeSet<Role>, AuthError> {
    let named = at(claims, path).map_or(Ok(Vec::new()), |value| words(value, "roles"))?;
    let known: BTreeSet<Role> = named.into_iter().filter_map(|name| name.parse().ok()).collect();
    if known.is_empty() { Err(AuthError::NoRole) } else { Ok(known) }
}

/// No claim grants no branch: a forgotten mapping at the issuer must not open every branch.
fn branches(claims: &Claims, path: &str) -> Result<BranchGrant, AuthError> {
    let named = at(claims, path).map_or(Ok(Vec::new()), |value| words(value, "branches"))?;
    if named.contains(&"*") {
        return Ok(BranchGrant::All);
    }
    let codes: BTreeSet<&str> = named.into_iter().map(str::trim).filter(|code| !code.is_empty()).collect();
    if codes.iter().any(|code| code.len() > LONGEST_BRANCH_CODE || code.chars().any(char::is_control)) {
        return Err(AuthError::BadClaim("branches"));
    }
    Ok(BranchGrant::Codes(codes.into_iter().map(str::to_owned).collect()))
}
