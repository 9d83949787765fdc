//! HTTPS: reads a certificate chain and its key from PEM files and reads them again when they change. A renewal that went
//! wrong never takes the server down: the certificate in use stays in use.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::TlsFiles;

/// How often the files are looked at. A look costs two `stat` calls; a renewed certificate may wait this long.
pub const RELOAD_EVERY: Duration = Duration::from_secs(5);

/// Why the files cannot be used. Each names the setting to look at.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be opened or read.
    #[error("{setting} ({path}) cannot be read: {source}. Check the path and its permissions.")]
    Unreadable {
        /// The setting that names the file.
        setting: &'static str,
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// No certificate in the certificate file.
    #[error("TLS_CERT_FILE ({path}) does not hold a certificate. It must be a PEM file with BEGIN CERTIFICATE in it.")]
    NoCertificate {
        /// The file.
        path: String,
    },
    /// No key in the key file.
    #[error("TLS_KEY_FILE ({path}) does not hold a private key. It must be a PEM file with BEGIN PRIVATE KEY in it.")]
    NoKey {
        /// The file.
        path: String,
    },
    /// The key is another certificate's.
    #[error("TLS_KEY_FILE does not match TLS_CERT_FILE. Use the key that the certificate was made with.")]
    Mismatch,
    /// Anything else.
    #[error("TLS_CERT_FILE and TLS_KEY_FILE cannot be used: {0}.")]
    Unusable(#[from] rustls::Error),
}

/// Tells one version of the files from the next.
type Stamp = [Option<(SystemTime, u64)>; 2];

/// The configuration in use.
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
    seen: Mutex<Seen>,
}

struct Seen {
    loaded: Stamp,
    /// The version whose failure is in the log already.
    complained: Option<Stamp>,
}

impl Tls {
    /// Reads the files.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        // Stamped before reading: a change in between is then seen as one at the next look.
        let loaded = stamp(&files);
        let current = ArcSwap::from(read(&files)?);
        Ok(Self { files, current, seen: Mutex::new(Seen { loaded, complained: None }) })
    }

    /// What new connections use.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Looks at the files and takes them into use if they changed and are sound. True when it did.
    pub fn refresh(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.files);
        if now == seen.loaded {
            return false;
        }
        match read(&self.files) {
            Ok(config) => {
                self.current.store(config);
                *seen = Seen { loaded: now, complained: None };
                tracing::info!("the TLS certificate was replaced");
                true
            }
            // Tried again at each look: the certificate may be there already and its key not yet.
            Err(error) => {
                if seen.complained != Some(now) {
                    tracing::error!(%error, "the changed TLS files are not usable; the old certificate stays in use");
                    seen.complained = Some(now);
                }
                false
            }
        }
    }

    /// Looks at the files every so often until the shutdown.
    pub async fn watch(self: Arc<Self>, every: Duration, shutdown: CancellationToken) {
        let mut looks = interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(looks.tick()).await.is_some() {
            let tls = self.clone();
            if tokio::task::spawn_blocking(move || tls.refresh()).await.is_err() {
                return;
            }
        }
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    [&files.certificate, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let certificates = read_certificates(&files.certificate)?;
    let key = read_key(&files.key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch,
            error => TlsError::Unusable(error),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read_file("TLS_CERT_FILE", path)?;
    let certificates = rustls_pemfile::certs(&mut pem.as_slice()).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { path: path.display().to_string() });
    }
    Ok(certificates)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = read_file("TLS_KEY_FILE", path)?;
    let key = rustls_pemfile::private_key(&mut pem.as_slice()).ok().flatten();
    key.ok_or_else(|| TlsError::NoKey { path: path.display().to_string() })
}

fn read_file(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable { setting, path: path.display().to_string(), source })
}
