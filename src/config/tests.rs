//! What holds for the settings as a whole: documents equal the parser, every variable arrives, every refusal is one
//! line that names what to change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use secrecy::ExposeSecret;

use super::effective::Effective;
use super::*;

const KEY: &str = "q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80=";
const JWT: [(&str, &str); 3] =
    [("AUTH_ISSUER", "https://id.example"), ("AUTH_AUDIENCE", "loans"), ("AUTH_JWKS_FILE", "/run/keys.json")];

/// The least that production accepts.
fn production<'a>(changes: &[(&'a str, &'a str)]) -> Sources {
    let mut variables: BTreeMap<&str, &str> = JWT.into();
    variables.insert("APP_ENV", "production");
    variables.insert("DATABASE_URL", "postgres://loans:Xk29-long-and-strange@db/loans");
    variables.insert("PII_KEY", KEY);
    variables.extend(changes.iter().copied());
    Sources::of(variables)
}

fn refusal(sources: &Sources) -> String {
    let message = Config::load(sources).expect_err("must be refused").to_string();
    assert_eq!(message.lines().count(), 1, "one line: {message}");
    message
}

fn effective(sources: &Sources) -> BTreeMap<&'static str, String> {
    let mut out = Effective::revealed();
    Config::load(sources).unwrap().describe(&mut out);
    out.into_entries().into_iter().collect()
}

fn documented(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn hold_equal(path: &Path, actual: &str, expected: &str) {
    if actual != expected && std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, expected).unwrap();
        return;
    }
    assert!(actual == expected, "{} is stale: run UPDATE_DOCS=1 cargo test --lib config", path.display());
}

#[test]
fn env_example_is_what_the_parser_defines() {
    let path = documented(".env.example");
    let actual = fs::read_to_string(&path).unwrap_or_default();
    hold_equal(&path, &actual, &docs::env_example());
}

#[test]
fn the_readme_tables_are_what_the_parser_defines() {
    let path = documented("README.md");
    let Ok(actual) = fs::read_to_string(&path) else { return };
    let mut expected = actual.clone();
    for (name, table) in [("settings", docs::markdown_table()), ("environments", docs::environments_table())] {
        let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
        let (before, rest) = expected.split_once(&begin).expect("README.md has the marker that begins the table");
        let (_, after) = rest.split_once(&end).expect("README.md has the marker that ends the table");
        expected = format!("{before}{begin}\n{table}\n{end}{after}");
    }
    hold_equal(&path, &actual, &expected);
}

#[test]
fn environments_differ_as_documented() {
    let (development, production) =
        (effective(&Sources::of::<String, String>([])), effective(&production(&[("APP_ENV", "production")])));
    let mut count = 0;
    for setting in docs::settings() {
        let Some((in_development, otherwise)) = docs::by_environment(&setting) else { continue };
        let name = setting.name.as_str();
        assert_eq!((&development[name], &production[name]), (&in_development, &otherwise), "{name}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn every_line_of_env_example_loads_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    let is_setting =
        |line: &str| line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let lines: Vec<String> = docs::env_example()
        .lines()
        .map(|line| if is_setting(line) { line[1..].to_owned() } else { line.to_owned() })
        .collect();
    assert!(lines.iter().filter(|line| !line.starts_with('#')).count() > 40);
    fs::write(&path, lines.join("\n")).unwrap();
    let nothing = Sources::of::<String, String>([]);
    assert_eq!(effective(&nothing.clone().with_dotenv(&path)), effective(&nothing));
}

#[test]
fn every_setting_is_documented_and_named_alike_everywhere() {
    let mut names = BTreeSet::new();
    for setting in docs::settings() {
        assert!(setting.help.len() > 20 && !setting.group.is_empty(), "{setting:?}");
        assert!(names.insert(setting.name.clone()), "{} is defined twice", setting.name);
    }
    for arg in <SettingsOnly as clap::CommandFactory>::command().get_arguments() {
        let name = sources::variable(arg).expect("every flag is a variable");
        assert_eq!(arg.get_long().unwrap(), name.to_ascii_lowercase().replace('_', "-"));
        assert_eq!(arg.get_id().as_str(), name.to_ascii_lowercase());
    }
}

/// For every documented variable a value that is not its default in the given mode.
fn samples(folder: &Path) -> Vec<(&'static str, String)> {
    let file = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        folder.join(name).display().to_string()
    };
    let mut all = vec![
        ("DATABASE_URL_FILE", file("url", "postgres://loans:Yk30-long-and-strange@db2/loans\n")),
        ("DATABASE_READ_URL_FILE", file("read", "postgres://loans:Yk30-long-and-strange@replica2/loans\n")),
        ("PII_KEY_FILE", file("key", "zM3vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80=\n")),
        ("PII_KEYS_OLD_FILE", file("old", "zM3vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80=\n")),
        ("AUTH_DEV_SECRET_FILE", file("dev", "a development secret that is long enough\r\n")),
    ];
    let fixed = [
        ("APP_ENV", "staging"),
        ("API_HOST", "0.0.0.0"),
        ("SHUTDOWN_DRAIN_MS", "0"),
        ("DATABASE_URL", "sqlite://other.db"),
        ("DATABASE_READ_URL", "postgres://loans:Yk30-long-and-strange@replica2/loans"),
        ("MIGRATE_ON_START", "on"),
        ("AUTH_MODE", "jwt"),
        ("AUTH_DEV_SECRET", "another development secret that is long"),
        ("AUTH_ISSUER", "https://other.example"),
        ("AUTH_AUDIENCE", "other"),
        ("AUTH_JWKS_URL", "https://other.example/jwks"),
        ("AUTH_JWKS_CA_FILE", "/ca.pem"),
        ("AUTH_JWKS_FILE", "/other.json"),
        ("AUTH_ROLES_CLAIM", "realm_access.roles"),
        ("AUTH_BRANCHES_CLAIM", "offices"),
        ("TLS_CERT_FILE", "cert.pem"),
        ("TLS_KEY_FILE", "key.pem"),
        ("PII_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("PII_KEYS_OLD", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("MAKER_CHECKER", "off"),
        ("DISBURSEMENT_MAKER_CHECKER", "off"),
        ("APPROVAL_LIMITS", "MANAGER:KES:50000"),
        ("GRAPHQL_GET", "on"),
        ("GRAPHIQL", "off"),
        ("RATE_PER_SECOND", "101"),
        ("RATE_BURST", "100001"),
        ("ADDRESS_RATE_PER_SECOND", "1001"),
        ("ADDRESS_RATE_BURST", "1000001"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,2001:db8::/32"),
        ("CLIENT_ADDRESS_HEADER", "forwarded"),
        ("INTROSPECTION", "on"),
        ("TRUSTED_DOCUMENTS", "enforce"),
        ("TRUSTED_DOCUMENTS_FILE", "/manifest.json"),
        ("CORS_ORIGINS", "https://app.example.com"),
        ("LOG_LEVEL", "debug"),
        ("LOG_FORMAT", "pretty"),
        ("ADMIN_HOST", "0.0.0.0"),
        ("ADMIN_PORT", "9000"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/collectors.pem"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_SERVICE_NAME", "loans"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
    ];
    all.extend(fixed.map(|(name, value)| (name, value.to_owned())));
    all
}

#[test]
fn every_documented_variable_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let samples: BTreeMap<&str, String> = samples(folder.path()).into_iter().collect();
    let development = [("APP_ENV", "development")];
    for setting in docs::settings() {
        let name = setting.name.as_str();
        // A number one above its default is a change that every limit accepts.
        let plain_number = || (setting.default.as_deref()?.parse::<u64>().ok()? + 1).to_string().into();
        let sample =
            samples.get(name).cloned().or_else(plain_number).unwrap_or_else(|| panic!("give a sample for {name}"));
        let base: Vec<(&str, &str)> = match name {
            "AUTH_DEV_SECRET" | "AUTH_DEV_SECRET_FILE" | "GRAPHIQL" => development.into(),
            "AUTH_MODE" => development.into_iter().chain(JWT).collect(),
            "AUTH_JWKS_URL" | "AUTH_JWKS_CA_FILE" => {
                vec![("AUTH_JWKS_FILE", ""), ("AUTH_JWKS_URL", "https://id.example/jwks")]
            }
            "OTEL_EXPORTER_OTLP_CERTIFICATE" => vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318")],
            "DATABASE_READ_URL_FILE" | "DATABASE_READ_MAX_LAG_MS" => {
                vec![("DATABASE_READ_URL", "postgres://loans:Xk29-long-and-strange@replica/loans")]
            }
            "TRUSTED_DOCUMENTS" => vec![("TRUSTED_DOCUMENTS_FILE", "/manifest.json")],
            "TLS_CERT_FILE" => vec![("TLS_KEY_FILE", "other.pem")],
            "TLS_KEY_FILE" => vec![("TLS_CERT_FILE", "other.pem")],
            _ => Vec::new(),
        };
        let without = match name {
            "TLS_CERT_FILE" | "TLS_KEY_FILE" => effective(&production(&[])),
            _ => effective(&production_or(&base, name, None)),
        };
        let with = effective(&production_or(&base, name, Some(&sample)));
        // What a `…_FILE` holds is the value of a secret, but for a manifest.
        let is_secret = |secret: &&str| {
            (without.contains_key(secret) && *secret != "TRUSTED_DOCUMENTS") || *secret == "PII_KEYS_OLD"
        };
        let shown = name.strip_suffix("_FILE").filter(is_secret).unwrap_or(name);
        assert_ne!(with.get(shown), without.get(shown), "{name} does not reach the configuration");
        assert!(with.contains_key(shown), "{name} is missing from the effective configuration");
    }
}

/// Production with `base` on top; in development nothing of production. A secret's file replaces its variable.
fn production_or<'a>(base: &[(&'a str, &'a str)], name: &'a str, value: Option<&'a str>) -> Sources {
    let mut variables: BTreeMap<&str, &str> = if base.contains(&("APP_ENV", "development")) {
        BTreeMap::new()
    } else {
        let mut least: BTreeMap<&str, &str> = JWT.into();
        least.insert("APP_ENV", "production");
        least.insert("DATABASE_URL", "postgres://loans:Xk29-long-and-strange@db/loans");
        least.insert("PII_KEY", KEY);
        least
    };
    variables.extend(base.iter().copied());
    if let Some(value) = value {
        variables.remove(name.strip_suffix("_FILE").unwrap_or_default());
        variables.insert(name, value);
    }
    Sources::of(variables)
}

#[test]
fn a_fresh_clone_needs_no_setting() {
    let config = Config::load(&Sources::of::<String, String>([])).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.server.address().to_string(), "127.0.0.1:8000");
    assert_eq!(config.database.url.expose_secret(), DEFAULT_URL);
    assert!(config.database.migrate_on_start && config.http.graphiql && config.http.graphql_get);
    assert!(config.graphql.introspection && !config.lending.maker_checker);
    assert!(matches!(config.auth, AuthConfig::Dev(_)));
    assert_eq!((config.http.rate_per_second, config.http.rate_burst), (10_000, 100_000));
    assert_eq!(config.telemetry.log_format, LogFormat::Pretty);
}

#[test]
fn staging_and_production_are_strict_by_default() {
    for environment in ["staging", "production"] {
        let config = Config::load(&production(&[("APP_ENV", environment)])).unwrap();
        assert!(!config.database.migrate_on_start && !config.http.graphiql && !config.http.graphql_get);
        assert!(!config.graphql.introspection && config.lending.maker_checker);
        assert!(matches!(config.auth, AuthConfig::Jwt(_)));
        assert_eq!((config.http.rate_per_second, config.http.rate_burst), (100, 1_000));
        assert_eq!(config.telemetry.log_format, LogFormat::Json);
    }
}

#[test]
fn what_is_unsafe_outside_development_is_refused() {
    let development_key = "YnJhbmNoLWxvYW4tYXBpIGRldmVsb3BtZW50IGtleSE=";
    assert_eq!(
        Config::load(&Sources::of([("PII_KEY", development_key)])).unwrap().personal_data.key.expose(),
        b"branch-loan-api development key!"
    );
    for environment in ["staging", "production"] {
        for (change, named) in [
            (("AUTH_MODE", "dev"), "AUTH_MODE is dev"),
            (("GRAPHIQL", "on"), "GRAPHIQL is on"),
            (("PII_KEY", ""), "PII_KEY must be set"),
            (("PII_KEY", development_key), "PII_KEY is a public or trivial key"),
            (("PII_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), "PII_KEY is a public or trivial key"),
            (("DATABASE_URL", ""), "DATABASE_URL must be set"),
            (("DATABASE_URL", "postgres://postgres:postgres@db/loans"), "DATABASE_URL has no password"),
            (("DATABASE_READ_URL", "postgres://loans@replica/loans"), "DATABASE_READ_URL has no password"),
            (("AUTH_ISSUER", ""), "AUTH_ISSUER must be set"),
            (("AUTH_AUDIENCE", ""), "AUTH_AUDIENCE must be set"),
            (("AUTH_JWKS_FILE", ""), "AUTH_JWKS_URL or AUTH_JWKS_FILE must be set"),
            (("AUTH_JWKS_URL", "https://id.example/jwks"), "AUTH_JWKS_URL and AUTH_JWKS_FILE are both set"),
            (("AUTH_JWKS_CA_FILE", "/ca.pem"), "AUTH_JWKS_CA_FILE is for AUTH_JWKS_URL, which is not set"),
            (("TRUSTED_DOCUMENTS", "enforce"), "TRUSTED_DOCUMENTS_FILE must be set"),
            (("TRUSTED_DOCUMENTS", "log"), "TRUSTED_DOCUMENTS_FILE must be set"),
            (("TRUSTED_DOCUMENTS", "on"), "TRUSTED_DOCUMENTS"),
        ] {
            let message = refusal(&production(&[("APP_ENV", environment), change]));
            assert!(message.starts_with(named), "{change:?}: {message}");
        }
    }
}

#[test]
fn old_keys_are_a_list_by_commas_and_lines_and_each_must_be_one() {
    let (one, two) = ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "zM3vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80=");
    let count = |text: &str| {
        let config = Config::load(&Sources::of([("PII_KEYS_OLD", text)])).unwrap();
        assert!(!format!("{config:?}").contains("AAECAwQ") && !config.redacted().contains("AAECAwQ"));
        config.personal_data.old_keys.len()
    };
    assert_eq!(count(one), 1);
    assert_eq!(count(&format!("{one}, {two}\n")), 2);
    assert_eq!(count(&format!("{one}\n{two}\n,\n")), 2);
    assert_eq!(Config::load(&Sources::of::<String, String>([])).unwrap().personal_data.old_keys.len(), 0);
    let message = refusal(&production(&[("PII_KEYS_OLD", "AAEC,short")]));
    assert!(message.starts_with("PII_KEYS_OLD is not 32 bytes in base64") && !message.contains("AAEC"), "{message}");
}

/// Whoever can change the keys on the way can sign tokens.
#[test]
fn keys_are_fetched_over_https_or_from_this_machine() {
    let with = |environment, url| {
        let changes = [("APP_ENV", environment), ("AUTH_MODE", "jwt"), ("AUTH_JWKS_FILE", ""), ("AUTH_JWKS_URL", url)];
        Config::load(&production(&changes)).map(|config| match config.auth {
            AuthConfig::Jwt(JwtAuth { jwks: JwksSource::Url { url, .. }, .. }) => url.to_string(),
            other => panic!("{other:?}"),
        })
    };
    for environment in ["staging", "production"] {
        for url in [
            "https://id.example/jwks?v=1",
            "https://id.example:8443/jwks",
            "http://127.0.0.1:9/jwks",
            "http://[::1]:9/jwks",
            "http://localhost/jwks",
        ] {
            assert_eq!(with(environment, url).unwrap(), url);
        }
        for url in ["http://id.example/jwks", "http://127.0.0.1.example/jwks", "http://10.0.0.1/jwks", "http://[::2]/k"]
        {
            let message = with(environment, url).unwrap_err().to_string();
            assert!(message.starts_with("AUTH_JWKS_URL is not https"), "{url}: {message}");
        }
    }
    assert!(with("development", "http://id.example/jwks").is_ok());
}

#[test]
fn values_that_do_not_fit_are_refused_by_name() {
    for (name, value, wanted) in [
        ("API_PORT", "80000", "a port from 0 to 65535"),
        ("API_HOST", "example.com", "an IP address"),
        ("APP_ENV", "prod", "development, staging, production"),
        ("LOG_LEVEL", "verbose", "a level is needed"),
        ("LOG_FORMAT", "xml", "pretty, json"),
        ("ADMIN_PORT", "80000", "a port from 0 to 65535"),
        ("ADMIN_HOST", "example.com", "an IP address"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "an address like http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hunter2@collector:4318", "without a name and a password"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf is needed"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5", "a share from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "-0.5", "a share from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "NaN", "a share from 0 to 1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "production", "name=value pairs"),
        ("MIGRATE_ON_START", "maybe", "on or off"),
        ("QUERY_DEPTH", "0", "from 1 to"),
        ("QUERY_DEPTH", "-1", "from 1 to"),
        ("BODY_LIMIT_BYTES", "256k", "a whole number"),
        ("REQUEST_DEADLINE_MS", "99999999999", "milliseconds from 1 to"),
        ("READS_IN_FLIGHT", "0", "from 1 to"),
        ("WRITES_QUEUED", "-1", "from 0 to"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "neither a network"),
        ("TRUSTED_PROXIES", "proxy.example", "neither a network"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0", "is everybody"),
        ("TRUSTED_PROXIES", "::/0", "is everybody"),
        ("CLIENT_ADDRESS_HEADER", "x-real-ip", "x-forwarded-for, forwarded"),
        ("CORS_ORIGINS", "*", "a wildcard is not allowed"),
        ("CORS_ORIGINS", "https://*.example.com", "a wildcard is not allowed"),
        ("CORS_ORIGINS", "https://a.example/path", "is not an origin"),
        ("CORS_ORIGINS", "null", "is not an origin"),
        ("AUTH_JWKS_URL", "id.example/jwks", "an address like https://"),
        ("AUTH_JWKS_URL", "/jwks", "an address like https://"),
        ("AUTH_JWKS_URL", "ftp://id.example/jwks", "an address like https://"),
        ("AUTH_JWKS_URL", "https://id.example:99999/jwks", "an address like https://"),
        ("AUTH_JWKS_URL", "https://loans:hunter2@id.example/jwks", "without a name and a password"),
    ] {
        let message = refusal(&Sources::of([(name, value)]));
        assert!(message.starts_with(&format!("{name}=")) && message.contains(wanted), "{name}={value}: {message}");
    }
    let bad_url = refusal(&Sources::of([("DATABASE_URL", "mysql://loans:hunter2@db/loans")]));
    assert!(bad_url.contains("DATABASE_URL must begin with") && !bad_url.contains("hunter2"), "{bad_url}");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (variables, named) in [
        (vec![("TLS_CERT_FILE", "cert.pem")], "TLS_KEY_FILE must be set too"),
        (vec![("TLS_KEY_FILE", "key.pem")], "TLS_CERT_FILE must be set too"),
        (vec![("PII_KEY", KEY), ("PII_KEY_FILE", "/run/key")], "PII_KEY and PII_KEY_FILE are both set"),
        (
            vec![("DATABASE_URL", DEFAULT_URL), ("DATABASE_URL_FILE", "/run/url")],
            "DATABASE_URL and DATABASE_URL_FILE are both set",
        ),
        (
            vec![("DATABASE_READ_URL", "postgres://lender@replica/loans")],
            "DATABASE_READ_URL is set, and DATABASE_URL is SQLite, which has no replicas",
        ),
        (
            vec![("DATABASE_URL", "postgres://lender@db/loans"), ("DATABASE_READ_URL", "sqlite://copy.db")],
            "DATABASE_READ_URL must begin with postgres://",
        ),
        (
            vec![
                ("DATABASE_URL", "postgres://lender@db/loans"),
                ("DATABASE_READ_URL", "postgres://lender@replica/loans"),
                ("DATABASE_READ_MAX_LAG_MS", "499"),
            ],
            "DATABASE_READ_MAX_LAG_MS is below 500 ms",
        ),
        (vec![("PII_KEY_FILE", "/does/not/exist")], "PII_KEY_FILE=\"/does/not/exist\" cannot be read"),
        (vec![("PII_KEY", "c2hvcnQ=")], "PII_KEY is not 32 bytes"),
        (vec![("AUTH_DEV_SECRET", "short")], "AUTH_DEV_SECRET is too short"),
        (vec![("RATE_BURST", "1")], "RATE_BURST is below"),
        (vec![("ADDRESS_RATE_BURST", "1")], "ADDRESS_RATE_BURST is below"),
        (vec![("ADMIN_PORT", "8000")], "ADMIN_PORT is API_PORT"),
        (vec![("API_PORT", "9000"), ("ADMIN_PORT", "9000"), ("ADMIN_HOST", "0.0.0.0")], "ADMIN_PORT is API_PORT"),
        (vec![("BODY_LIMIT_BYTES", "100")], "BODY_LIMIT_BYTES is below"),
        (vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem")], "OTEL_EXPORTER_OTLP_CERTIFICATE is for an https"),
        (
            vec![
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ],
            "OTEL_EXPORTER_OTLP_CERTIFICATE is for an https",
        ),
        (vec![("REQUEST_DEADLINE_MS", "100")], "DATABASE_STATEMENT_TIMEOUT_MS is above"),
    ] {
        let message = refusal(&Sources::of(variables.clone()));
        assert!(message.starts_with(named), "{variables:?}: {message}");
    }
}

fn dotenv(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn flags_win_over_the_environment_over_dotenv_over_defaults() {
    let (_folder, path) =
        dotenv("API_PORT=8001\nQUERY_DEPTH=11\nQUERY_COST=77\nPOSTGRES_PASSWORD=x\nCOMPOSE_PROJECT_NAME=x\n");
    let sources = Sources::of([("API_PORT", "8002"), ("QUERY_DEPTH", "12")]).with_dotenv(&path);
    let parsed: SettingsOnly = sources.parse(["branch-loan-api", "--api-port", "8003"]).unwrap();
    let config = parsed.settings.resolve().unwrap();
    assert_eq!(config.server.port, 8003);
    assert_eq!(config.graphql.limits.query_depth, 12);
    assert_eq!(config.graphql.limits.query_cost, 77);
    assert_eq!(config.graphql.limits.query_tokens, 2000);
}

#[test]
fn dotenv_is_read_in_development_only() {
    let (_folder, path) = dotenv("API_PORT=8001\n");
    assert_eq!(Config::load(&production(&[]).with_dotenv(&path)).unwrap().server.port, 8000);
    let by_flag: SettingsOnly =
        Sources::of::<String, String>([]).with_dotenv(&path).parse(["branch-loan-api", "--app-env=staging"]).unwrap();
    assert_eq!(by_flag.settings.server.api_port, 8000);
    assert_eq!(Config::load(&Sources::of([("APP_ENV", "")]).with_dotenv(&path)).unwrap().server.port, 8001);
}

#[test]
fn dotenv_must_make_sense() {
    for (text, message) in [
        ("API_PROT=1", ".env sets API_PROT, which no setting reads: did you mean API_PORT?"),
        ("FLASK_ENV=production", ".env sets FLASK_ENV, which no setting reads: did you mean APP_ENV?"),
        (
            "GUNICORN_WORKERS=4",
            ".env sets GUNICORN_WORKERS, which no setting reads: remove it (.env.example lists the settings)",
        ),
        (
            "APP_ENV=production",
            ".env: sets APP_ENV=production, but it is read in development only: set APP_ENV in the environment",
        ),
        ("API_PORT=1\nAPI_PORT=2", ".env: sets API_PORT twice: remove one of the lines"),
        (
            "API_PORT=1\nhunter2 is my password",
            ".env: line 2 is not NAME=value: correct it, and quote values that hold spaces or #",
        ),
        (
            "API_PORT=many",
            "API_PORT=\"many\" (from .env) is not usable: a port from 0 to 65535 is needed (0: any free one)",
        ),
    ] {
        let (_folder, path) = dotenv(text);
        assert_eq!(refusal(&Sources::of::<String, String>([]).with_dotenv(&path)), message);
    }
    let missing = Sources::of::<String, String>([]).with_dotenv("/does/not/exist/.env");
    assert!(Config::load(&missing).is_ok());
}

#[test]
fn secrets_are_never_printed() {
    let sources = production(&[
        ("DATABASE_URL", "postgres://loans:hunter2-and-more@db/loans"),
        ("DATABASE_READ_URL", "postgres://loans:hunter2-and-more@replica/loans"),
    ]);
    let config = Config::load(&sources).unwrap();
    let development =
        Config::load(&Sources::of([("AUTH_DEV_SECRET", "hunter2 hunter2 hunter2 hunter2 hunter2")])).unwrap();
    let parsed: SettingsOnly = sources.parse(["branch-loan-api"]).unwrap();
    for text in [
        config.redacted(),
        format!("{config:?}"),
        development.redacted(),
        format!("{development:?}"),
        format!("{parsed:?}"),
        sources.parse::<SettingsOnly>(["branch-loan-api", "--help"]).unwrap_err().to_string(),
        sources.parse::<SettingsOnly>(["branch-loan-api", "--no-such-flag"]).unwrap_err().to_string(),
    ] {
        assert!(!text.contains("hunter2") && !text.contains(KEY), "{text}");
    }
    assert!(config.redacted().contains("\nDATABASE_URL=postgres://loans:***@db/loans\n"));
    assert!(config.redacted().contains("\nDATABASE_READ_URL=postgres://loans:***@replica/loans\n"));
    assert!(config.redacted().contains("\nPII_KEY=***\n"));
}

#[test]
fn secrets_as_flags_are_refused_outside_development() {
    let line = ["branch-loan-api", "--database-url", "postgres://loans:hunter2-and-more@db/loans"];
    let error = production(&[]).parse::<SettingsOnly>(line).unwrap_err().to_string();
    assert!(error.contains("set DATABASE_URL or DATABASE_URL_FILE instead") && !error.contains("hunter2"), "{error}");
    assert!(Sources::of::<String, String>([]).parse::<SettingsOnly>(line).is_ok());
}

// As the binary uses it: settings before and after a command.
/// About this binary.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    settings: ConfigArgs,
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Clone, PartialEq, clap::Subcommand)]
enum Verb {
    Serve,
    Token {
        #[arg(long)]
        role: String,
    },
}

#[test]
fn settings_work_on_both_sides_of_a_command() {
    let sources = Sources::of([("API_PORT", "9000"), ("QUERY_DEPTH", "7")]);
    for line in
        [&["x", "--api-port=9001", "token", "--role=ADMIN"][..], &["x", "token", "--role=ADMIN", "--api-port=9001"]]
    {
        let cli: Cli = sources.parse(line.iter().copied()).unwrap();
        assert_eq!(cli.settings.server.api_port, 9001);
        assert_eq!(cli.settings.graphql.limits.query_depth, 7);
        assert_eq!(cli.command, Some(Verb::Token { role: "ADMIN".to_owned() }));
    }
    assert_eq!(sources.parse::<Cli>(["x"]).unwrap().command, None);
    let help = |flag| sources.parse::<Cli>(["x", flag]).unwrap_err().to_string();
    assert!(help("-h").starts_with("About this binary\n") && !help("-h").contains("QUERY_DEPTH"), "{}", help("-h"));
    assert!(
        help("--help").contains("[env: QUERY_DEPTH]") && help("--help").contains("[default: 10]"),
        "{}",
        help("--help")
    );
}
