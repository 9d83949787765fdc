//! Keys from the issuer's own address: how they come, change, and stay when the issuer does not answer.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use http::Uri;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::super::jwt::JwtAuthenticator;
use super::super::keys::{Client, IssuerKeys, Keys, Pace};
use super::publisher::{Answer, Publisher, set};
use super::*;
use crate::config::{JwksSource, JwtAuth, LogFormat};
use crate::telemetry::log::collected::Collected;

/// Longest wait for what must happen anyway; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test: what has this pace does not happen by itself.
const NEVER: Duration = Duration::from_secs(3600);

async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(PATIENCE, what).await.expect("it never happened")
}

/// Nothing happens by itself, and whoever waits waits to the end.
fn on_demand() -> Pace {
    Pace {
        usual: NEVER,
        least: NEVER,
        most: NEVER,
        first_retry: NEVER,
        last_retry: NEVER,
        wait: NEVER,
        ..Pace::default()
    }
}

/// Asks on and on.
fn restless() -> Pace {
    let moment = Duration::from_millis(1);
    Pace { least: moment, first_retry: moment, last_retry: moment, ..on_demand() }
}

fn config(url: &str) -> JwtAuth {
    JwtAuth {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks: JwksSource::Url { url: url.parse().unwrap(), ca_file: None },
        roles_claim: "roles".to_owned(),
        branches_claim: "branches".to_owned(),
    }
}

/// A server's authentication with the task that follows its issuer.
struct Server {
    authenticator: Arc<JwtAuthenticator>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    fn start(url: &str, pace: Pace) -> Self {
        Self::with(url, Client::new(&url.parse().unwrap(), None).unwrap(), pace)
    }

    fn with(url: &str, client: Client, pace: Pace) -> Self {
        let keys = Keys::Issuer(Box::new(IssuerKeys::with(client, pace)));
        let authenticator = Arc::new(JwtAuthenticator::with(keys, &config(url)));
        let followed = authenticator.clone();
        let task = tokio::spawn(async move { followed.follow_issuer().await });
        Self { authenticator, _task: AbortOnDropHandle::new(task) }
    }

    async fn ready(self) -> Self {
        soon(async {
            while !self.authenticator.has_keys(now()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        self
    }

    /// What becomes of a good token by this signer, `after` so long.
    async fn ask_after(&self, signer: &Signer, after: TimeDelta) -> Result<String, AuthError> {
        let header = bearer(&signer.sign(&good_claims()));
        self.show(&header, after).await
    }

    async fn show(&self, header: &str, after: TimeDelta) -> Result<String, AuthError> {
        soon(self.authenticator.authenticate(Some(header), now() + after)).await.map(|actor| actor.subject)
    }

    async fn ask(&self, signer: &Signer) -> Result<String, AuthError> {
        self.ask_after(signer, TimeDelta::zero()).await
    }

    /// The same for somebody who need not wait.
    fn ask_at_once(&self, signer: &Signer, after: TimeDelta) -> Result<String, AuthError> {
        let header = bearer(&signer.sign(&good_claims()));
        at_once(self.authenticator.authenticate(Some(&header), now() + after)).map(|actor| actor.subject)
    }

    async fn until(&self, signer: &Signer, outcome: Result<&str, AuthError>) {
        let outcome = outcome.map(str::to_owned);
        soon(async {
            while self.ask(signer).await != outcome {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn signers() -> [Signer; 3] {
    ["first", "second", "third"].map(|kid| Signer::new(kid, Algorithm::ES256))
}

const SUBJECT: Result<&str, AuthError> = Ok("usr_42");
const FLOOR: TimeDelta = TimeDelta::seconds(10);

fn good() -> Result<String, AuthError> {
    SUBJECT.map(str::to_owned)
}

#[tokio::test]
async fn a_server_that_was_there_first_waits_for_its_issuer() {
    let [first, ..] = signers();
    let publisher = Publisher::start(Answer::HangUp).await;
    let server = Server::start(&publisher.url(), restless());
    soon(publisher.asked_at_least(3)).await;
    assert_eq!(server.ask(&first).await, Err(AuthError::NoKeys));
    // What is wrong whatever the keys is refused as ever.
    assert_eq!(at_once(server.authenticator.authenticate(None, now())), Err(AuthError::Missing));
    let unsigned = "Bearer eyJhbGciOiJub25lIn0.e30.";
    assert_eq!(at_once(server.authenticator.authenticate(Some(unsigned), now())), Err(AuthError::Malformed));
    publisher.answer(Answer::keys(&[&first]));
    let server = server.ready().await;
    assert_eq!(server.ask(&first).await, good());
}

#[tokio::test]
async fn nobody_listens_at_the_address() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::start(&format!("http://{closed}/keys"), on_demand());
    assert_eq!(server.ask(&signers()[0]).await, Err(AuthError::NoKeys));
}

#[tokio::test]
async fn a_new_key_is_found_by_one_look_for_all_who_wait() {
    let [first, second, _] = signers();
    let publisher = Publisher::start(Answer::keys(&[&first])).await;
    let server = Server::start(&publisher.url(), on_demand()).ready().await;
    assert_eq!(publisher.asked(), 1);
    publisher.answer(Answer::keys(&[&second, &first]));
    let outcomes = join_all((0..50).map(|_| server.ask(&second))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == good()), "{outcomes:?}");
    assert_eq!(publisher.asked(), 2);
    assert_eq!(server.ask_at_once(&first, TimeDelta::zero()), good());
}

/// Who comes while the server is starting waits for the first answer, and leaves the next key to be found at once.
#[tokio::test]
async fn the_first_requests_wait_for_the_first_answer_and_spend_nothing() {
    let [first, second, _] = signers();
    let publisher = Publisher::start(Answer::keys(&[&first])).await;
    let server = Server::start(&publisher.url(), on_demand());
    let outcomes = join_all((0..20).map(|_| server.ask(&first))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == good()), "{outcomes:?}");
    assert_eq!(publisher.asked(), 1);
    publisher.answer(Answer::keys(&[&first, &second]));
    assert_eq!((server.ask(&second).await, publisher.asked()), (good(), 2));
}

/// The answer under way was made before the key was there.
#[tokio::test]
async fn a_look_that_has_begun_is_not_enough_for_who_comes_later() {
    let [first, second, _] = signers();
    let gate = Arc::new(Notify::new());
    let Answer::Bytes(before) = Answer::keys(&[&first]) else { panic!("not bytes") };
    let publisher = Publisher::start(Answer::Held(gate.clone(), before)).await;
    let server = Server::start(&publisher.url(), on_demand());
    soon(publisher.asked_at_least(1)).await;
    publisher.answer(Answer::keys(&[&first, &second]));
    let (outcome, ()) = join(server.ask(&second), async { gate.notify_one() }).await;
    assert_eq!((outcome, publisher.asked()), (good(), 2));
}

#[tokio::test]
async fn unknown_keys_make_the_server_ask_only_so_often() {
    let [first, second, third] = signers();
    let publisher = Publisher::start(Answer::keys(&[&first])).await;
    let server = Server::start(&publisher.url(), on_demand()).ready().await;
    let stranger = |number: usize| {
        let mut header = first.header();
        header.kid = Some(format!("kid-{number}"));
        bearer(&first.sign_with(&header, &good_claims()))
    };
    let strangers: Vec<String> = (0..100).map(stranger).collect();
    let outcomes = join_all(strangers.iter().map(|stranger| server.show(stranger, TimeDelta::zero()))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Err(AuthError::UnknownKey)));
    assert_eq!(publisher.asked(), 2);

    publisher.answer(Answer::keys(&[&first, &second]));
    let almost = FLOOR - TimeDelta::milliseconds(1);
    for stranger in &strangers {
        let recognition = server.authenticator.authenticate(Some(stranger), now() + almost);
        assert_eq!(at_once(recognition), Err(AuthError::UnknownKey));
    }
    assert_eq!((server.ask_at_once(&second, almost), publisher.asked()), (Err(AuthError::UnknownKey), 2));
    assert_eq!((server.ask_after(&second, FLOOR).await, publisher.asked()), (good(), 3));

    // A clock that was set back does not stop the looking.
    publisher.answer(Answer::keys(&[&third]));
    assert_eq!((server.ask_after(&third, TimeDelta::zero()).await, publisher.asked()), (good(), 4));
    // What the issuer has withdrawn is refused, and no reason to wait so soon.
    assert_eq!(server.ask_at_once(&first, TimeDelta::zero()), Err(AuthError::UnknownKey));
}

#[tokio::test]
async fn tokens_that_no_key_could_help_ask_nobody() {
    let [first, ..] = signers();
    let publisher = Publisher::start(Answer::keys(&[&first])).await;
    let server = Server::start(&publisher.url(), on_demand()).ready().await;
    let mut without_kid = first.header();
    without_kid.kid = None;
    let impostor = Signer::new("first", Algorithm::ES256);
    for (token, cause) in [
        (first.sign_with(&without_kid, &good_claims()), AuthError::UnknownKey),
        (impostor.sign(&good_claims()), AuthError::BadSignature),
        (first.sign(&claims(json!({"exp": 0}))), AuthError::Expired),
        ("x".to_owned(), AuthError::Malformed),
    ] {
        assert_eq!(at_once(server.authenticator.authenticate(Some(&bearer(&token)), now())), Err(cause));
    }
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn keys_are_fetched_again_before_they_run_out() {
    let [first, second, _] = signers();
    let fleeting = |signer: &Signer| Answer::text(&set(&[signer]), "Cache-Control: public, max-age=0\r\n");
    let publisher = Publisher::start(fleeting(&first)).await;
    // An answer that said nothing would be kept for ever here.
    let server = Server::start(&publisher.url(), Pace { wait: Duration::ZERO, ..restless() }).ready().await;
    soon(publisher.asked_at_least(5)).await;
    publisher.answer(fleeting(&second));
    server.until(&first, Err(AuthError::UnknownKey)).await;
    assert_eq!(server.ask_at_once(&second, TimeDelta::zero()), good());
}

#[test]
fn the_issuer_is_asked_at_a_sane_pace() {
    let pace = Pace::default();
    let after = |told: Option<u64>| pace.after_answer(told.map(Duration::from_secs)).as_secs();
    let told = [None, Some(0), Some(59), Some(300), Some(86_400), Some(31_536_000), Some(u64::MAX)];
    assert_eq!(told.map(after), [480, 48, 48, 240, 69_120, 69_120, 69_120]);
    let retries = [1, 2, 3, 4, 5, 6, 7, 100, u32::MAX].map(|failures| pace.after_failure(failures).as_secs());
    assert_eq!(retries, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
    assert_eq!(pace.floor, FLOOR);
}

/// Everything an issuer can answer that is not a key set: the last good keys stay, and nobody falls for it.
#[tokio::test]
async fn an_issuer_that_does_not_answer_as_it_should_changes_nothing() {
    let [first, second, _] = signers();
    let publisher = Publisher::start(Answer::keys(&[&first])).await;
    let client = || Client::new(&publisher.url().parse().unwrap(), None).unwrap();
    let server =
        Server::with(&publisher.url(), client().with_patience(Duration::from_secs(3)), on_demand()).ready().await;
    let (keys, padding) = (set(&[&second]), " ".repeat(512 * 1024));
    let with_status = |status: &str, head: &str| {
        Answer::Bytes(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{head}\r\n{keys}", keys.len()).into_bytes())
    };
    let mut time = TimeDelta::zero();
    for (what, answer) in [
        ("hung up", Answer::HangUp),
        ("silent", Answer::Silence),
        ("broken off", Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec())),
        ("not found", with_status("404 Not Found", "")),
        ("broken", with_status("500 Internal Server Error", "")),
        ("elsewhere", with_status("302 Found", "Location: /keys\r\n")),
        ("nothing new", with_status("304 Not Modified", "")),
        ("no HTTP", Answer::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec())),
        ("endless head", Answer::Endless(b"X".repeat(4096))),
        ("too large, untold", {
            let head = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();
            Answer::Bytes([head, keys.as_bytes(), padding.as_bytes()].concat())
        }),
        ("too large", Answer::text(&(keys.clone() + &padding), "")),
        ("empty", Answer::text("", "")),
        ("no keys", Answer::text("{\"keys\": []}", "")),
        ("a page", Answer::text("<html>Sign in</html>", "Content-Type: text/html\r\n")),
        ("cut short", Answer::text(&keys[..keys.len() - 2], "")),
        ("one key twice", Answer::keys(&[&second, &second])),
    ] {
        publisher.answer(answer);
        time += FLOOR;
        let asked = publisher.asked();
        assert_eq!(server.ask_after(&second, time).await, Err(AuthError::UnknownKey), "{what}");
        assert_eq!(publisher.asked(), asked + 1, "{what}");
        assert_eq!(server.ask_at_once(&first, time), good(), "{what}");
    }
    // The largest that is taken, and after all that.
    let room = 512 * 1024 - keys.len();
    publisher.answer(Answer::text(&(keys.clone() + &padding[..room]), ""));
    assert_eq!(server.ask_after(&second, time + FLOOR).await, good());
}

#[tokio::test]
async fn requests_do_not_wait_for_ever_for_an_issuer_that_is_silent() {
    let [first, second, _] = signers();
    let publisher = Publisher::start(Answer::keys(&[&first])).await;
    let client = Client::new(&publisher.url().parse().unwrap(), None).unwrap().with_patience(NEVER);
    let pace = Pace { wait: Duration::from_millis(20), ..on_demand() };
    let server = Server::with(&publisher.url(), client, pace).ready().await;
    publisher.answer(Answer::Silence);
    assert_eq!(server.ask(&second).await, Err(AuthError::UnknownKey));
    // Nobody opens a second look while the first has not ended.
    soon(publisher.asked_at_least(2)).await;
    assert_eq!(server.ask_after(&second, FLOOR).await, Err(AuthError::UnknownKey));
    assert_eq!(publisher.asked(), 2);
    assert_eq!(server.ask_at_once(&first, FLOOR), good());
}

#[tokio::test]
async fn over_tls_only_who_is_trusted_is_believed() {
    let [first, ..] = signers();
    let (publisher, certificate) = Publisher::start_tls(Answer::keys(&[&first])).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, certificate).unwrap();
    let url = |host: &str| -> Uri { format!("https://{host}:{}/keys", publisher.address.port()).parse().unwrap() };
    for (host, ca_file, outcome) in [
        ("localhost", None, Err(AuthError::NoKeys)),
        ("127.0.0.1", Some(path.as_path()), Err(AuthError::NoKeys)),
        ("localhost", Some(path.as_path()), good()),
    ] {
        let server = Server::with("http://unused", Client::new(&url(host), ca_file).unwrap(), on_demand());
        assert_eq!(server.ask(&first).await, outcome, "{host} {ca_file:?}");
    }
    for (content, named) in [(None, "cannot be read"), (Some("no certificate"), "holds no certificate")] {
        let path = folder.path().join("other.pem");
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let message = Client::new(&url("localhost"), Some(&path)).err().unwrap().to_string();
        assert!(message.starts_with("AUTH_JWKS_CA_FILE=") && message.contains(named), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
}

#[tokio::test]
async fn an_outage_is_two_lines_in_the_log() {
    let [first, second, _] = signers();
    let (log, _guard) = Collected::begin("info", LogFormat::Pretty);
    let count = |text: &str| log.text().lines().filter(|line| line.contains(text)).count();
    let publisher = Publisher::start(Answer::HangUp).await;
    let server = Server::start(&publisher.url(), restless());
    soon(publisher.asked_at_least(4)).await;
    assert_eq!(count("no token can be checked until it can"), 1);
    let fleeting = |signers: &[&Signer]| Answer::text(&set(signers), "Cache-Control: no-store\r\n");
    publisher.answer(fleeting(&[&first]));
    let server = server.ready().await;
    let asked = publisher.asked();
    soon(publisher.asked_at_least(asked + 3)).await;
    assert_eq!((count("fetched again"), count("keys are there"), count("have changed")), (1, 1, 0));

    publisher.answer(Answer::HangUp);
    let asked = publisher.asked();
    soon(publisher.asked_at_least(asked + 4)).await;
    assert_eq!(count("the last good keys stay in use"), 1);
    publisher.answer(fleeting(&[&second]));
    server.until(&second, SUBJECT).await;
    assert_eq!((count("fetched again"), count("keys are there"), count("have changed")), (2, 1, 1));
    assert_eq!(count("WARN"), 2);
}
