//! `AUTH_MODE=jwt`: what is accepted, and a corpus of everything that must not be.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::jwt::JwtAuthenticator;
use super::super::{BranchGrant, Role};
use super::*;
use crate::config::{JwksSource, JwtAuth};

/// One issuer for all tests here: making an RSA key takes a while.
struct Issuer {
    rsa: Signer,
    ec: Signer,
    ed: Signer,
    authenticator: JwtAuthenticator,
}

static THE_ISSUER: LazyLock<Issuer> = LazyLock::new(|| {
    let (rsa, ec, ed) = (
        Signer::new("rsa", Algorithm::RS256),
        Signer::new("ec", Algorithm::ES256),
        Signer::new("ed", Algorithm::EdDSA),
    );
    let authenticator = server(&[rsa.jwk(), ec.jwk(), ed.jwk()], "roles");
    Issuer { rsa, ec, ed, authenticator }
});

fn server(keys: &[Value], roles_claim: &str) -> JwtAuthenticator {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!({"keys": keys}).to_string()).unwrap();
    trusting(file.path(), roles_claim)
}

/// Trusts the keys of a file.
pub(super) fn trusting(file: &Path, roles_claim: &str) -> JwtAuthenticator {
    JwtAuthenticator::new(&JwtAuth {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks: JwksSource::File(file.to_owned()),
        roles_claim: roles_claim.to_owned(),
        branches_claim: "branches".to_owned(),
    })
    .unwrap()
}

fn answer(authorization: &str) -> Result<Actor, AuthError> {
    at_once(THE_ISSUER.authenticator.authenticate(Some(authorization), now()))
}

/// The answer to good claims with changes, signed as they should be.
fn answer_to(changes: Value) -> Result<Actor, AuthError> {
    answer(&bearer(&THE_ISSUER.ec.sign(&claims(changes))))
}

fn unsigned(header: Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&header), part(claims))
}

#[test]
fn tokens_of_every_accepted_algorithm_are_accepted() {
    for signer in [&THE_ISSUER.rsa, &THE_ISSUER.ec, &THE_ISSUER.ed] {
        let actor = answer(&bearer(&signer.sign(&good_claims()))).unwrap();
        assert_eq!(actor.subject, "usr_42");
        assert_eq!(actor.roles, BTreeSet::from([Role::Officer]));
        assert_eq!(actor.branches, BranchGrant::Codes(vec!["NBO".to_owned()]));
    }
    assert!(answer(&format!("bearer  {} ", THE_ISSUER.ec.sign(&good_claims()))).is_ok());
}

#[test]
fn no_token_is_no_caller() {
    assert_eq!(at_once(THE_ISSUER.authenticator.authenticate(None, now())), Err(AuthError::Missing));
}

#[test]
fn what_is_no_bearer_token_is_refused() {
    let good = THE_ISSUER.ec.sign(&good_claims());
    for (header, cause) in [
        (String::new(), AuthError::Malformed),
        ("Bearer".to_owned(), AuthError::Malformed),
        ("Bearer ".to_owned(), AuthError::Malformed),
        (good.clone(), AuthError::Malformed),
        (format!("Basic {good}"), AuthError::Malformed),
        (format!("Bearer {good} {good}"), AuthError::Malformed),
        (format!("Bearer {good}.x"), AuthError::Malformed),
        ("Bearer a.b.c".to_owned(), AuthError::Malformed),
        ("Bearer ..".to_owned(), AuthError::Malformed),
        ("Bearer \u{1f980}.\u{1f980}.\u{1f980}".to_owned(), AuthError::Malformed),
        (format!("Bearer {}", "a".repeat(8 * 1024 + 1)), AuthError::TooLarge),
        (format!("Bearer {}", "a".repeat(1_000_000)), AuthError::TooLarge),
    ] {
        assert_eq!(answer(&header), Err(cause), "{header:.60}");
    }
    let huge = THE_ISSUER.ec.sign(&claims(json!({"padding": "x".repeat(8_000)})));
    assert_eq!(answer(&bearer(&huge)), Err(AuthError::TooLarge));
    let large = THE_ISSUER.ec.sign(&claims(json!({"padding": "x".repeat(5_000)})));
    assert!(answer(&bearer(&large)).is_ok());
}

#[test]
fn signatures_that_prove_nothing_are_refused() {
    let (rsa, ec, ed) = (&THE_ISSUER.rsa, &THE_ISSUER.ec, &THE_ISSUER.ed);
    let stranger = Signer::new("ec", Algorithm::ES256);
    assert_eq!(answer(&bearer(&stranger.sign(&good_claims()))), Err(AuthError::BadSignature));

    for alg in ["none", "None", "NONE", ""] {
        let token = unsigned(json!({"alg": alg, "typ": "JWT", "kid": "ec"}), &good_claims());
        assert_eq!(answer(&bearer(&token)), Err(AuthError::Malformed), "alg {alg}");
    }
    let stripped = unsigned(json!({"alg": "ES256", "kid": "ec"}), &good_claims());
    assert_eq!(answer(&bearer(&stripped)), Err(AuthError::BadSignature));

    // The claims of one good token under the signature of another.
    let (first, second) = (ec.sign(&good_claims()), ec.sign(&claims(json!({"roles": ["ADMIN"]}))));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let spliced = format!("{}.{}.{}", parts(&first)[0], parts(&second)[1], parts(&first)[2]);
    assert_eq!(answer(&bearer(&spliced)), Err(AuthError::BadSignature));

    // The public key used as a shared secret, in each form an attacker can have it.
    for secret in
        [rsa.pair.public_key_pem().into_bytes(), rsa.pair.public_key_raw().to_vec(), rsa.jwk().to_string().into_bytes()]
    {
        let mut header = rsa.header();
        header.alg = Algorithm::HS256;
        let token = encode(&header, &good_claims(), &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(answer(&bearer(&token)), Err(AuthError::WrongAlgorithm));
    }

    // A key decides its own algorithm, whatever else its owner could sign with it.
    for (signer, kid) in [(rsa, "ec"), (ec, "ed"), (ed, "rsa")] {
        let mut header = signer.header();
        header.kid = Some(kid.to_owned());
        assert_eq!(answer(&bearer(&signer.sign_with(&header, &good_claims()))), Err(AuthError::WrongAlgorithm));
    }
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let mut header = rsa.header();
        header.alg = algorithm;
        assert_eq!(answer(&bearer(&rsa.sign_with(&header, &good_claims()))), Err(AuthError::WrongAlgorithm));
    }
}

#[test]
fn headers_that_ask_for_something_else_are_refused() {
    let ec = &THE_ISSUER.ec;
    let with = |change: &dyn Fn(&mut Header)| {
        let mut header = ec.header();
        change(&mut header);
        answer(&bearer(&ec.sign_with(&header, &good_claims())))
    };
    assert_eq!(with(&|header| header.kid = None), Err(AuthError::UnknownKey));
    assert_eq!(with(&|header| header.kid = Some("other".to_owned())), Err(AuthError::UnknownKey));
    assert_eq!(with(&|header| header.crit = Some(vec!["b64".to_owned()])), Err(AuthError::Malformed));
    assert_eq!(with(&|header| header.typ = Some("logout+jwt".to_owned())), Err(AuthError::Malformed));
    assert!(with(&|header| header.typ = Some("at+JWT".to_owned())).is_ok());
    assert!(with(&|header| header.typ = None).is_ok());
    // A key that the token brings along is not looked at.
    let stranger = Signer::new("ec", Algorithm::ES256);
    let mut header = stranger.header();
    header.jwk = Some(serde_json::from_value(stranger.jwk()).unwrap());
    header.jku = Some("https://attacker.example/keys".to_owned());
    assert_eq!(answer(&bearer(&stranger.sign_with(&header, &good_claims()))), Err(AuthError::BadSignature));
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    let at = now().timestamp();
    for (changes, cause) in [
        (json!({"exp": null}), AuthError::BadClaim("exp")),
        (json!({"exp": (at + 300).to_string()}), AuthError::BadClaim("exp")),
        (json!({"exp": 1e300}), AuthError::BadClaim("exp")),
        (json!({"exp": at - 30}), AuthError::Expired),
        (json!({"exp": 0}), AuthError::Expired),
        (json!({"exp": -1}), AuthError::Expired),
        (json!({"nbf": at + 31}), AuthError::NotYetValid),
        (json!({"nbf": "soon"}), AuthError::BadClaim("nbf")),
        (json!({"iss": null}), AuthError::BadClaim("iss")),
        (json!({"iss": "https://id.example/realms/other"}), AuthError::WrongIssuer),
        (json!({"iss": [ISSUER]}), AuthError::BadClaim("iss")),
        (json!({"aud": null}), AuthError::BadClaim("aud")),
        (json!({"aud": "other"}), AuthError::WrongAudience),
        (json!({"aud": []}), AuthError::WrongAudience),
        (json!({"aud": [AUDIENCE, 7]}), AuthError::BadClaim("aud")),
        (json!({"sub": null}), AuthError::BadClaim("sub")),
        (json!({"sub": 42}), AuthError::BadClaim("sub")),
        (json!({"sub": " "}), AuthError::BadClaim("sub")),
        (json!({"sub": "a\nb"}), AuthError::BadClaim("sub")),
        (json!({"sub": "x".repeat(256)}), AuthError::BadClaim("sub")),
        (json!({"roles": null}), AuthError::NoRole),
        (json!({"roles": []}), AuthError::NoRole),
        (json!({"roles": ["offline_access", "SUPERUSER"]}), AuthError::NoRole),
        (json!({"roles": {"ADMIN": true}}), AuthError::BadClaim("roles")),
        (json!({"roles": ["ADMIN", 1]}), AuthError::BadClaim("roles")),
        (json!({"branches": 7}), AuthError::BadClaim("branches")),
        (json!({"branches": ["NBO", null]}), AuthError::BadClaim("branches")),
        (json!({"branches": ["N\u{0}BO"]}), AuthError::BadClaim("branches")),
    ] {
        assert_eq!(answer_to(changes.clone()), Err(cause), "{changes}");
    }
}

#[test]
fn clocks_may_differ_a_little() {
    let at = now().timestamp();
    assert!(answer_to(json!({"exp": at - 29})).is_ok());
    assert!(answer_to(json!({"nbf": at + 30})).is_ok());
    assert!(answer_to(json!({"exp": serde_json::Number::from_f64(1_800_000_000.5).unwrap()})).is_ok());
}

#[test]
fn roles_and_branches_are_read_as_issuers_write_them() {
    let both = BTreeSet::from([Role::Officer, Role::Auditor]);
    for roles in [json!(["officer", "AUDITOR", "other"]), json!("OFFICER AUDITOR"), json!("officer,auditor")] {
        assert_eq!(answer_to(json!({"roles": roles})).unwrap().roles, both);
    }
    let codes = |list: &[&str]| BranchGrant::Codes(list.iter().map(|code| (*code).to_owned()).collect());
    for (branches, grant) in [
        (Value::Null, codes(&[])),
        (json!([]), codes(&[])),
        (json!("NBO MBA"), codes(&["MBA", "NBO"])),
        (json!(["NBO", "NBO", " "]), codes(&["NBO"])),
        (json!("*"), BranchGrant::All),
        (json!(["NBO", "*"]), BranchGrant::All),
    ] {
        assert_eq!(answer_to(json!({"branches": branches})).unwrap().branches, grant, "{branches}");
    }
    assert!(answer_to(json!({"aud": ["other", AUDIENCE]})).is_ok());
}

#[test]
fn the_roles_claim_may_be_a_path_or_a_name_with_dots() {
    let signer = &THE_ISSUER.ec;
    let ask = |path: &str, changes: Value| {
        let header = bearer(&signer.sign(&claims(changes)));
        at_once(server(&[signer.jwk()], path).authenticate(Some(&header), now())).map(|actor| actor.roles)
    };
    let admin = Ok(BTreeSet::from([Role::Admin]));
    assert_eq!(ask("realm_access.roles", json!({"roles": null, "realm_access": {"roles": ["ADMIN"]}})), admin);
    assert_eq!(ask("https://loans.example/roles", json!({"https://loans.example/roles": ["ADMIN"]})), admin);
    assert_eq!(ask("realm_access.roles", json!({"realm_access": "ADMIN"})), Err(AuthError::NoRole));
    assert_eq!(ask("realm_access.roles", json!({})), Err(AuthError::NoRole));
}

#[test]
fn callers_learn_nothing_that_helps_them_guess() {
    let told: BTreeSet<&str> = [
        AuthError::WrongIssuer,
        AuthError::WrongAudience,
        AuthError::BadSignature,
        AuthError::UnknownKey,
        AuthError::WrongAlgorithm,
    ]
    .map(AuthError::message)
    .into();
    assert_eq!(told.len(), 1);
    assert_eq!(AuthError::CODE, "UNAUTHENTICATED");
}
