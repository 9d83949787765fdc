//! How callers are recognised. `dev` trusts everyone on a developer's machine; `jwt` trusts the keys of one issuer.
//! Reading and checking tokens is `crate::auth`'s work.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use http::Uri;
use secrecy::{ExposeSecret, SecretString};

use super::effective::Effective;
use super::environment::Environment;
use super::error::ConfigError;
use super::secret;

/// Signs tokens on a developer's machine. Public, hence worthless: it is used in no other mode than `dev`.
pub const DEVELOPMENT_TOKEN_SECRET: &str = "branch-loan-api development tokens: not a secret";

/// HS256 wants a key as long as its hash.
const SHORTEST_SECRET: usize = 32;

/// How tokens are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    /// No token means the development administrator.
    Dev,
    /// Tokens signed by one issuer are required.
    Jwt,
}

/// Settings of authentication, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authentication")]
pub struct AuthArgs {
    /// How callers are recognised: `jwt` requires an issuer's token; `dev` makes everyone without a token an
    /// administrator and is refused outside development. Default: dev in development, jwt otherwise.
    #[arg(long, env = "AUTH_MODE", hide_possible_values = true)]
    pub auth_mode: Option<AuthMode>,
    /// The secret that signs development tokens, 32 characters or more; read only with `AUTH_MODE=dev`. Default: a
    /// fixed development secret.
    #[arg(long, env = "AUTH_DEV_SECRET", hide_env_values = true)]
    pub auth_dev_secret: Option<SecretString>,
    /// A file that holds the value of `AUTH_DEV_SECRET`.
    #[arg(long, env = "AUTH_DEV_SECRET_FILE")]
    pub auth_dev_secret_file: Option<PathBuf>,
    /// The `iss` that tokens must carry; required with `AUTH_MODE=jwt`.
    #[arg(long, env = "AUTH_ISSUER")]
    pub auth_issuer: Option<String>,
    /// The `aud` that tokens must carry; required with `AUTH_MODE=jwt`.
    #[arg(long, env = "AUTH_AUDIENCE")]
    pub auth_audience: Option<String>,
    /// The address of the issuer's public keys, `jwks_uri` in its `/.well-known/openid-configuration`. `AUTH_MODE=jwt`
    /// requires either this or `AUTH_JWKS_FILE`. The keys are kept as long as the answer's Cache-Control says, from a
    /// minute to a day, and in use while the issuer is down. https, but for this machine and in development.
    #[arg(long, env = "AUTH_JWKS_URL", value_parser = address)]
    pub auth_jwks_url: Option<Uri>,
    /// A file in PEM form with the certificate authorities to trust at `AUTH_JWKS_URL`, instead of the public ones.
    #[arg(long, env = "AUTH_JWKS_CA_FILE")]
    pub auth_jwks_ca_file: Option<PathBuf>,
    /// A file with the issuer's public keys (a JSON Web Key Set), instead of `AUTH_JWKS_URL`. Read again when it changes.
    #[arg(long, env = "AUTH_JWKS_FILE")]
    pub auth_jwks_file: Option<PathBuf>,
    /// The claim that lists the caller's roles; a dotted path reaches into objects (`realm_access.roles`).
    #[arg(long, env = "AUTH_ROLES_CLAIM", default_value = "roles")]
    pub auth_roles_claim: String,
    /// The claim that lists the codes of the caller's branches; `*` in it means all of them, no claim means none.
    #[arg(long, env = "AUTH_BRANCHES_CLAIM", default_value = "branches")]
    pub auth_branches_claim: String,
}

/// The configuration of authentication.
#[derive(Debug, Clone)]
pub enum AuthConfig {
    /// A developer's machine.
    Dev(DevAuth),
    /// Tokens of an issuer.
    Jwt(JwtAuth),
}

/// What `AUTH_MODE=dev` needs.
#[derive(Debug, Clone)]
pub struct DevAuth {
    /// Signs and checks development tokens.
    pub secret: SecretString,
}

/// What `AUTH_MODE=jwt` needs.
#[derive(Debug, Clone)]
pub struct JwtAuth {
    /// The `iss` to expect.
    pub issuer: String,
    /// The `aud` to expect.
    pub audience: String,
    /// Where the issuer's key set is.
    pub jwks: JwksSource,
    /// Name or dotted path of the claim with the roles.
    pub roles_claim: String,
    /// Name or dotted path of the claim with the branch codes.
    pub branches_claim: String,
}

/// Where the issuer's public keys come from.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// A file that is followed.
    File(PathBuf),
    /// The issuer's own address.
    Url {
        /// `https`, or `http` where that is safe.
        url: Uri,
        /// PEM file of the authorities to trust; `None` means the public ones.
        ca_file: Option<PathBuf>,
    },
}

impl AuthArgs {
    /// Chooses the mode and demands what it needs.
    ///
    /// # Errors
    /// `dev` outside development, `jwt` without issuer, audience or one source of keys, a short secret.
    pub fn resolve(self, environment: Environment) -> Result<AuthConfig, ConfigError> {
        let by_environment = if environment.is_development() { AuthMode::Dev } else { AuthMode::Jwt };
        match self.auth_mode.unwrap_or(by_environment) {
            AuthMode::Dev if !environment.is_development() => Err(ConfigError::refused(
                "AUTH_MODE",
                format!(
                    "is dev, which makes every caller an administrator and is refused when APP_ENV={environment}: set AUTH_MODE=jwt"
                ),
            )),
            AuthMode::Dev => self.dev().map(AuthConfig::Dev),
            AuthMode::Jwt => self.jwt(environment).map(AuthConfig::Jwt),
        }
    }

    fn dev(self) -> Result<DevAuth, ConfigError> {
        let given = secret::resolve("AUTH_DEV_SECRET", self.auth_dev_secret, self.auth_dev_secret_file.as_deref())?;
        let secret = given.unwrap_or_else(|| SecretString::from(DEVELOPMENT_TOKEN_SECRET));
        if secret.expose_secret().len() < SHORTEST_SECRET {
            return Err(ConfigError::refused("AUTH_DEV_SECRET", "is too short: use 32 characters or more"));
        }
        Ok(DevAuth { secret })
    }

    fn jwt(self, environment: Environment) -> Result<JwtAuth, ConfigError> {
        let jwks = jwks(self.auth_jwks_url, self.auth_jwks_ca_file, self.auth_jwks_file, environment);
        Ok(JwtAuth {
            issuer: required("AUTH_ISSUER", self.auth_issuer, "the `iss` of your identity provider's tokens")?,
            audience: required("AUTH_AUDIENCE", self.auth_audience, "the `aud` that tokens for this API carry")?,
            jwks: jwks?,
            roles_claim: self.auth_roles_claim,
            branches_claim: self.auth_branches_claim,
        })
    }
}

impl AuthConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        match self {
            Self::Dev(dev) => {
                out.show("AUTH_MODE", "dev");
                out.secret("AUTH_DEV_SECRET", &dev.secret);
            }
            Self::Jwt(jwt) => {
                out.show("AUTH_MODE", "jwt");
                out.show("AUTH_ISSUER", &jwt.issuer);
                out.show("AUTH_AUDIENCE", &jwt.audience);
                match &jwt.jwks {
                    JwksSource::File(path) => out.show("AUTH_JWKS_FILE", path.display()),
                    JwksSource::Url { url, ca_file } => {
                        out.show("AUTH_JWKS_URL", url);
                        if let Some(path) = ca_file {
                            out.show("AUTH_JWKS_CA_FILE", path.display());
                        }
                    }
                }
                out.show("AUTH_ROLES_CLAIM", &jwt.roles_claim);
                out.show("AUTH_BRANCHES_CLAIM", &jwt.branches_claim);
            }
        }
    }
}

/// Exactly one source, and one that nobody on the way can change.
fn jwks(
    url: Option<Uri>,
    ca_file: Option<PathBuf>,
    file: Option<PathBuf>,
    environment: Environment,
) -> Result<JwksSource, ConfigError> {
    match (url, file) {
        (Some(url), None) if environment.is_development() || is_https(&url) || is_loopback(&url) => {
            Ok(JwksSource::Url { url, ca_file })
        }
        (Some(_), None) => Err(ConfigError::refused(
            "AUTH_JWKS_URL",
            format!(
                "is not https, so that anyone on the way could put in keys of their own; APP_ENV={environment} takes http from this machine only"
            ),
        )),
        (None, Some(_)) if ca_file.is_some() => Err(ConfigError::refused(
            "AUTH_JWKS_CA_FILE",
            "is for AUTH_JWKS_URL, which is not set: remove it, or set AUTH_JWKS_URL instead of AUTH_JWKS_FILE",
        )),
        (None, Some(file)) => Ok(JwksSource::File(file)),
        (Some(_), Some(_)) => {
            Err(ConfigError::refused("AUTH_JWKS_URL", "and AUTH_JWKS_FILE are both set: keep one of them"))
        }
        (None, None) => Err(ConfigError::refused(
            "AUTH_JWKS_URL",
            "or AUTH_JWKS_FILE must be set when AUTH_MODE=jwt: the issuer's public keys (its openid-configuration has the URL as jwks_uri)",
        )),
    }
}

fn is_https(url: &Uri) -> bool {
    url.scheme_str() == Some("https")
}

fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// An address to fetch something from.
fn address(text: &str) -> Result<Uri, String> {
    let problem = || "an address like https://id.example.com/jwks is needed".to_owned();
    let url: Uri = text.parse().map_err(|_| problem())?;
    let (host, authority) =
        (url.host().unwrap_or_default(), url.authority().map_or("", |authority| authority.as_str()));
    // It would be sent to nobody, and stand in the log.
    if authority.contains('@') {
        return Err("an address without a name and a password is needed".to_owned());
    }
    // A port that is none would silently become the usual one.
    let port = authority.strip_prefix(host).unwrap_or(authority);
    let is_port = |port: &str| port.parse().is_ok_and(|number: u16| number > 0);
    let sound = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    if !matches!(url.scheme_str(), Some("https" | "http")) || host.is_empty() || !sound {
        return Err(problem());
    }
    Ok(url)
}

fn required<T>(name: &'static str, value: Option<T>, what: &str) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::refused(name, format!("must be set when AUTH_MODE=jwt: {what}")))
}
