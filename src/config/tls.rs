//! HTTPS: which certificate, and how patient to be with a handshake. Reading the files is the HTTP layer's work,
//! because it reads them again when they change.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::effective::Effective;
use super::error::ConfigError;
use super::values::milliseconds;

/// Settings of TLS, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// The certificate chain in PEM form. Set with `TLS_KEY_FILE`, the server speaks HTTPS; read again when it changes.
    #[arg(long, env = "TLS_CERT_FILE")]
    pub tls_cert_file: Option<PathBuf>,
    /// The certificate's private key in PEM form.
    #[arg(long, env = "TLS_KEY_FILE")]
    pub tls_key_file: Option<PathBuf>,
    /// Time a client has for the TLS handshake, in milliseconds.
    #[arg(long, env = "TLS_HANDSHAKE_TIMEOUT_MS", default_value = "5000", value_parser = milliseconds)]
    pub tls_handshake_timeout_ms: Duration,
}

/// The configuration of TLS.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// Certificate and key; without them the server speaks plain HTTP.
    pub files: Option<TlsFiles>,
    /// Time for the handshake.
    pub handshake_timeout: Duration,
}

/// The two files of a certificate.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

impl TlsArgs {
    /// Demands both files or none.
    ///
    /// # Errors
    /// One file without the other.
    pub fn resolve(self) -> Result<TlsConfig, ConfigError> {
        let files = match (self.tls_cert_file, self.tls_key_file) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(ConfigError::refused(
                    "TLS_KEY_FILE",
                    "must be set too when TLS_CERT_FILE is: set both or none",
                ));
            }
            (None, Some(_)) => {
                return Err(ConfigError::refused(
                    "TLS_CERT_FILE",
                    "must be set too when TLS_KEY_FILE is: set both or none",
                ));
            }
        };
        Ok(TlsConfig { files, handshake_timeout: self.tls_handshake_timeout_ms })
    }
}

impl TlsConfig {
    /// `https` with a certificate, `http` without.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.files.is_some() { "https" } else { "http" }
    }

    pub(super) fn describe(&self, out: &mut Effective) {
        if let Some(files) = &self.files {
            out.show("TLS_CERT_FILE", files.certificate.display());
            out.show("TLS_KEY_FILE", files.key.display());
        }
        out.span("TLS_HANDSHAKE_TIMEOUT_MS", self.handshake_timeout);
    }
}
