//! Two servers on one primary: a key is done once whoever is asked, days are closed once, the trail is sealed once.

use std::time::Instant;

use chrono::{TimeDelta, Utc};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value as Json, json};

use super::drill::{Desk, place};
use crate::support::engines::{Engine, Schema};
use crate::support::server::PATIENCE;

/// Payments that are sent to both.
const PAYMENTS: usize = 20;

fn body(mutation: &str, input: Json) -> String {
    let (first, rest) = mutation.split_at(1);
    let more = if mutation == "recordRepayment" { "transaction { id }" } else { "" };
    let query = format!(
        "mutation($input: {}{rest}Input!) {{ answer: {mutation}(input: $input) {{ replayed loan {{ id }} {more} \
         userErrors {{ code message }} }} }}",
        first.to_uppercase()
    );
    json!({"query": query, "variables": {"input": input}}).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_servers_are_asked_for_is_done_once() {
    let Some(engine) = Engine::postgres(Schema::Migrated).await else { return };
    let (first, second) = (place(&engine.url), place(&engine.url));
    let ((one, one_base), (two, two_base)) = (first.serve(&["serve"]), second.serve(&["serve"]));
    let (here, there) = (Desk::at(&one_base), Desk::at(&two_base));
    let branch = r#"mutation { answer: createBranch(input: { code: "NBO", name: "Nairobi", currency: "KES",
        timeZone: "Africa/Nairobi" }) { branch { id } userErrors { message } } }"#;
    let branch = here.id(branch, json!({}), "branch").await;
    let product = r#"mutation { answer: createLoanProduct(input: { code: "MICRO", name: "Micro", currency: "KES",
        defaultAnnualRate: "24" }) { loanProduct { id } userErrors { message } } }"#;
    let product = there.id(product, json!({}), "loanProduct").await;
    let register = "mutation($branch: ID!) { answer: registerBorrower(input: { branchId: $branch, name: \"Amina\" })
        { borrower { id } userErrors { message } } }";
    let borrower = here.id(register, json!({"branch": branch}), "borrower").await;
    let kes = |amount: &str| json!({"amount": amount, "currency": "KES"});
    let terms =
        json!({"borrowerId": borrower, "productId": product, "principal": kes("10000.00"), "idempotencyKey": "apply"});
    let loan = here.send(body("applyForLoan", terms)).await["loan"]["id"].take();
    for (desk, step) in [(&there, "approveLoan"), (&here, "disburseLoan")] {
        let answer = desk.send(body(step, json!({"loanId": loan, "idempotencyKey": step}))).await;
        assert_eq!(answer["userErrors"], json!([]), "{step}");
    }

    for number in 0..PAYMENTS {
        let input = json!({"loanId": loan, "amount": kes("1.25"), "idempotencyKey": format!("pay-{number}")});
        let payment = body("recordRepayment", input);
        let (a, b) = tokio::join!(here.send(payment.clone()), there.send(payment));
        assert_eq!((&a["userErrors"], &b["userErrors"]), (&json!([]), &json!([])), "{a} {b}");
        assert_eq!(a["transaction"]["id"], b["transaction"]["id"]);
        assert_ne!(a["replayed"], b["replayed"], "one of them did it: {a} {b}");
    }

    // Nairobi's day, which both close at once; whoever is second finds nothing to do.
    let today = (Utc::now() + TimeDelta::hours(3)).date_naive().to_string();
    let arguments = ["close-day", "--date", &today];
    for closing in [first.start(&arguments), second.start(&arguments)] {
        closing.finish().printed();
    }
    let raw = engine.raw().await;
    let number = |sql: &'static str| {
        let raw = &raw;
        async move {
            let row = raw.query_one_raw(Statement::from_string(engine.backend, sql)).await.unwrap();
            row.unwrap().try_get_by_index::<i64>(0).unwrap()
        }
    };
    let payments = number("SELECT count(*) FROM loan_transactions WHERE kind = 'REPAYMENT'").await;
    assert_eq!(usize::try_from(payments).unwrap(), PAYMENTS);
    let deadline = Instant::now() + PATIENCE;
    while number("SELECT count(*) FROM audit_pending").await > 0 {
        assert!(Instant::now() < deadline, "nobody seals");
        tokio::time::sleep(PATIENCE / 3_000).await;
    }
    assert_eq!(number("SELECT count(*) - count(DISTINCT event_id) FROM audit_links").await, 0, "each is sealed once");
    let verified = first.run(&["verify"]).printed();
    assert!(verified.starts_with("The books hold: 1 loans") && verified.contains("0 not sealed yet"), "{verified}");
    for server in [one, two] {
        server.signal("TERM");
        assert!(server.finish().status.success());
    }
}
