//! `token`

use serde_json::json;

use super::production;
use crate::support::process::Place;
use crate::support::server::Setup;

#[tokio::test]
async fn a_minted_token_is_who_it_says() {
    let token = Place::new().run(&["token", "--role", "OFFICER", "--role", "AUDITOR", "--branch", "NBO"]).printed();
    let server = Setup::development().start().await;
    let ask = |token: String| {
        let body = json!({"query": "{ viewer { subject roles allBranches branchCodes } }"}).to_string();
        let request = server.post(body).bearer_auth(token);
        async { crate::support::server::Reply::of(request).await }
    };
    let viewer = ask(token.trim().to_owned()).await.json()["data"]["viewer"].clone();
    assert_eq!(
        viewer,
        json!({"subject": "developer", "roles": ["OFFICER", "AUDITOR"], "allBranches": false, "branchCodes": ["NBO"]})
    );
    let other = Place::new()
        .set("AUTH_DEV_SECRET", "another secret, as long as it has to be")
        .run(&["token", "--role", "ADMIN"]);
    assert_eq!(ask(other.printed().trim().to_owned()).await.verdict(), (401, "UNAUTHENTICATED".to_owned()));
}

#[test]
fn tokens_are_for_development_only() {
    let refusal = production().run(&["token", "--role", "ADMIN"]).refusal();
    assert!(refusal.contains("AUTH_MODE=dev"), "{refusal}");
}

#[test]
fn a_token_needs_a_role_that_exists() {
    for arguments in [&["token"][..], &["token", "--role", "EMPEROR"], &["token", "--role", "ADMIN", "--hours", "0"]] {
        let outcome = Place::new().run(arguments);
        assert_eq!((outcome.status.code(), outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome:?}");
    }
}
