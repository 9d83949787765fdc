//! What would be: events on a loan that did not happen, and loans that do not exist. Nothing is written.

use branch_loan_api::service::loan_books::What;
use serde_json::{Value as Json, json};

use super::loan_views::{approved, look, pay, record, running};
use super::world::{USER_ERRORS, World, each, with};

const SIMULATION: &str = "asOf schedule { number dueOn total { amount } paid { total { amount } } } balances { total { amount } } creditBalance { amount }
    totalInterest { amount } totalRepayable { amount }
    changes { number dueOnBefore dueOnAfter before { total { amount } } after { total { amount } } outstandingBefore { total { amount } } outstandingAfter { total { amount } } }
    journal { kind on reverses lines { account side amount { amount } } }";

async fn simulate(world: &World, loan: &str, events: Json) -> Json {
    let query = format!(
        "query($id: ID!, $events: [LoanEventInput!]!) {{ loan(by: {{id: $id}}) {{ simulate(events: $events) {{ {SIMULATION} {USER_ERRORS} }} }} }}"
    );
    world.api.data(&query, json!({"id": loan, "events": events})).await["loan"]["simulate"].take()
}

fn money(amount: &str) -> Json {
    json!({"amount": amount, "currency": "KES"})
}

fn codes(simulation: &Json) -> Vec<String> {
    let errors = simulation["userErrors"].as_array().unwrap();
    let path = |error: &Json| each_text(&error["path"]).join(".");
    errors.iter().map(|error| format!("{} {}", error["code"].as_str().unwrap(), path(error))).collect()
}

fn each_text(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|part| part.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_payment_of_the_future_is_played_and_nothing_is_written() {
    let world = World::start().await;
    let loan = running(&world).await;
    let before =
        look(&world, &loan, "", "version updatedAt balances { total { amount } } transactions { totalCount }").await;
    let simulated =
        simulate(&world, &loan, json!([{"repayment": {"on": "2026-04-02", "amount": money("2070.58")}}])).await;
    assert_eq!(simulated["userErrors"], json!([]));
    assert_eq!(simulated["asOf"], "2026-04-02");
    assert_eq!(simulated["schedule"][0]["paid"]["total"]["amount"], "2070.58");
    assert_eq!(
        simulated["changes"],
        json!([{
            "number": 1, "dueOnBefore": "2026-04-02", "dueOnAfter": "2026-04-02",
            "before": {"total": {"amount": "2070.58"}}, "after": {"total": {"amount": "2070.58"}},
            "outstandingBefore": {"total": {"amount": "2070.58"}}, "outstandingAfter": {"total": {"amount": "0.00"}},
        }])
    );
    // The payment's entry, and the interest that was paid and not accrued yet.
    assert_eq!(each(&simulated["journal"], "kind"), ["REPAYMENT", "ACCRUAL"]);
    assert_eq!(
        simulated["journal"][0]["lines"],
        json!([
            {"account": "CASH", "side": "DEBIT", "amount": {"amount": "2070.58"}},
            {"account": "INTEREST_RECEIVABLE", "side": "CREDIT", "amount": {"amount": "120.00"}},
            {"account": "LOANS_RECEIVABLE", "side": "CREDIT", "amount": {"amount": "1950.58"}},
        ])
    );
    let after =
        look(&world, &loan, "", "version updatedAt balances { total { amount } } transactions { totalCount }").await;
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_is_simulated_is_what_then_happens() {
    let world = World::start().await;
    let loan = running(&world).await;
    world.api.clock.set("2026-05-20T09:00:00Z");
    record(&world, &loan, "2026-05-02", pay("2000")).await;
    // A payment that became known late: the later one is split anew.
    let simulated = simulate(&world, &loan, json!([{"repayment": {"on": "2026-04-01", "amount": money("500")}}])).await;
    let reversed: Vec<bool> =
        simulated["journal"].as_array().unwrap().iter().map(|entry| entry["reverses"].as_bool().unwrap()).collect();
    assert!(reversed.contains(&true), "{simulated}");
    for entry in simulated["journal"].as_array().unwrap() {
        let sum = |side: &str| -> i64 {
            let lines = entry["lines"].as_array().unwrap().iter().filter(|line| line["side"] == side);
            lines.map(|line| line["amount"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum()
        };
        assert_eq!(sum("DEBIT"), sum("CREDIT"), "{entry}");
    }
    record(&world, &loan, "2026-04-01", pay("500")).await;
    let seen = look(
        &world,
        &loan,
        "",
        "schedule { number dueOn total { amount } paid { total { amount } } } balances { total { amount } }",
    )
    .await;
    assert_eq!(seen["schedule"], simulated["schedule"]);
    assert_eq!(seen["balances"], simulated["balances"]);
}

#[tokio::test]
async fn events_are_refused_with_the_numbers_that_help() {
    let world = World::start().await;
    let loan = running(&world).await;
    let pay = |on: &str, amount: &str| json!({"repayment": {"on": on, "amount": money(amount)}});
    let cases = [
        (json!([pay("2026-03-01", "1")]), "DATE_OUT_OF_RANGE events.0.on"),
        (json!([pay("2026-03-03", "0")]), "AMOUNT_OUT_OF_RANGE events.0.amount"),
        (json!([pay("2026-03-03", "1"), pay("2026-03-03", "-1")]), "AMOUNT_OUT_OF_RANGE events.1.amount"),
        (json!([pay("2026-03-03", "1.001")]), "TOO_MANY_DECIMALS events.0.amount.amount"),
        (
            json!([{"repayment": {"on": "2026-03-03", "amount": {"amount": "1", "currency": "VND"}}}]),
            "CURRENCY_MISMATCH events.0.amount.currency",
        ),
        (json!([{"creditRefund": {"on": "2026-03-03"}}]), "NOTHING_TO_DO events.0"),
        (json!([{"recovery": {"on": "2026-03-03", "amount": money("1")}}]), "INVALID_TRANSITION events.0"),
        (json!([{"disbursement": {"on": "2026-03-03"}}]), "NOTHING_TO_DO events.0"),
        (
            json!([{"reversal": {"on": "2026-03-03", "transactionId": "loantx_00000000000000000000000001"}}]),
            "NOT_FOUND events.0.transactionId",
        ),
        (json!([{"chargeWaiver": {"on": "2026-03-03", "chargeId": loan}}]), "INVALID_ID events.0.chargeId"),
        (json!([{"writeOff": {"on": "2026-03-03"}}, pay("2026-03-04", "1")]), "INVALID_TRANSITION events.1"),
    ];
    for (events, expected) in cases {
        let simulated = simulate(&world, &loan, events.clone()).await;
        assert_eq!(codes(&simulated), [expected], "{events}");
        assert_eq!(simulated["schedule"].as_array().unwrap().len(), 6, "the loan without what was refused");
    }
    // What comes before the refused event counts.
    let simulated = simulate(&world, &loan, json!([pay("2026-03-03", "100"), pay("2026-03-01", "1")])).await;
    assert_eq!(simulated["schedule"][0]["paid"]["total"]["amount"], "100.00");
    let many: Vec<Json> = (0..51).map(|_| pay("2026-03-03", "1")).collect();
    assert_eq!(codes(&simulate(&world, &loan, json!(many)).await), ["NUMBER_OUT_OF_RANGE events"]);
    let range = simulate(&world, &loan, json!([pay("2026-03-01", "1")])).await;
    assert_eq!(range["userErrors"][0]["earliest"], "2026-03-02");
}

#[tokio::test]
async fn every_kind_of_event_can_be_imagined() {
    let world = World::start().await;
    let loan = approved(&world).await;
    let events = json!([
        {"disbursement": {"on": "2026-03-02"}},
        {"charge": {"on": "2026-03-10", "amount": money("30"), "kind": "FEE"}},
        {"interestWaiver": {"on": "2026-03-11", "amount": money("20")}},
        {"goodwillCredit": {"on": "2026-03-12", "amount": money("10")}},
        {"reschedule": {"on": "2026-03-13", "extraInstallments": 2}},
        {"repayment": {"on": "2026-03-14", "amount": money("20000")}},
        {"creditRefund": {"on": "2026-03-15"}},
    ]);
    let simulated = simulate(&world, &loan, events).await;
    assert_eq!(simulated["userErrors"], json!([]));
    assert_eq!(simulated["schedule"].as_array().unwrap().len(), 8);
    assert_eq!(
        (&simulated["balances"]["total"]["amount"], &simulated["creditBalance"]["amount"]),
        (&json!("0.00"), &json!("0.00"))
    );
    let simulated = simulate(
        &world,
        &loan,
        json!([
            {"disbursement": {"on": "2026-03-02", "amount": money("10000")}},
            {"chargeOff": {"on": "2026-06-01"}},
            {"writeOff": {"on": "2026-06-02"}},
            {"recovery": {"on": "2026-06-03", "amount": money("5")}},
        ]),
    )
    .await;
    assert_eq!(simulated["userErrors"], json!([]));
    let kinds = each(&simulated["journal"], "kind");
    assert!(kinds.contains(&"CHARGE_OFF".to_owned()) && kinds.contains(&"RECOVERY".to_owned()), "{kinds:?}");
    // Charges and reversals are of what was recorded.
    let loan = {
        record(&world, &loan, "2026-03-02", What::Disburse { amount: None }).await;
        loan
    };
    let payment = record(&world, &loan, "2026-03-02", pay("100")).await;
    let simulated =
        simulate(&world, &loan, json!([{"reversal": {"on": "2026-03-02", "transactionId": payment}}])).await;
    assert_eq!(simulated["userErrors"], json!([]));
    assert_eq!(simulated["schedule"][0]["paid"]["total"]["amount"], "0.00");
    assert_eq!(simulated["journal"][0]["reverses"], true);
}

#[tokio::test]
async fn only_what_can_be_lent_is_simulated() {
    let world = World::start().await;
    let pending = world.loan("p", "600").await;
    let simulated = simulate(&world, &pending, json!([{"disbursement": {"on": "2026-03-05"}}])).await;
    assert_eq!((codes(&simulated), simulated["totalRepayable"].is_null()), (vec![], false));
    super::world::change(&world.api, "rejectLoan", json!({"loanId": pending}), "id").await;
    let refused = simulate(&world, &pending, json!([{"disbursement": {"on": "2026-03-05"}}])).await;
    assert_eq!(codes(&refused), ["INVALID_TRANSITION events.0"]);
    assert_eq!(refused["schedule"], json!([]));
}

const NEW: &str = "query($input: SimulateLoanInput!) { simulateLoan(input: $input) { SIMULATION disclosure(rule: RBI_KFS) { rate } USER_ERRORS } }";

async fn simulate_new(world: &World, input: Json) -> Json {
    let query = NEW.replace("SIMULATION", SIMULATION).replace("USER_ERRORS", USER_ERRORS);
    world.api.data(&query, json!({"input": input})).await["simulateLoan"].take()
}

fn offer(world: &World) -> Json {
    json!({"productId": world.kes, "branchId": world.nbo, "principal": money("12000"), "annualRate": "12", "installments": 6, "disbursedOn": "2026-03-02"})
}

#[tokio::test]
async fn a_loan_that_does_not_exist_is_simulated() {
    let world = World::start().await;
    let simulated = simulate_new(&world, offer(&world)).await;
    assert_eq!(simulated["userErrors"], json!([]));
    assert_eq!(simulated["schedule"].as_array().unwrap().len(), 6);
    assert_eq!(simulated["schedule"][0]["total"]["amount"], "2070.58");
    assert_eq!(simulated["disclosure"]["rate"], "12.00");
    let interest = simulated["totalInterest"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    let all = simulated["totalRepayable"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(all - interest, 1_200_000);
    assert_eq!(each(&simulated["journal"], "kind"), ["DISBURSEMENT"]);
    // It is the loan that then comes to be.
    let loan = running(&world).await;
    let seen = look(&world, &loan, "", "schedule { number dueOn total { amount } paid { total { amount } } }").await;
    assert_eq!(seen["schedule"], simulated["schedule"]);
    let count = world.api.data("{ loans { totalCount } }", json!({})).await;
    assert_eq!(count["loans"]["totalCount"], 1);
    // With events, long ago, without a branch.
    let input = json!({"productId": world.kes, "principal": money("12000"), "annualRate": "12", "installments": 6, "disbursedOn": "2020-01-31",
        "events": [{"repayment": {"on": "2020-02-29", "amount": money("12694")}}]});
    let simulated = simulate_new(&world, input).await;
    assert_eq!((codes(&simulated), simulated["asOf"].clone()), (vec![], json!("2020-02-29")));
    assert_eq!(each(&simulated["schedule"], "dueOn")[..2], ["2020-02-29", "2020-03-31"]);
}

#[tokio::test]
async fn terms_that_cannot_be_are_refused_all_at_once() {
    let world = World::start().await;
    let cases = [
        (json!({"productId": "product_00000000000000000000000001"}), vec!["NOT_FOUND input.productId"]),
        (json!({"productId": world.nbo}), vec!["INVALID_ID input.productId"]),
        (json!({"branchId": "branch_00000000000000000000000001"}), vec!["NOT_FOUND input.branchId"]),
        (
            json!({"principal": money("50000.01"), "annualRate": "101", "installments": 601}),
            vec![
                "AMOUNT_OUT_OF_RANGE input.principal.amount",
                "RATE_OUT_OF_RANGE input.annualRate",
                "NUMBER_OUT_OF_RANGE input.installments",
            ],
        ),
        (
            json!({"events": [{"repayment": {"on": "2026-03-01", "amount": money("1")}}]}),
            vec!["DATE_OUT_OF_RANGE input.events.0.on"],
        ),
    ];
    for (changes, expected) in cases {
        let simulated = simulate_new(&world, with(offer(&world), changes.clone())).await;
        assert_eq!(codes(&simulated), expected, "{changes}");
        let refused_terms = !expected[0].contains("events");
        assert_eq!(simulated["balances"].is_null(), refused_terms, "{changes}");
        assert_eq!(simulated["schedule"] == json!([]), refused_terms, "{changes}");
    }
}

#[tokio::test]
async fn what_is_kept_of_the_proceeds_was_never_lent() {
    let world = World::start().await;
    let cost =
        "disclosure(rule: EU_APRC) { amountFinanced { amount } totalOfPayments { amount } financeCharge { amount } }";
    let query = format!(
        "query($input: SimulateLoanInput!) {{ simulateLoan(input: $input) {{ {cost} totalInterest {{ amount }} journal {{ lines {{ account side amount {{ amount }} }} }} {USER_ERRORS} }} }}"
    );
    let ask = async |terms: Json| {
        let input = with(offer(&world), json!({"terms": terms}));
        let mut answer = world.api.data(&query, json!({"input": input})).await["simulateLoan"].take();
        assert_eq!(answer["userErrors"].take(), json!([]));
        answer
    };
    let plain = ask(json!({})).await;
    assert_eq!(plain["disclosure"]["amountFinanced"]["amount"], "12000.00");
    let fee = json!([{"name": "Processing", "timing": "UPFRONT_KEPT", "amount": money("300")}]);
    let kept = ask(json!({"charges": fee})).await;
    assert_eq!(kept["disclosure"]["amountFinanced"]["amount"], "11700.00");
    assert_eq!(kept["disclosure"]["totalOfPayments"], plain["disclosure"]["totalOfPayments"]);
    assert_eq!(
        kept["journal"][0]["lines"],
        json!([
            {"account": "LOANS_RECEIVABLE", "side": "DEBIT", "amount": {"amount": "12000.00"}},
            {"account": "CASH", "side": "CREDIT", "amount": {"amount": "11700.00"}},
            {"account": "FEE_INCOME", "side": "CREDIT", "amount": {"amount": "300.00"}},
        ])
    );
    // Interest that follows the balance costs the same when everything is paid on time.
    let daily = ask(json!({"recalculation": "DAILY_BALANCE"})).await;
    assert_eq!(daily["disclosure"], plain["disclosure"]);
}
