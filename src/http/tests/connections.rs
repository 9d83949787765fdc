//! Connections by hand: slow clients, caps, HTTP/2, and the order of a shutdown.

use axum::http::{Request, Version};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Sends raw bytes and reads until the server closes or pauses after an answer's head; lossy text, header names as sent.
pub(super) async fn exchange(server: &TestServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon(async {
        // A server that refuses early may reset the connection after its answer.
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&answer);
            let closing = text.to_ascii_lowercase().contains("connection: close");
            if text.contains("\r\n\r\n") && !closing && !text.ends_with("\r\n\r\n") {
                break;
            }
        }
    })
    .await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // Both an orderly end and a reset mean that the server has let go.
    let _ = soon(stream.read_to_end(&mut rest)).await;
}

fn impatient() -> Setup {
    let server = ServerSettings { header_read: Duration::from_millis(50), ..ServerSettings::default() };
    Setup { server, ..Setup::default() }
}

#[tokio::test]
async fn clients_that_dawdle_over_their_first_headers_are_cut_off() {
    let server = impatient().start().await;
    for start in
        ["", "P", "PRI * HT", "GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        closed(&mut stream).await;
    }
    assert_eq!(Reply::of(server.get("/health")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_connection_that_has_asked_once_may_stay_for_its_keep_alive_time() {
    let server = ServerSettings {
        header_read: Duration::from_millis(1),
        keep_alive: Duration::from_millis(200),
        ..ServerSettings::default()
    };
    let server = Setup { server, ..Setup::default() }.start().await;
    let first = tokio::spawn(Reply::of(server.post(r#"{"query":"{ wait }"}"#)));
    server.gate.someone_waits().await;
    server.gate.let_one_pass();
    assert_eq!(soon(first).await.unwrap().status, StatusCode::OK);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let sent = stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    sent.unwrap();
    closed(&mut stream).await;
}

#[tokio::test]
async fn http_2_is_spoken_without_tls_too() {
    let server = Setup::default().start().await;
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(server.url("/health")).body(String::new()).unwrap();
    let response = soon(sender.send_request(request)).await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_2));
}

#[tokio::test]
async fn connections_over_the_cap_wait_for_a_place() {
    let server = ServerSettings { max_connections: 1, ..ServerSettings::default() };
    let server = Setup { server, ..Setup::default() }.start().await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    soon(first.read_exact(&mut byte)).await.unwrap();
    let second = tokio::spawn(Reply::of(server.get("/health")));
    // The kernel has accepted the second connection; the server answers it once the first one is gone.
    drop(first);
    assert_eq!(soon(second).await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_flight_and_takes_nothing_new() {
    let server = Setup::default().start().await;
    let in_flight = tokio::spawn(Reply::of(server.post(r#"{"query":"{ wait }"}"#)));
    server.gate.someone_waits().await;
    server.shutdown.cancel();
    // Refused connections are how the outside sees that the listener is closed.
    soon(async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    assert!(!server.task.is_finished());
    server.gate.let_one_pass();
    let reply = soon(in_flight).await.unwrap();
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"data": {"wait": true}})));
    soon(server.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_closes_idle_connections_at_once() {
    let server = Setup::default().start().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    soon(idle.read_exact(&mut [0])).await.unwrap();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let (mut half, start) = (TcpStream::connect(server.address).await.unwrap(), b"GET /hea");
    half.write_all(start).await.unwrap();
    server.stop().await;
    closed(&mut idle).await;
    closed(&mut silent).await;
    closed(&mut half).await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let server = ServerSettings { shutdown: Duration::from_millis(50), ..ServerSettings::default() };
    let server = Setup { server, ..Setup::default() }.start().await;
    let stuck = tokio::spawn(server.post(r#"{"query":"{ wait }"}"#).send());
    server.gate.someone_waits().await;
    server.stop().await;
    assert!(soon(stuck).await.unwrap().is_err(), "the connection was dropped");
}
