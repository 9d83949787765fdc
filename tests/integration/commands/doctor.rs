//! `doctor`: what it says of a server that can run and of each thing that keeps one from running, that it makes and changes
//! nothing, and that no secret is in what it says.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use chrono::{TimeDelta, Utc};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value as Json, json};

use super::production;
use crate::support::engines::{Engine, Schema, postgres_binaries};
use crate::support::postgres::Cluster;
use crate::support::process::{Outcome, Place};
use crate::support::server::PII_KEY;

const OTHER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What was found, and whether the exit code says the same.
pub struct Findings(Vec<Json>);

impl Findings {
    #[track_caller]
    fn of(outcome: &Outcome) -> Self {
        let mut lines: Vec<Json> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = lines.pop().unwrap_or_else(|| panic!("{outcome:?}"));
        let failed = lines.iter().filter(|line| line["status"] == "failed").count();
        assert_eq!(summary["failed"], failed, "{outcome:?}");
        assert_eq!(outcome.status.code(), Some(i32::from(failed > 0)), "{outcome:?}");
        for line in &lines {
            let needs_remedy = line["status"] == "warning";
            assert!(!needs_remedy || line["remedy"].is_string(), "{line}");
        }
        Self(lines)
    }

    #[track_caller]
    pub fn from(place: &Place) -> Self {
        Self::of(&place.run(&["doctor", "--json"]))
    }

    /// The status, the finding and the remedy of a check.
    #[track_caller]
    pub fn told(&self, check: &str, status: &str) -> String {
        let found = self.0.iter().find(|line| line["check"] == check && line["status"] == status);
        let line = found.unwrap_or_else(|| panic!("no {check} that is {status}: {:#?}", self.0));
        format!("{}: {}", line["finding"].as_str().unwrap(), line["remedy"].as_str().unwrap_or_default())
    }

    fn failed(&self) -> Vec<&str> {
        let failed = self.0.iter().filter(|line| line["status"] == "failed");
        failed.map(|line| line["check"].as_str().unwrap()).collect()
    }
}

#[test]
fn a_sound_server_passes_and_no_secret_is_told() {
    let place = production();
    place.run(&["migrate"]).printed();
    let outcome = place.run(&["doctor", "--settings"]);
    let printed = outcome.printed();
    for line in ["PII_KEY=***", "ok       database ", "ok       migrations ", "ok       issuer-keys ", "0 failed"] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    let outcome = place.run(&["doctor", "--json"]);
    let findings = Findings::of(&outcome);
    assert_eq!(findings.failed(), Vec::<&str>::new());
    for check in [
        "settings",
        "database",
        "database.integrity",
        "database.journal",
        "migrations",
        "personal-data",
        "audit-trail",
        "days",
    ] {
        findings.told(check, "ok");
    }
    assert!(findings.told("issuer-keys", "ok").starts_with("1 usable"));
    let summary: Json = serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(summary["settings"]["PII_KEY"], "***");
    assert!(!printed.contains(PII_KEY) && !outcome.stdout.contains(PII_KEY));
}

#[test]
fn nothing_is_made_where_there_is_nothing() {
    let place = production();
    let before = std::fs::read_dir(place.path()).unwrap().count();
    let findings = Findings::from(&place);
    assert_eq!(findings.failed(), ["database"]);
    assert!(findings.told("database", "failed").contains("`branch-loan-api migrate`"));
    findings.told("migrations, books", "skipped");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), before);
    let refusal = place.run(&["doctor"]).refusal();
    assert!(refusal.starts_with("1 check failed"), "{refusal}");
}

#[test]
fn settings_that_cannot_be_read_are_a_finding() {
    let place = Place::new().set("PII_KEY", "hunter2");
    let findings = Findings::from(&place);
    assert!(findings.told("settings", "failed").contains("PII_KEY"));
    assert!(!place.run(&["doctor"]).stdout.contains("hunter2"));
    let place = Place::new();
    std::fs::write(place.path().join(".env"), "API_PROT=8001\n").unwrap();
    assert!(Findings::from(&place).told("settings", "failed").contains("did you mean API_PORT?"));
    let place = production().set("DATABASE_UR", "x");
    assert!(Findings::from(&place).told("settings", "warning").contains("DATABASE_URL"));
    assert_eq!(Place::new().run(&["doctor", "--no-such-flag"]).status.code(), Some(2));
}

both_engines!(what_the_books_need_is_told,);

async fn what_the_books_need_is_told(engine: Engine) {
    let at = |key: &str| super::drill::place(&engine.url).set("PII_KEY", key).set("MIGRATE_ON_START", "off");
    at(PII_KEY).run(&["demo"]).printed();
    let findings = Findings::from(&at(PII_KEY));
    assert!(findings.told("personal-data", "ok").contains("4 values"));
    assert!(findings.told("days", "warning").contains("close-day"));
    let findings = Findings::from(&at(OTHER_KEY));
    assert!(findings.told("personal-data", "failed").contains("PII_KEYS_OLD"));

    let raw = engine.raw().await;
    let sql = |sql: &'static str| {
        let raw = &raw;
        async move { sea_orm::ConnectionTrait::execute_unprepared(raw, sql).await.unwrap() }
    };
    sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_of_tomorrow', 0)").await;
    assert!(Findings::from(&at(PII_KEY)).told("migrations", "warning").contains("m29990101_000001_of_tomorrow"));
    sql("DELETE FROM seaql_migrations WHERE version > 'm20261128'").await;
    let findings = Findings::from(&at(PII_KEY));
    assert!(findings.told("migrations", "failed").contains("`branch-loan-api migrate`"));
    findings.told("books", "skipped");
}

#[tokio::test]
async fn a_damaged_file_is_told() {
    let place = production();
    place.run(&["migrate"]).printed();
    super::backup::damage(&place.path().join("loans.db")).await;
    assert!(Findings::from(&place).told("database.integrity", "failed").contains("restore a backup"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_postgres_passes_and_a_careless_one_does_not() {
    let Some(binaries) = postgres_binaries() else { return };
    let cluster = Cluster::start_with(binaries, "").await.unwrap();
    cluster.create_database("loans").await.unwrap();
    let at = |url: &str| super::drill::place(url);
    at(&cluster.url("loans")).run(&["migrate"]).printed();
    let findings = Findings::from(&at(&cluster.url("loans")));
    assert_eq!(findings.failed(), Vec::<&str>::new());
    for check in ["database.name", "database.tcp", "database.login", "database.version", "database.durability", "clock"]
    {
        findings.told(check, "ok");
    }
    let careless = Engine::postgres(Schema::Migrated).await.unwrap();
    let findings = Findings::from(&at(&careless.url));
    assert_eq!(findings.failed(), ["database.durability"]);
    assert!(findings.told("database.durability", "failed").contains("fsync, full_page_writes, synchronous_commit"));

    let name = Findings::from(&at(&cluster.url("no_such_database")));
    assert!(name.told("database.login", "failed").contains("create the database"));
    let user = Findings::from(&at(&cluster.url("loans").replace("//lender@", "//nobody:Xk29-strange@")));
    let told = user.told("database.login", "failed");
    assert!(told.contains("user and password") && !told.contains("Xk29"), "{told}");
    let tls = Findings::from(&at(&format!("{}?sslmode=require", cluster.url("loans"))));
    assert!(tls.told("database.tls", "failed").contains("sslmode"));
}

#[test]
fn a_database_that_is_not_there_is_told_by_the_step_that_fails() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let at = |url: String| Findings::from(&Place::new().set("DATABASE_URL", url));
    let findings = at(format!("postgres://u:p@127.0.0.1:{port}/loans"));
    assert_eq!(findings.failed(), ["database.tcp"]);
    assert!(findings.told("database.tcp", "failed").contains("listen_addresses"));
    assert_eq!(at("postgres://u:p@nowhere.invalid/loans".to_owned()).failed(), ["database.name"]);
    assert_eq!(at("postgres:///loans?host=/no/such/folder&user=u".to_owned()).failed(), ["database.socket"]);
    assert!(at("sqlite::memory:".to_owned()).told("database", "warning").contains("DATABASE_URL"));
}

/// Answers every request with these keys, and a clock that is so much ahead.
fn issuer(keys: Json, ahead: TimeDelta) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let (date, body) = ((Utc::now() + ahead).format("%a, %d %b %Y %H:%M:%S GMT"), keys.to_string());
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    url
}

#[test]
fn the_issuers_keys_and_clock_are_looked_at() {
    let place = production();
    place.run(&["migrate"]).printed();
    let keys: Json = serde_json::from_slice(&std::fs::read(place.path().join("jwks.json")).unwrap()).unwrap();
    let at = |url: String| {
        let database = format!("sqlite://{}", place.path().join("loans.db").display());
        let place = production().set("AUTH_JWKS_FILE", "").set("AUTH_JWKS_URL", url).set("DATABASE_URL", database);
        Findings::from(&place)
    };
    let good = at(issuer(keys.clone(), TimeDelta::zero()));
    assert!(good.told("issuer-keys", "ok").starts_with("1 usable"));
    good.told("clock", "ok");
    assert!(at(issuer(keys.clone(), TimeDelta::seconds(30))).told("clock", "warning").contains("time server"));
    assert!(at(issuer(keys, TimeDelta::seconds(-300))).told("clock", "failed").contains("ahead of the issuer"));
    let none = at(issuer(json!({"keys": []}), TimeDelta::zero()));
    assert!(none.told("issuer-keys", "failed").contains("no usable key"));
    std::fs::write(place.path().join("jwks.json"), "{}").unwrap();
    assert!(Findings::from(&place).told("issuer-keys", "failed").contains("AUTH_JWKS_FILE"));
}

fn leaf(days: i64) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["branch.local".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let moment = |days: i64| {
        let day = (Utc::now() + TimeDelta::days(days)).date_naive();
        use chrono::Datelike;
        rcgen::date_time_ymd(day.year(), u8::try_from(day.month()).unwrap(), u8::try_from(day.day()).unwrap())
    };
    (params.not_before, params.not_after) = (moment(days.min(0) - 90), moment(days));
    params
}

/// What is found with this certificate file, and a key file of this mode.
fn shown(certificate: &str, key: &str, mode: u32) -> Findings {
    let place = production();
    place.run(&["migrate"]).printed();
    let (certificate_file, key_file) = (place.path().join("cert.pem"), place.path().join("key.pem"));
    std::fs::write(&certificate_file, certificate).unwrap();
    std::fs::write(&key_file, key).unwrap();
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(mode)).unwrap();
    let place = place.set("TLS_CERT_FILE", certificate_file.display()).set("TLS_KEY_FILE", key_file.display());
    Findings::from(&place)
}

#[test]
fn a_certificate_is_looked_at_from_every_side() {
    let key = KeyPair::generate().unwrap();
    let signed = |params: CertificateParams| params.self_signed(&key).unwrap().pem();
    let pem = key.serialize_pem();
    let good = shown(&signed(leaf(90)), &pem, 0o600);
    assert_eq!(good.failed(), Vec::<&str>::new());
    assert!(good.told("certificate.names", "ok").contains("branch.local, 127.0.0.1"));
    good.told("certificate.dates", "ok");
    good.told("certificate.key", "ok");
    good.told("certificate.secrecy", "ok");
    assert!(shown(&signed(leaf(20)), &pem, 0o600).told("certificate.dates", "warning").contains("expires on"));
    let expired = shown(&signed(leaf(-2)), &pem, 0o640);
    assert!(expired.told("certificate.dates", "failed").contains("expired on"));
    assert!(expired.told("certificate.secrecy", "warning").contains("mode 640"));
    assert!(shown(&signed(leaf(90)), &pem, 0o604).told("certificate.secrecy", "failed").contains("chmod 600"));
    let other = KeyPair::generate().unwrap().serialize_pem();
    assert!(shown(&signed(leaf(90)), &other, 0o600).told("certificate.key", "failed").contains("does not match"));
    let nameless = signed(CertificateParams::new(Vec::<String>::new()).unwrap());
    shown(&nameless, &pem, 0o600).told("certificate.names", "failed");
    for broken in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        shown(broken, &pem, 0o600).told("certificate", "failed");
    }
}

#[test]
fn a_chain_must_follow_from_its_first_certificate() {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (own, other) = (authority("own"), authority("other"));
    let key = KeyPair::generate().unwrap();
    let server = leaf(90).signed_by(&key, &own).unwrap().pem();
    let with = |issuer: &CertifiedIssuer<'_, KeyPair>| {
        shown(&format!("{server}{}", issuer.pem()), &key.serialize_pem(), 0o600)
    };
    assert!(with(&own).told("certificate.chain", "ok").starts_with("2 certificates"));
    assert!(with(&other).told("certificate.chain", "failed").contains("do not follow"));
}
