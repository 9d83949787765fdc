//! `/graphql/ws`: who may open a socket, what runs on it, how it ends.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;
use crate::http::settings::SocketSettings;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(server: &TestServer, headers: &[(&'static str, &str)]) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://{}/graphql/ws", server.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    Ok(soon(connect_async(request)).await?.0)
}

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

/// A socket that has been welcomed.
async fn welcome(server: &TestServer) -> Socket {
    let mut socket = open(server, &[PROTOCOL]).await.unwrap();
    send(&mut socket, json!({"type": "connection_init", "payload": {"authorization": "Bearer user-1"}})).await;
    assert_eq!(next(&mut socket).await, json!({"type": "connection_ack"}));
    socket
}

async fn send(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn subscribe(socket: &mut Socket, id: &str, query: &str) {
    send(socket, json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
}

async fn next(socket: &mut Socket) -> Value {
    match soon(socket.next()).await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("not a message: {other:?}"),
    }
}

/// The code the server closes with; whatever comes before it is skipped.
async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        match soon(socket.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("not closed in order: {other:?}"),
        }
    }
}

fn status(refused: Result<Socket, tungstenite::Error>) -> u16 {
    match refused {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        other => panic!("not refused: {other:?}"),
    }
}

fn with(socket: SocketSettings) -> Setup {
    Setup { http: HttpSettings { socket, ..HttpSettings::default() }, ..Setup::default() }
}

#[tokio::test]
async fn queries_mutations_and_subscriptions_run() {
    let server = Setup::default().start().await;
    let mut socket = welcome(&server).await;
    for (id, query, data) in
        [("1", "{ whoami }", json!({"whoami": "user-1"})), ("2", "mutation { note }", json!({"note": 1}))]
    {
        subscribe(&mut socket, id, query).await;
        assert_eq!(next(&mut socket).await, json!({"type": "next", "id": id, "payload": {"data": data}}));
        assert_eq!(next(&mut socket).await, json!({"type": "complete", "id": id}));
    }
    subscribe(&mut socket, "3", "subscription { count(to: 2) }").await;
    for count in [1, 2] {
        assert_eq!(next(&mut socket).await["payload"], json!({"data": {"count": count}}));
    }
    assert_eq!(next(&mut socket).await, json!({"type": "complete", "id": "3"}));
}

#[tokio::test]
async fn guards_masking_and_codes_hold_here_too() {
    let server = Setup::default().start().await;
    let mut socket = welcome(&server).await;
    let table = [
        ("{ forbidden }", "TOO_DEEP"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ missing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ leaks }", "INTERNAL"),
        ("subscription { fails }", "INTERNAL"),
    ];
    for (query, code) in table {
        subscribe(&mut socket, "1", query).await;
        let answer = next(&mut socket).await;
        let error = &answer["payload"]["errors"][0];
        assert_eq!(error["extensions"]["code"], code, "{answer}");
        assert!(error["extensions"]["requestId"].is_string() && error["extensions"]["retryable"].is_boolean());
        assert!(!answer.to_string().contains("borrowers"));
        assert_eq!(next(&mut socket).await["type"], "complete");
    }
}

#[tokio::test]
async fn the_token_is_asked_for() {
    let server = Setup::default().start().await;
    for payload in [json!({}), json!({"authorization": "Bearer forged"}), json!({"authorization": 7}), json!(null)] {
        let mut socket = open(&server, &[PROTOCOL]).await.unwrap();
        send(&mut socket, json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(close_code(&mut socket).await, 4403);
    }
    // Nobody can be recognised for the moment: the client is to come again, not to give up.
    let mut socket = open(&server, &[PROTOCOL, ("authorization", "Bearer user-nobody-can-check")]).await.unwrap();
    send(&mut socket, json!({"type": "connection_init"})).await;
    assert_eq!(close_code(&mut socket).await, 1013);
    let mut socket = open(&server, &[PROTOCOL, ("authorization", "Bearer user-2")]).await.unwrap();
    send(&mut socket, json!({"type": "connection_init"})).await;
    assert_eq!(next(&mut socket).await["type"], "connection_ack");
    let mut socket = open(&server, &[PROTOCOL]).await.unwrap();
    subscribe(&mut socket, "1", "{ hello }").await;
    assert_eq!(close_code(&mut socket).await, 4401);
}

#[tokio::test]
async fn sockets_from_other_pages_and_in_other_protocols_are_refused() {
    let server = Setup::default().start().await;
    assert_eq!(status(open(&server, &[PROTOCOL, ("origin", "https://evil.example")]).await), 403);
    let own = format!("http://{}", server.address);
    assert!(open(&server, &[PROTOCOL, ("origin", own.as_str())]).await.is_ok());
    assert_eq!(status(open(&server, &[("sec-websocket-protocol", "graphql-ws")]).await), 400);
    assert_eq!(Reply::of(server.get("/graphql/ws")).await.status, StatusCode::UPGRADE_REQUIRED);
}

#[tokio::test]
async fn a_client_that_does_not_introduce_itself_is_cut_off() {
    let server = with(SocketSettings { init: Duration::from_millis(50), ..SocketSettings::default() }).start().await;
    let mut socket = open(&server, &[PROTOCOL]).await.unwrap();
    assert_eq!(close_code(&mut socket).await, 4408);
}

#[tokio::test]
async fn operations_and_sockets_are_counted() {
    let server = with(SocketSettings { max_operations: 2, max_sockets: 1, ..SocketSettings::default() }).start().await;
    let mut socket = welcome(&server).await;
    assert_eq!(status(open(&server, &[PROTOCOL]).await), 503);
    for id in ["1", "2", "3"] {
        subscribe(&mut socket, id, "subscription { forever }").await;
    }
    let answer = next(&mut socket).await;
    assert_eq!(
        (&answer["id"], &answer["payload"]["errors"][0]["extensions"]["code"]),
        (&json!("3"), &json!("TOO_MANY_OPERATIONS"))
    );
    assert_eq!(next(&mut socket).await, json!({"type": "complete", "id": "3"}));
    send(&mut socket, json!({"type": "complete", "id": "1"})).await;
    assert_eq!(next(&mut socket).await, json!({"type": "complete", "id": "1"}));
    subscribe(&mut socket, "4", "{ hello }").await;
    assert_eq!(next(&mut socket).await["payload"], json!({"data": {"hello": "world"}}));
}

#[tokio::test]
async fn living_clients_are_pinged_and_silent_ones_let_go() {
    let server = with(SocketSettings { ping: Duration::from_millis(50), ..SocketSettings::default() }).start().await;
    let mut socket = welcome(&server).await;
    // Longer than the patience with a silent client, because it answers.
    for _ in 0..6 {
        assert_eq!(next(&mut socket).await, json!({"type": "ping"}));
        send(&mut socket, json!({"type": "pong"})).await;
    }
    assert_eq!(close_code(&mut socket).await, 3008);
}

#[tokio::test]
async fn a_socket_does_not_live_for_ever() {
    let server =
        with(SocketSettings { lifetime: Duration::from_millis(50), ..SocketSettings::default() }).start().await;
    let mut socket = open(&server, &[PROTOCOL]).await.unwrap();
    assert_eq!(close_code(&mut socket).await, 1001);
}

#[tokio::test]
async fn messages_that_are_too_long_or_not_understood_end_the_socket() {
    let http = HttpSettings { max_body_bytes: 1_000, ..HttpSettings::default() };
    let server = Setup { http, ..Setup::default() }.start().await;
    let mut socket = welcome(&server).await;
    send(&mut socket, json!({"type": "borrower", "phone": "+254700000000"})).await;
    assert_eq!(close_code(&mut socket).await, 4400);
    let mut socket = welcome(&server).await;
    subscribe(&mut socket, "1", &format!("{{ hello }} #{}", "x".repeat(2_000))).await;
    let after = soon(socket.next()).await;
    assert!(!matches!(after, Some(Ok(Message::Text(_)))), "{after:?}");
}

#[tokio::test]
async fn a_shutdown_says_goodbye() {
    let server = Setup::default().start().await;
    let mut socket = welcome(&server).await;
    subscribe(&mut socket, "1", "subscription { forever }").await;
    assert_eq!(server.state.background.len(), 1, "the shutdown waits for it");
    server.shutdown.cancel();
    soon(server.task).await.unwrap().unwrap();
    let free = server.state.sockets.available_permits();
    assert_eq!(free, server.state.settings.socket.max_sockets, "the server waits until its sockets are closed");
    assert_eq!(close_code(&mut socket).await, 1001);
}
