//! Tokens that were seen before: what is remembered of them never lets in what would be refused at first sight.

use chrono::TimeDelta;

use super::super::jwt::JwtAuthenticator;
use super::jwt::trusting;
use super::keys::write;
use super::*;

struct Server {
    folder: tempfile::TempDir,
    authenticator: JwtAuthenticator,
}

impl Server {
    fn trusting(signer: &Signer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        write(&path, &document(signer), 0);
        Self { authenticator: trusting(&path, "roles"), folder }
    }

    fn trust_only(&self, signer: &Signer) {
        write(&self.folder.path().join("keys.json"), &document(signer), 60);
    }

    fn answer(&self, token: &str, after: TimeDelta) -> Result<Actor, AuthError> {
        at_once(self.authenticator.authenticate(Some(&bearer(token)), now() + after))
    }
}

fn document(signer: &Signer) -> String {
    json!({"keys": [signer.jwk()]}).to_string()
}

const SOON: TimeDelta = TimeDelta::minutes(2);

#[test]
fn a_token_is_the_same_caller_each_time() {
    let signer = Signer::new("one", Algorithm::ES256);
    let server = Server::trusting(&signer);
    let token = signer.sign(&good_claims());
    let first = server.answer(&token, TimeDelta::zero()).unwrap();
    assert_eq!(server.answer(&token, TimeDelta::zero()), Ok(first.clone()));
    assert_eq!(server.answer(&token, SOON), Ok(first));
}

#[test]
fn a_token_that_was_seen_expires_all_the_same() {
    let signer = Signer::new("one", Algorithm::ES256);
    let server = Server::trusting(&signer);
    let token = signer.sign(&good_claims());
    assert!(server.answer(&token, TimeDelta::zero()).is_ok());
    assert_eq!(server.answer(&token, TimeDelta::minutes(6)), Err(AuthError::Expired));
}

#[test]
fn a_token_that_was_seen_goes_with_its_key() {
    let [signer, successor, namesake] = ["one", "two", "one"].map(|kid| Signer::new(kid, Algorithm::ES256));
    let token = signer.sign(&good_claims());
    for (others, refusal) in [(&successor, AuthError::UnknownKey), (&namesake, AuthError::BadSignature)] {
        let server = Server::trusting(&signer);
        assert!(server.answer(&token, TimeDelta::zero()).is_ok());
        server.trust_only(others);
        assert_eq!(server.answer(&token, SOON), Err(refusal));
    }
}

#[test]
fn a_token_that_was_seen_lets_no_other_in() {
    let signer = Signer::new("one", Algorithm::ES256);
    let server = Server::trusting(&signer);
    let token = signer.sign(&good_claims());
    assert!(server.answer(&token, TimeDelta::zero()).is_ok());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = signer.sign(&good_claims()).replace('.', "-");
    let other = Signer::new("one", Algorithm::ES256).sign(&good_claims());
    let (_, foreign) = other.rsplit_once('.').unwrap();
    assert_eq!(server.answer(&format!("{signed}.{foreign}"), TimeDelta::zero()), Err(AuthError::BadSignature));
    assert_eq!(server.answer(&forged, TimeDelta::zero()), Err(AuthError::Malformed));
    assert!(server.answer(&format!("{signed}."), TimeDelta::zero()).is_err());
    assert!(server.answer(&format!("{signed}.{signature}"), TimeDelta::zero()).is_ok());
}
