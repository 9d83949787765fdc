//! What a write locks, and when, where PostgreSQL does several things in one statement: the claim on the key comes before
//! any lock, the branch before the borrower, and nothing is decided from what was read before a lock was granted.

use std::sync::Arc;
use std::time::Duration;

use branch_loan_api::service::ServiceError;
use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loans::LoanRecord;
use branch_loan_api::service::problem::ProblemCode;
use branch_loan_api::store::{Database, DatabaseOptions};
use lending::loan::PaymentKind;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::support::engines::{Engine, Schema};
use crate::support::inputs::{amount, application, approve};
use crate::support::postgres::Gate;
use crate::support::services::{World, admin, problem, refusal};

/// A loan that was paid out, on PostgreSQL: SQLite's only writer locks nothing else.
async fn running() -> Option<(Arc<World>, LoanRecord)> {
    let world = World::new(Engine::postgres(Schema::Migrated).await?).await;
    let (_, borrower, product) = world.parties().await;
    let loan = world.loan("apply", &borrower, &product).await;
    world.services.decide(&admin(), &approve(loan.id)).await.unwrap();
    let disburse = record(&loan, "disburse", What::Disburse { amount: None });
    let loan = world.services.record(&admin(), &disburse).await.unwrap().loan;
    Some((Arc::new(world), loan))
}

fn record(loan: &LoanRecord, key: &str, what: What) -> Record {
    let idempotency_key = key.to_owned();
    Record { idempotency_key, loan: loan.id, on: None, what, external_ref: None, expected_version: None }
}

fn repayment(loan: &LoanRecord, key: &str) -> Record {
    record(loan, key, What::Pay { amount: amount("10.00", "KES"), kind: PaymentKind::Repayment })
}

/// Somebody else's transaction that has locked rows.
async fn holding(world: &World, sql: &str) -> DatabaseConnection {
    let other = world.engine.raw().await;
    other.execute_unprepared("BEGIN").await.unwrap();
    other.execute_unprepared(sql).await.unwrap();
    other
}

/// The same database for somebody who waits for no lock.
async fn impatient(world: &World) -> World {
    let options = DatabaseOptions { lock_timeout: Duration::from_millis(50), ..world.engine.options() };
    World::over(world.engine.again(), Database::connect(&options, None).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_waits_for_no_lock_on_the_loan() {
    let Some((world, loan)) = running().await else { return };
    let first = world.services.record(&admin(), &repayment(&loan, "k")).await.unwrap();
    let other = holding(&world, "SELECT id FROM loans FOR UPDATE").await;
    let again = impatient(&world).await.services.record(&admin(), &repayment(&loan, "k")).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.transaction, first.transaction);
    other.execute_unprepared("ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_loan_is_not_taken_for_a_request_in_flight() {
    let Some((world, loan)) = running().await else { return };
    let other = holding(&world, "SELECT id FROM loans FOR UPDATE").await;
    let refused = impatient(&world).await.services.record(&admin(), &repayment(&loan, "k")).await;
    assert!(matches!(refused, Err(ServiceError::Contended(_))), "{refused:?}");
    other.execute_unprepared("ROLLBACK").await.unwrap();

    let claim = "INSERT INTO idempotency_keys (actor, operation, key, fingerprint, outcome, created_at) \
                 VALUES ('admin', 'recordRepayment', 'k', '', 'x', now())";
    let other = holding(&world, claim).await;
    let refused = impatient(&world).await.services.record(&admin(), &repayment(&loan, "k")).await;
    assert_eq!(refusal(refused), problem(ProblemCode::IdempotencyInProgress, "input.idempotencyKey"));
    other.execute_unprepared("ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_while_a_loan_was_waited_for_is_known() {
    let Some((world, loan)) = running().await else { return };
    let gate = Gate::before_writes_to("loan_transactions", &world.engine.url).await;
    let pay = |key: &'static str| {
        let (world, input) = (Arc::clone(&world), repayment(&loan, key));
        tokio::spawn(async move { world.services.record(&admin(), &input).await })
    };
    // The one that has the loan waits at the gate, the other one for the loan.
    let payments = [pay("one"), pay("other")];
    gate.wait_for(2, &[&payments[0], &payments[1]]).await;
    gate.open().await;
    let mut versions = Vec::new();
    for payment in payments {
        versions.push(payment.await.unwrap().unwrap().loan.version);
    }
    versions.sort_unstable();
    assert_eq!(versions, [loan.version + 1, loan.version + 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_waits_for_the_branch_has_not_locked_the_borrower() {
    let Some(engine) = Engine::postgres(Schema::Migrated).await else { return };
    let world = Arc::new(World::new(engine).await);
    let (_, borrower, product) = world.parties().await;
    let branch = holding(&world, "SELECT id FROM branches FOR UPDATE").await;
    let services = Arc::clone(&world);
    let input = application("waiting", &borrower, &product);
    let apply = tokio::spawn(async move { services.services.apply_for_loan(&admin(), &input).await.map(drop) });
    Gate::before_writes_to("audit_links", &world.engine.url).await.wait_for(1, &[&apply]).await;
    branch.execute_unprepared("SELECT id FROM borrowers FOR UPDATE NOWAIT").await.unwrap();
    branch.execute_unprepared("COMMIT").await.unwrap();
    apply.await.unwrap().unwrap();
}
