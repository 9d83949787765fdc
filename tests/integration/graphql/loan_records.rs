//! What a loan takes and what it refuses, where that depends on its whole history: a tranche after the loan was repaid,
//! credit before there was any, a rate nobody may charge, and a loan that is brought along years later.

use serde_json::{Value as Json, json};

use super::world::{World, change, create, refusals, refused, with};

const LOOK: &str = "status balances { total { amount } } creditBalance { amount }";

fn kes(amount: &str) -> Json {
    json!({"amount": amount, "currency": "KES"})
}

/// 12,000.00 KES at 12 % in six months, applied for and approved on a day, with nothing paid out.
async fn approved(world: &World, on: &str) -> String {
    let terms = json!({"annualRate": "12", "installments": 6, "appliedOn": on});
    let loan = create(&world.api, "applyForLoan", with(world.application(on, "12000"), terms)).await;
    change(&world.api, "approveLoan", json!({"loanId": loan, "on": on}), "id").await;
    loan
}

/// The input of something to record on a day.
fn on(loan: &str, day: &str, own: Json) -> Json {
    let key = uuid::Uuid::now_v7().to_string();
    with(json!({"loanId": loan, "on": day, "idempotencyKey": key}), own)
}

async fn looked(world: &World, loan: &str, arguments: &str) -> Json {
    let query = format!("{{ loan(by: {{id: \"{loan}\"}} {arguments}) {{ {LOOK} defaultedOn daysPastDue }} }}");
    world.api.data(&query, json!({})).await["loan"].take()
}

async fn assert_books_hold(world: &World) {
    let books = world.api.data("{ verifyBooks { clean findings { kind subject expected actual } } }", json!({})).await;
    assert_eq!(books["verifyBooks"], json!({"clean": true, "findings": []}));
}

#[tokio::test]
async fn a_tranche_may_follow_when_all_that_was_paid_out_has_come_back() {
    let world = World::start().await;
    let loan = approved(&world, "2026-02-02").await;
    let disburse = async |day: &str, amount: &str| {
        change(&world.api, "disburseLoan", on(&loan, day, json!({"amount": kes(amount)})), LOOK).await
    };
    disburse("2026-02-02", "5000").await;
    let repaid =
        change(&world.api, "recordRepayment", on(&loan, "2026-02-10", json!({"amount": kes("6000")})), LOOK).await;
    assert_eq!(repaid["status"], "REPAID");
    // Its interest is fixed: 176.44 in all, and 823.56 too much.
    assert_eq!(repaid["creditBalance"]["amount"], "823.56");
    let more = refusals(&world.api, "disburseLoan", on(&loan, "2026-02-15", json!({"amount": kes("7000.01")}))).await;
    assert_eq!((&more[0]["code"], &more[0]["max"]["amount"]), (&json!("AMOUNT_OUT_OF_RANGE"), &json!("7000.00")));
    let reopened = disburse("2026-02-15", "7000").await;
    assert_eq!((&reopened["status"], &reopened["creditBalance"]["amount"]), (&json!("DISBURSED"), &json!("0.00")));
    assert_eq!(looked(&world, &loan, "asOf: \"2026-02-14\"").await["status"], "REPAID");
    assert_books_hold(&world).await;
    let rest = on(&loan, "2026-02-20", json!({"amount": kes("9000")}));
    assert_eq!(change(&world.api, "recordRepayment", rest, LOOK).await["status"], "REPAID");
    let nothing = on(&loan, "2026-02-21", json!({}));
    assert_eq!(refused(&world.api, "disburseLoan", nothing).await, ["NOTHING_TO_DO input"]);
}

#[tokio::test]
async fn a_loan_that_was_charged_off_and_repaid_is_paid_out_no_further() {
    let world = World::start().await;
    let loan = approved(&world, "2026-02-02").await;
    change(&world.api, "disburseLoan", on(&loan, "2026-02-02", json!({"amount": kes("5000")})), "id").await;
    change(&world.api, "chargeOffLoan", on(&loan, "2026-02-05", json!({})), "id").await;
    let repaid =
        change(&world.api, "recordRepayment", on(&loan, "2026-02-10", json!({"amount": kes("6000")})), LOOK).await;
    assert_eq!(repaid["status"], "REPAID");
    let further = on(&loan, "2026-02-15", json!({"amount": kes("7000")}));
    assert_eq!(refused(&world.api, "disburseLoan", further).await, ["INVALID_TRANSITION input.loanId"]);
}

#[tokio::test]
async fn credit_is_refunded_from_the_day_it_is_there_and_not_what_was_used_since() {
    let world = World::start().await;
    let loan = approved(&world, "2026-02-02").await;
    change(&world.api, "disburseLoan", on(&loan, "2026-02-02", json!({})), "id").await;
    let paid =
        change(&world.api, "recordRepayment", on(&loan, "2026-02-10", json!({"amount": kes("13000")})), LOOK).await;
    assert_eq!(paid["creditBalance"]["amount"], "576.52");
    change(&world.api, "addLoanCharge", on(&loan, "2026-02-12", json!({"amount": kes("200")})), "id").await;
    for day in ["2026-02-02", "2026-02-09"] {
        let early = on(&loan, day, json!({"amount": kes("1")}));
        assert_eq!(refused(&world.api, "refundCredit", early).await, ["NOTHING_TO_DO input"], "{day}");
        assert_eq!(refused(&world.api, "refundCredit", on(&loan, day, json!({}))).await, ["NOTHING_TO_DO input"]);
    }
    let too_much = on(&loan, "2026-02-10", json!({"amount": kes("376.53")}));
    let errors = refusals(&world.api, "refundCredit", too_much).await;
    assert_eq!((&errors[0]["code"], &errors[0]["max"]["amount"]), (&json!("AMOUNT_OUT_OF_RANGE"), &json!("376.52")));
    let part = on(&loan, "2026-02-10", json!({"amount": kes("100")}));
    assert_eq!(change(&world.api, "refundCredit", part, LOOK).await["creditBalance"]["amount"], "276.52");
    let rest = change(&world.api, "refundCredit", on(&loan, "2026-02-11", json!({})), LOOK).await;
    assert_eq!((&rest["status"], &rest["creditBalance"]["amount"]), (&json!("REPAID"), &json!("0.00")));
    assert_eq!(looked(&world, &loan, "asOf: \"2026-02-11\"").await["creditBalance"]["amount"], "200.00");
    assert_books_hold(&world).await;
}

#[tokio::test]
async fn a_new_rate_is_one_that_a_product_could_have() {
    let world = World::start().await;
    let loan = approved(&world, "2026-02-02").await;
    change(&world.api, "disburseLoan", on(&loan, "2026-02-02", json!({})), "id").await;
    for rate in ["-0.0001", "1000.0001"] {
        let input = on(&loan, "2026-02-10", json!({"annualRate": rate}));
        assert_eq!(refused(&world.api, "rescheduleLoan", input).await, ["RATE_OUT_OF_RANGE input.annualRate"]);
    }
    let imagined = "query($id: ID!) { loan(by: {id: $id}) {
        simulate(events: [{reschedule: {on: \"2026-02-10\", annualRate: \"-1\"}}]) { userErrors { code path } }
    } }";
    let found = world.api.data(imagined, json!({"id": loan})).await;
    assert_eq!(
        found["loan"]["simulate"]["userErrors"],
        json!([{"code": "RATE_OUT_OF_RANGE", "path": ["events", "0", "annualRate"]}])
    );
    for rate in ["0", "1000"] {
        let input = on(&loan, "2026-02-10", json!({"annualRate": rate}));
        change(&world.api, "rescheduleLoan", input, "id").await;
    }
    assert_books_hold(&world).await;
}

#[tokio::test]
async fn a_loan_brought_along_years_later_tells_its_default_on_the_day_it_came() {
    let world = World::start().await;
    let loan = approved(&world, "2022-01-31").await;
    let disbursed = change(&world.api, "disburseLoan", on(&loan, "2022-01-31", json!({})), LOOK).await;
    // Due on 28 February 2022 for the first time, and 90 days past due on 29 May. No end of a day has to say so.
    assert_eq!(disbursed["status"], "DEFAULTED");
    for (day, status, defaulted_on, days) in [
        ("2022-01-31", "DISBURSED", Json::Null, 0),
        ("2022-05-28", "DISBURSED", Json::Null, 89),
        ("2022-05-29", "DEFAULTED", json!("2022-05-29"), 90),
    ] {
        let seen = looked(&world, &loan, &format!("asOf: \"{day}\"")).await;
        assert_eq!(
            (&seen["status"], &seen["defaultedOn"], &seen["daysPastDue"]),
            (&json!(status), &defaulted_on, &json!(days)),
            "{day}"
        );
    }
    // Paid on time after all, as it turns out: it never was in default.
    let paid = on(&loan, "2022-02-20", json!({"amount": kes("12423.48")}));
    assert_eq!(change(&world.api, "recordRepayment", paid, LOOK).await["status"], "REPAID");
    assert_eq!(looked(&world, &loan, "asOf: \"2022-05-29\"").await["status"], "REPAID");
    assert_books_hold(&world).await;
}
