use lending::loan::{Business, Lifecycle, LoanStatus, Transition, TransitionError};
use lending::money::Money;

use crate::{business, currency, march, money};

/// Applied on the 3rd by `ann` for 12,500.00 KES.
fn pending() -> Lifecycle {
    Lifecycle::apply(march(3), "ann".into(), money("12500", "KES"), business()).unwrap()
}

/// Approved on the 5th by `bob` for 12,000.00 KES.
fn approved() -> Lifecycle {
    pending().approve(march(5), "bob".into(), Some(money("12000", "KES")), business()).unwrap()
}

/// Paid out on the 10th by `cat`, 11,000.00 KES.
fn disbursed() -> Lifecycle {
    approved().disburse(march(10), "cat".into(), money("11000", "KES"), business()).unwrap()
}

/// Defaulted on the 15th.
fn defaulted() -> Lifecycle {
    disbursed().default_on(march(15), business()).unwrap()
}

fn date_error(earliest: Option<u32>, given: u32) -> TransitionError {
    TransitionError::DateOutOfRange { earliest: earliest.map(march), latest: march(20), given: march(given) }
}

#[test]
fn a_loan_is_applied_for_approved_paid_out_and_repaid() {
    let repaid = disbursed().repay(march(20), business()).unwrap();
    assert_eq!(repaid.status(), LoanStatus::Repaid);
    let (application, approval, disbursement) =
        (repaid.application(), repaid.approval().unwrap(), repaid.disbursement().unwrap());
    assert_eq!(
        (application.applied_on, application.applied_by.as_str(), application.amount),
        (march(3), "ann", money("12500", "KES"))
    );
    assert_eq!((approval.on, approval.by.as_str(), approval.amount), (march(5), "bob", money("12000", "KES")));
    assert_eq!(
        (disbursement.on, disbursement.by.as_str(), disbursement.amount),
        (march(10), "cat", money("11000", "KES"))
    );
    assert!(matches!(repaid, Lifecycle::Repaid { closed_on, .. } if closed_on == march(20)));
}

#[test]
fn an_approval_without_an_amount_is_for_what_was_applied_for() {
    let state = pending().approve(march(3), "bob".into(), None, business()).unwrap();
    assert_eq!(state.approval().unwrap().amount, money("12500", "KES"));
}

#[test]
fn rejections_and_withdrawals_keep_who_when_and_why() {
    let rejected = pending().reject(march(4), "bob".into(), Some("Too much debt.".into()), business()).unwrap();
    let Lifecycle::Rejected { rejection, .. } = &rejected else { panic!("{rejected:?}") };
    assert_eq!((rejection.on, rejection.by.as_str()), (march(4), "bob"));
    assert_eq!(rejection.reason.as_deref(), Some("Too much debt."));
    assert_eq!(rejected.approval(), None);

    let early = pending().withdraw(march(4), "ann".into(), None, business()).unwrap();
    assert!(matches!(&early, Lifecycle::Withdrawn { approval: None, .. }));

    let late = approved().withdraw(march(6), "ann".into(), None, business()).unwrap();
    let Lifecycle::Withdrawn { approval: Some(approval), withdrawal, .. } = &late else { panic!("{late:?}") };
    assert_eq!((approval.by.as_str(), withdrawal.on), ("bob", march(6)));
    assert_eq!(late.approval(), Some(approval));
    assert_eq!(late.disbursement(), None);
}

#[test]
fn steps_back_restore_the_state_before() {
    assert_eq!(approved().undo_approval(), Ok(pending()));
    assert_eq!(disbursed().undo_disbursement(), Ok(approved()));
    assert_eq!(defaulted().undo_disbursement(), Ok(approved()));
    assert_eq!(defaulted().cure(), Ok(disbursed()));
    assert_eq!(disbursed().repay(march(20), business()).unwrap().reopen(), Ok(disbursed()));
}

#[test]
fn running_and_defaulted_loans_can_be_written_off() {
    for state in [disbursed(), defaulted()] {
        let written_off = state.write_off(march(18), business()).unwrap();
        assert_eq!(written_off.status(), LoanStatus::WrittenOff);
        assert_eq!(written_off.disbursement(), disbursed().disbursement());
        assert!(matches!(written_off, Lifecycle::WrittenOff { closed_on, .. } if closed_on == march(18)));
    }
}

#[test]
fn nothing_is_dated_after_the_business_date() {
    let by = || "dan".to_owned();
    assert_eq!(Lifecycle::apply(march(21), by(), money("1", "KES"), business()).unwrap_err(), date_error(None, 21));
    assert_eq!(pending().approve(march(21), by(), None, business()).unwrap_err(), date_error(Some(3), 21));
    assert_eq!(pending().reject(march(21), by(), None, business()).unwrap_err(), date_error(Some(3), 21));
    assert_eq!(pending().withdraw(march(21), by(), None, business()).unwrap_err(), date_error(Some(3), 21));
    assert_eq!(approved().withdraw(march(21), by(), None, business()).unwrap_err(), date_error(Some(5), 21));
    let payout = approved().disburse(march(21), by(), money("1", "KES"), business());
    assert_eq!(payout.unwrap_err(), date_error(Some(5), 21));
    assert_eq!(disbursed().default_on(march(21), business()).unwrap_err(), date_error(Some(10), 21));
    assert_eq!(disbursed().repay(march(21), business()).unwrap_err(), date_error(Some(10), 21));
    assert_eq!(disbursed().write_off(march(21), business()).unwrap_err(), date_error(Some(10), 21));
    assert_eq!(defaulted().write_off(march(21), business()).unwrap_err(), date_error(Some(15), 21));
}

#[test]
fn nothing_is_dated_before_the_step_it_follows() {
    let by = || "dan".to_owned();
    assert_eq!(pending().approve(march(2), by(), None, business()).unwrap_err(), date_error(Some(3), 2));
    assert_eq!(pending().reject(march(2), by(), None, business()).unwrap_err(), date_error(Some(3), 2));
    assert_eq!(pending().withdraw(march(2), by(), None, business()).unwrap_err(), date_error(Some(3), 2));
    assert_eq!(approved().withdraw(march(4), by(), None, business()).unwrap_err(), date_error(Some(5), 4));
    let payout = approved().disburse(march(4), by(), money("1", "KES"), business());
    assert_eq!(payout.unwrap_err(), date_error(Some(5), 4));
    assert_eq!(disbursed().default_on(march(9), business()).unwrap_err(), date_error(Some(10), 9));
    assert_eq!(disbursed().repay(march(9), business()).unwrap_err(), date_error(Some(10), 9));
    assert_eq!(disbursed().write_off(march(9), business()).unwrap_err(), date_error(Some(10), 9));
    assert_eq!(defaulted().write_off(march(14), business()).unwrap_err(), date_error(Some(15), 14));
}

#[test]
fn a_whole_life_may_happen_on_one_day() {
    let today = march(20);
    let state = Lifecycle::apply(today, "ann".into(), money("1", "KES"), business())
        .and_then(|state| state.approve(today, "bob".into(), None, business()))
        .and_then(|state| state.disburse(today, "bob".into(), money("1", "KES"), business()))
        .and_then(|state| state.default_on(today, business()))
        .and_then(|state| state.write_off(today, business()));
    assert_eq!(state.unwrap().status(), LoanStatus::WrittenOff);
}

#[test]
fn amounts_only_shrink_on_the_way() {
    let out_of_range =
        |max: &str| TransitionError::AmountOutOfRange { min: money("0.01", "KES"), max: money(max, "KES") };
    for amount in ["12500.01", "0", "-1"] {
        let refused = pending().approve(march(5), "bob".into(), Some(money(amount, "KES")), business());
        assert_eq!(refused.unwrap_err(), out_of_range("12500"), "{amount}");
    }
    for amount in ["12000.01", "12500", "0", "-1"] {
        let refused = approved().disburse(march(10), "cat".into(), money(amount, "KES"), business());
        assert_eq!(refused.unwrap_err(), out_of_range("12000"), "{amount}");
    }
    for amount in ["12000", "0.01"] {
        assert!(approved().disburse(march(10), "cat".into(), money(amount, "KES"), business()).is_ok(), "{amount}");
    }
}

#[test]
fn an_application_is_for_more_than_nothing() {
    for minor in [0, -1, i64::MIN] {
        let refused = Lifecycle::apply(march(3), "ann".into(), Money::new(minor, currency("KES")), business());
        assert_eq!(refused.unwrap_err(), TransitionError::AmountNotPositive { min: money("0.01", "KES") });
    }
}

#[test]
fn a_loan_keeps_its_currency() {
    let mismatch = TransitionError::CurrencyMismatch { expected: currency("KES"), given: currency("VND") };
    let refused = pending().approve(march(5), "bob".into(), Some(money("1", "VND")), business());
    assert_eq!(refused.unwrap_err(), mismatch);
    let refused = approved().disburse(march(10), "cat".into(), money("1", "VND"), business());
    assert_eq!(refused.unwrap_err(), mismatch);
}

#[test]
fn whoever_took_the_application_may_not_approve_it_under_maker_checker() {
    let refused = pending().approve(march(5), "ann".into(), None, business());
    assert_eq!(refused.unwrap_err(), TransitionError::SamePerson { action: Transition::Approve });
    let relaxed = Business { maker_checker: false, ..business() };
    assert!(pending().approve(march(5), "ann".into(), None, relaxed).is_ok());
    assert!(pending().reject(march(5), "ann".into(), None, business()).is_ok());
}

#[test]
fn whoever_approved_a_loan_may_not_pay_it_out() {
    let refused = approved().check_disburser("bob").unwrap_err();
    assert_eq!(refused, TransitionError::SamePerson { action: Transition::Disburse });
    let told = "Let someone other than the person who approved the loan take the step DISBURSE.";
    assert_eq!(refused.to_string(), told);
    assert!(disbursed().check_disburser("bob").is_err(), "a further tranche neither");
    assert!(approved().check_disburser("ann").is_ok(), "whoever took the application may");
    assert!(pending().check_disburser("bob").is_ok());
}

#[test]
fn an_impossible_step_says_from_where_and_what_is_possible() {
    let refused = pending().disburse(march(10), "cat".into(), money("1", "KES"), business()).unwrap_err();
    let allowed = vec![Transition::Approve, Transition::Reject, Transition::Withdraw];
    assert_eq!(
        refused,
        TransitionError::InvalidTransition { from: LoanStatus::Pending, attempted: Transition::Disburse, allowed }
    );
    assert_eq!(
        refused.to_string(),
        "A loan that is PENDING cannot take the step DISBURSE; choose one of APPROVE, REJECT, WITHDRAW."
    );
    let closed = disbursed().write_off(march(18), business()).unwrap().reopen().unwrap_err();
    assert_eq!(closed.to_string(), "A loan that is WRITTEN_OFF cannot take the step REOPEN; it is closed.");
}

#[test]
fn the_lifecycle_is_the_one_that_was_drawn() {
    use LoanStatus as S;
    use Transition as T;
    let drawn = [
        (S::Pending, T::Approve, S::Approved),
        (S::Pending, T::Reject, S::Rejected),
        (S::Pending, T::Withdraw, S::Withdrawn),
        (S::Approved, T::Withdraw, S::Withdrawn),
        (S::Approved, T::UndoApproval, S::Pending),
        (S::Approved, T::Disburse, S::Disbursed),
        (S::Disbursed, T::UndoDisbursement, S::Approved),
        (S::Disbursed, T::Default, S::Defaulted),
        (S::Disbursed, T::Repay, S::Repaid),
        (S::Disbursed, T::WriteOff, S::WrittenOff),
        (S::Defaulted, T::UndoDisbursement, S::Approved),
        (S::Defaulted, T::Cure, S::Disbursed),
        (S::Defaulted, T::WriteOff, S::WrittenOff),
        (S::Repaid, T::Reopen, S::Disbursed),
    ];
    let listed: Vec<_> = S::ALL
        .into_iter()
        .flat_map(|from| from.allowed().iter().map(move |step| (from, *step, step.target())))
        .collect();
    assert_eq!(listed, drawn);
}

#[test]
fn names_read_back() {
    let names = LoanStatus::ALL.map(LoanStatus::as_str);
    assert_eq!(
        names,
        ["PENDING", "APPROVED", "REJECTED", "WITHDRAWN", "DISBURSED", "DEFAULTED", "REPAID", "WRITTEN_OFF"]
    );
    for status in LoanStatus::ALL {
        assert_eq!(LoanStatus::parse(status.as_str()), Some(status));
    }
    assert_eq!(LoanStatus::parse("pending"), None);
    assert_eq!(LoanStatus::parse(""), None);
    let steps = Transition::ALL.map(|step| step.to_string()).join(" ");
    assert_eq!(
        steps,
        "APPROVE REJECT WITHDRAW UNDO_APPROVAL DISBURSE UNDO_DISBURSEMENT DEFAULT CURE REPAY REOPEN WRITE_OFF"
    );
}

#[test]
fn refusals_have_codes_and_say_what_to_do() {
    let kes = currency("KES");
    for (error, code, sentence) in [
        (date_error(Some(3), 21), "DATE_OUT_OF_RANGE", "Choose a date from 2025-03-03 to 2025-03-20, not 2025-03-21."),
        (date_error(None, 21), "DATE_OUT_OF_RANGE", "Choose a date up to 2025-03-20, not 2025-03-21."),
        (
            TransitionError::AmountNotPositive { min: Money::smallest(kes) },
            "AMOUNT_NOT_POSITIVE",
            "Apply for 0.01 KES or more.",
        ),
        (
            TransitionError::AmountOutOfRange { min: Money::smallest(kes), max: money("500", "KES") },
            "AMOUNT_OUT_OF_RANGE",
            "Choose an amount from 0.01 KES to 500.00 KES.",
        ),
        (
            TransitionError::CurrencyMismatch { expected: kes, given: currency("VND") },
            "CURRENCY_MISMATCH",
            "This loan is in KES; send the amount in KES, not VND.",
        ),
        (
            TransitionError::SamePerson { action: Transition::Approve },
            "SAME_PERSON",
            "Let someone other than the person who took the application take the step APPROVE.",
        ),
    ] {
        assert_eq!((error.code(), error.to_string().as_str()), (code, sentence));
    }
    let invalid = pending().cure().unwrap_err();
    assert_eq!(invalid.code(), "INVALID_TRANSITION");
}
