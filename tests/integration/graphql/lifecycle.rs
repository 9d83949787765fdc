//! Every mutation of a loan's life in every status: done, with the loan as it then is, once for each key; or refused as
//! a step that the status does not know, with those it does.

use serde_json::{Value as Json, json};

use super::book_desk::{BookDesk, STEPS, kes};
use super::world::with;
use crate::support::engines::Engine;

both_engines!(
    every_mutation_is_done_or_refused_in_every_status,
    a_charged_off_loan_says_what_is_left_to_do,
    a_disbursement_is_not_undone_under_what_rests_on_it,
    what_is_taken_back_is_taken_back_once,
    a_loan_is_given_up_after_all_that_was_recorded_on_it,
    credit_is_paid_back_on_days_it_stood,
);

/// In which statuses each mutation is possible.
const POSSIBLE: [(&str, &[&str]); 16] = [
    ("approveLoan", &["PENDING"]),
    ("rejectLoan", &["PENDING"]),
    ("withdrawLoan", &["PENDING", "APPROVED"]),
    ("undoLoanApproval", &["APPROVED"]),
    ("disburseLoan", &["APPROVED", "DISBURSED", "DEFAULTED", "REPAID"]),
    ("undoDisbursement", &["DISBURSED", "DEFAULTED"]),
    ("recordRepayment", &["DISBURSED", "DEFAULTED", "REPAID"]),
    ("reverseTransaction", &["DISBURSED", "DEFAULTED", "REPAID", "WRITTEN_OFF"]),
    ("addLoanCharge", &["DISBURSED", "DEFAULTED", "REPAID"]),
    ("waiveLoanCharge", &["DISBURSED", "DEFAULTED"]),
    ("waiveInterest", &["DISBURSED", "DEFAULTED"]),
    ("refundCredit", &["DISBURSED", "DEFAULTED", "REPAID"]),
    ("rescheduleLoan", &["DISBURSED", "DEFAULTED"]),
    ("chargeOffLoan", &["DISBURSED", "DEFAULTED"]),
    ("writeOffLoan", &["DISBURSED", "DEFAULTED"]),
    ("recordRecovery", &["WRITTEN_OFF"]),
];

const STATUSES: [&str; 8] =
    ["PENDING", "APPROVED", "REJECTED", "WITHDRAWN", "DISBURSED", "DEFAULTED", "REPAID", "WRITTEN_OFF"];

/// The status a step of the lifecycle leads to; recording has none.
fn target(step: &str) -> Json {
    match step {
        "APPROVE" | "UNDO_DISBURSEMENT" => json!("APPROVED"),
        "REJECT" => json!("REJECTED"),
        "WITHDRAW" => json!("WITHDRAWN"),
        "UNDO_APPROVAL" => json!("PENDING"),
        "DISBURSE" => json!("DISBURSED"),
        "WRITE_OFF" => json!("WRITTEN_OFF"),
        _ => Json::Null,
    }
}

fn possible(name: &str, status: &str) -> bool {
    POSSIBLE.iter().any(|(mutation, statuses)| *mutation == name && statuses.contains(&status))
}

fn steps_of(status: &str) -> Vec<&'static str> {
    let mut steps: Vec<&str> = STEPS.iter().filter(|(name, _)| possible(name, status)).map(|(_, step)| *step).collect();
    steps.sort_unstable();
    steps
}

async fn every_mutation_is_done_or_refused_in_every_status(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    for status in STATUSES {
        let closed = desk.in_status(status).await;
        let before = desk.loan(&closed).await;
        for (name, step) in STEPS {
            if possible(name, status) {
                done(&desk, name, status).await;
                continue;
            }
            let input = desk.input(&closed, desk.sensible(name, &closed).await);
            let mut errors = desk.refused(name, &input).await;
            assert_eq!(errors[0]["code"], "INVALID_TRANSITION", "{name} of a loan that is {status}");
            sort(&mut errors[0]["allowed"]);
            let expected = json!([{
                "__typename": "InvalidTransition", "code": "INVALID_TRANSITION", "path": ["input", "loanId"],
                "from": status, "attempted": step, "to": target(step), "allowed": steps_of(status),
            }]);
            assert_eq!(errors, expected, "{name} of a loan that is {status}");
        }
        assert_eq!(desk.loan(&closed).await, before, "a refusal changes nothing: {status}");
    }
    let verified = desk.world.api.data("{ verifyBooks { clean findings { kind subject } } }", json!({})).await;
    assert_eq!(verified["verifyBooks"], json!({"clean": true, "findings": []}));
}

fn sort(list: &mut Json) {
    list.as_array_mut().unwrap().sort_by(|one, other| one.as_str().cmp(&other.as_str()));
}

/// The mutation on a new loan of a status: it answers with the loan as it then is, and a second time with the same.
async fn done(desk: &BookDesk, name: &str, status: &str) {
    let loan = desk.in_status(status).await;
    let input = desk.input(&loan, desk.sensible(name, &loan).await);
    let first = desk.answer(name, &input).await;
    let place = format!("{name} of a loan that is {status}: {first}");
    let nothing_there = match name {
        "refundCredit" => status != "REPAID",
        _ => false,
    };
    if nothing_there {
        assert_eq!(first["userErrors"][0]["code"], "NOTHING_TO_DO", "{place}");
        return;
    }
    if name == "undoDisbursement" {
        assert_eq!(first["userErrors"][0]["code"], "STILL_NEEDED", "{place}");
        return;
    }
    assert_eq!((&first["userErrors"], &first["replayed"]), (&json!([]), &json!(false)), "{place}");
    let now = desk.loan(&loan).await;
    assert_eq!(first["loan"], now, "{place}");
    let again = desk.answer(name, &input).await;
    assert_eq!((&again["userErrors"], &again["replayed"]), (&json!([]), &json!(true)), "{place}");
    assert_eq!((&again["loan"], &again["transaction"]), (&now, &first["transaction"]), "{place}");
    let other = desk.refused(name, &with(input, json!({"expectedVersion": 1}))).await;
    assert_eq!(other[0]["code"], "IDEMPOTENCY_KEY_MISMATCH", "{place}");
    assert_eq!(other[0]["path"], json!(["input", "idempotencyKey"]));
    assert_eq!(other[0]["firstUsedAt"], "2026-03-02T09:00:00.000Z");
    let stale = desk.input(&loan, with(desk.sensible(name, &loan).await, json!({"expectedVersion": 1})));
    let stale = desk.refused(name, &stale).await;
    let conflict = json!([{
        "__typename": "VersionConflict", "code": "VERSION_CONFLICT", "path": ["input", "expectedVersion"],
        "current": now["version"],
    }]);
    assert_eq!(stale, conflict, "{place}");
}

async fn a_charged_off_loan_says_what_is_left_to_do(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let loan = desk.disbursed().await;
    desk.record("chargeOffLoan", &loan, json!({})).await;
    let gone = ["CHARGE_OFF", "DISBURSE", "RESCHEDULE"];
    let left: Vec<&str> = steps_of("DISBURSED").into_iter().filter(|step| !gone.contains(step)).collect();
    for name in ["chargeOffLoan", "disburseLoan", "rescheduleLoan", "approveLoan"] {
        let input = desk.input(&loan, desk.sensible(name, &loan).await);
        let mut errors = desk.refused(name, &input).await;
        sort(&mut errors[0]["allowed"]);
        assert_eq!(errors[0]["code"], "INVALID_TRANSITION", "{name}");
        assert_eq!((&errors[0]["from"], &errors[0]["allowed"]), (&json!("DISBURSED"), &json!(left)), "{name}");
    }
    desk.record("recordRepayment", &loan, json!({"amount": kes("5")})).await;
    desk.record("writeOffLoan", &loan, json!({})).await;
    let much = desk.input(&loan, json!({"amount": kes("9999")}));
    let errors = desk.refused("recordRecovery", &much).await;
    assert_eq!((&errors[0]["code"], &errors[0]["path"]), (&json!("AMOUNT_OUT_OF_RANGE"), &json!(["input", "amount"])));
    let most = errors[0]["max"].clone();
    desk.record("recordRecovery", &loan, json!({"amount": most})).await;
    let again = desk.input(&loan, json!({"amount": kes("0.01")}));
    assert_eq!(desk.refused("recordRecovery", &again).await[0]["code"], "NOTHING_TO_DO");
}

async fn a_disbursement_is_not_undone_under_what_rests_on_it(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let loan = desk.approved().await;
    let paid_out = desk.record("disburseLoan", &loan, json!({"on": LENT_LATE})).await;
    let undone = desk.record("undoDisbursement", &loan, json!({"reason": "Wrong loan."})).await;
    assert_eq!(undone["loan"]["status"], "APPROVED");
    assert_eq!(undone["transaction"], paid_out["transaction"]);
    let id = &paid_out["transaction"]["id"];
    let again = desk.input(&loan, json!({"transactionId": id}));
    assert_eq!(desk.refused("reverseTransaction", &again).await[0]["code"], "ALREADY_REVERSED");
    desk.record("disburseLoan", &loan, json!({})).await;
}

const LENT_LATE: &str = "2026-02-20";

async fn what_is_taken_back_is_taken_back_once(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let loan = desk.disbursed().await;
    let other = desk.disbursed().await;
    let paid = desk.transactions(&loan, "REPAYMENT").await.pop().unwrap();
    let foreign = desk.input(&other, json!({"transactionId": paid}));
    let errors = desk.refused("reverseTransaction", &foreign).await;
    let not_found = json!([{"__typename": "InvalidInput", "code": "NOT_FOUND", "path": ["input", "transactionId"]}]);
    assert_eq!(errors, not_found, "a transaction belongs to its loan");
    desk.record("reverseTransaction", &loan, json!({"transactionId": paid, "reason": "Bounced."})).await;
    let again = desk.input(&loan, json!({"transactionId": paid}));
    let errors = desk.refused("reverseTransaction", &again).await;
    let reversed =
        json!([{"__typename": "InvalidInput", "code": "ALREADY_REVERSED", "path": ["input", "transactionId"]}]);
    assert_eq!(errors, reversed);
    let first = desk.transactions(&loan, "DISBURSEMENT").await.pop().unwrap();
    let needed = desk.input(&loan, json!({"transactionId": first}));
    assert_eq!(desk.refused("reverseTransaction", &needed).await[0]["code"], "STILL_NEEDED");
}

/// Otherwise a payment that came in after the write-off's day would be nobody's money.
async fn a_loan_is_given_up_after_all_that_was_recorded_on_it(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let loan = desk.disbursed().await;
    let early = desk.input(&loan, json!({"on": "2026-02-04"}));
    let range = json!([{
        "__typename": "DateOutOfRange", "code": "DATE_OUT_OF_RANGE", "path": ["input", "on"],
        "earliest": "2026-02-05", "latest": "2026-03-02",
    }]);
    assert_eq!(desk.refused("writeOffLoan", &early).await, range);
    let given_up = desk.record("writeOffLoan", &loan, json!({"on": "2026-02-05"})).await;
    assert_eq!(
        (&given_up["loan"]["status"], &given_up["loan"]["closedOn"]),
        (&json!("WRITTEN_OFF"), &json!("2026-02-05"))
    );
}

async fn credit_is_paid_back_on_days_it_stood(engine: Engine) {
    let desk = BookDesk::open(&engine).await;
    let loan = desk.disbursed().await;
    let paid = desk.record("recordRepayment", &loan, json!({"amount": kes("2000"), "on": "2026-02-20"})).await;
    let credit = paid["loan"]["creditBalance"]["amount"].as_str().unwrap().to_owned();
    for more in [json!({}), json!({"amount": kes("1")})] {
        let before = desk.input(&loan, with(more, json!({"on": "2026-02-19"})));
        assert_eq!(desk.refused("refundCredit", &before).await[0]["code"], "NOTHING_TO_DO");
    }
    let after = desk.input(&loan, json!({"on": "2026-02-20", "amount": kes("99999")}));
    let errors = desk.refused("refundCredit", &after).await;
    assert_eq!((&errors[0]["code"], &errors[0]["max"]["amount"]), (&json!("AMOUNT_OUT_OF_RANGE"), &json!(credit)));
    let refunded = desk.record("refundCredit", &loan, json!({"on": "2026-02-20"})).await;
    assert_eq!(refunded["loan"]["creditBalance"]["amount"], "0.00");
}
