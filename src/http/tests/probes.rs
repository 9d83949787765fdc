//! `/health`, `/livez`, `/readyz`.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::*;

struct Check(&'static str, fn() -> BoxFuture<'static, Result<(), String>>);

impl ReadinessCheck for Check {
    fn name(&self) -> &'static str {
        self.0
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        (self.1)()
    }
}

fn passing(name: &'static str) -> Arc<dyn ReadinessCheck> {
    Arc::new(Check(name, || std::future::ready(Ok(())).boxed()))
}

#[tokio::test]
async fn health_is_exactly_ok() {
    let server = Setup::default().start().await;
    let reply = Reply::of(server.get("/health")).await;
    assert_eq!((reply.status, reply.text.as_str()), (StatusCode::OK, r#"{"status":"ok"}"#));
    let reply = Reply::of(server.client.head(server.url("/health"))).await;
    assert_eq!((reply.status, reply.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(Reply::of(server.get("/livez")).await.status, StatusCode::OK);
    for path in ["/health", "/livez", "/readyz"] {
        let reply = Reply::of(server.client.post(server.url(path))).await;
        assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET,HEAD"));
        assert_eq!(reply.code(), "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn ready_lists_its_checks_when_asked() {
    let server = Setup { checks: vec![passing("database"), passing("migrations")], ..Setup::default() }.start().await;
    let reply = Reply::of(server.get("/readyz")).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"status": "ok"})));
    let names: Vec<_> = Reply::of(server.get("/readyz?verbose")).await.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["name"].as_str().unwrap().to_owned(), check["status"].as_str().unwrap().to_owned()))
        .collect();
    let ok = |name: &str| (name.to_owned(), "ok".to_owned());
    assert_eq!(names, [ok("database"), ok("migrations"), ok("serving")]);
}

#[tokio::test]
async fn a_failing_or_stuck_check_is_named_and_its_cause_is_not() {
    let fails: Arc<dyn ReadinessCheck> =
        Arc::new(Check("database", || std::future::ready(Err("password wrong for user loans".to_owned())).boxed()));
    let stuck: Arc<dyn ReadinessCheck> = Arc::new(Check("migrations", || std::future::pending().boxed()));
    let http = HttpSettings { readiness_check: Duration::from_millis(50), ..HttpSettings::default() };
    let server = Setup { http, checks: vec![fails, stuck, passing("keys")], ..Setup::default() }.start().await;
    let reply = Reply::of(server.get("/readyz?verbose")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json()["failing"], json!(["database", "migrations"]));
    assert!(!reply.text.contains("password"));
    assert_eq!(Reply::of(server.get("/health")).await.status, StatusCode::OK);
    assert_eq!(Reply::of(server.get("/livez")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_draining_server_still_serves_but_is_not_ready() {
    let server = ServerSettings { drain_delay: PATIENCE, ..ServerSettings::default() };
    let server = Setup { server, ..Setup::default() }.start().await;
    assert_eq!(Reply::of(server.get("/readyz")).await.status, StatusCode::OK);
    server.shutdown.cancel();
    let reply = Reply::of(server.get("/readyz")).await;
    assert_eq!((reply.status, reply.json()["failing"].clone()), (StatusCode::SERVICE_UNAVAILABLE, json!(["serving"])));
    assert_eq!(server.query("{ hello }").await.status, StatusCode::OK);
}
