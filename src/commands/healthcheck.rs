//! `healthcheck`: asks the server on this machine whether it lives, for containers that have no other client. Over TLS
//! it trusts exactly the certificate that the settings name, whoever signed it and whatever name it bears: it speaks to
//! its own process, and must not fail for want of an authority.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use branch_loan_api::config::{ConfigArgs, ConfigError};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};

use super::Failure;

/// Below the 3 seconds after which container engines give up by themselves.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the server is.
pub struct Target {
    address: SocketAddr,
    certificate: Option<PathBuf>,
}

impl Target {
    /// Reads only the settings it needs, so that a health check does not fail for want of a secret it never uses.
    pub fn of(config: ConfigArgs) -> Result<Self, ConfigError> {
        let server = config.server.resolve(config.environment.app_env);
        let certificate = config.tls.resolve()?.files.map(|files| files.certificate);
        let mut address = server.address();
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Ok(Self { address, certificate })
    }
}

pub fn run(target: &Target) -> Result<(), Failure> {
    let stream = TcpStream::connect_timeout(&target.address, PATIENCE)
        .map_err(|error| format!("nothing answers on {} ({error})", target.address))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match &target.certificate {
        None => ask(stream),
        Some(path) => ask(StreamOwned::new(ClientConnection::new(tls(path)?, "localhost".try_into()?)?, stream)),
    }
}

fn ask(mut stream: impl Read + Write) -> Result<(), Failure> {
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).map_err(|error| format!("the server does not answer ({error})"))?;
    if answer == *b"HTTP/1.1 200" { Ok(()) } else { Err("the server answers, but not with 200".into()) }
}

fn tls(path: &PathBuf) -> Result<Arc<ClientConfig>, Failure> {
    let pem = fs::read(path).map_err(|error| format!("TLS_CERT_FILE cannot be read ({error})"))?;
    let certificate =
        rustls_pemfile::certs(&mut pem.as_slice()).next().ok_or("TLS_CERT_FILE holds no certificate")??;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(OwnCertificate { certificate, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Accepts one certificate and no other.
#[derive(Debug)]
struct OwnCertificate {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OwnCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match *end_entity == self.certificate {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::General("another certificate than TLS_CERT_FILE's".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
