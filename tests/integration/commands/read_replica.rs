//! Two servers on a primary with a streaming replica: queries read there, nobody misses what they wrote themselves, and
//! whatever becomes of the replica, nobody is told of it.

use std::time::Instant;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;

use super::doctor::Findings;
use super::drill;
use crate::support::engines::{Engine, postgres_binaries};
use crate::support::exposition::Metrics;
use crate::support::postgres::Cluster;
use crate::support::process::{Place, Running};
use crate::support::server::{PATIENCE, Reply, soon};

/// A primary that says what it has flushed, as in production, and is careless otherwise.
const SETTINGS: &str = "fsync = off\nfull_page_writes = off\nautovacuum = off\n";

/// Longer than any test takes.
const ANY_LAG: u32 = 3_600_000;

const CODES: &str = "{ branches(first: 100) { nodes { code } } }";

/// A primary with the schema, and its replica.
struct Pair {
    primary: Cluster,
    replica: Cluster,
}

impl Pair {
    async fn start() -> Option<Self> {
        let primary = Cluster::start_with(postgres_binaries()?, SETTINGS).await.unwrap();
        primary.create_database("loans").await.unwrap();
        drill::place(&primary.url("loans")).run(&["migrate"]).printed();
        let replica = Cluster::standby_of(&primary).await.unwrap();
        Some(Self { primary, replica })
    }

    fn place(&self, max_lag: u32) -> Place {
        self.reading_from(&self.replica.url("loans"), max_lag)
    }

    fn reading_from(&self, url: &str, max_lag: u32) -> Place {
        drill::place(&self.primary.url("loans"))
            .set("DATABASE_READ_URL", url)
            .set("DATABASE_READ_MAX_LAG_MS", max_lag)
            .set("ADMIN_PORT", 0)
            .set("LOG_LEVEL", "info")
    }

    /// A connection to the replica, for what a test does to it.
    async fn at_replica(&self) -> Connection {
        Connection(Engine::at(self.replica.url("loans")).raw().await)
    }
}

struct Connection(DatabaseConnection);

impl Connection {
    async fn run(&self, sql: &str) {
        self.0.execute_unprepared(sql).await.unwrap();
    }

    /// Holds back everything from now on, and waits until that is so.
    async fn pause(&self) {
        self.run("SELECT pg_wal_replay_pause()").await;
        let paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'";
        until("the replica pauses", async || {
            let statement = Statement::from_string(self.0.get_database_backend(), paused);
            self.0.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index::<bool>(0).unwrap()
        })
        .await;
    }

    async fn resume(&self) {
        self.run("SELECT pg_wal_replay_resume()").await;
    }
}

/// Asks again until it is so.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(PATIENCE / 2_000).await;
    }
}

struct Server {
    running: Running,
    base: String,
    admin: String,
    http: reqwest::Client,
}

impl Server {
    fn at(place: &Place) -> Self {
        let (mut running, base) = place.serve(&["serve"]);
        let line = running.line_with("Admin:");
        let admin = line.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
        Self { running, base: base.replace("localhost", "127.0.0.1"), admin, http: reqwest::Client::new() }
    }

    /// Sends a document as somebody, who may name what they must see.
    async fn send(&self, document: &str, who: Option<&str>, after: Option<&str>) -> Reply {
        let body = json!({"query": document}).to_string();
        let mut request = self.http.post(format!("{}/graphql", self.base)).header("content-type", "application/json");
        request = request.header("accept", "application/graphql-response+json").body(body);
        if let Some(token) = who {
            request = request.bearer_auth(token);
        }
        if let Some(after) = after {
            request = request.header("x-read-after", after);
        }
        Reply::of(request).await
    }

    /// The codes of the branches, as somebody sees them.
    #[track_caller]
    fn codes(&self, who: Option<&str>, after: Option<&str>) -> impl Future<Output = Vec<String>> {
        let sent = self.send(CODES, who, after);
        async move {
            let reply = sent.await;
            let body = reply.json();
            assert!(reply.status == 200 && body.get("errors").is_none(), "{}", reply.text);
            let nodes = body["data"]["branches"]["nodes"].as_array().unwrap().clone();
            let mut codes: Vec<String> = nodes.iter().map(|node| node["code"].as_str().unwrap().to_owned()).collect();
            codes.sort();
            codes
        }
    }

    /// Makes a branch as the administrator of development; the position that the answer names.
    async fn create(&self, code: &str) -> String {
        let document = format!(
            "mutation {{ createBranch(input: {{ code: \"{code}\", name: \"{code}\", currency: \"KES\", timeZone: \
             \"Africa/Nairobi\" }}) {{ branch {{ code }} userErrors {{ code message }} }} }}"
        );
        let reply = self.send(&document, None, None).await;
        assert_eq!(reply.json()["data"]["createBranch"]["branch"]["code"], code, "{}", reply.text);
        reply.header("x-read-after").to_owned()
    }

    async fn metrics(&self) -> Metrics {
        Metrics::read(&soon(soon(self.http.get(&self.admin).send()).await.unwrap().text()).await.unwrap())
    }

    async fn until_in_use(&self, in_use: bool) {
        let what = if in_use { "the replica is in use" } else { "the replica is not in use" };
        until(what, async || self.metrics().await.sum("branch_loan_replica_in_use", &[]) == i64::from(in_use)).await;
    }

    async fn sent_to(&self, database: &str) -> i64 {
        self.metrics().await.sum("branch_loan_replica_queries_total", &[("database", database)])
    }

    /// Stops it; the lines of its log that tell of the replica.
    fn stop(self) -> Vec<String> {
        self.running.signal("TERM");
        let outcome = self.running.finish();
        assert!(outcome.status.success());
        let told = outcome.stderr.lines().filter(|line| line.contains("queries read from the"));
        told.map(str::to_owned).collect()
    }
}

fn other_caller(place: &Place) -> String {
    place.run(&["token", "--role", "AUDITOR", "--subject", "somebody-else"]).printed().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_read_there_and_nobody_misses_what_they_wrote() {
    let Some(pair) = Pair::start().await else { return };
    let (here, there) = (pair.place(ANY_LAG), pair.place(ANY_LAG));
    let (one, two) = (Server::at(&here), Server::at(&there));
    let other = other_caller(&here);
    let other = Some(other.as_str());
    one.create("OLD").await;
    for server in [&one, &two] {
        server.until_in_use(true).await;
        until("the replica has the branch", async || server.codes(other, None).await == ["OLD"]).await;
    }

    let replica = pair.at_replica().await;
    replica.pause().await;
    let position = one.create("NEW").await;
    for server in [&one, &two] {
        let stale = async || server.codes(other, None).await == ["OLD"];
        until("the replica answers, which has not the new branch", stale).await;
    }
    let before = one.sent_to("replica").await;
    assert!(before > 0);
    assert_eq!(one.codes(None, None).await, ["NEW", "OLD"], "who wrote it sees it, without doing anything for it");
    until("another server does not know who wrote what", async || two.codes(None, None).await == ["OLD"]).await;
    for server in [&one, &two] {
        assert_eq!(server.codes(other, Some(&position)).await, ["NEW", "OLD"], "who names the position sees it");
    }
    assert_eq!(one.sent_to("replica").await, before, "all these were answered by the primary");

    // A mutation decides by what is in the primary, whoever sends it.
    let again = two.send(&document_of_a_second("NEW"), None, None).await;
    assert_eq!(again.json()["data"]["createBranch"]["userErrors"][0]["code"], "ALREADY_TAKEN", "{}", again.text);

    replica.resume().await;
    for server in [&one, &two] {
        until("the replica has it", async || server.codes(other, None).await == ["NEW", "OLD"]).await;
    }
    until("who wrote reads from the replica again", async || {
        let before = one.sent_to("replica").await;
        assert_eq!(one.codes(None, Some(&position)).await, ["NEW", "OLD"]);
        one.sent_to("replica").await > before
    })
    .await;
    for server in [one, two] {
        assert!(server.stop()[0].contains("queries read from the replica"));
    }
    assert!(!pair.replica.log().contains("read-only transaction"), "nothing tried to write there");
}

fn document_of_a_second(code: &str) -> String {
    format!(
        "mutation {{ createBranch(input: {{ code: \"{code}\", name: \"x\", currency: \"KES\", timeZone: \"UTC\" }}) \
         {{ userErrors {{ code }} }} }}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_position_is_refused_and_one_of_the_future_is_read_at_the_primary() {
    let Some(pair) = Pair::start().await else { return };
    let server = Server::at(&pair.place(ANY_LAG));
    server.create("OLD").await;
    server.until_in_use(true).await;
    for garbage in ["", "x", "0/16B3748; DROP TABLE loans", "123456789/0", "0/0, 0/0", "'0/0'"] {
        let reply = server.send(CODES, None, Some(garbage)).await;
        assert_eq!(reply.verdict(), (400, "BAD_REQUEST".to_owned()), "{garbage}: {}", reply.text);
        assert!(reply.text.contains("X-Read-After"), "{}", reply.text);
    }
    let before = server.sent_to("primary").await;
    assert_eq!(server.codes(None, Some("FFFFFFFF/FFFFFFFF")).await, ["OLD"]);
    assert_eq!(server.sent_to("primary").await, before + 1);
    let query = server.send(CODES, None, None).await;
    assert_eq!(query.header("x-read-after"), "", "only what wrote has a position");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_may_go_away_hang_and_come_back_and_nobody_notices() {
    let Some(pair) = Pair::start().await else { return };
    let place = pair.place(ANY_LAG);
    let server = Server::at(&place);
    let other = other_caller(&place);
    let other = Some(other.as_str());
    server.create("OLD").await;
    until("the replica has the branch", async || {
        server.codes(other, None).await == ["OLD"] && server.sent_to("replica").await > 0
    })
    .await;

    pair.replica.kill();
    while server.metrics().await.sum("branch_loan_replica_in_use", &[]) == 1 {
        assert_eq!(server.codes(other, None).await, ["OLD"]);
    }
    server.create("NEW").await;
    assert_eq!(server.codes(other, None).await, ["NEW", "OLD"]);
    pair.replica.run().await.unwrap();
    server.until_in_use(true).await;
    let before = server.sent_to("replica").await;
    until("it answers again", async || server.codes(other, None).await == ["NEW", "OLD"]).await;
    assert!(server.sent_to("replica").await > before);

    // It holds its connections and says nothing: what it was asked is asked of the primary.
    pair.replica.signal("STOP");
    let many = (0..20).map(|_| server.codes(other, None));
    for codes in futures_util::future::join_all(many).await {
        assert_eq!(codes, ["NEW", "OLD"]);
    }
    server.until_in_use(false).await;
    assert!(server.metrics().await.sum("branch_loan_replica_fallbacks_total", &[]) > 0);
    pair.replica.signal("CONT");
    server.until_in_use(true).await;

    let replica = pair.at_replica().await;
    replica.run("SELECT pg_promote()").await;
    server.until_in_use(false).await;
    server.create("LATE").await;
    assert_eq!(server.codes(other, None).await, ["LATE", "NEW", "OLD"]);
    let ready = Reply::of(server.http.get(format!("{}/readyz", server.base))).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let told = server.stop();
    let count = |text: &str| told.iter().filter(|line| line.contains(text)).count();
    // A busy machine may have kept it from answering in time more often.
    assert!(count("does not answer") >= 2 && count("takes writes") == 1, "{told:#?}");
    assert!(count("queries read from the replica") >= 3, "{told:#?}");
    let said: Vec<&str> = told.iter().map(|line| line.split_once("queries read").unwrap().1).collect();
    assert!(said.windows(2).all(|two| two[0] != two[1]), "each change once: {told:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_too_far_behind_is_left_alone_until_it_has_caught_up() {
    let Some(pair) = Pair::start().await else { return };
    let place = pair.place(500);
    let server = Server::at(&place);
    let other = other_caller(&place);
    let other = Some(other.as_str());
    server.until_in_use(true).await;
    let replica = pair.at_replica().await;
    replica.pause().await;
    server.create("NEW").await;
    server.until_in_use(false).await;
    assert_eq!(server.codes(other, None).await, ["NEW"], "the primary answers");
    replica.resume().await;
    until("it answers again", async || {
        let before = server.sent_to("replica").await;
        assert_eq!(server.codes(other, None).await, ["NEW"]);
        server.sent_to("replica").await > before
    })
    .await;
    let told = server.stop();
    assert!(told.iter().any(|line| line.contains("too far behind")), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_replica_of_this_database_with_its_schema_is_read_from_and_the_doctor_says_why() {
    let Some(binaries) = postgres_binaries() else { return };
    let primary = Cluster::start_with(binaries, SETTINGS).await.unwrap();
    primary.create_database("loans").await.unwrap();
    let replica = Cluster::standby_of(&primary).await.unwrap();
    let pair = Pair { primary, replica };
    let nobody = pair.replica.url("loans").replace(&pair.replica.port().to_string(), "1");
    let paused = pair.at_replica().await;
    paused.pause().await;
    drill::place(&pair.primary.url("loans")).run(&["migrate"]).printed();

    let doctor = |url: &str| Findings::from(&pair.reading_from(url, ANY_LAG));
    for (url, status, text) in [
        (pair.primary.url("loans"), "failed", "it takes writes"),
        (pair.replica.url("postgres"), "failed", "not the replica of this database"),
        (nobody, "warning", "does not answer"),
        (pair.replica.url("loans"), "warning", "its schema is older"),
    ] {
        let told = doctor(&url).told("read-replica", status);
        assert!(told.contains(text), "{url}: {told}");
        let server = Server::at(&pair.reading_from(&url, ANY_LAG));
        assert_eq!(server.codes(None, None).await, Vec::<String>::new(), "{url}");
        assert_eq!(server.sent_to("replica").await, 0, "{url}");
        until("it is told why", async || server.metrics().await.sum("branch_loan_replica_in_use", &[]) == 0).await;
        assert_eq!(server.codes(None, None).await, Vec::<String>::new(), "{url}");
        assert_eq!(server.sent_to("replica").await, 0, "{url}");
    }
    let server = Server::at(&pair.place(ANY_LAG));
    paused.resume().await;
    server.until_in_use(true).await;
    doctor(&pair.replica.url("loans")).told("read-replica", "ok");
    let unreadable = pair.reading_from("postgres://u:hunter2@[::1/x", ANY_LAG).run(&["serve"]).refusal();
    assert!(unreadable.starts_with("DATABASE_READ_URL: ") && !unreadable.contains("hunter2"), "{unreadable}");
}

/// Takes connections and sends them to each of the ports in turn.
async fn balancer(ports: [u16; 2]) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for port in ports.into_iter().cycle() {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

/// What one replica has says nothing of the other: a position that one has come to is not read at the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_balancer_one_replica_is_kept_to() {
    let Some(pair) = Pair::start().await else { return };
    let second = Cluster::standby_of(&pair.primary).await.unwrap();
    let port = balancer([pair.replica.port(), second.port()]).await;
    let url = pair.replica.url_through(port, "loans");
    let place = pair.reading_from(&url, ANY_LAG);
    // The first connection looks at the replica, and goes to the first one; the other one stays where it is.
    let behind = Connection(Engine::at(second.url("loans")).raw().await);
    behind.pause().await;
    let server = Server::at(&place);
    server.until_in_use(true).await;
    let position = server.create("NEW").await;
    let other = other_caller(&place);
    let other = Some(other.as_str());
    let sent = async || server.sent_to("replica").await;
    until("the first replica has it", async || {
        let before = sent().await;
        server.codes(other, Some(&position)).await;
        sent().await > before
    })
    .await;
    for _ in 0..10 {
        let many = (0..8).map(|_| server.codes(other, Some(&position)));
        for codes in futures_util::future::join_all(many).await {
            assert_eq!(codes, ["NEW"]);
        }
    }
    assert!(sent().await > 40, "most were sent to the replica");
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'branch-loan-api'";
    let row = behind.0.query_one_raw(Statement::from_string(behind.0.get_database_backend(), count)).await.unwrap();
    assert_eq!(row.unwrap().try_get_by_index::<i64>(0).unwrap(), 0, "nobody stays connected to the other one");
}
