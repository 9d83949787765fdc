//! Groups and many at once: a borrower ends up in one group, and nobody slips out from under a loan on its way.

use std::sync::Arc;

use branch_loan_api::service::groups::{GroupKey, GroupStatus};
use branch_loan_api::service::loans::ApplyForLoan;
use branch_loan_api::service::problem::ProblemCode;

use super::races::gate;
use crate::support::engines::Engine;
use crate::support::inputs::{application, joining, leaving};
use crate::support::services::{World, admin, problem, problems, refusal};

both_engines!(
    two_groups_that_take_one_borrower_at_once_get_them_once,
    a_group_that_closes_takes_no_loan_on_the_way,
    a_member_who_leaves_takes_no_loan_on_the_way,
);

async fn two_groups_that_take_one_borrower_at_once_get_them_once(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let branch = world.branch("NBO", None).await;
    let borrower = world.borrower(&branch).await;
    let groups = [world.group(&branch, &[]).await, world.group(&branch, &[]).await];
    let gate = gate(&world, "group_members").await;
    let joins = groups.map(|group| {
        let (world, input) = (Arc::clone(&world), joining(group.id, borrower.id));
        tokio::spawn(async move { world.services.add_group_member(&admin(), &input).await.map(drop) })
    });
    if let Some(gate) = gate {
        gate.wait_for(2, &[&joins[0], &joins[1]]).await;
        gate.open().await;
    }
    let mut refused = Vec::new();
    for task in joins {
        let outcome = task.await.unwrap();
        if outcome.is_err() {
            refused.extend(problems(outcome));
        }
    }
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code, ProblemCode::AlreadyInGroup);
    assert!(refused[0].message.contains("G-0000"), "{}", refused[0].message);
    let found = world.services.memberships_of_borrowers(&admin(), &[borrower.id]).await.unwrap();
    assert_eq!(found.len(), 1);
}

/// What becomes of an application that has looked at the group and not yet written the loan.
async fn applied_meanwhile(world: &Arc<World>, change: Change) -> (Outcome, Outcome) {
    let (branch, borrower, product) = world.parties().await;
    let group = world.group(&branch, &[&borrower]).await.id;
    let gate = gate(world, "loans").await;
    let input = ApplyForLoan { group: Some(group), ..application("k", &borrower, &product) };
    let services = Arc::clone(world);
    let apply = tokio::spawn(async move { services.services.apply_for_loan(&admin(), &input).await.map(drop) });
    if let Some(gate) = &gate {
        gate.wait_for(1, &[&apply]).await;
    }
    let services = Arc::clone(world);
    let other = tokio::spawn(async move {
        match change {
            Change::Close => services.services.close_group(&admin(), group, None).await.map(drop),
            Change::Leave => {
                services.services.remove_group_member(&admin(), &leaving(group, borrower.id)).await.map(drop)
            }
        }
    });
    if let Some(gate) = gate {
        gate.wait_for(2, &[&apply, &other]).await;
        gate.open().await;
    }
    (apply.await.unwrap(), other.await.unwrap())
}

#[derive(Clone, Copy)]
enum Change {
    Close,
    Leave,
}

type Outcome = Result<(), branch_loan_api::service::ServiceError>;

async fn a_group_that_closes_takes_no_loan_on_the_way(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (applied, closed) = applied_meanwhile(&world, Change::Close).await;
    let key = GroupKey::Number("G-000000001".to_owned());
    let status = world.services.group(&admin(), &key).await.unwrap().unwrap().status;
    if applied.is_ok() {
        assert_eq!(status, GroupStatus::Active, "a loan in a closed group");
        assert_eq!(refusal(closed), problem(ProblemCode::GroupInUse, "input.groupId"));
    } else {
        assert_eq!(status, GroupStatus::Closed);
        assert_eq!(refusal(applied), problem(ProblemCode::GroupClosed, "input.groupId"));
    }
}

async fn a_member_who_leaves_takes_no_loan_on_the_way(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let (applied, left) = applied_meanwhile(&world, Change::Leave).await;
    if applied.is_ok() {
        assert_eq!(refusal(left), problem(ProblemCode::MemberHasOpenLoan, "input.borrowerId"));
    } else {
        left.unwrap();
        assert_eq!(refusal(applied), problem(ProblemCode::NotAMember, "input.borrowerId"));
    }
}
