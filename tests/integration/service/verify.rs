//! Verifying the books: histories that hold after every step, and everything that was tampered with is found.

use branch_loan_api::service::loan_books::What;
use branch_loan_api::service::verify::FindingKind;
use lending::loan::{ChargeKind, PaymentKind};
use rand::Rng;
use uuid::Uuid;

use super::desk::Desk;
use crate::support::engines::Engine;
use crate::support::inputs::amount;
use crate::support::random::Dice;

both_engines!(random_histories_hold_after_every_step, what_was_tampered_with_is_found,);

async fn random_histories_hold_after_every_step(engine: Engine) {
    let desk = Desk::open(engine, 1).await;
    let mut dice = Dice::new();
    let mut today = crate::support::services::day("2025-06-10");
    let mut recorded: Vec<(Uuid, Uuid)> = Vec::new();
    for step in 0..60 {
        let ahead = dice.random_range(0..9);
        today = today.checked_add_days(chrono::Days::new(ahead)).unwrap();
        desk.at(&today.to_string());
        let loan = dice.pick(&desk.loans).id;
        let value = amount(&format!("{}.{:02}", dice.random_range(1..3_000), dice.random_range(0..100)), "KES");
        let back = today.checked_sub_days(chrono::Days::new(dice.random_range(0..12))).unwrap().to_string();
        let what = match dice.random_range(0..16) {
            0..4 => What::Disburse { amount: None },
            4..9 => What::Pay { amount: value, kind: PaymentKind::Repayment },
            9 => What::Charge { amount: value, kind: ChargeKind::Fee, due_on: None },
            10 => What::WaiveInterest { amount: None },
            11 => What::RefundCredit { amount: None },
            12 => What::Reschedule {
                from: None,
                first_due_on: None,
                annual_rate: Some("9".to_owned()),
                extra_installments: None,
            },
            13 if dice.random_bool(0.2) => What::ChargeOff,
            13 if dice.random_bool(0.2) => What::WriteOff,
            14 if !recorded.is_empty() => {
                let (of, transaction) = *dice.pick(&recorded);
                let reversal = What::Reverse { transaction, reason: None };
                let _ = desk.try_record(of, reversal, None).await;
                desk.assert_clean(&format!("step {step}, a reversal")).await;
                continue;
            }
            _ => {
                desk.close(&today.to_string(), dice.random_range(1..4)).await;
                desk.assert_clean(&format!("step {step}, closed through {today}")).await;
                continue;
            }
        };
        let on = dice.random_bool(0.3).then_some(back.as_str());
        let told = format!("step {step} on {today}: {what:?} {on:?}");
        if let Ok(done) = desk.try_record(loan, what, on).await {
            recorded.push((loan, done.transaction));
        }
        desk.assert_clean(&told).await;
    }
}

async fn what_was_tampered_with_is_found(engine: Engine) {
    use FindingKind::{
        Accrued, Balance, EntryBalances, Installment, LoanAccount, PrincipalControl, Split, Status, TransactionEntry,
        TrialBalance,
    };
    let desk = Desk::running(engine, 1).await;
    let loan = desk.loans[0].id;
    desk.at("2025-07-10");
    let paid = desk.pay(loan, "500.00").await;
    desk.close("2025-07-10", 10).await;
    desk.assert_clean("before").await;
    let unlock: &[&str] = if desk.world.engine.is_postgres() {
        &["DROP TRIGGER journal_lines_append_only ON journal_lines"]
    } else {
        &["DROP TRIGGER journal_lines_no_update"]
    };
    desk.sql(unlock).await;
    let id = if desk.world.engine.is_postgres() { format!("'{loan}'") } else { format!("x'{}'", loan.simple()) };
    let transaction = if desk.world.engine.is_postgres() {
        format!("'{}'", paid.transaction)
    } else {
        format!("x'{}'", paid.transaction.simple())
    };
    let of_loan = |set: &str| format!("UPDATE loans SET {set} WHERE id = {id}");
    for (change, back, expected) in [
        (
            format!(
                "UPDATE loan_installments SET due_interest_minor = due_interest_minor + 1 WHERE loan_id = {id} AND number = 2"
            ),
            format!(
                "UPDATE loan_installments SET due_interest_minor = due_interest_minor - 1 WHERE loan_id = {id} AND number = 2"
            ),
            vec![Installment],
        ),
        (
            format!(
                "UPDATE loan_transaction_splits SET interest_minor = interest_minor + 1 WHERE transaction_id = {transaction}"
            ),
            format!(
                "UPDATE loan_transaction_splits SET interest_minor = interest_minor - 1 WHERE transaction_id = {transaction}"
            ),
            vec![Split],
        ),
        (
            format!(
                "UPDATE journal_lines SET credit_minor = credit_minor + 1 WHERE loan_id = {id} AND account = 'LOANS_RECEIVABLE' AND credit_minor > 0"
            ),
            format!(
                "UPDATE journal_lines SET credit_minor = credit_minor - 1 WHERE loan_id = {id} AND account = 'LOANS_RECEIVABLE' AND credit_minor > 0"
            ),
            vec![TransactionEntry, LoanAccount, EntryBalances, TrialBalance, PrincipalControl],
        ),
        (
            of_loan("outstanding_principal_minor = outstanding_principal_minor + 1"),
            of_loan("outstanding_principal_minor = outstanding_principal_minor - 1"),
            vec![Balance, PrincipalControl],
        ),
        (
            of_loan("accrued_interest_minor = accrued_interest_minor + 1"),
            of_loan("accrued_interest_minor = accrued_interest_minor - 1"),
            vec![Accrued, LoanAccount],
        ),
        (of_loan("oldest_unpaid_due_on = '2025-09-09'"), of_loan("oldest_unpaid_due_on = '2025-07-10'"), vec![Balance]),
        (
            of_loan("status = 'DEFAULTED', defaulted_on = '2025-07-01'"),
            of_loan("status = 'DISBURSED', defaulted_on = NULL"),
            vec![Status],
        ),
    ] {
        desk.sql(&[&change]).await;
        assert_eq!(desk.found().await, expected, "{change}");
        desk.sql(&[&back]).await;
        desk.assert_clean(&back).await;
    }
}
