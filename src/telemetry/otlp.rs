//! Carries finished traces to the collector: one POST on a connection of its own every few seconds. hyper's client
//! connection and rustls, which the server has anyway, do that. No proxy is taken from the environment, no redirect is
//! followed, and time and size are not the other side's to choose. A collector that is away costs traces and nothing else.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::traces::TracesError;

/// From the first packet to the last byte of the answer.
const OVERALL: Duration = Duration::from_secs(5);

/// A collector's answer is a few bytes.
const LARGEST: usize = 64 * 1024;

/// Sends what it is given from a task of the server's runtime, whatever thread it is called on.
#[derive(Debug)]
pub(super) struct Client {
    runtime: Handle,
    tls: Arc<ClientConfig>,
    failing: AtomicBool,
}

impl Client {
    /// A client on the runtime this is called in. `ca_file` names the authorities to trust, instead of the public ones.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, TracesError> {
        let roots = match ca_file {
            Some(path) => authorities(path)?,
            None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        };
        let mut tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { runtime: Handle::current(), tls: Arc::new(tls), failing: AtomicBool::new(false) })
    }
}

fn authorities(path: &Path) -> Result<RootCertStore, TracesError> {
    let pem = std::fs::read(path)
        .map_err(|error| TracesError::CaUnreadable { path: path.to_owned(), cause: error.kind() })?;
    let certificates: Vec<_> = rustls_pemfile::certs(&mut pem.as_slice()).filter_map(Result::ok).collect();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 { Err(TracesError::CaUnusable { path: path.to_owned() }) } else { Ok(roots) }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let exchange = exchange(Arc::clone(&self.tls), request);
        // The timer is made on the runtime, too: whoever calls this has none.
        let outcome = match self.runtime.spawn(async move { timeout(OVERALL, exchange).await }).await {
            Ok(Ok(Ok(answer))) if answer.status().is_success() => Ok(answer),
            Ok(Ok(Ok(answer))) => Err(format!("the answer's status is {}", answer.status()).into()),
            Ok(Ok(Err(error))) => Err(error),
            Ok(Err(_)) => Err("no answer in time".into()),
            Err(_) => Err("the server is stopping".into()),
        };
        // Once is enough to know while the collector is away.
        let failed = outcome.is_err();
        match &outcome {
            Err(cause) if !self.failing.load(Ordering::Relaxed) => {
                tracing::warn!(%cause, "traces are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT cannot be used");
            }
            Err(cause) => tracing::debug!(%cause, "traces are lost"),
            Ok(_) => {}
        }
        self.failing.store(failed, Ordering::Relaxed);
        outcome
    }
}

async fn exchange(tls: Arc<ClientConfig>, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let host = request.uri().host().ok_or("an address without a host")?;
    // A URL writes IPv6 addresses in brackets; the system and certificates do not.
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let secure = request.uri().scheme_str() == Some("https");
    let port = request.uri().port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((name.as_str(), port)).await?;
    if !secure {
        return ask(stream, request).await;
    }
    let server = ServerName::try_from(name).map_err(io::Error::other)?;
    ask(TlsConnector::from(tls).connect(server, stream).await?, request).await
}

async fn ask<S>(stream: S, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().ok_or("an address without a host")?;
    parts.headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
    parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse::<Uri>()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST).collect().await?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}
