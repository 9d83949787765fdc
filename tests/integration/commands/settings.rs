//! Settings that cannot be used: one line on standard error that names the setting, and an exit code other than 0.

use crate::support::process::Place;

/// The variables that are set, and what the one line must name.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn a_wrong_setting_is_named_in_one_line() {
    let cases: &[Case] = &[
        (&[("API_PORT", "banana")], &["API_PORT", "banana"]),
        (&[("API_PORT", "65536")], &["API_PORT"]),
        (&[("API_HOST", "nowhere")], &["API_HOST"]),
        (&[("APP_ENV", "prod")], &["APP_ENV", "production"]),
        (&[("APP_ENV", "production")], &["must be set"]),
        (&[("APP_ENV", "production"), ("AUTH_MODE", "dev"), ("DATABASE_URL", "sqlite://x.db")], &["AUTH_MODE"]),
        (&[("APP_ENV", "staging"), ("AUTH_MODE", "dev"), ("DATABASE_URL", "sqlite://x.db")], &["AUTH_MODE"]),
        (&[("APP_ENV", "production"), ("AUTH_MODE", "dev")], &["DATABASE_URL"]),
        (&[("AUTH_MODE", "jwt")], &["AUTH_ISSUER"]),
        (&[("AUTH_MODE", "none")], &["AUTH_MODE"]),
        (&[("AUTH_DEV_SECRET", "hunter2")], &["AUTH_DEV_SECRET"]),
        (&[("DATABASE_URL", "oracle://x:hunter2@y")], &["DATABASE_URL"]),
        (&[("PII_KEY", "hunter2")], &["PII_KEY"]),
        (&[("PII_KEY", "x"), ("PII_KEY_FILE", "y")], &["PII_KEY", "PII_KEY_FILE"]),
        (&[("PII_KEY_FILE", "no-such-file")], &["PII_KEY_FILE", "no-such-file"]),
        (&[("TLS_CERT_FILE", "cert.pem")], &["TLS_KEY_FILE"]),
        (&[("GRAPHIQL", "maybe")], &["GRAPHIQL"]),
        (&[("CORS_ORIGINS", "*")], &["CORS_ORIGINS"]),
        (&[("QUERY_DEPTH", "0")], &["QUERY_DEPTH"]),
        (&[("QUERY_LIMIT_BYTES", "999999")], &["BODY_LIMIT_BYTES", "QUERY_LIMIT_BYTES"]),
        (&[("LOG_LEVEL", "loud,,=")], &["LOG_LEVEL"]),
        (&[("REQUEST_DEADLINE_MS", "ten")], &["REQUEST_DEADLINE_MS"]),
    ];
    for (variables, named) in cases {
        let place = variables.iter().fold(Place::new(), |place, (name, value)| place.set(name, value));
        let refusal = place.run(&["serve"]).refusal();
        for name in *named {
            assert!(refusal.contains(name), "{variables:?}: {refusal}");
        }
        assert!(!refusal.contains("hunter2"), "{variables:?}: {refusal}");
    }
}

#[test]
fn a_line_of_dotenv_that_nothing_reads_is_named() {
    for (text, named) in [
        ("API_PROT=8001", "API_PORT"),
        ("API_PORT=banana", "API_PORT"),
        ("APP_ENV=production", "APP_ENV"),
        ("just some words", "line 1"),
    ] {
        let place = Place::new();
        std::fs::write(place.path().join(".env"), text).unwrap();
        let refusal = place.run(&[]).refusal();
        assert!(refusal.contains(".env") && refusal.contains(named), "{text}: {refusal}");
    }
}

#[test]
fn a_flag_that_is_none_is_clap_s_to_explain() {
    for arguments in [&["--no-such-flag"][..], &["dance"], &["--api-port", "banana"]] {
        let outcome = Place::new().run(arguments);
        assert_eq!((outcome.status.code(), outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.starts_with("error: ") && !outcome.stderr.contains("panicked"), "{outcome:?}");
    }
}

#[test]
fn help_and_version_need_nothing() {
    let place = Place::new();
    let help = place.run(&["--help"]).printed();
    for word in ["serve", "migrate", "demo", "schema", "token", "healthcheck", "API_PORT"] {
        assert!(help.contains(word), "{word} is missing:\n{help}");
    }
    let version = place.run(&["--version"]).printed();
    assert_eq!(version, concat!("branch-loan-api ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}
