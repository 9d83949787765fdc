//! What is measured: the server, a second build of it, the baseline, or a peer that runs already. Each of the harness's
//! own is a process over a database of its choice; it is killed when dropped.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::arguments::{PageForm, TokenForm};
use crate::client::Connection;
use crate::support::issuer::{AUDIENCE, ISSUER};
use crate::support::server::PII_KEY;
use crate::workload::{Form, Shot};

/// Starting takes a moment; on a machine that is busy with other things it may take many.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Target {
    pub name: String,
    pub form: Form,
    pub address: SocketAddr,
    pub path: String,
    pub token: String,
    pub url: Option<String>,
    /// From the start of a server's process to its answer to `/health`.
    pub first_health: Option<Duration>,
    child: Option<Child>,
}

/// What a server is set to beside what the harness sets; what comes later counts.
pub type Settings = [(String, String)];

/// Who signs the tokens, and where that can be looked up.
pub struct Keys {
    pub jwks: PathBuf,
    pub token: String,
}

impl Target {
    /// Starts a server with everything on: tokens, guards, metrics, audit, logs. Only the rates are raised, because the
    /// harness is one caller at one address, and the queues, because it is no overload that is measured.
    pub fn server(name: &str, program: &Path, url: &str, keys: &Keys, settings: &Settings, folder: &Path) -> Self {
        let mut command = server_command(program, url, folder);
        command
            .env("AUTH_MODE", "jwt")
            .env("AUTH_ISSUER", ISSUER)
            .env("AUTH_AUDIENCE", AUDIENCE)
            .env("AUTH_JWKS_FILE", &keys.jwks)
            .env("API_PORT", "0")
            .env("ADMIN_PORT", "0")
            .envs(["RATE_PER_SECOND", "RATE_BURST"].map(|name| (name, "10000000")))
            .envs(["ADDRESS_RATE_PER_SECOND", "ADDRESS_RATE_BURST"].map(|name| (name, "10000000")))
            .envs(["READS_QUEUED", "WRITES_QUEUED"].map(|name| (name, "64")))
            .env("QUEUE_WAIT_MS", "5000")
            // The harness's own loans are approved and paid out by whoever applied for them.
            .envs(["MAKER_CHECKER", "DISBURSEMENT_MAKER_CHECKER"].map(|name| (name, "false")))
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .arg("serve");
        let mut server = Self::start(name, Form::Graphql, command, url, "/graphql", keys, folder);
        // In development nobody is recognized by another's token, and who has none is an administrator.
        if settings.iter().rfind(|(name, _)| name == "AUTH_MODE").is_some_and(|(_, mode)| mode == "dev") {
            server.token.clear();
        }
        server
    }

    /// Starts the baseline, which is this same program.
    pub fn baseline(url: &str, keys: &Keys, page: PageForm, token: TokenForm, folder: &Path) -> Self {
        use clap::ValueEnum;
        let named = |value: Option<clap::builder::PossibleValue>| value.unwrap().get_name().to_owned();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["baseline", "--url", url, "--jwks"]).arg(&keys.jwks);
        command.args(["--page", &named(page.to_possible_value()), "--token", &named(token.to_possible_value())]);
        Self::start("baseline", Form::Baseline, command, url, "", keys, folder)
    }

    /// `NAME=http://ADDRESS:PORT/path`, which somebody else has started.
    pub fn peer(text: &str, token: String) -> Self {
        let (name, url) = text.split_once("=http://").expect("a peer as NAME=http://ADDRESS:PORT/path");
        let (address, path) = url.split_once('/').unwrap_or((url, "graphql"));
        Self {
            name: name.to_owned(),
            form: Form::Graphql,
            address: address.parse().expect("a peer's address and port"),
            path: format!("/{path}"),
            token,
            url: None,
            first_health: None,
            child: None,
        }
    }

    fn start(name: &str, form: Form, mut command: Command, url: &str, path: &str, keys: &Keys, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let since = Instant::now();
        let mut child = command.spawn().unwrap();
        let deadline = since + PATIENCE;
        let address: SocketAddr = loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            // The whole line, or the port may be cut off.
            let line = text.split_inclusive('\n').find(|line| line.contains("Listening on ") && line.ends_with('\n'));
            let heard = line.and_then(|line| line.split_once("http://")?.1.split(['/', ' ', '\n']).next());
            if let Some(address) = heard {
                break address.replace("localhost", "127.0.0.1").parse().expect("where it listens");
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{name} does not start: {text}");
            std::thread::sleep(Duration::from_millis(2));
        };
        let first_health = matches!(form, Form::Graphql).then(|| {
            assert!(is_healthy(address), "{name} is not well");
            since.elapsed()
        });
        Self {
            name: name.to_owned(),
            form,
            address,
            path: path.to_owned(),
            token: keys.token.clone(),
            url: Some(url.to_owned()),
            first_health,
            child: Some(child),
        }
    }

    pub fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// One request on a connection of its own, and its answer.
    pub async fn ask(&self, shot: &Shot) -> Json {
        let mut connection = Connection::open(self.address).await.unwrap();
        let answer = connection.ask(&shot.bytes).await.unwrap();
        let text = String::from_utf8_lossy(answer.body);
        assert_eq!(answer.status, 200, "{}: {text}", self.name);
        serde_json::from_str(&text).unwrap()
    }
}

fn is_healthy(address: SocketAddr) -> bool {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 200 ")
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A command of the server's binary that sees no other settings than these.
pub fn server_command(program: &Path, url: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("APP_ENV", "staging")
        .env("AUTH_ISSUER", ISSUER)
        .env("AUTH_AUDIENCE", AUDIENCE)
        .env("AUTH_JWKS_FILE", folder.join("jwks.json"))
        .env("PII_KEY", PII_KEY)
        .env("DATABASE_URL", url);
    command
}
