//! TLS: handshakes, files that are wrong, files that change.

use std::fs;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::config::TlsFiles;
use crate::http::tls::TlsError;

/// A self-signed certificate for `localhost` as (certificate PEM, key PEM).
fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

struct Files {
    _folder: TempDir,
    files: TlsFiles,
}

impl Files {
    fn new((certificates, key): &(String, String)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let files = Self { _folder: folder, files };
        files.write(certificates, key);
        files
    }

    fn write(&self, certificates: &str, key: &str) {
        fs::write(&self.files.certificate, certificates).unwrap();
        fs::write(&self.files.key, key).unwrap();
    }

    fn load(&self) -> Result<Tls, TlsError> {
        Tls::load(self.files.clone())
    }
}

async fn connect(server: &TestServer, trusted: &[&str], alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for pem in trusted {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(server.address).await?;
    soon(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream)).await
}

#[tokio::test]
async fn https_is_served_and_http_2_is_offered() {
    let made = certificate("first");
    let files = Files::new(&made);
    let server = Setup { tls: Some(Arc::new(files.load().unwrap())), ..Setup::default() }.start().await;
    let mut stream = connect(&server, &[&made.0], &[]).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
    for (offered, expected) in [(["h2", "http/1.1"].as_slice(), b"h2".as_slice()), (&["http/1.1"], b"http/1.1")] {
        let stream = connect(&server, &[&made.0], offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(expected));
    }
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_cut_off() {
    let made = certificate("first");
    let server = ServerSettings { tls_handshake: Duration::from_millis(50), ..ServerSettings::default() };
    let tls = Some(Arc::new(Files::new(&made).load().unwrap()));
    let server = Setup { server, tls, ..Setup::default() }.start().await;
    for start in [b"".as_slice(), b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(start).await.unwrap();
        let _ = soon(stream.read_to_end(&mut Vec::new())).await;
    }
    assert!(connect(&server, &[&made.0], &[]).await.is_ok());
}

#[tokio::test]
async fn changed_files_are_taken_into_use_and_broken_ones_are_not() {
    let (first, second) = (certificate("first"), certificate("the second"));
    let files = Files::new(&first);
    let tls = Arc::new(files.load().unwrap());
    let server = Setup { tls: Some(tls.clone()), ..Setup::default() }.start().await;
    assert!(!tls.refresh(), "nothing has changed");
    assert!(connect(&server, &[&first.0], &[]).await.is_ok());

    // A renewal halfway: the certificate is there, its key is not.
    fs::write(&files.files.certificate, &second.0).unwrap();
    assert!(!tls.refresh());
    assert!(connect(&server, &[&first.0], &[]).await.is_ok(), "the old certificate stays in use");
    fs::write(&files.files.certificate, "broken").unwrap();
    assert!(!tls.refresh());
    fs::remove_file(&files.files.certificate).unwrap();
    assert!(!tls.refresh());
    assert!(connect(&server, &[&first.0], &[]).await.is_ok());

    files.write(&second.0, &second.1);
    let stop = CancellationToken::new();
    let watch = tokio::spawn(tls.clone().watch(Duration::from_millis(1), stop.clone()));
    soon(async { while connect(&server, &[&second.0], &[]).await.is_err() {} }).await;
    assert!(connect(&server, &[&first.0], &[]).await.is_err());
    stop.cancel();
    soon(watch).await.unwrap();
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_the_settings_name() {
    let (made, other) = (certificate("one"), certificate("another"));
    let message = |certificates: &str, key: &str| {
        let files = Files::new(&made);
        files.write(certificates, key);
        files.load().map(|_| ()).unwrap_err().to_string()
    };
    assert!(message("", &made.1).starts_with("TLS_CERT_FILE ("), "no certificate");
    assert!(message(&made.0, &made.0).contains("does not hold a private key"));
    assert!(message(&made.1, &made.1).contains("does not hold a certificate"));
    assert!(message(&made.0, &other.1).contains("does not match"));
    let files = Files::new(&made);
    fs::remove_file(&files.files.key).unwrap();
    let missing = files.load().map(|_| ()).unwrap_err().to_string();
    assert!(missing.starts_with("TLS_KEY_FILE (") && missing.contains("cannot be read"), "{missing}");
}
