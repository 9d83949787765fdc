//! Closing days: what is accrued and that it is what the fold has earned, charges for being late, default and cure,
//! repetitions, missed days, an interruption at any point, several workers at once.

use std::sync::Arc;

use branch_loan_api::service::ledger::EntryField;
use branch_loan_api::service::list::{Filter, PageRequest, Scalar, Test};
use branch_loan_api::service::loan_books::What;
use branch_loan_api::service::problem::ProblemCode;
use branch_loan_api::store::close_day::{self as store, AccrualHead, Place};
use branch_loan_api::store::database::Transaction;
use branch_loan_api::store::{StoreError, loan_history};
use lending::ledger::Account;
use lending::loan::{ChargeKind, Event, LoanStatus};
use lending::money::Currency;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::desk::{Desk, closing};
use crate::support::engines::{Engine, Schema};
use crate::support::inputs::amount;
use crate::support::seams::cut_off;
use crate::support::services::{admin, auditor_of, day, manager_of, moment, problem, refusal};

both_engines!(
    a_day_accrues_what_was_earned_and_nothing_twice,
    missed_days_are_caught_up_one_by_one,
    a_late_charge_is_made_once_even_if_it_was_reversed,
    a_loan_defaults_after_its_days_and_is_cured_by_its_payment,
    whatever_stops_it_the_next_run_goes_on,
    several_workers_close_a_day_once,
    a_loan_without_a_projection_is_passed_over_and_counted,
    a_day_that_has_not_come_and_a_foreign_branch_are_refused,
    a_key_is_for_one_day,
    entries_are_found_by_the_accounts_of_their_lines,
);

async fn a_day_accrues_what_was_earned_and_nothing_twice(engine: Engine) {
    let desk = Desk::running(engine, 3).await;
    desk.at("2025-06-25");
    let first = desk.close("2025-06-25", 4).await;
    assert_eq!((first.days, first.work.loans, first.work.folded), (1, 15, 0));
    assert_eq!(desk.closed_through().await, Some(day("2025-06-25")));
    desk.assert_clean("after a day").await;
    let loan = desk.loan(desk.loans[0].id).await;
    // 9,000.00 at 17.5 % a year: 131.25 a month, of which 15 of 30 days are earned; 65.625 goes to the even cent.
    assert_eq!(loan.projection.accrued.interest, 6_562);
    assert_eq!((loan.projection.accrued_through, loan.version), (Some(day("2025-06-25")), 3));
    let journal = desk.journal().await;
    let again = desk.close("2025-06-25", 4).await;
    assert_eq!((again.days, again.work.loans), (0, 0));
    assert_eq!(desk.journal().await, journal);
}

async fn missed_days_are_caught_up_one_by_one(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    desk.at("2025-06-12");
    desk.close("2025-06-12", 100).await;
    desk.at("2025-08-20");
    let closed = desk.close("2025-08-20", 100).await;
    assert_eq!(closed.days, 69);
    desk.assert_clean("after the missed days").await;
    let days: std::collections::BTreeSet<_> = desk.journal().await.into_iter().map(|(_, on, ..)| on).collect();
    assert_eq!(days.len(), 1 + 1 + 69, "the disbursement, and every day that was closed");
}

async fn a_late_charge_is_made_once_even_if_it_was_reversed(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    let loan = desk.loans[3].id;
    let charges = || async {
        let history = loan_history::of_loan(desk.world.database.reader(), loan).await.unwrap();
        let late =
            history.into_iter().filter(|one| matches!(one.transaction.event, Event::Charge { late_for: Some(_), .. }));
        late.collect::<Vec<_>>()
    };
    // Due on 10 July; two days of grace.
    desk.at("2025-07-12");
    desk.close("2025-07-12", 100).await;
    assert!(charges().await.is_empty());
    desk.at("2025-07-16");
    let closed = desk.close("2025-07-16", 100).await;
    assert_eq!(closed.work.charged, 1);
    let made = charges().await;
    // 5 % of 1,577.49 and a fee of 3.50.
    let expected =
        Event::Charge { amount: 7_905, charge: ChargeKind::Penalty, due_on: day("2025-07-13"), late_for: Some(1) };
    assert_eq!((&made[0].transaction.event, made[0].recorded_by.as_str()), (&expected, "end-of-day"));
    desk.assert_clean("after the charge").await;
    desk.record(loan, What::Reverse { transaction: made[0].id, reason: None }).await;
    desk.at("2025-07-18");
    assert_eq!(desk.close("2025-07-18", 100).await.work.charged, 0);
    desk.assert_clean("after its reversal").await;
    // The second installment is charged on its own.
    desk.at("2025-08-20");
    assert_eq!(desk.close("2025-08-20", 100).await.work.charged, 1);
    desk.assert_clean("after the second charge").await;
}

async fn a_loan_defaults_after_its_days_and_is_cured_by_its_payment(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    let loan = desk.loans[3].id;
    desk.at("2025-08-13");
    assert_eq!(desk.close("2025-08-13", 100).await.work.defaulted, 0);
    desk.at("2025-08-14");
    // Thirty-five days after 10 July.
    assert_eq!(desk.close("2025-08-14", 100).await.work.defaulted, 1);
    assert_eq!(desk.loan(loan).await.state.status(), LoanStatus::Defaulted);
    desk.assert_clean("in default").await;
    let paid = desk.pay(loan, "4000.00").await;
    assert_eq!(paid.loan.state.status(), LoanStatus::Disbursed);
    desk.at("2025-08-15");
    desk.close("2025-08-15", 100).await;
    desk.assert_clean("cured").await;
}

async fn whatever_stops_it_the_next_run_goes_on(engine: Engine) {
    let desk = Desk::running(engine, 2).await;
    let whole = Desk::running(desk.world.engine.another().await, 2).await;
    whole.at("2025-08-01");
    whole.close("2025-07-20", 3).await;
    desk.at("2025-08-01");
    let mut cuts = 0;
    for polls in (1..).step_by(2) {
        let closing = closing("2025-07-20", 3);
        if cut_off(desk.world.services.close_days(&admin(), &closing), polls).await.is_some() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 3, "it was hardly interrupted: {cuts}");
    desk.assert_clean("after interruptions").await;
    assert_eq!(desk.journal().await, whole.journal().await);
}

async fn several_workers_close_a_day_once(engine: Engine) {
    let desk = Arc::new(Desk::running(engine, 4).await);
    desk.at("2025-07-20");
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move { desk.close("2025-07-20", 2).await })
        })
        .collect();
    let mut loans = 0;
    for worker in workers {
        loans += worker.await.unwrap().work.loans;
    }
    assert_eq!(loans, 20, "each loan by one of them");
    desk.assert_clean("after three workers").await;
}

/// A payment that commits while the accrual's statement runs: the statement would see the loan as it is and its
/// installments as they were.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loan_that_was_passed_over_is_not_taken_when_it_is_unlocked() {
    let Some(engine) = Engine::postgres(Schema::Migrated).await else { return };
    let desk = Desk::running(engine, 1).await;
    let held = desk.loans[0].id;
    let payment = desk.world.engine.raw().await;
    payment.execute_unprepared(&format!("BEGIN; SELECT 1 FROM loans WHERE id = '{held}' FOR UPDATE")).await.unwrap();
    let (branch_id, on) = (desk.branch.id, day("2025-06-11"));
    let place = Place { branch_id, on, currency: Currency::parse("KES").unwrap(), after: Uuid::nil() };
    let (place, payment) = (&place, &payment);
    let head = &AccrualHead {
        id: Uuid::from_u128(1),
        recorded_at: moment("2025-06-11T20:00:00Z"),
        recorded_by: "end-of-day".to_owned(),
    };
    let work = |transaction: Transaction| async move {
        let claimed = store::claim(&*transaction, place, 100).await?;
        payment.execute_unprepared("COMMIT").await.unwrap();
        let accrued = store::accrue(&*transaction, place, &claimed, head).await?;
        Ok::<_, StoreError>((claimed.count, accrued))
    };
    assert_eq!(desk.world.database.write(work).await.unwrap(), (4, 4));
    assert_eq!(desk.loan(held).await.projection.accrued_through, None);
    // The next pass finds it.
    desk.at("2025-06-11");
    assert_eq!(desk.close("2025-06-11", 100).await.work.loans, 1);
    desk.assert_clean("after both").await;
}

async fn a_loan_without_a_projection_is_passed_over_and_counted(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    desk.sql(&["UPDATE loans SET projected_on = NULL WHERE number = 'L-000000001'"]).await;
    let closed = desk.close("2025-06-10", 100).await;
    assert_eq!((closed.work.loans, closed.passed_over), (4, 1));
}

async fn a_day_that_has_not_come_and_a_foreign_branch_are_refused(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    let services = &desk.world.services;
    let tomorrow = refusal(services.close_days(&admin(), &closing("2025-06-11", 10)).await);
    assert_eq!(tomorrow, problem(ProblemCode::DateOutOfRange, "input.on"));
    let branch = Some(branch_loan_api::service::branches::BranchKey::Id(desk.branch.id));
    let theirs = branch_loan_api::service::close_day::CloseDay { branch, ..closing("2025-06-10", 10) };
    let elsewhere = refusal(services.close_days(&manager_of("ELSEWHERE"), &theirs).await);
    assert_eq!(elsewhere, problem(ProblemCode::NotFound, "input.branchId"));
    let auditor = services.close_days(&auditor_of("NBO"), &theirs).await;
    assert!(matches!(auditor, Err(branch_loan_api::service::ServiceError::Forbidden(_))));
    assert_eq!(desk.closed_through().await, None);
    // A disbursement on a closed day is refused from then on.
    desk.close("2025-06-10", 10).await;
    let fee = What::Charge { amount: amount("1.00", "KES"), kind: ChargeKind::Fee, due_on: None };
    desk.record(desk.loans[0].id, fee).await;
    let off = refusal(desk.try_record(desk.loans[0].id, What::ChargeOff, None).await);
    assert_eq!(off, problem(ProblemCode::DateOutOfRange, "input.on"));
}

async fn a_key_is_for_one_day(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    desk.at("2025-06-12");
    let with_key = |through| branch_loan_api::service::close_day::CloseDay {
        idempotency_key: Some("night".to_owned()),
        ..closing(through, 10)
    };
    let services = &desk.world.services;
    assert!(!services.close_days(&admin(), &with_key("2025-06-11")).await.unwrap().replayed);
    assert!(services.close_days(&admin(), &with_key("2025-06-11")).await.unwrap().replayed);
    let other = refusal(services.close_days(&admin(), &with_key("2025-06-12")).await);
    assert_eq!(other, problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey"));
}

async fn entries_are_found_by_the_accounts_of_their_lines(engine: Engine) {
    let desk = Desk::running(engine, 1).await;
    desk.at("2025-07-16");
    desk.close("2025-07-16", 100).await;
    desk.pay(desk.loans[3].id, "4000.00").await;
    let services = &desk.world.services;
    let request = PageRequest { size: 1_000, backward: false, cursor: None };
    let all = services.journal_entries(&admin(), &Filter::default(), &[], &request).await.unwrap().rows;
    let ids: Vec<Uuid> = all.iter().map(|(_, entry)| entry.id).collect();
    let lines = services.journal_lines(&admin(), &ids).await.unwrap();
    let mut used = 0;
    for account in Account::ALL.iter().copied() {
        let filter =
            Filter::Field(EntryField::of_account(account), Test::Is(Scalar::Text(account.as_str().to_owned())));
        let found = services.journal_entries(&admin(), &filter, &[], &request).await.unwrap().rows;
        let found: Vec<Uuid> = found.iter().map(|(_, entry)| entry.id).collect();
        let with_line = |id: &&Uuid| lines[*id].iter().any(|line| line.posting.account == account);
        let expected: Vec<Uuid> = ids.iter().filter(with_line).copied().collect();
        assert_eq!(found, expected, "{account:?}");
        used += usize::from(!expected.is_empty());
    }
    assert!(used >= 6, "cash, principal, interest and a late charge, receivable and earned: {used} accounts");
}
