//! Many at once on one row: one wins, the others are told why not, and the row is what the winner wrote.

use std::future::Future;
use std::sync::Arc;

use branch_loan_api::service::branches::{BranchKey, BranchRecord, BranchStatus, UpdateBranch};
use branch_loan_api::service::check::Change;
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loans::LoanKey;
use branch_loan_api::service::problem::ProblemCode;
use lending::loan::LoanStatus;
use tokio::sync::Barrier;

use crate::support::engines::Engine;
use crate::support::inputs::{application, approve, branch_change, new_branch, reject, withdraw};
use crate::support::postgres::Gate;
use crate::support::services::{World, admin, problem, refusal};

both_engines!(
    eight_approvals_of_one_loan_approve_it_once,
    eight_changes_of_one_version_change_it_once,
    different_decisions_at_once_make_one_history,
    changes_without_a_version_all_count,
    eight_branches_with_one_code_become_one,
    moves_at_once_never_make_a_cycle,
    a_branch_that_closes_takes_no_application_on_the_way,
);

const AT_ONCE: usize = 8;

/// Runs the tasks so that they begin together.
async fn together<T, F>(tasks: Vec<F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks.len()));
    let started = tasks.into_iter().map(|task| {
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move {
            barrier.wait().await;
            task.await
        })
    });
    let mut outcomes = Vec::new();
    for task in started.collect::<Vec<_>>() {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

async fn decide_together(world: &Arc<World>, steps: Vec<Decide>) -> (usize, Vec<ProblemCode>) {
    let tasks = steps.into_iter().map(|step| {
        let world = Arc::clone(world);
        async move { world.services.decide(&admin(), &step).await }
    });
    let (mut won, mut refused) = (0, Vec::new());
    for outcome in together(tasks.collect()).await {
        match outcome {
            Ok(_) => won += 1,
            other => refused.push(refusal(other).0),
        }
    }
    (won, refused)
}

async fn eight_approvals_of_one_loan_approve_it_once(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (_, borrower, product) = world.parties().await;
    for round in 0..3 {
        let loan = world.loan(&format!("k{round}"), &borrower, &product).await;
        let (won, refused) = decide_together(&world, vec![approve(loan.id); AT_ONCE]).await;
        assert_eq!((won, refused), (1, vec![ProblemCode::InvalidTransition; AT_ONCE - 1]));
        let stored = world.services.loan(&admin(), &LoanKey::Id(loan.id)).await.unwrap().unwrap();
        assert_eq!((stored.state.status(), stored.version), (LoanStatus::Approved, 2));
    }
}

async fn eight_changes_of_one_version_change_it_once(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (branch, borrower, product) = world.parties().await;
    let loan = world.loan("k", &borrower, &product).await;
    let step = Decide { expected_version: Some(1), ..approve(loan.id) };
    let (won, refused) = decide_together(&world, vec![step; AT_ONCE]).await;
    assert_eq!((won, refused), (1, vec![ProblemCode::VersionConflict; AT_ONCE - 1]));

    let tasks = (0..AT_ONCE).map(|number| {
        let world = Arc::clone(&world);
        let name = Some(format!("Name {number}"));
        let input = UpdateBranch { name, expected_version: Some(1), ..branch_change(branch.id) };
        async move { world.services.update_branch(&admin(), &input).await }
    });
    let (done, refused): (Vec<_>, Vec<_>) = together(tasks.collect()).await.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    for outcome in refused {
        assert_eq!(refusal(outcome), problem(ProblemCode::VersionConflict, "input.expectedVersion"));
    }
    let stored = world.services.branch(&admin(), &BranchKey::Id(branch.id)).await.unwrap().unwrap();
    assert_eq!(*stored, done.into_iter().next().unwrap().unwrap());
}

/// Approve, then withdraw is the one pair that can both succeed.
async fn different_decisions_at_once_make_one_history(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (_, borrower, product) = world.parties().await;
    for round in 0..5 {
        let loan = world.loan(&format!("k{round}"), &borrower, &product).await.id;
        let (won, _) = decide_together(&world, vec![approve(loan), reject(loan), withdraw(loan)]).await;
        let stored = world.services.loan(&admin(), &LoanKey::Id(loan)).await.unwrap().unwrap();
        assert_eq!(stored.version, 1 + i64::try_from(won).unwrap(), "one version for each step taken");
        let both = stored.state.status() == LoanStatus::Withdrawn && stored.state.approval().is_some();
        assert_eq!(won, if both { 2 } else { 1 });
    }
}

async fn changes_without_a_version_all_count(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let branch = world.branch("NBO", None).await;
    let tasks = (0..AT_ONCE).map(|number| {
        let world = Arc::clone(&world);
        let input = UpdateBranch { name: Some(format!("Name {number}")), ..branch_change(branch.id) };
        async move { world.services.update_branch(&admin(), &input).await.unwrap().version }
    });
    let mut versions = together(tasks.collect()).await;
    versions.sort_unstable();
    assert_eq!(versions, (2..2 + i64::try_from(AT_ONCE).unwrap()).collect::<Vec<_>>());
}

async fn eight_branches_with_one_code_become_one(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let tasks = (0..AT_ONCE).map(|_| {
        let world = Arc::clone(&world);
        async move { world.services.create_branch(&admin(), &new_branch("NBO")).await }
    });
    let (made, refused): (Vec<_>, Vec<_>) = together(tasks.collect()).await.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for outcome in refused {
        assert_eq!(refusal(outcome), problem(ProblemCode::AlreadyTaken, "input.code"));
    }
}

/// Two trees, each a root with a child: each root is moved below the other's child. Neither move alone makes a cycle,
/// and no row is touched by both.
async fn moves_at_once_never_make_a_cycle(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let one = world.branch("A", None).await;
    let below_one = world.branch("AA", Some(&one)).await;
    let other = world.branch("B", None).await;
    let below_other = world.branch("BB", Some(&other)).await;
    let gate = gate(&world, "branches").await;
    let move_below = |branch: &BranchRecord, parent: &BranchRecord| {
        let (world, input) =
            (Arc::clone(&world), UpdateBranch { parent: Change::Set(parent.id), ..branch_change(branch.id) });
        tokio::spawn(async move { world.services.update_branch(&admin(), &input).await.map(drop) })
    };
    let moves = [move_below(&one, &below_other), move_below(&other, &below_one)];
    if let Some(gate) = gate {
        gate.wait_for(2, &[&moves[0], &moves[1]]).await;
        gate.open().await;
    }
    let mut refused = Vec::new();
    for task in moves {
        let outcome = task.await.unwrap();
        if outcome.is_err() {
            refused.push(refusal(outcome));
        }
    }
    assert_eq!(refused, [problem(ProblemCode::BranchCycle, "input.parentId")]);
}

/// The application has looked at the branch and not yet written the loan; now the branch is to be closed. Either it
/// stays open for the loan, or the application is refused.
async fn a_branch_that_closes_takes_no_application_on_the_way(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (branch, borrower, product) = world.parties().await;
    let gate = gate(&world, "loans").await;
    let (services, input) = (Arc::clone(&world), application("k", &borrower, &product));
    let apply = tokio::spawn(async move { services.services.apply_for_loan(&admin(), &input).await.map(drop) });
    if let Some(gate) = &gate {
        gate.wait_for(1, &[&apply]).await;
    }
    let services = Arc::clone(&world);
    let close = tokio::spawn(async move { services.services.close_branch(&admin(), branch.id, None).await.map(drop) });
    if let Some(gate) = gate {
        gate.wait_for(2, &[&apply, &close]).await;
        gate.open().await;
    }
    let (applied, closed) = (apply.await.unwrap(), close.await.unwrap());
    let stored = world.services.branch(&admin(), &BranchKey::Id(branch.id)).await.unwrap().unwrap();
    if applied.is_ok() {
        assert_eq!(stored.status, BranchStatus::Open, "a loan in a closed branch");
        assert_eq!(refusal(closed), problem(ProblemCode::BranchInUse, "input.branchId"));
    } else {
        assert_eq!(stored.status, BranchStatus::Closed);
        assert_eq!(refusal(applied), problem(ProblemCode::BranchClosed, "input.branchId"));
    }
}

/// SQLite has one writer, and needs no arranging.
pub async fn gate(world: &World, table: &str) -> Option<Gate> {
    if world.engine.is_postgres() { Some(Gate::before_writes_to(table, &world.engine.url).await) } else { None }
}
