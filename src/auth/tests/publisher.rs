//! An issuer's web server on loopback, which answers whatever a test wants it to, bytes and all.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::*;

/// What the server does with a request for `/keys`.
#[derive(Clone)]
pub(super) enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes again and again, until the other side has had enough.
    Endless(Vec<u8>),
    /// Sends these bytes once it is told to.
    Held(Arc<Notify>, Vec<u8>),
    /// Says nothing, and does not hang up either.
    Silence,
    /// Hangs up, like a proxy in front of nothing.
    HangUp,
}

impl Answer {
    /// Status 200 with a body, and lines of the head that each end with CR LF.
    pub(super) fn text(body: &str, head: &str) -> Self {
        let length = body.len();
        Self::Bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{head}\r\n{body}").into_bytes())
    }

    /// The key set of these signers.
    pub(super) fn keys(signers: &[&Signer]) -> Self {
        Self::text(&set(signers), "")
    }
}

pub(super) fn set(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

pub(super) struct Publisher {
    pub(super) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    /// Requests for `/keys` so far.
    asked: watch::Receiver<usize>,
    _task: AbortOnDropHandle<()>,
}

impl Publisher {
    pub(super) async fn start(answer: Answer) -> Self {
        Self::start_with(answer, None).await
    }

    /// Over TLS, with a certificate for `localhost` of its own making; its PEM is given back.
    pub(super) async fn start_tls(answer: Answer) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        (Self::start_with(answer, Some(TlsAcceptor::from(Arc::new(config)))).await, made.cert.pem())
    }

    async fn start_with(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(answer));
        let (count, asked) = watch::channel(0);
        let given = answer.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (given, count, tls) = (given.clone(), count.clone(), tls.clone());
                // Whoever hangs up early is the test's business.
                tokio::spawn(async move {
                    match tls {
                        None => exchange(stream, &given, &count).await,
                        Some(tls) => exchange(tls.accept(stream).await?, &given, &count).await,
                    }
                });
            }
        });
        Self { address, answer, asked, _task: AbortOnDropHandle::new(task) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    pub(super) fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(super) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    pub(super) async fn asked_at_least(&self, times: usize) {
        self.asked.clone().wait_for(|asked| *asked >= times).await.unwrap();
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &Mutex<Answer>,
    count: &watch::Sender<usize>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    assert!(head.starts_with(b"GET /keys HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&head));
    let answer = answer.lock().unwrap().clone();
    count.send_modify(|asked| *asked += 1);
    match answer {
        Answer::Bytes(bytes) => stream.write_all(&bytes).await?,
        Answer::Endless(bytes) => loop {
            stream.write_all(&bytes).await?;
        },
        Answer::Held(gate, bytes) => {
            gate.notified().await;
            stream.write_all(&bytes).await?;
        }
        Answer::Silence => std::future::pending().await,
        Answer::HangUp => {}
    }
    stream.shutdown().await
}
