//! HTTPS by the settings `TLS_CERT_FILE` and `TLS_KEY_FILE`, and a certificate that is renewed on the disk.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::server::{Server, Setup, soon};

/// A self-signed certificate for `branch.local`, as PEM: certificate and key.
struct Certificate {
    certificate: String,
    key: String,
}

impl Certificate {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["branch.local".to_owned()]).unwrap();
        Self { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }

    fn write(&self, folder: &Path) {
        std::fs::write(folder.join("cert.pem"), &self.certificate).unwrap();
        std::fs::write(folder.join("key.pem"), &self.key).unwrap();
    }
}

async fn start(setup: Setup, certificate: &Certificate) -> Server {
    let folder = setup.folder().to_owned();
    certificate.write(&folder);
    let path = |name: &str| folder.join(name).display().to_string();
    setup.set("TLS_CERT_FILE", path("cert.pem")).set("TLS_KEY_FILE", path("key.pem")).start().await
}

/// The answer to one request by someone who trusts exactly this certificate.
async fn get(server: &Server, trusted: &Certificate, path: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("branch.local").unwrap();
    let mut stream = soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: branch.local\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await?;
    Ok(answer)
}

#[tokio::test]
async fn https_is_what_the_settings_name() {
    let certificate = Certificate::new();
    let server = start(Setup::development(), &certificate).await;
    let health = get(&server, &certificate, "/health").await.unwrap();
    assert!(health.starts_with("HTTP/1.1 200 OK") && health.ends_with(r#"{"status":"ok"}"#), "{health}");
    assert!(!health.contains("strict-transport-security"), "development is reached without HTTPS as well");
    assert!(get(&server, &Certificate::new(), "/health").await.is_err(), "nobody trusts it who does not know it");
    let plain = server.client.get(server.url("/health")).send().await;
    assert!(plain.is_err(), "there is no plain HTTP beside it");
}

#[tokio::test]
async fn in_production_browsers_are_told_to_stay() {
    let certificate = Certificate::new();
    let server = start(Setup::strict("production"), &certificate).await;
    let health = get(&server, &certificate, "/health").await.unwrap();
    assert!(health.contains("strict-transport-security: max-age=31536000"), "{health}");
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let (first, second) = (Certificate::new(), Certificate::new());
    let server = start(Setup::development(), &first).await;
    assert!(get(&server, &first, "/health").await.is_ok());
    second.write(server.folder());
    soon(async {
        while get(&server, &second, "/health").await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    assert!(get(&server, &first, "/health").await.is_err(), "the old one is gone");
    // Half a renewal takes nothing away.
    std::fs::write(server.folder().join("cert.pem"), "broken").unwrap();
    assert!(get(&server, &second, "/health").await.is_ok());
}
