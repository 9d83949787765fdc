//! An identity provider: a signing key of its own, its key set, and tokens good and bad.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value as Json, json};

pub const ISSUER: &str = "https://id.example/realms/loans";
pub const AUDIENCE: &str = "branch-loan-api";

/// Whoever signs the tokens.
pub struct Issuer {
    key: EncodingKey,
    pair: KeyPair,
    kid: &'static str,
}

impl Issuer {
    /// An issuer with a new key under an id.
    pub fn new(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self { key: EncodingKey::from_ec_der(pair.serialized_der()), pair, kid }
    }

    /// The public key.
    pub fn jwk(&self) -> Json {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.key, Algorithm::ES256).unwrap()).unwrap();
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// Writes the key set into a folder.
    pub fn publish(&self, folder: &Path) -> PathBuf {
        let path = folder.join("jwks.json");
        std::fs::write(&path, json!({"keys": [self.jwk()]}).to_string()).unwrap();
        path
    }

    /// A token that the server accepts: an officer of one branch.
    pub fn token(&self) -> String {
        self.token_with(json!({}))
    }

    /// The same with other claims; `null` removes one.
    pub fn token_with(&self, changes: Json) -> String {
        encode(&self.header(), &claims(changes), &self.key).unwrap()
    }

    /// Tokens that nobody may be let in with, each with a good one's other parts.
    pub fn bad_tokens(&self) -> Vec<(String, String)> {
        let good = self.token();
        let parts: Vec<&str> = good.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("{good}") };
        let with_header = |header: Json| format!("{}.{payload}.{signature}", part(&header));
        let signed = |change: &dyn Fn(&mut Header)| {
            let mut header = self.header();
            change(&mut header);
            encode(&header, &claims(json!({})), &self.key).unwrap()
        };
        let shared = |secret: &[u8]| {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some(self.kid.to_owned());
            encode(&header, &claims(json!({})), &EncodingKey::from_secret(secret)).unwrap()
        };
        let stranger = Self::new("key-2");
        let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
        let now = Utc::now().timestamp();
        let mut tokens: Vec<(String, String)> = [
            ("none, unsigned", format!("{}.{payload}.", part(&json!({"alg": "none", "kid": self.kid})))),
            ("None, signed", with_header(json!({"alg": "None", "kid": self.kid}))),
            ("without its signature", format!("{header}.{payload}.")),
            ("signed with nothing but zeros", format!("{header}.{payload}.{zeros}")),
            ("HS256 with the public key in PEM", shared(self.pair.public_key_pem().as_bytes())),
            ("HS256 with the public key's bytes", shared(self.pair.public_key_raw())),
            ("HS256 with the published key", shared(self.jwk().to_string().as_bytes())),
            ("another algorithm's name", with_header(json!({"alg": "RS256", "kid": self.kid}))),
            ("an algorithm nobody takes", with_header(json!({"alg": "ES384", "kid": self.kid}))),
            ("a key nobody knows", signed(&|header| header.kid = Some("key-9".to_owned()))),
            ("a key that is a path", signed(&|header| header.kid = Some("../../../../dev/null".to_owned()))),
            ("no key", signed(&|header| header.kid = None)),
            ("another's key", stranger.token()),
            ("another's key under the known id", Self::new(self.kid).token()),
            ("a key it brings along", {
                let mut header = Header::new(Algorithm::ES256);
                header.kid = Some(self.kid.to_owned());
                header.jwk = Some(serde_json::from_value(stranger.jwk()).unwrap());
                header.jku = Some("https://evil.example/jwks".to_owned());
                encode(&header, &claims(json!({})), &stranger.key).unwrap()
            }),
            ("an extension that must be understood", signed(&|header| header.crit = Some(vec!["b64".to_owned()]))),
            ("a logout token", signed(&|header| header.typ = Some("logout+jwt".to_owned()))),
            ("others' claims", {
                let admin = stranger.token_with(json!({"roles": ["ADMIN"], "branches": ["*"]}));
                format!("{header}.{}.{signature}", admin.split('.').nth(1).unwrap())
            }),
            ("five parts", format!("{good}.{payload}.{signature}")),
            ("two parts", format!("{header}.{payload}")),
            ("dots", "..".to_owned()),
            ("a word", "hunter2".to_owned()),
            ("a claim of 9 KB", self.token_with(json!({"padding": "x".repeat(9_000)}))),
            ("a claim of 40 KB", self.token_with(json!({"padding": "x".repeat(40_000)}))),
            ("a header of braces", format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode("{".repeat(4_000)))),
        ]
        .map(|(what, token)| (what.to_owned(), token))
        .into();
        for changes in [
            json!({"exp": now - 3600}),
            json!({"exp": null}),
            json!({"exp": (now + 3600).to_string()}),
            json!({"nbf": now + 3600}),
            json!({"iss": "https://evil.example"}),
            json!({"iss": format!("{ISSUER}/")}),
            json!({"iss": null}),
            json!({"aud": "another-api"}),
            json!({"aud": ["another-api", "branch-loan-api2"]}),
            json!({"aud": null}),
            json!({"sub": null}),
            json!({"sub": ""}),
            json!({"sub": 42}),
            json!({"sub": "a\nb"}),
            json!({"roles": null}),
            json!({"roles": ["EMPEROR"]}),
            json!({"roles": 7}),
            json!({"branches": 7}),
        ] {
            tokens.push((changes.to_string(), self.token_with(changes)));
        }
        tokens
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.to_owned());
        header
    }
}

fn part(value: &Json) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Good claims with changes; `null` removes one.
fn claims(changes: Json) -> Json {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "usr_42", "exp": Utc::now().timestamp() + 3600,
        "roles": ["OFFICER"], "branches": ["NBO"],
    });
    let object = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        object.insert(name.clone(), value.clone());
    }
    object.retain(|_, value| !value.is_null());
    claims
}
