//! Idempotency keys: one application per key, however often and however many at once it is sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use branch_loan_api::service::ServiceError;
use branch_loan_api::service::loans::ApplyForLoan;
use branch_loan_api::service::problem::{Detail, ProblemCode};
use branch_loan_api::store::{Database, DatabaseOptions};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

use crate::support::engines::Engine;
use crate::support::inputs::{amount, application, approve};
use crate::support::services::{World, admin, moment, officer_of, problem, problems, refusal};

both_engines!(
    the_same_request_is_answered_from_the_first_one,
    another_request_under_the_same_key_is_refused,
    a_refused_application_does_not_use_up_its_key,
    keys_of_different_people_do_not_meet,
    a_replay_shows_only_what_the_caller_may_see_now,
    many_senders_of_one_key_make_one_loan,
    different_requests_under_one_key_at_once_make_one_loan,
    a_request_whose_first_one_is_in_flight_is_told_so,
);

async fn the_same_request_is_answered_from_the_first_one(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let first = world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await.unwrap();
    world.clock.advance(TimeDelta::days(2));
    let again = world.services.apply_for_loan(&admin(), &application(" k ", &borrower, &product)).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.loan, again.loan);
    let approved = world.services.decide(&admin(), &approve(first.loan.id)).await.unwrap().loan;
    let again = world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await.unwrap();
    assert_eq!(again.loan, approved, "the loan as it is now");
    assert_eq!(world.services.count_loans(&admin(), &Default::default()).await.unwrap(), 1);
    // A replay needs no open branch and no product on offer: nothing is decided anew.
    world.services.retire_loan_product(&admin(), product.id, None).await.unwrap();
    assert!(world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await.unwrap().replayed);
}

async fn another_request_under_the_same_key_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    world.loan("k", &borrower, &product).await;
    world.clock.advance(TimeDelta::hours(1));
    let base = application("k", &borrower, &product);
    for other in [
        ApplyForLoan { principal: amount("12500.01", "KES"), ..base.clone() },
        ApplyForLoan { principal: amount("12500", "KES"), ..base.clone() },
        ApplyForLoan { installments: Some(12), ..base.clone() },
        ApplyForLoan { branch: Some(borrower.branch_id), ..base.clone() },
        ApplyForLoan { external_ref: Some("x".to_owned()), ..base.clone() },
        ApplyForLoan { principal: amount("nonsense", "KES"), ..base },
    ] {
        let found = problems(world.services.apply_for_loan(&admin(), &other).await);
        assert_eq!(
            (found[0].code, found[0].path.join(".")),
            problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey")
        );
        assert_eq!(found[0].detail, Detail::FirstUse { at: moment("2026-01-15T12:00:00Z") });
    }
    assert_eq!(world.services.count_loans(&admin(), &Default::default()).await.unwrap(), 1);
}

async fn a_refused_application_does_not_use_up_its_key(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let too_much = ApplyForLoan { principal: amount("60000", "KES"), ..application("k", &borrower, &product) };
    let outcome = world.services.apply_for_loan(&admin(), &too_much).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::AmountOutOfRange, "input.principal.amount"));
    let mended = world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await.unwrap();
    assert!(!mended.replayed);
}

async fn keys_of_different_people_do_not_meet(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let input = application("k", &borrower, &product);
    let mine = world.services.apply_for_loan(&admin(), &input).await.unwrap();
    let theirs = world.services.apply_for_loan(&officer_of("NBO"), &input).await.unwrap();
    assert!(!theirs.replayed);
    assert_ne!(mine.loan.id, theirs.loan.id);
}

async fn a_replay_shows_only_what_the_caller_may_see_now(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    world.branch("MSA", None).await;
    let mut officer = officer_of("NBO");
    let input = application("k", &borrower, &product);
    world.services.apply_for_loan(&officer, &input).await.unwrap();
    officer.branches = officer_of("MSA").branches;
    let outcome = world.services.apply_for_loan(&officer, &input).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.idempotencyKey"));
}

const KEYS: usize = 40;
const SENDERS: usize = 8;

async fn many_senders_of_one_key_make_one_loan(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (_, borrower, product) = world.parties().await;
    let requests = (0..KEYS * SENDERS).map(|number| {
        let (world, input) = (Arc::clone(&world), application(&format!("key-{}", number % KEYS), &borrower, &product));
        tokio::spawn(async move { world.services.apply_for_loan(&admin(), &input).await })
    });
    let (mut loans, mut firsts) = (BTreeSet::new(), 0);
    for request in requests.collect::<Vec<_>>() {
        let applied = request.await.unwrap().unwrap();
        loans.insert(applied.loan.id);
        firsts += usize::from(!applied.replayed);
    }
    assert_eq!((loans.len(), firsts), (KEYS, KEYS));
    let count = world.services.count_loans(&admin(), &Default::default()).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), KEYS);
}

async fn different_requests_under_one_key_at_once_make_one_loan(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (_, borrower, product) = world.parties().await;
    let requests = (1..=SENDERS).map(|number| {
        let principal = amount(&number.to_string(), "KES");
        let (world, input) = (Arc::clone(&world), ApplyForLoan { principal, ..application("k", &borrower, &product) });
        tokio::spawn(async move { world.services.apply_for_loan(&admin(), &input).await })
    });
    let mut made = 0;
    for request in requests.collect::<Vec<_>>() {
        match request.await.unwrap() {
            Ok(applied) => {
                assert!(!applied.replayed);
                made += 1;
            }
            refused => {
                assert_eq!(refusal(refused), problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey"))
            }
        }
    }
    assert_eq!(made, 1);
}

/// The first request has claimed the key and not committed when the second gives up waiting. On SQLite, where the first
/// one keeps every other write waiting, the second is told that the database is busy.
async fn a_request_whose_first_one_is_in_flight_is_told_so(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let first = world.engine.raw().await;
    let begin = if world.engine.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" };
    first.execute_unprepared(begin).await.unwrap();
    let claim = "INSERT INTO idempotency_keys (actor, operation, key, fingerprint, outcome, created_at) \
                 VALUES ('admin', 'applyForLoan', 'k', '', 'x', '2026-01-15 12:00:00+00:00')";
    first.execute_unprepared(claim).await.unwrap();

    let options = DatabaseOptions { lock_timeout: Duration::from_millis(50), ..world.engine.options() };
    let impatient = Database::connect(&options, None).await.unwrap();
    let is_postgres = world.engine.is_postgres();
    let world = World::over(world.engine, impatient);
    let second = world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await;
    if is_postgres {
        assert_eq!(refusal(second), problem(ProblemCode::IdempotencyInProgress, "input.idempotencyKey"));
    } else {
        assert!(matches!(second, Err(ServiceError::Contended(_))), "{second:?}");
    }
    first.execute_unprepared("ROLLBACK").await.unwrap();
    let second = world.services.apply_for_loan(&admin(), &application("k", &borrower, &product)).await.unwrap();
    assert!(!second.replayed, "the first one came to nothing");
}
