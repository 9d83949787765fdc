//! `serve`, and what happens without a command: it starts in an empty folder, says where it is, serves, and stops when
//! it is told to. What keeps it from starting is one line.

use std::net::TcpListener;
use std::process::Command;

use reqwest::RequestBuilder;
use serde_json::{Value as Json, json};

use super::production;
use crate::support::process::{Place, Running};
use crate::support::server::{Reply, Setup};

fn request(base: &str, query: &str) -> RequestBuilder {
    let request = reqwest::Client::new().post(format!("{base}/graphql")).header("content-type", "application/json");
    request.body(json!({"query": query}).to_string())
}

async fn ask(base: &str, query: &str) -> Json {
    Reply::of(request(base, query)).await.json()
}

fn stop(running: Running, signal: &str) {
    running.signal(signal);
    let outcome = running.finish();
    assert_eq!(outcome.status.code(), Some(0), "{outcome:?}");
    assert!(outcome.stdout.ends_with("Stopped.\n"), "{outcome:?}");
}

#[tokio::test]
async fn without_a_command_it_serves_a_new_database_and_stops_in_order() {
    let place = Place::new();
    for (arguments, signal) in [(&[][..], "TERM"), (&["serve"], "INT")] {
        let (mut running, base) = place.serve(arguments);
        assert!(base.starts_with("http://localhost:"), "{base}");
        let graphiql = running.line_with("GraphiQL");
        assert!(graphiql.contains(&format!("{base}/graphql")), "{graphiql}");
        let said = running.seen().join("\n");
        assert!(said.contains("sqlite://branch-loan-api.db") && said.contains("development"), "{said}");
        let health = Reply::of(reqwest::Client::new().get(format!("{base}/health"))).await;
        assert_eq!((health.status, health.text.as_str()), (200, r#"{"status":"ok"}"#));
        assert_eq!(ask(&base, "{ loans { totalCount } }").await, json!({"data": {"loans": {"totalCount": 0}}}));
        stop(running, signal);
    }
    assert!(place.path().join("branch-loan-api.db").is_file());
}

#[tokio::test]
async fn in_production_it_serves_what_has_been_migrated() {
    let place = production().set("SHUTDOWN_DRAIN_MS", 0);
    let (running, base) = place.serve(&[]);
    let ready = |base: &str| Reply::of(reqwest::Client::new().get(format!("{base}/readyz")));
    let before = ready(&base).await;
    assert_eq!((before.status, before.json()["failing"].clone()), (503, json!(["migrations"])));
    place.run(&["migrate"]).printed();
    assert_eq!(ready(&base).await.status, 200);
    assert_eq!(ask(&base, "{ viewer { subject } }").await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert!(!running.seen().iter().any(|line| line.contains("GraphiQL")), "{:?}", running.seen());
    stop(running, "TERM");
}

#[tokio::test]
async fn what_is_logged_during_a_request_names_it() {
    let place = Place::new().set("LOG_FORMAT", "json");
    let (running, base) = place.serve(&[]);
    let token = place.run(&["token", "--role", "OFFICER", "--branch", "A"]).printed();
    // A query is worked on where it came in, a mutation in a task of its own.
    let requests = [
        ("its-query", "{ auditEvents { totalCount } }"),
        (
            "its-mutation",
            r#"mutation { createBranch(input: {code: "A", name: "A", currency: "KES", timeZone: "UTC"}) { branch { id } } }"#,
        ),
    ];
    for (id, query) in requests {
        let request = request(&base, query).bearer_auth(token.trim()).header("x-request-id", id);
        let answer = Reply::of(request).await.json();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    }
    running.signal("TERM");
    let log = running.finish().stderr;
    let lines = log.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let refusals: Vec<Json> = lines.filter(|line| line["message"] == "refused for lack of a role").collect();
    let named: Vec<&Json> = refusals.iter().map(|line| &line["span"]["request_id"]).collect();
    assert_eq!(named, requests.map(|(id, _)| id), "{log}");
}

#[tokio::test]
async fn two_servers_share_one_database() {
    let place = Place::new();
    let (first, second) = (place.serve(&[]), place.serve(&[]));
    let create = r#"mutation { createBranch(input: { code: "NBO", name: "Nairobi", currency: "KES",
        timeZone: "Africa/Nairobi" }) { userErrors { message } } }"#;
    assert_eq!(ask(&first.1, create).await["data"]["createBranch"]["userErrors"], json!([]));
    let read = ask(&second.1, "{ branches { nodes { code } } }").await;
    assert_eq!(read, json!({"data": {"branches": {"nodes": [{"code": "NBO"}]}}}));
}

#[test]
fn a_port_that_is_taken_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let place = Place::new().set("API_PORT", port);
    let refusal = place.run(&["serve"]).refusal();
    assert!(refusal.contains("API_PORT") && refusal.contains(&port.to_string()), "{refusal}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing was made on the way to failing");
}

#[tokio::test]
async fn the_admin_port_is_opened_where_the_settings_say_and_closed_at_the_end() {
    let place = Place::new().set("ADMIN_PORT", 0);
    let (mut running, base) = place.serve(&[]);
    let line = running.line_with("Admin");
    let metrics = line.split_whitespace().last().unwrap().to_owned();
    assert!(metrics.starts_with("http://127.0.0.1:") && metrics.ends_with("/metrics"), "{line}");
    ask(&base, "{ branches { totalCount } }").await;
    let reply = Reply::of(reqwest::Client::new().get(&metrics)).await;
    assert!(reply.status == 200 && reply.text.contains("graphql_root_field=\"branches\""), "{}", reply.text);
    stop(running, "TERM");
    assert!(reqwest::get(&metrics).await.is_err(), "it is closed");
}

#[test]
fn an_admin_port_that_is_taken_or_public_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refusal = Place::new().set("API_PORT", 0).set("ADMIN_PORT", port).run(&["serve"]).refusal();
    assert!(refusal.contains("ADMIN_PORT") && refusal.contains(&port.to_string()), "{refusal}");
    let refusal = Place::new().set("API_PORT", 8123).set("ADMIN_PORT", 8123).run(&["serve"]).refusal();
    assert!(refusal.contains("ADMIN_PORT is API_PORT"), "{refusal}");
}

#[test]
fn a_second_server_on_the_same_port_leaves_the_first_alone() {
    let place = Place::new();
    let (running, base) = place.serve(&[]);
    let port = base.rsplit(':').next().unwrap();
    let refusal = place.run(&["--api-port", port]).refusal();
    assert!(refusal.contains("API_PORT"), "{refusal}");
    Place::new().set("API_PORT", port).run(&["healthcheck"]).printed();
    stop(running, "TERM");
}

#[test]
fn an_address_of_another_machine_is_one_line() {
    let refusal = Place::new().set("API_HOST", "192.0.2.1").run(&[]).refusal();
    assert!(refusal.contains("API_HOST"), "{refusal}");
}

#[test]
fn a_sqlite_path_that_cannot_be_written_is_one_line() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("folder")).unwrap();
    std::fs::write(place.path().join("text.db"), "this is no database, and it is long enough to look at".repeat(20))
        .unwrap();
    for url in [
        "sqlite:///no/such/folder/loans.db?mode=rwc",
        "sqlite://folder?mode=rwc",
        "sqlite://text.db?mode=rwc",
        "sqlite://missing.db",
        "sqlite:///dev/full",
    ] {
        let place = Place::new().set(
            "DATABASE_URL",
            url.replace("sqlite://folder", &format!("sqlite://{}", place.path().join("folder").display()))
                .replace("sqlite://text.db", &format!("sqlite://{}", place.path().join("text.db").display())),
        );
        let refusal = place.set("API_PORT", 0).run(&["serve"]).refusal();
        assert!(refusal.contains("DATABASE_URL"), "{url}: {refusal}");
    }
}

/// As whoever owns nothing; root may write everywhere.
#[test]
fn a_sqlite_file_that_may_only_be_read_is_one_line() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let place = Place::new();
    let file = place.path().join("loans.db");
    place.run(&["migrate", "--database-url", &format!("sqlite://{}?mode=rwc", file.display())]).printed();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_branch-loan-api"));
    command
        .env_clear()
        .env("DATABASE_URL", format!("sqlite://{}", file.display()))
        .env("API_PORT", "0")
        .current_dir("/");
    if std::fs::write(place.path().join("root was here"), "").is_ok() {
        command.uid(65534).gid(65534);
    }
    let Ok(output) = command.output() else {
        println!("SKIPPED: the binary cannot be run as another user here");
        return;
    };
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && stderr.lines().count() == 1 && stderr.contains("DATABASE_URL"), "{stderr}");
}

#[test]
fn an_address_of_a_database_that_is_none_is_one_line() {
    for url in [
        "mysql://loans:hunter2@db/loans",
        "loans.db",
        "postgres://loans:hunter2@db:port/loans",
        "postgres://[loans:hunter2",
        "postgres://loans:hunter2@/%zz",
        "sqlite://loans.db?mode=sideways",
    ] {
        let refusal = Place::new().set("DATABASE_URL", url).set("API_PORT", 0).run(&[]).refusal();
        assert!(refusal.contains("DATABASE_URL") && !refusal.contains("hunter2"), "{url}: {refusal}");
    }
}

#[test]
fn unusable_keys_and_certificates_are_one_line() {
    // Others may listen at the port that is the default.
    let broken = production().set("API_PORT", 0);
    std::fs::write(broken.path().join("jwks.json"), "{}").unwrap();
    let refusal = broken.run(&["serve"]).refusal();
    assert!(refusal.contains("AUTH_JWKS_FILE"), "{refusal}");
    let place = Place::new().set("TLS_CERT_FILE", "cert.pem").set("TLS_KEY_FILE", "key.pem").set("API_PORT", 0);
    let refusal = place.run(&[]).refusal();
    assert!(refusal.contains("TLS_CERT_FILE"), "{refusal}");
}

/// The same application, whichever door it is built through.
#[tokio::test]
async fn the_binary_and_the_tests_run_the_same_server() {
    let (_running, base) = Place::new().serve(&[]);
    let server = Setup::development().start().await;
    let query = "{ __schema { types { name } } viewer { subject roles permissions } }";
    assert_eq!(ask(&base, query).await, server.ask(query).await.json());
}
