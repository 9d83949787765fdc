//! The identity provider's keys, read as the server reads them, and its clock.

use branch_loan_api::auth::inspection::{KeysFound, look_at_keys};
use branch_loan_api::config::{AuthConfig, Config, JwksSource};
use chrono::{DateTime, Utc};

use super::clock;
use super::report::Report;

pub async fn check(config: &Config, report: &mut Report, now: &impl Fn() -> DateTime<Utc>) {
    let jwt = match &config.auth {
        AuthConfig::Dev(_) => {
            return report.ok("issuer-keys", "AUTH_MODE=dev: whoever calls without a token is an administrator");
        }
        AuthConfig::Jwt(jwt) => jwt,
    };
    let source = match &jwt.jwks {
        JwksSource::File(path) => path.display().to_string(),
        JwksSource::Url { url, .. } => url.to_string(),
    };
    let before = now();
    match look_at_keys(&jwt.jwks).await {
        Ok(KeysFound { usable, issuer_clock }) => {
            report.ok("issuer-keys", format!("{usable} usable in {source}"));
            if let Some(theirs) = issuer_clock {
                clock::compare(report, "the issuer", theirs, (before, now()));
            }
        }
        Err(error) => {
            let remedy = match &jwt.jwks {
                JwksSource::File(_) => {
                    "get the issuer's key set anew (its openid-configuration has the address as jwks_uri)"
                }
                JwksSource::Url { .. } => {
                    "check the address, the way to it, and AUTH_JWKS_CA_FILE where its authority is your own"
                }
            };
            report.fail("issuer-keys", error.to_string(), remedy);
        }
    }
}
