//! What lies outside the limits of a mutation on loans: every kind of bad date and bad amount is refused by a code, at
//! a path, with the limits; and nothing is written.

use serde_json::{Value as Json, json};

use super::book_desk::{BookDesk, LENT_ON, TODAY, kes};
use super::world::{change, create, refusals, with};
use crate::support::engines::Engine;

both_engines!(
    no_date_is_accepted_outside_its_limits,
    a_closed_day_takes_what_becomes_known_late_and_nothing_else,
    dates_beside_the_value_date_have_limits_too,
    money_is_paid_out_before_the_first_due_date,
    no_amount_is_accepted_outside_its_limits,
    too_much_of_anything_else_is_refused,
    a_first_day_to_close_is_not_too_long_ago,
);

const TOMORROW: &str = "2026-03-03";
/// What may be named at most of anything.
const LARGEST: &str = "99999999999999.99";

fn out_of_range(field: &str, earliest: Json, latest: Json) -> Json {
    json!([{
        "__typename": "DateOutOfRange", "code": "DATE_OUT_OF_RANGE", "path": ["input", field],
        "earliest": earliest, "latest": latest,
    }])
}

/// Each mutation with a value date, the status of a loan it is tried on, and the first possible date.
const DATED: [(&str, &str, &str); 13] = [
    ("approveLoan", "PENDING", LENT_ON),
    ("rejectLoan", "PENDING", LENT_ON),
    ("withdrawLoan", "APPROVED", LENT_ON),
    ("disburseLoan", "APPROVED", LENT_ON),
    ("recordRepayment", "DISBURSED", LENT_ON),
    ("addLoanCharge", "DISBURSED", LENT_ON),
    ("waiveLoanCharge", "DISBURSED", LENT_ON),
    ("waiveInterest", "DISBURSED", LENT_ON),
    ("refundCredit", "REPAID", LENT_ON),
    ("rescheduleLoan", "DISBURSED", LENT_ON),
    ("chargeOffLoan", "DISBURSED", LENT_ON),
    ("writeOffLoan", "DISBURSED", "2026-02-05"),
    ("recordRecovery", "WRITTEN_OFF", TODAY),
];

async fn no_date_is_accepted_outside_its_limits(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    for (name, status, earliest) in DATED {
        let loan = desk.in_status(status).await;
        let before = desk.loan(&loan).await;
        // Money is paid out before the loan would mature; this one matures in August.
        let expected = out_of_range("on", json!(earliest), json!(TODAY));
        for on in [TOMORROW, "9999-12-31", "2025-12-31", "0001-01-01"] {
            let more = with(desk.sensible(name, &loan).await, json!({"on": on}));
            assert_eq!(desk.refused(name, &desk.input(&loan, more)).await, expected, "{name} on {on}");
        }
        assert_eq!(desk.loan(&loan).await, before, "{name}");
    }
    let application = with(desk.world.application(&desk.key(), "5"), json!({"appliedOn": TOMORROW}));
    let error = refusals(&desk.world.api, "applyForLoan", application).await[0].take();
    let found = (&error["__typename"], &error["code"], &error["path"], &error["earliest"], &error["latest"]);
    let path = json!(["input", "appliedOn"]);
    assert_eq!(found, (&json!("DateOutOfRange"), &json!("DATE_OUT_OF_RANGE"), &path, &Json::Null, &json!(TODAY)));
}

async fn a_closed_day_takes_what_becomes_known_late_and_nothing_else(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let mut loans = Vec::new();
    for (name, status, _) in DATED {
        loans.push((name, status, desk.in_status(status).await));
    }
    let closing = json!({"branchId": desk.world.nbo, "on": "2026-02-10"});
    change(&desk.world.api, "closeBusinessDay", closing, "closedThrough").await;
    let closed = out_of_range("on", json!("2026-02-11"), json!(TODAY));
    for (name, status, loan) in loans {
        let input = desk.input(&loan, with(desk.sensible(name, &loan).await, json!({"on": "2026-02-10"})));
        match name {
            "disburseLoan" | "rescheduleLoan" | "chargeOffLoan" | "writeOffLoan" | "refundCredit" => {
                assert_eq!(desk.refused(name, &input).await, closed, "{name}");
                let next = desk.input(&loan, with(desk.sensible(name, &loan).await, json!({"on": "2026-02-11"})));
                let answer = desk.answer(name, &next).await;
                // The credit of the repaid loan came in today.
                let expected = if name == "refundCredit" { json!("NOTHING_TO_DO") } else { Json::Null };
                assert_eq!(answer["userErrors"][0]["code"], expected, "{name}: {answer}");
            }
            "recordRecovery" => {
                assert_eq!(desk.refused(name, &input).await, out_of_range("on", json!(TODAY), json!(TODAY)));
            }
            _ => {
                let answer = desk.answer(name, &input).await;
                assert_eq!(answer["userErrors"], json!([]), "{name} of a loan that is {status}");
            }
        }
    }
    // The books of the closed day stay what they were: what came late is booked on an open one.
    let text =
        "{ journalEntries(filter: {on: {lte: \"2026-02-10\"}, kind: REPAYMENT}, first: 100) { nodes { on recordedAt } }
        verifyBooks { clean findings { kind subject } } }";
    let data = desk.world.api.data(text, json!({})).await;
    assert!(data["journalEntries"]["nodes"].as_array().unwrap().iter().all(|entry| entry["on"] != "2026-02-10"));
    assert_eq!(data["verifyBooks"], json!({"clean": true, "findings": []}));
}

async fn dates_beside_the_value_date_have_limits_too(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let loan = desk.disbursed().await;
    // It matures on 2026-07-05.
    let matures = desk.loan(&loan).await["schedule"].as_array().unwrap().last().unwrap()["dueOn"].clone();
    assert_eq!(matures, "2026-07-05");
    for due_on in ["2026-01-04", "2028-07-06", "9999-12-31"] {
        let input = desk.input(&loan, json!({"amount": kes("1"), "dueOn": due_on}));
        let expected = out_of_range("dueOn", json!(LENT_ON), json!("2028-07-05"));
        assert_eq!(desk.refused("addLoanCharge", &input).await, expected, "{due_on}");
    }
    for from in ["2026-01-04", "2026-07-06"] {
        let input = desk.input(&loan, json!({"from": from, "extraInstallments": 1}));
        let expected = out_of_range("from", json!(LENT_ON), json!("2026-07-05"));
        assert_eq!(desk.refused("rescheduleLoan", &input).await, expected, "{from}");
    }
    // The installment of 5 March is the first that is due from now on; the one before was due on 5 February.
    for first in ["2026-02-05", "2028-03-03", "9999-12-31"] {
        let input = desk.input(&loan, json!({"firstDueOn": first}));
        let expected = out_of_range("firstDueOn", json!("2026-02-06"), json!("2028-03-02"));
        assert_eq!(desk.refused("rescheduleLoan", &input).await, expected, "{first}");
    }
    desk.record("rescheduleLoan", &loan, json!({"firstDueOn": "2028-03-02"})).await;
}

async fn money_is_paid_out_before_the_first_due_date(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let terms = json!({"appliedOn": LENT_ON, "installments": 3, "terms": {"firstDueOn": "2026-02-01"}});
    let loan = create(&desk.world.api, "applyForLoan", with(desk.world.application("due", "500"), terms)).await;
    desk.record("approveLoan", &loan, json!({"on": LENT_ON})).await;
    for on in [json!({}), json!({"on": "2026-02-01"})] {
        let expected = out_of_range("on", Json::Null, json!("2026-01-31"));
        assert_eq!(desk.refused("disburseLoan", &desk.input(&loan, on)).await, expected);
    }
    desk.record("disburseLoan", &loan, json!({"on": "2026-01-31"})).await;
}

/// Each mutation with an amount, the status of a loan it is tried on, where the amount stands, and the most it may be.
const PAID: [(&str, &str, &str); 8] = [
    ("approveLoan", "PENDING", "1200.00"),
    ("disburseLoan", "DISBURSED", "200.00"),
    ("recordRepayment", "DISBURSED", LARGEST),
    ("addLoanCharge", "DISBURSED", LARGEST),
    ("waiveLoanCharge", "DEFAULTED", "10.00"),
    ("waiveInterest", "DEFAULTED", ""),
    ("refundCredit", "REPAID", ""),
    ("recordRecovery", "WRITTEN_OFF", ""),
];

async fn no_amount_is_accepted_outside_its_limits(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    for (name, status, most) in PAID {
        let loan = desk.in_status(status).await;
        let before = desk.loan(&loan).await;
        let most = if most.is_empty() { most_of(&before, name) } else { most.to_owned() };
        let tried = async |amount: Json| {
            let more = with(desk.sensible(name, &loan).await, json!({"amount": amount}));
            desk.refused(name, &desk.input(&loan, more)).await
        };
        let range = json!([{
            "__typename": "AmountOutOfRange", "code": "AMOUNT_OUT_OF_RANGE", "path": ["input", "amount"],
            "min": kes("0.01"), "max": kes(&most),
        }]);
        for amount in ["0", "0.00", "-0.01", "-5", "-92233720368547758.08"] {
            assert_eq!(tried(kes(amount)).await, range, "{name} of {amount}");
        }
        if most != LARGEST {
            let above = format!("{}.{}", most.split('.').next().unwrap().parse::<i64>().unwrap() + 1, "00");
            assert_eq!(tried(kes(&above)).await, range, "{name} of {above}");
        }
        for amount in ["100000000000000.00", "92233720368547758.08", "99999999999999999999999999"] {
            let errors = tried(kes(amount)).await;
            let largest = json!([{
                "__typename": "AmountOutOfRange", "code": "AMOUNT_OUT_OF_RANGE", "path": ["input", "amount", "amount"],
                "min": null, "max": kes(LARGEST),
            }]);
            assert_eq!(errors, largest, "{name} of {amount}");
        }
        let plain = |code: &str, path: &[&str]| json!([{"__typename": "InvalidInput", "code": code, "path": path}]);
        let digits = &["input", "amount", "amount"];
        assert_eq!(tried(kes("1.001")).await, plain("TOO_MANY_DECIMALS", digits), "{name}");
        let foreign = tried(json!({"amount": "1", "currency": "USD"})).await;
        assert_eq!(foreign, plain("CURRENCY_MISMATCH", &["input", "amount", "currency"]), "{name}");
        assert_eq!(desk.loan(&loan).await, before, "{name}");
    }
}

/// What is there of what a mutation is about.
fn most_of(loan: &Json, name: &str) -> String {
    match name {
        // Six installments of 172.55, the last of 172.53, for 1,000.
        "waiveInterest" => "35.28".to_owned(),
        "refundCredit" => loan["creditBalance"]["amount"].as_str().unwrap().to_owned(),
        // What is left of 1,045.28 after 300.00: principal, interest and fee.
        _ => "745.28".to_owned(),
    }
}

async fn too_much_of_anything_else_is_refused(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let loan = desk.disbursed().await;
    let number = |path: &[&str]| json!([{"__typename": "InvalidInput", "code": "NUMBER_OUT_OF_RANGE", "path": path}]);
    for extra in [-1, 595, i32::MAX] {
        let input = desk.input(&loan, json!({"extraInstallments": extra}));
        assert_eq!(desk.refused("rescheduleLoan", &input).await, number(&["input", "extraInstallments"]), "{extra}");
    }
    let nothing = desk.refused("rescheduleLoan", &desk.input(&loan, json!({}))).await;
    assert_eq!(nothing, json!([{"__typename": "InvalidInput", "code": "NOTHING_TO_DO", "path": ["input"]}]));
    for (rate, code) in
        [("-1", "RATE_OUT_OF_RANGE"), ("1.00001", "TOO_MANY_DECIMALS"), ("1000001", "RATE_OUT_OF_RANGE")]
    {
        let input = desk.input(&loan, json!({"annualRate": rate}));
        let errors = desk.refused("rescheduleLoan", &input).await;
        assert_eq!((&errors[0]["code"], &errors[0]["path"]), (&json!(code), &json!(["input", "annualRate"])), "{rate}");
    }
    let long = "x".repeat(65);
    for (key, code) in [("", "REQUIRED"), ("  ", "REQUIRED"), (long.as_str(), "TOO_LONG")] {
        let input = with(desk.input(&loan, json!({"amount": kes("1")})), json!({"idempotencyKey": key}));
        let errors = desk.refused("recordRepayment", &input).await;
        let path = json!(["input", "idempotencyKey"]);
        assert_eq!((&errors[0]["code"], &errors[0]["path"]), (&json!(code), &path), "{key:?}");
    }
    desk.record("recordRepayment", &loan, json!({"amount": kes("1"), "externalRef": "M-1"})).await;
    let again = desk.input(&loan, json!({"amount": kes("1"), "externalRef": "M-1"}));
    let taken = json!([{"__typename": "InvalidInput", "code": "ALREADY_TAKEN", "path": ["input", "externalRef"]}]);
    assert_eq!(desk.refused("recordRepayment", &again).await, taken);
}

/// Every day after the first is closed as well, so that a first one of year 1 would never come to an end.
async fn a_first_day_to_close_is_not_too_long_ago(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let text = "mutation($id: ID!, $on: Date!) { closeBusinessDay(input: {branchId: $id, on: $on}) {
        userErrors { __typename code path ... on DateOutOfRange { earliest latest } } } }";
    let close = async |on: &str| {
        let data = desk.world.api.data(text, json!({"id": desk.world.thika, "on": on})).await;
        data["closeBusinessDay"]["userErrors"].clone()
    };
    let expected = out_of_range("on", json!("2016-03-02"), json!(TODAY));
    assert_eq!(close("0001-01-01").await, expected);
    assert_eq!(close("2016-03-01").await, expected);
    assert_eq!(close("2026-03-01").await, json!([]));
    assert_eq!(close("2016-03-01").await, json!([]), "closed already: nothing is left to do");
}
