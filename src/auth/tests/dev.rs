//! `AUTH_MODE=dev`: the administrator of a developer's machine, and tokens that stand for others.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use super::super::dev::{ADMINISTRATOR, mint};
use super::super::{Action, Authenticator, BranchGrant, MintError, Role};
use super::*;
use crate::config::{AuthConfig, Config, DevAuth, Sources};

fn fresh_clone() -> (Authenticator, DevAuth) {
    let config = Config::load(&Sources::of::<String, String>([])).unwrap();
    let AuthConfig::Dev(dev) = config.auth.clone() else { panic!("development is in dev mode") };
    (Authenticator::from_config(&config).unwrap(), dev)
}

fn officer() -> Actor {
    let branches = BranchGrant::Codes(vec!["NBO".to_owned()]);
    Actor { subject: "jane".to_owned(), roles: BTreeSet::from([Role::Officer]), branches, request_id: None }
}

#[test]
fn no_token_is_the_administrator() {
    let actor = at_once(fresh_clone().0.authenticate(None, now())).unwrap();
    assert_eq!(actor.subject, ADMINISTRATOR);
    assert!(actor.branches.is_all() && Action::ALL.iter().all(|action| actor.can(*action)));
}

#[test]
fn a_minted_token_stands_for_its_actor_until_it_expires() {
    let (authenticator, dev) = fresh_clone();
    for branches in [officer().branches, BranchGrant::All, BranchGrant::Codes(Vec::new())] {
        let actor = Actor { branches, ..officer() };
        let token = mint(&dev, &actor, TimeDelta::hours(1), now()).unwrap();
        assert_eq!(at_once(authenticator.authenticate(Some(&bearer(&token)), now())), Ok(actor));
        let later = now() + TimeDelta::hours(2);
        assert_eq!(at_once(authenticator.authenticate(Some(&bearer(&token)), later)), Err(AuthError::Expired));
    }
}

#[test]
fn a_wrong_token_is_never_the_administrator() {
    let (authenticator, dev) = fresh_clone();
    let other = DevAuth { secret: SecretString::from("another secret of thirty-two letters") };
    let foreign = mint(&other, &officer(), TimeDelta::hours(1), now()).unwrap();
    let real_issuer = Signer::new("ec", Algorithm::ES256).sign(&good_claims());
    let key = EncodingKey::from_secret(dev.secret.expose_secret().as_bytes());
    let foreign_claims = encode(&Header::new(Algorithm::HS256), &good_claims(), &key).unwrap();
    let other_algorithm = encode(&Header::new(Algorithm::HS512), &good_claims(), &key).unwrap();
    for (header, cause) in [
        (bearer(&foreign), AuthError::BadSignature),
        (bearer(&real_issuer), AuthError::WrongAlgorithm),
        (bearer(&other_algorithm), AuthError::WrongAlgorithm),
        (bearer(&foreign_claims), AuthError::WrongIssuer),
        ("Bearer nonsense".to_owned(), AuthError::Malformed),
        ("Basic dXNlcjpwYXNz".to_owned(), AuthError::Malformed),
        (String::new(), AuthError::Malformed),
    ] {
        assert_eq!(at_once(authenticator.authenticate(Some(&header), now())), Err(cause), "{header:.40}");
    }
}

#[test]
fn tokens_that_would_be_refused_are_not_minted() {
    let dev = fresh_clone().1;
    let hour = TimeDelta::hours(1);
    let mint = |actor: Actor, valid_for| mint(&dev, &actor, valid_for, now());
    assert_eq!(mint(Actor { roles: BTreeSet::new(), ..officer() }, hour), Err(MintError::NoRole));
    assert_eq!(mint(Actor { subject: String::new(), ..officer() }, hour), Err(MintError::BadSubject));
    assert_eq!(mint(Actor { subject: "a\u{7}".to_owned(), ..officer() }, hour), Err(MintError::BadSubject));
    assert_eq!(mint(officer(), TimeDelta::zero()), Err(MintError::TooShort));
}
