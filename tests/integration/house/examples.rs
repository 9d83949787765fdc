//! The Compose files, with their examples of settings filled in, give the server settings that it starts with: in an example
//! as it is nothing is out of date but what each operator must choose.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use branch_loan_api::config::{AuthConfig, Config, Sources};

use super::sources;

/// What an example leaves empty, because nobody else can know it.
const CHOSEN: [(&str, &str); 4] = [
    ("IMAGE", "ghcr.io/owner/branch-loan-api@sha256:0"),
    ("AUTH_ISSUER", "https://id.example"),
    ("AUTH_AUDIENCE", "loans"),
    ("AUTH_JWKS_URL", "https://id.example/jwks"),
];

/// The example as it is; and with all that is commented out, of which the two ways to the issuer's keys exclude each other.
const VARIANTS: [(bool, &[&str]); 3] =
    [(false, &[]), (true, &["AUTH_JWKS_FILE"]), (true, &["AUTH_JWKS_URL", "AUTH_JWKS_CA_FILE"])];

fn read(name: &str) -> String {
    fs::read_to_string(sources::root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The example's lines; with `all` those too that are commented out.
fn example(environment: &str, all: bool) -> BTreeMap<String, String> {
    let text = read(&format!(".env.{environment}.example"));
    let shown = |line: &str| all && line.starts_with('#') && line.chars().nth(1).is_some_and(char::is_uppercase);
    let lines = text.lines().filter_map(|line| if shown(line) { line.strip_prefix('#') } else { Some(line) });
    let lines = lines.filter(|line| !line.starts_with('#'));
    let mut found: BTreeMap<String, String> =
        lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect();
    for (name, value) in CHOSEN {
        if found.get(name).is_some_and(String::is_empty) {
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    found
}

/// `text` with its variables replaced as Compose does.
fn filled_in(text: &str, values: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (inside, after) = rest.split_once('}').unwrap();
    let end = inside.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(inside.len());
    let (name, how) = inside.split_at(end);
    let value = values.get(name).map(String::as_str).unwrap_or_default();
    let value = match how.get(..2) {
        Some(":-") if value.is_empty() => &how[2..],
        Some(":+") if !value.is_empty() => &how[2..],
        Some(":+") => "",
        Some(":?") => {
            assert!(!value.is_empty(), "the example does not give {name}");
            value
        }
        _ => value,
    };
    format!("{before}{value}{}", filled_in(after, values))
}

/// The environment of the API's container, whose mounted files are in `folder`.
fn container(environment: &str, values: &BTreeMap<String, String>, folder: &Path) -> BTreeMap<String, String> {
    let text = read(&format!("compose.{environment}.yml"));
    let (_, block) = text.split_once("x-api: &api\n").unwrap();
    let (_, block) = block.split_once("  environment:\n").unwrap();
    let lines = block.lines().take_while(|line| line.starts_with("    "));
    let lines = lines.filter(|line| !line.trim_start().starts_with('#'));
    let pairs = lines.map(|line| line.trim().split_once(':').unwrap());
    pairs
        .map(|(name, value)| {
            let value = filled_in(value.trim().trim_matches('"'), values);
            (name.to_owned(), value.replace("/run/", &format!("{}/", folder.display())))
        })
        .collect()
}

fn secrets(folder: &Path) {
    let secrets = folder.join("secrets");
    fs::create_dir_all(&secrets).unwrap();
    for (name, host) in [("database_url", "db"), ("database_read_url", "replica")] {
        let url = format!("postgres://branch_loan:Xk29-long-and-strange@{host}:5432/branch_loan\n");
        fs::write(secrets.join(name), url).unwrap();
    }
    fs::write(secrets.join("pii_key"), "zM3vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80=\n").unwrap();
}

#[test]
fn every_example_of_settings_starts_a_server() {
    let folder = tempfile::tempdir().unwrap();
    secrets(folder.path());
    for (environment, named) in [("dev", "development"), ("staging", "staging"), ("prod", "production")] {
        for (all, without) in VARIANTS {
            let mut values = example(environment, all);
            assert!(values.len() > 5, "{environment}: {values:?}");
            values.retain(|name, _| !without.contains(&name.as_str()));
            let container = container(environment, &values, folder.path());
            assert!(container.len() > 4, "{environment}: {container:?}");
            let config = Config::load(&Sources::of(container)).unwrap_or_else(|error| panic!("{environment}: {error}"));
            assert_eq!(config.environment.to_string(), named);
            assert_eq!(matches!(config.auth, AuthConfig::Jwt(_)), environment != "dev");
            assert_eq!(config.database.replica.is_some(), all && environment != "dev", "{environment}");
            assert_eq!(config.admin.port.is_some(), all && environment != "dev", "{environment}");
        }
    }
}

#[test]
fn compose_says_which_setting_is_missing() {
    let missing = std::panic::catch_unwind(|| filled_in("a ${AUTH_ISSUER:?set it}", &BTreeMap::new()));
    assert!(missing.is_err());
    let values = BTreeMap::from([("SET".to_owned(), "x".to_owned())]);
    let text = "${SET}-${SET:-y}-${UNSET:-y}-${SET:+z}-${UNSET:+z}-${UNSET:-}";
    assert_eq!(filled_in(text, &values), "x-x-y-z--");
}
