//! The certificate the server shows: what it is for, until when, and who would trust it. The verifier that clients of this
//! library use is asked, so that nothing is read here in another way than there.

use std::path::Path;
use std::time::Duration;

use branch_loan_api::config::Config;
use branch_loan_api::http::tls::Tls;
use chrono::{DateTime, TimeDelta, Utc};
use rustls::client::{verify_server_cert_signed_by_trust_anchor as verify, verify_server_name};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

use super::report::Report;

/// Authorities and their clients renew earlier than this.
const SOON: TimeDelta = TimeDelta::days(30);

/// Later than any certificate ends.
const FAR: Duration = Duration::from_secs(1 << 40);

pub fn check(config: &Config, report: &mut Report, now: DateTime<Utc>) {
    let Some(files) = &config.tls.files else {
        return report.skip("certificate", "TLS_CERT_FILE is not set: something in front has to speak HTTPS");
    };
    let chain = match read(&files.certificate) {
        Ok(chain) => chain,
        Err(problem) => {
            let text = format!("TLS_CERT_FILE ({}) {problem}", files.certificate.display());
            return report.fail("certificate", text, "make it a PEM file that the server may read, the server's first");
        }
    };
    match Shown::of(&chain) {
        Ok(shown) => {
            names(&shown, report);
            match dates(&shown, report, now) {
                true => trust(&shown, report, now),
                false => report.skip("certificate.chain", "the certificate must be valid first"),
            }
        }
        Err(error) => {
            report.fail(
                "certificate",
                format!("TLS_CERT_FILE holds no usable certificate ({error})"),
                "get it issued anew",
            );
        }
    }
    match Tls::load(files.clone()) {
        Ok(_) => report.ok("certificate.key", "the key is the certificate's"),
        Err(error) => report.fail_as_told("certificate.key", error.to_string()),
    }
    secrecy(&files.key, report);
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("cannot be read ({error})"))?;
    let chain: Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_slice()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err("holds no certificate".to_owned()),
        Err(error) => Err(format!("is not PEM ({error})")),
    }
}

/// What is shown in a handshake: the server's certificate and those of the authorities between it and the root.
struct Shown<'a> {
    leaf: ParsedCertificate<'a>,
    last: &'a CertificateDer<'static>,
    others: &'a [CertificateDer<'static>],
}

impl<'a> Shown<'a> {
    fn of(chain: &'a [CertificateDer<'static>]) -> Result<Self, Error> {
        let (leaf, others) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        Ok(Self { leaf: ParsedCertificate::try_from(leaf)?, last: others.last().unwrap_or(leaf), others })
    }

    /// Asks the verifier, by these authorities and at this time.
    fn verify(&self, roots: &RootCertStore, at: UnixTime) -> Result<(), Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        verify(&self.leaf, roots, self.others, at, algorithms.all)
    }

    /// The last of the chain as an authority.
    fn anchor(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.last.clone())?;
        Ok(roots)
    }
}

fn names(shown: &Shown<'_>, report: &mut Report) {
    let Ok(nobody) = ServerName::try_from("nobody.invalid") else { return };
    let presented = match verify_server_name(&shown.leaf, &nobody) {
        Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })) => presented,
        _ => Vec::new(),
    };
    let names: Vec<String> = presented.iter().filter_map(|name| plain(name)).collect();
    match names.is_empty() {
        false => report.ok("certificate.names", format!("it is for {}", names.join(", "))),
        true => {
            let remedy = "get it issued with the server's names as subject alternative names";
            report.fail("certificate.names", "it names no server, and browsers do not look at its subject", remedy);
        }
    }
}

/// A name as the library tells it, without its kind around it.
fn plain(told: &str) -> Option<String> {
    let inner = told.strip_prefix("DnsName(").or_else(|| told.strip_prefix("IpAddress("))?;
    Some(inner.trim_end_matches(')').trim_matches('"').to_owned())
}

/// Whether it is valid now.
fn dates(shown: &Shown<'_>, report: &mut Report, now: DateTime<Utc>) -> bool {
    let roots = shown.anchor().unwrap_or_else(|_| RootCertStore::empty());
    let ends = match shown.verify(&roots, UnixTime::since_unix_epoch(FAR)) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => moment(not_after),
        _ => None,
    };
    let begins = match shown.verify(&roots, UnixTime::since_unix_epoch(Duration::ZERO)) {
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => moment(not_before),
        _ => None,
    };
    if let Some(begins) = begins.filter(|begins| *begins > now) {
        let text = format!("it is valid from {} only", begins.date_naive());
        report.fail("certificate.dates", text, "check this machine's clock, or use the certificate before it");
        return false;
    }
    let Some(ends) = ends else {
        report.fail("certificate.dates", "it does not say until when it is valid", "get it issued anew");
        return false;
    };
    let (until, left) = (ends.date_naive(), ends - now);
    match left {
        left if left <= TimeDelta::zero() => {
            report.fail(
                "certificate.dates",
                format!("it expired on {until}"),
                "renew it; the server reads it by itself",
            );
        }
        left if left < SOON => {
            let text = format!("it expires on {until}, in {} days", left.num_days());
            report.warn("certificate.dates", text, "renew it, and see why that did not happen by itself");
        }
        _ => report.ok("certificate.dates", format!("valid until {until}")),
    }
    left > TimeDelta::zero()
}

fn moment(time: UnixTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(time.as_secs()).ok()?, 0)
}

fn trust(shown: &Shown<'_>, report: &mut Report, now: DateTime<Utc>) {
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.timestamp()).unwrap_or_default()));
    let linked = shown.anchor().is_ok_and(|roots| shown.verify(&roots, at).is_ok());
    if !shown.others.is_empty() && !linked {
        let remedy = "put the server's certificate first and after each one that of its issuer, none of them expired";
        return report.fail(
            "certificate.chain",
            "the certificates in TLS_CERT_FILE do not follow from each other",
            remedy,
        );
    }
    let public = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let count = shown.others.len().saturating_add(1);
    let certificates = if count == 1 { "1 certificate".to_owned() } else { format!("{count} certificates") };
    match shown.verify(&public, at) {
        Ok(()) => report.ok("certificate.chain", format!("{certificates}, up to a public authority")),
        Err(_) => {
            let text = "no public authority stands behind it: clients must know its own, or one in between is missing";
            report.ok("certificate.chain", format!("{certificates}; {text}"));
        }
    }
}

#[cfg(unix)]
fn secrecy(key: &Path, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt;
    // A file that is not there has been told of.
    let Ok(metadata) = std::fs::metadata(key) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    let text = format!("TLS_KEY_FILE ({}) has mode {mode:03o}", key.display());
    match mode {
        mode if mode & 0o007 != 0 => {
            report.fail("certificate.secrecy", format!("{text}: everybody may use it"), "run chmod 600 on it")
        }
        mode if mode & 0o070 != 0 => {
            let remedy =
                "run chmod 600 on it, unless the server reads it by that group (as with fsGroup in Kubernetes)";
            report.warn("certificate.secrecy", format!("{text}: its group may use it"), remedy);
        }
        _ => report.ok("certificate.secrecy", text),
    }
}

#[cfg(not(unix))]
fn secrecy(_: &Path, report: &mut Report) {
    report.skip("certificate.secrecy", "this system has no modes of files");
}
