//! Fetches the key set from the issuer. One GET on a connection of its own every few minutes: hyper's client connection
//! and rustls, which the server has anyway, do that; a pooling client with proxies and redirects is not wanted here. No
//! proxy is taken from the environment, no redirect is followed, and neither time nor size is the other side's to choose.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, CONNECTION, DATE, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::freshness;
use crate::auth::error::AuthSetupError;

/// Name lookup, TCP and TLS together: a few round trips.
const CONNECT: Duration = Duration::from_secs(2);

/// From the first packet to the last byte of the answer.
const OVERALL: Duration = Duration::from_secs(5);

/// Real key sets are a few kilobytes, with certificate chains some tens of them.
const LARGEST: usize = 512 * 1024;

/// Why there is no answer. `Display` is a clause for the log.
#[derive(Debug, thiserror::Error)]
pub(in crate::auth) enum FetchError {
    /// Nobody took the call, or nobody who is trusted.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// One of the time limits.
    #[error("no answer in time")]
    TimedOut,
    /// The exchange broke off.
    #[error("the answer broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// The keys are somewhere else; following would leave it to the answer where keys come from.
    #[error("the answer is a redirect ({0}): set AUTH_JWKS_URL to where it leads")]
    Redirect(StatusCode),
    /// Another status than 200.
    #[error("the answer's status is {0}")]
    Status(StatusCode),
    /// More than [`LARGEST`].
    #[error("the answer is larger than 512 KiB")]
    TooLarge,
    /// No key set, or none with a usable key.
    #[error("the answer {0}")]
    Unusable(String),
    /// The address cannot be asked for; the configuration has checked it.
    #[error("the address cannot be asked for")]
    Address,
}

/// An answer with status 200.
pub(in crate::auth) struct Fetched {
    pub(in crate::auth) text: Bytes,
    /// How long the issuer says it holds.
    pub(in crate::auth) told: Option<Duration>,
    /// The issuer's clock, to the second.
    pub(in crate::auth) sent_at: Option<DateTime<Utc>>,
}

/// Asks one address.
pub(in crate::auth) struct Client {
    url: Uri,
    tls: TlsConnector,
    overall: Duration,
}

impl Client {
    /// `ca_file` names the authorities to trust, instead of the public ones.
    pub(in crate::auth) fn new(url: &Uri, ca_file: Option<&Path>) -> Result<Self, AuthSetupError> {
        let roots = match ca_file {
            Some(path) => authorities(path)?,
            None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { url: url.clone(), tls: TlsConnector::from(Arc::new(config)), overall: OVERALL })
    }

    /// The same with another patience, for tests of an issuer that never ends.
    #[cfg(test)]
    pub(in crate::auth) fn with_patience(self, overall: Duration) -> Self {
        Self { overall, ..self }
    }

    /// The address, for the log.
    pub(in crate::auth) fn url(&self) -> &Uri {
        &self.url
    }

    /// Asks once.
    pub(in crate::auth) async fn fetch(&self) -> Result<Fetched, FetchError> {
        timeout(self.overall, self.exchange()).await.unwrap_or(Err(FetchError::TimedOut))
    }

    async fn exchange(&self) -> Result<Fetched, FetchError> {
        let host = self.url.host().ok_or(FetchError::Address)?;
        // A URL writes IPv6 addresses in brackets; the system and certificates do not.
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let secure = self.url.scheme_str() == Some("https");
        let port = self.url.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let connect = async {
            let stream = TcpStream::connect((name, port)).await?;
            if !secure {
                return Ok(Stream::Plain(stream));
            }
            let server = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
            Ok(Stream::Tls(Box::new(self.tls.connect(server, stream).await?)))
        };
        let stream = timeout(CONNECT, connect).await.map_err(|_| FetchError::TimedOut)?;
        match stream.map_err(FetchError::Connect)? {
            Stream::Plain(stream) => self.ask(stream).await,
            Stream::Tls(stream) => self.ask(stream).await,
        }
    }

    async fn ask(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Fetched, FetchError> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
        let answer = sender.send_request(self.request()?).await?;
        match answer.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => return Err(FetchError::Redirect(status)),
            status => return Err(FetchError::Status(status)),
        }
        let told = freshness::told(answer.headers());
        let sent_at = answer.headers().get(DATE).and_then(|value| value.to_str().ok());
        let sent_at = sent_at.and_then(|text| DateTime::parse_from_rfc2822(text).ok()).map(|at| at.to_utc());
        match Limited::new(answer.into_body(), LARGEST).collect().await {
            Ok(body) => Ok(Fetched { text: body.to_bytes(), told, sent_at }),
            Err(failure) => Err(match failure.downcast::<hyper::Error>() {
                Ok(broken) => FetchError::Broken(*broken),
                Err(other) if other.is::<LengthLimitError>() => FetchError::TooLarge,
                Err(other) => FetchError::Connect(io::Error::other(other)),
            }),
        }
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, FetchError> {
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let authority = self.url.authority().ok_or(FetchError::Address)?;
        Request::get(path)
            .header(HOST, authority.as_str())
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .header(USER_AGENT, concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .body(Empty::new())
            .map_err(|_| FetchError::Address)
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

fn authorities(path: &Path) -> Result<RootCertStore, AuthSetupError> {
    let pem = std::fs::read(path)
        .map_err(|error| AuthSetupError::CaUnreadable { path: path.to_owned(), cause: error.kind() })?;
    let certificates: Vec<_> = rustls_pemfile::certs(&mut pem.as_slice()).filter_map(Result::ok).collect();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 { Err(AuthSetupError::CaUnusable { path: path.to_owned() }) } else { Ok(roots) }
}
