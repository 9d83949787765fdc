//! Tokens at the door of a real server: the corpus of bad ones, and keys that come from the issuer's own address.

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::issuer::Issuer;
use crate::support::publisher::Publisher;
use crate::support::server::{Reply, Server, Setup, soon};

const VIEWER: &str = r#"{"query": "{ viewer { subject } }"}"#;

/// A server with its keys in a file, and one that asks its issuer.
async fn servers() -> (Vec<Server>, Publisher) {
    let publisher = Publisher::start().await;
    let setup = Setup::strict("production").with_keys_from(&publisher.url);
    publisher.publish(&[setup.issuer().jwk()]);
    (vec![Setup::strict("production").start().await, setup.start().await], publisher)
}

async fn post(server: &Server, token: &str, body: &str) -> Reply {
    Reply::of(server.anonymous(body.to_owned()).bearer_auth(token)).await
}

/// What a socket says to a `connection_init` with this token: the type of a message, or the code it closes with.
async fn first_word(server: &Server, token: &str) -> Json {
    let mut request = format!("ws://{}/graphql/ws", server.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let mut socket = soon(connect_async(request)).await.unwrap().0;
    let init = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
    // What follows on its heels is not read before the token.
    let operation = json!({"type": "subscribe", "id": "1", "payload": {"query": "{ nonsense"}});
    for message in [init, operation] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    match soon(socket.next()).await {
        Some(Ok(Message::Text(text))) => serde_json::from_str::<Json>(&text).unwrap()["type"].clone(),
        Some(Ok(Message::Close(Some(frame)))) => u16::from(frame.code).into(),
        other => panic!("neither a message nor a close: {other:?}"),
    }
}

#[tokio::test]
async fn bad_tokens_are_refused_before_anything_is_read() {
    let (servers, _publisher) = servers().await;
    for server in &servers {
        assert_eq!(Reply::of(server.post(VIEWER)).await.json(), json!({"data": {"viewer": {"subject": "usr_42"}}}));
        for (what, token) in server.issuer().bad_tokens() {
            let first = post(server, &token, VIEWER).await;
            assert_eq!(first.verdict(), (401, "UNAUTHENTICATED".to_owned()), "{what}: {}", first.text);
            assert_eq!(first.header("www-authenticate"), "Bearer", "{what}");
            for body in ["{ not JSON", "", "[]", r#"{"query": "{ nonsense"}"#, r#"{"query": "{ unknown }"}"#] {
                let reply = post(server, &token, body).await;
                assert_eq!((reply.status, &reply.text), (401, &first.text), "{what}: {body}");
            }
        }
        server.assert_alive("bad tokens").await;
        assert_eq!(Reply::of(server.post(VIEWER)).await.status, 200);
    }
}

#[tokio::test]
async fn bad_tokens_open_no_socket() {
    let (servers, _publisher) = servers().await;
    for server in &servers {
        assert_eq!(first_word(server, &server.issuer().token()).await, "connection_ack");
        for (what, token) in server.issuer().bad_tokens() {
            assert_eq!(first_word(server, &token).await, 4403, "{what}");
        }
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_does_not_reach_the_issuer() {
    let (servers, publisher) = servers().await;
    let server = &servers[1];
    assert_eq!(Reply::of(server.post(VIEWER)).await.status, 200);
    let stranger = Issuer::new("key-9").token();
    for _ in 0..10 {
        let replies = join_all((0..50).map(|_| post(server, &stranger, VIEWER))).await;
        assert!(replies.iter().all(|reply| reply.status == 401));
    }
    // 500 requests; one question every ten seconds, however long they took.
    assert!(publisher.asked() <= 10, "asked {} times", publisher.asked());
    assert_eq!(Reply::of(server.post(VIEWER)).await.status, 200);
}

#[tokio::test]
async fn keys_change_and_the_issuer_goes_away() {
    let publisher = Publisher::start().await;
    let setup = Setup::strict("production").with_keys_from(&publisher.url);
    let old = setup.issuer().jwk();
    publisher.publish(std::slice::from_ref(&old));
    let server = setup.start().await;
    assert_eq!(Reply::of(server.post(VIEWER)).await.status, 200);
    let next = Issuer::new("key-2");
    publisher.publish(&[next.jwk(), old]);
    // Nobody has to come twice, and nobody with the old key is turned away.
    let token = next.token();
    let replies = join_all((0..20).map(|_| post(&server, &token, VIEWER))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{:?}", replies.iter().map(|it| &it.text).next_back());
    assert_eq!(first_word(&server, &server.issuer().token()).await, "connection_ack");

    publisher.go_down();
    for token in [next.token(), server.issuer().token()] {
        assert_eq!(post(&server, &token, VIEWER).await.status, 200);
    }
    assert_eq!(post(&server, &Issuer::new("key-3").token(), VIEWER).await.verdict().0, 401);
    assert_eq!(Reply::of(server.get("/readyz")).await.status, 200);
}

#[tokio::test]
async fn a_server_that_was_there_first_waits_for_its_issuer() {
    let publisher = Publisher::start().await;
    let setup = Setup::strict("production").with_keys_from(&publisher.url);
    let keys = [setup.issuer().jwk()];
    let server = setup.start().await;
    let ready = Reply::of(server.get("/readyz?verbose")).await;
    assert_eq!((ready.status, &ready.json()["failing"]), (503, &json!(["issuer-keys"])));
    assert_eq!(ready.json()["checks"][2], json!({"name": "issuer-keys", "status": "failing"}));
    assert!(!ready.text.contains(&publisher.url) && !ready.text.contains("127.0.0.1"), "{}", ready.text);
    assert_eq!(Reply::of(server.get("/livez")).await.status, 200);

    // The token may be as good as gold: nobody is told that it is not.
    for body in [VIEWER, "{ not JSON"] {
        let reply = Reply::of(server.post(body)).await;
        assert_eq!(reply.verdict(), (503, "UNAVAILABLE".to_owned()), "{}", reply.text);
        assert_eq!(reply.json()["errors"][0]["extensions"]["retryable"], true);
        assert_eq!((reply.header("retry-after"), reply.header("www-authenticate")), ("1", ""));
    }
    assert_eq!(first_word(&server, &server.issuer().token()).await, 1013);
    assert_eq!(Reply::of(server.anonymous(VIEWER)).await.verdict(), (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(post(&server, "hunter2", VIEWER).await.status, 401);

    publisher.publish(&keys);
    soon(async { while Reply::of(server.get("/readyz")).await.status != 200 {} }).await;
    assert_eq!(Reply::of(server.post(VIEWER)).await.status, 200);
}
