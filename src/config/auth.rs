//! How callers are recognised. `dev` trusts everyone on a developer's machine; `jwt` trusts the keys of one issuer.
//! Reading and checking tokens is `crate::auth`'s work.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
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
    /// A file with the issuer's public keys (a JSON Web Key Set); required with `AUTH_MODE=jwt`. Read again when it
    /// changes.
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
    /// File with the issuer's key set.
    pub jwks_file: PathBuf,
    /// Name or dotted path of the claim with the roles.
    pub roles_claim: String,
    /// Name or dotted path of the claim with the branch codes.
    pub branches_claim: String,
}

impl AuthArgs {
    /// Chooses the mode and demands what it needs.
    ///
    /// # Errors
    /// `dev` outside development, `jwt` without issuer, audience or keys, a short secret.
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
            AuthMode::Jwt => self.jwt().map(AuthConfig::Jwt),
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

    fn jwt(self) -> Result<JwtAuth, ConfigError> {
        Ok(JwtAuth {
            issuer: required("AUTH_ISSUER", self.auth_issuer, "the `iss` of your identity provider's tokens")?,
            audience: required("AUTH_AUDIENCE", self.auth_audience, "the `aud` that tokens for this API carry")?,
            jwks_file: required("AUTH_JWKS_FILE", self.auth_jwks_file, "a file with the issuer's public keys")?,
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
                out.show("AUTH_JWKS_FILE", jwt.jwks_file.display());
                out.show("AUTH_ROLES_CLAIM", &jwt.roles_claim);
                out.show("AUTH_BRANCHES_CLAIM", &jwt.branches_claim);
            }
        }
    }
}

fn required<T>(name: &'static str, value: Option<T>, what: &str) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::refused(name, format!("must be set when AUTH_MODE=jwt: {what}")))
}
