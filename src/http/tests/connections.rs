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

/// A connection that has been accepted: it has had an answer.
async fn settled(server: &TestServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    soon(stream.read_exact(&mut [0; 15])).await.unwrap();
    stream
}

#[tokio::test]
async fn above_the_cap_probes_are_served_and_others_are_told_at_once() {
    let server = ServerSettings { max_connections: 1, ..ServerSettings::default() };
    let server = Setup { server, ..Setup::default() }.start().await;
    let first = settled(&server).await;
    for probe in ["/health", "/livez", "/readyz"] {
        let answer = exchange(&server, &format!("GET {probe} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close\r\n"), "{answer}");
    }
    let reply = server.query("{ hello }").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED"));
    assert_eq!((reply.header("retry-after"), reply.header("connection")), ("1", "close"));
    assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
    drop(first);
    soon(async { while server.query("{ hello }").await.status != StatusCode::OK {} }).await;
}

#[tokio::test]
async fn whoever_only_holds_a_connection_above_the_cap_loses_it_soon() {
    let server = ServerSettings {
        max_connections: 1,
        reserve_connections: 2,
        reserve_patience: Duration::from_millis(50),
        ..ServerSettings::default()
    };
    let server = Setup { server, ..Setup::default() }.start().await;
    let _first = settled(&server).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_eq!(Reply::of(server.get("/health")).await.status, StatusCode::OK, "it waits until there is room again");
    for mut stream in silent {
        closed(&mut stream).await;
    }
}

/// A third of them have sent half a head, a third half a body, a third nothing.
#[tokio::test]
async fn two_hundred_clients_that_dawdle_are_in_nobodys_way() {
    let server = Setup::default().start().await;
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let body = format!("{head}content-length: 100\r\n\r\n{{");
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let start = [head, body.as_str(), ""][number % 3];
        stream.write_all(start.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..20 {
        assert_eq!(server.query("{ hello }").await.status, StatusCode::OK);
        assert_eq!(server.query("mutation { note }").await.status, StatusCode::OK);
        assert_eq!(Reply::of(server.get("/readyz")).await.status, StatusCode::OK);
    }
    drop(slow);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_given_up() {
    let server = ServerSettings {
        write_stall: Duration::from_millis(50),
        // Far away, so that it is not the shutdown that gives the client up.
        shutdown: Duration::from_secs(3_600),
        ..ServerSettings::default()
    };
    let server = Setup { server, ..Setup::default() }.start().await;
    let body = json!({"query": "{ text(length: 8000000) }"}).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer user-1\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // Nothing is read. That the server ends is its own doing, since it waits for its connections.
    soon(async {
        while !server.state.admission.is_idle(&server.state.settings.admission) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let TestServer { shutdown, task, client, .. } = server;
    drop(client);
    shutdown.cancel();
    soon(task).await.unwrap().unwrap();
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
async fn while_it_drains_every_answer_is_the_last_of_its_connection() {
    let server = ServerSettings { drain_delay: PATIENCE, ..ServerSettings::default() };
    let server = Setup { server, ..Setup::default() }.start().await;
    assert_eq!(server.query("{ hello }").await.header("connection"), "");
    server.shutdown.cancel();
    for _ in 0..3 {
        let reply = server.query("{ hello }").await;
        assert_eq!((reply.status, reply.header("connection")), (StatusCode::OK, "close"));
    }
}

#[tokio::test]
async fn a_shutdown_serves_what_comes_on_connections_made_before() {
    let server = ServerSettings { linger: PATIENCE, ..ServerSettings::default() };
    let server = Setup { server, ..Setup::default() }.start().await;
    let in_flight = tokio::spawn(Reply::of(server.post(r#"{"query":"{ wait }"}"#)));
    server.gate.someone_waits().await;
    let mut quiet = TcpStream::connect(server.address).await.unwrap();
    // Connections are accepted in their order.
    let _later = settled(&server).await;
    server.shutdown.cancel();
    soon(async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    quiet.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(quiet.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close\r\n"), "{answer}");
    server.gate.let_one_pass();
    assert_eq!(soon(in_flight).await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_shutdown_closes_idle_and_silent_connections() {
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
