//! Approving, rejecting and withdrawing.

use std::sync::Arc;

use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loan_decisions::{Decide, DecisionInput};
use branch_loan_api::service::loan_officers::AssignOfficer;
use branch_loan_api::service::loans::{ApplyForLoan, LoanKey, LoanRecord};
use branch_loan_api::service::problem::{Detail, ProblemCode};
use branch_loan_api::service::{Rules, ServiceError};
use chrono::TimeDelta;
use lending::loan::{Lifecycle, LoanStatus, Transition};
use lending::money::{Currency, Money};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve, decide, reject, withdraw};
use crate::support::services::{World, admin, day, manager_of, moment, officer_of, problem, problems, refusal};

both_engines!(
    an_approval_is_written_with_who_when_and_how_much,
    less_may_be_approved_but_not_more,
    a_rejection_keeps_its_reason,
    a_pending_and_an_approved_loan_can_be_withdrawn,
    what_the_status_does_not_allow_is_refused_with_what_it_does,
    a_decision_is_dated_between_the_step_before_and_today,
    whoever_took_the_application_may_not_approve_it_under_maker_checker,
    whoever_approved_a_loan_may_not_pay_it_out_under_maker_checker,
    nobody_approves_more_than_their_roles_may,
    a_loan_is_given_to_another_officer,
    a_reason_is_plain_text_of_some_length,
    a_stale_version_changes_nothing,
    a_loan_that_does_not_exist_is_not_found,
    an_approval_can_be_taken_back_before_the_payout,
    a_decision_with_a_key_is_taken_once,
);

async fn pending(world: &World) -> LoanRecord {
    let (_, borrower, product) = world.parties().await;
    let input = ApplyForLoan { applied_on: Some(day("2026-01-10")), ..application("k", &borrower, &product) };
    world.services.apply_for_loan(&admin(), &input).await.unwrap().loan
}

async fn stored(world: &World, loan: &LoanRecord) -> LoanRecord {
    Arc::unwrap_or_clone(world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap().unwrap())
}

fn kes(minor: i64) -> Money {
    Money::new(minor, Currency::parse("KES").unwrap())
}

async fn an_approval_is_written_with_who_when_and_how_much(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    world.clock.advance(TimeDelta::hours(1));
    let approved = world.services.decide(&manager_of("NBO"), &approve(loan.id)).await.unwrap().loan;
    assert_eq!(approved, stored(&world, &loan).await);
    let Lifecycle::Approved { application, approval } = &approved.state else { panic!("{approved:?}") };
    assert_eq!(application, loan.state.application());
    assert_eq!(
        (approval.on, approval.by.as_str(), approval.amount),
        (day("2026-01-15"), "manager-NBO", kes(1_250_000))
    );
    assert_eq!((approved.version, approved.updated_at), (2, moment("2026-01-15T13:00:00Z")));
    assert_eq!(approved.created_at, loan.created_at);
}

async fn less_may_be_approved_but_not_more(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    let with =
        |value: &str, currency: &str| decide(loan.id, DecisionInput::Approve { amount: Some(amount(value, currency)) });
    let (the_amount, the_currency) = ("input.amount.amount", "input.amount.currency");
    for (value, currency, expected) in [
        ("x", "KES", problem(ProblemCode::InvalidFormat, the_amount)),
        ("1.001", "KES", problem(ProblemCode::TooManyDecimals, the_amount)),
        ("1", "ZZZ", problem(ProblemCode::UnknownCurrency, the_currency)),
        ("0", "KES", problem(ProblemCode::AmountOutOfRange, "input.amount")),
        ("-5", "KES", problem(ProblemCode::AmountOutOfRange, "input.amount")),
        ("12500.01", "KES", problem(ProblemCode::AmountOutOfRange, "input.amount")),
        ("100", "USD", problem(ProblemCode::CurrencyMismatch, the_currency)),
    ] {
        let outcome = world.services.decide(&admin(), &with(value, currency)).await;
        assert_eq!(refusal(outcome), expected, "{value} {currency}");
    }
    let found = problems(world.services.decide(&admin(), &with("12500.01", "KES")).await);
    assert_eq!(found[0].detail, Detail::Amount { min: Some(kes(1)), max: Some(kes(1_250_000)) });
    assert_eq!(stored(&world, &loan).await, loan, "nothing was written");
    world.services.decide(&admin(), &with("10000", "KES")).await.unwrap();
    let approved = stored(&world, &loan).await;
    assert_eq!(approved.state.approval().unwrap().amount, kes(1_000_000));
    assert_eq!(approved.terms.principal, kes(1_250_000), "what was applied for stays");
}

async fn a_rejection_keeps_its_reason(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    let reason = Some(" Einkommen reicht nicht 😞 ".to_owned());
    world.services.decide(&admin(), &decide(loan.id, DecisionInput::Reject { reason })).await.unwrap();
    let stored = stored(&world, &loan).await;
    let Lifecycle::Rejected { rejection, .. } = &stored.state else { panic!("{stored:?}") };
    assert_eq!((rejection.on, rejection.by.as_str()), (day("2026-01-15"), "admin"));
    assert_eq!(rejection.reason.as_deref(), Some("Einkommen reicht nicht 😞"));
}

async fn a_pending_and_an_approved_loan_can_be_withdrawn(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let (first, second) = (world.loan("a", &borrower, &product).await, world.loan("b", &borrower, &product).await);
    world.services.decide(&admin(), &withdraw(first.id)).await.unwrap();
    world.services.decide(&admin(), &approve(second.id)).await.unwrap();
    world.services.decide(&admin(), &withdraw(second.id)).await.unwrap();
    assert!(matches!(stored(&world, &first).await.state, Lifecycle::Withdrawn { approval: None, .. }));
    assert!(matches!(stored(&world, &second).await.state, Lifecycle::Withdrawn { approval: Some(_), .. }));
}

async fn what_the_status_does_not_allow_is_refused_with_what_it_does(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let approved = world.loan("a", &borrower, &product).await.id;
    let rejected = world.loan("b", &borrower, &product).await.id;
    let withdrawn = world.loan("c", &borrower, &product).await.id;
    for step in [approve(approved), reject(rejected), withdraw(withdrawn)] {
        world.services.decide(&admin(), &step).await.unwrap();
    }
    for (step, from, attempted) in [
        (approve(approved), LoanStatus::Approved, Transition::Approve),
        (reject(approved), LoanStatus::Approved, Transition::Reject),
        (approve(rejected), LoanStatus::Rejected, Transition::Approve),
        (reject(rejected), LoanStatus::Rejected, Transition::Reject),
        (withdraw(rejected), LoanStatus::Rejected, Transition::Withdraw),
        (approve(withdrawn), LoanStatus::Withdrawn, Transition::Approve),
        (withdraw(withdrawn), LoanStatus::Withdrawn, Transition::Withdraw),
    ] {
        let found = problems(world.services.decide(&admin(), &step).await);
        assert_eq!((found[0].code, found[0].path.join(".")), problem(ProblemCode::InvalidTransition, "input.loanId"));
        let allowed = from.allowed().iter().map(|step| step.as_str()).collect();
        assert_eq!(found[0].detail, Detail::Step { from, attempted: attempted.as_str(), allowed });
    }
}

async fn a_decision_is_dated_between_the_step_before_and_today(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    let on = |date: &str, step: Decide| Decide { on: Some(day(date)), ..step };
    for date in ["2026-01-09", "2026-01-16", "9999-12-31", "0001-01-01"] {
        for step in [approve(loan.id), reject(loan.id), withdraw(loan.id)] {
            let found = problems(world.services.decide(&admin(), &on(date, step)).await);
            assert_eq!((found[0].code, found[0].path.join(".")), problem(ProblemCode::DateOutOfRange, "input.on"));
            let (earliest, latest) = (Some(day("2026-01-10")), Some(day("2026-01-15")));
            assert_eq!(found[0].detail, Detail::Date { earliest, latest });
        }
    }
    world.services.decide(&admin(), &on("2026-01-12", approve(loan.id))).await.unwrap();
    let outcome = world.services.decide(&admin(), &on("2026-01-11", withdraw(loan.id))).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::DateOutOfRange, "input.on"));
    world.services.decide(&admin(), &on("2026-01-12", withdraw(loan.id))).await.unwrap();
}

async fn whoever_took_the_application_may_not_approve_it_under_maker_checker(engine: Engine) {
    let world = World::with_rules(engine, Rules { maker_checker: true, ..Rules::default() }).await;
    let loan = pending(&world).await;
    let outcome = world.services.decide(&admin(), &approve(loan.id)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::SamePerson, ""));
    assert_eq!(stored(&world, &loan).await, loan);
    world.services.decide(&manager_of("NBO"), &approve(loan.id)).await.unwrap();
}

async fn whoever_approved_a_loan_may_not_pay_it_out_under_maker_checker(engine: Engine) {
    let world = World::with_rules(engine, Rules { disbursement_maker_checker: true, ..Rules::default() }).await;
    let loan = pending(&world).await;
    world.services.decide(&admin(), &approve(loan.id)).await.unwrap();
    let pay_out = |key: &str, value: &str| Record {
        idempotency_key: key.to_owned(),
        loan: loan.id,
        on: None,
        what: What::Disburse { amount: Some(amount(value, "KES")) },
        external_ref: None,
        expected_version: None,
    };
    let own = refusal(world.services.record(&admin(), &pay_out("a", "10.00")).await);
    assert_eq!(own, problem(ProblemCode::SamePerson, ""));
    assert_eq!(stored(&world, &loan).await.state.status(), LoanStatus::Approved);
    world.services.record(&manager_of("NBO"), &pay_out("b", "10.00")).await.unwrap();
    let tranche = refusal(world.services.record(&admin(), &pay_out("c", "5.00")).await);
    assert_eq!(tranche, problem(ProblemCode::SamePerson, ""));
}

async fn nobody_approves_more_than_their_roles_may(engine: Engine) {
    let approval_limits = "MANAGER:KES:99.99".parse().unwrap();
    let world = World::with_rules(engine, Rules { approval_limits, ..Rules::default() }).await;
    let loan = pending(&world).await;
    let too_much = problems(world.services.decide(&manager_of("NBO"), &approve(loan.id)).await);
    assert_eq!((too_much[0].code, too_much[0].path.join(".")), problem(ProblemCode::ApprovalLimit, "input.amount"));
    assert_eq!(too_much[0].detail, Detail::Amount { min: Some(kes(1)), max: Some(kes(9_999)) });
    assert_eq!(stored(&world, &loan).await, loan);
    let less = DecisionInput::Approve { amount: Some(amount("99.99", "KES")) };
    world.services.decide(&manager_of("NBO"), &decide(loan.id, less)).await.unwrap();
    let undo = decide(loan.id, DecisionInput::UndoApproval);
    world.services.decide(&manager_of("NBO"), &undo).await.unwrap();
    world.services.decide(&admin(), &approve(loan.id)).await.unwrap();
}

async fn a_loan_is_given_to_another_officer(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    let assign = |officer: &str, version| AssignOfficer {
        loan: loan.id,
        officer: officer.to_owned(),
        expected_version: version,
    };
    let services = &world.services;
    let given = services.assign_officer(&manager_of("NBO"), &assign(" wambui ", Some(1))).await.unwrap();
    assert_eq!((given.officer.as_deref(), given.version), (Some("wambui"), 2));
    assert_eq!(stored(&world, &loan).await, given);
    let again = services.assign_officer(&admin(), &assign("wambui", None)).await.unwrap();
    assert_eq!(again, given, "nothing changes hands");
    for (input, code, path) in [
        (assign("other", Some(1)), ProblemCode::VersionConflict, "input.expectedVersion"),
        (assign("  ", None), ProblemCode::Required, "input.officer"),
        (assign(&"x".repeat(201), None), ProblemCode::TooLong, "input.officer"),
        (AssignOfficer { loan: Uuid::from_u128(1), ..assign("other", None) }, ProblemCode::NotFound, "input.loanId"),
    ] {
        assert_eq!(refusal(services.assign_officer(&admin(), &input).await), problem(code, path));
    }
    let elsewhere = refusal(services.assign_officer(&manager_of("ELSEWHERE"), &assign("other", None)).await);
    assert_eq!(elsewhere, problem(ProblemCode::NotFound, "input.loanId"));
    let officer = services.assign_officer(&officer_of("NBO"), &assign("other", None)).await;
    assert!(matches!(officer, Err(ServiceError::Forbidden(_))));
}

async fn a_reason_is_plain_text_of_some_length(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    for (reason, code) in [("é".repeat(501), ProblemCode::TooLong), ("a\u{0}".to_owned(), ProblemCode::InvalidFormat)]
    {
        let reason = Some(reason);
        let step = decide(loan.id, DecisionInput::Reject { reason: reason.clone() });
        assert_eq!(refusal(world.services.decide(&admin(), &step).await), problem(code, "input.reason"));
        let step = decide(loan.id, DecisionInput::Withdraw { reason });
        assert_eq!(refusal(world.services.decide(&admin(), &step).await), problem(code, "input.reason"));
    }
    let step = decide(loan.id, DecisionInput::Withdraw { reason: Some("é".repeat(500)) });
    world.services.decide(&admin(), &step).await.unwrap();
}

async fn a_stale_version_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    let step = Decide { expected_version: Some(2), ..approve(loan.id) };
    let found = problems(world.services.decide(&admin(), &step).await);
    assert_eq!((found[0].code, &found[0].detail), (ProblemCode::VersionConflict, &Detail::Version { current: 1 }));
    assert_eq!(stored(&world, &loan).await, loan);
    let step = Decide { expected_version: Some(1), ..approve(loan.id) };
    world.services.decide(&admin(), &step).await.unwrap();
}

async fn a_loan_that_does_not_exist_is_not_found(engine: Engine) {
    let world = World::new(engine).await;
    let nothing = Uuid::from_u128(1);
    for step in [approve(nothing), reject(nothing), withdraw(nothing)] {
        assert_eq!(
            refusal(world.services.decide(&admin(), &step).await),
            problem(ProblemCode::NotFound, "input.loanId")
        );
    }
}

async fn an_approval_can_be_taken_back_before_the_payout(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    let undo = decide(loan.id, DecisionInput::UndoApproval);
    let refused = refusal(world.services.decide(&admin(), &undo).await);
    assert_eq!(refused, problem(ProblemCode::InvalidTransition, "input.loanId"), "it is not approved yet");
    world.services.decide(&admin(), &approve(loan.id)).await.unwrap();
    let undone = world.services.decide(&admin(), &undo).await.unwrap().loan;
    assert_eq!((undone.state.status(), undone.version), (LoanStatus::Pending, 3));
    assert_eq!(undone, stored(&world, &loan).await);
}

async fn a_decision_with_a_key_is_taken_once(engine: Engine) {
    let world = World::new(engine).await;
    let loan = pending(&world).await;
    let keyed = Decide { idempotency_key: Some("k".to_owned()), ..approve(loan.id) };
    let first = world.services.decide(&admin(), &keyed).await.unwrap();
    let again = world.services.decide(&admin(), &keyed).await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!((again.loan.clone(), again.loan.version), (first.loan, 2));
    let other = Decide { on: Some(day("2026-01-12")), ..keyed };
    let refused = refusal(world.services.decide(&admin(), &other).await);
    assert_eq!(refused, problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey"));
}
