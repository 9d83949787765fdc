//! What each role may do, asked of the use cases themselves: a use case that forgot to ask the policy shows here.

use std::sync::Arc;

use branch_loan_api::auth::policy::Action;
use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::borrower_erasure::EraseBorrower;
use branch_loan_api::service::borrowers::BorrowerKey;
use branch_loan_api::service::branch_calendar::{CalendarChange, ChangeCalendar};
use branch_loan_api::service::branches::BranchKey;
use branch_loan_api::service::groups::GroupKey;
use branch_loan_api::service::list::{Filter, PageRequest};
use branch_loan_api::service::loan_products::LoanProductKey;
use branch_loan_api::service::loans::LoanKey;
use branch_loan_api::service::portfolio::{GroupBy, Report};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{
    application, approve, borrower_change, branch_change, group_change, joining, leaving, new_borrower, new_branch,
    new_group, new_product, product_change, promotion, reject, withdraw,
};
use crate::support::services::{World, actor, admin, day};

both_engines!(every_use_case_asks_the_policy_first);

/// What a use case was forbidden for, if it was.
fn forbidden<T>(outcome: Result<T, ServiceError>) -> Option<Action> {
    match outcome {
        Err(ServiceError::Forbidden(action)) => Some(action),
        _ => None,
    }
}

/// Every use case that changes something, tried as this actor on rows that do not exist: whoever may do it is told so.
async fn writes(world: &World, actor: &Actor) -> Vec<(Action, Option<Action>)> {
    let services = &world.services;
    let nothing = Uuid::from_u128(1);
    let (branch, borrower, product) = known(world).await;
    let mut nowhere = new_borrower(&branch);
    nowhere.branch = nothing;
    let mut apply = application("k", &borrower, &product);
    apply.borrower = nothing;
    let mut no_group = new_group(&branch);
    no_group.branch = nothing;
    let bad_branch = new_branch("not a code");
    let bad_product = new_product("not a code");
    vec![
        (Action::CreateBranch, forbidden(services.create_branch(actor, &bad_branch).await)),
        (Action::UpdateBranch, forbidden(services.update_branch(actor, &branch_change(nothing)).await)),
        (Action::CloseBranch, forbidden(services.close_branch(actor, nothing, None).await)),
        (Action::RegisterBorrower, forbidden(services.register_borrower(actor, &nowhere).await)),
        (Action::UpdateBorrower, forbidden(services.update_borrower(actor, &borrower_change(nothing)).await)),
        (Action::EraseBorrower, forbidden(services.erase_borrower(actor, &erasing(nothing)).await)),
        (Action::CreateGroup, forbidden(services.create_group(actor, &no_group).await)),
        (Action::UpdateGroup, forbidden(services.update_group(actor, &group_change(nothing)).await)),
        (Action::ChangeGroupMembers, forbidden(services.add_group_member(actor, &joining(nothing, borrower.id)).await)),
        (
            Action::ChangeGroupMembers,
            forbidden(services.update_group_member(actor, &promotion(nothing, borrower.id)).await),
        ),
        (
            Action::ChangeGroupMembers,
            forbidden(services.remove_group_member(actor, &leaving(nothing, borrower.id)).await),
        ),
        (Action::CloseGroup, forbidden(services.close_group(actor, nothing, None).await)),
        (Action::CreateProduct, forbidden(services.create_loan_product(actor, &bad_product).await)),
        (Action::UpdateProduct, forbidden(services.update_loan_product(actor, &product_change(nothing)).await)),
        (Action::RetireProduct, forbidden(services.retire_loan_product(actor, nothing, None).await)),
        (Action::ApplyForLoan, forbidden(services.apply_for_loan(actor, &apply).await)),
        (Action::ApproveLoan, forbidden(services.decide(actor, &approve(nothing)).await)),
        (Action::RejectLoan, forbidden(services.decide(actor, &reject(nothing)).await)),
        (Action::WithdrawLoan, forbidden(services.decide(actor, &withdraw(nothing)).await)),
        (Action::ChangeCalendar, forbidden(services.change_calendar(actor, &rest_days(nothing)).await)),
    ]
}

const fn erasing(id: Uuid) -> EraseBorrower {
    EraseBorrower { id, reason: None, expected_version: None }
}

fn rest_days(branch: Uuid) -> ChangeCalendar {
    ChangeCalendar { branch, change: CalendarChange::RestDays(Vec::new()), expected_version: None }
}

/// Every use case that reads.
async fn reads(world: &World, actor: &Actor) -> Vec<(Action, Option<Action>)> {
    let services = &world.services;
    let id = Uuid::from_u128(1);
    let page = PageRequest { size: 1, backward: false, cursor: None };
    let loans = Filter::default();
    let (report, today) = (Report::new(Filter::default(), None), day("2026-01-15"));
    vec![
        (Action::ReadBranches, forbidden(services.branch(actor, &BranchKey::Id(id)).await)),
        (Action::ReadBranches, forbidden(services.branches_by_id(actor, &[id]).await)),
        (Action::ReadBranches, forbidden(services.branches(actor, &Filter::default(), &[], &page).await)),
        (Action::ReadBranches, forbidden(services.count_branches(actor, &Filter::default()).await)),
        (Action::ReadBorrowers, forbidden(services.borrower(actor, &BorrowerKey::Id(id)).await)),
        (Action::ReadBorrowers, forbidden(services.borrowers_by_id(actor, &[id]).await)),
        (Action::ReadBorrowers, forbidden(services.borrowers(actor, &Filter::default(), &[], &page).await)),
        (Action::ReadBorrowers, forbidden(services.count_borrowers(actor, &Filter::default()).await)),
        (Action::ReadGroups, forbidden(services.group(actor, &GroupKey::Id(id)).await)),
        (Action::ReadGroups, forbidden(services.groups_by_id(actor, &[id]).await)),
        (Action::ReadGroups, forbidden(services.groups(actor, &Filter::default(), &[], &page).await)),
        (Action::ReadGroups, forbidden(services.count_groups(actor, &Filter::default()).await)),
        (Action::ReadGroups, forbidden(services.members_of_groups(actor, &[id]).await)),
        (Action::ReadGroups, forbidden(services.memberships_of_borrowers(actor, &[id]).await)),
        (Action::ReadProducts, forbidden(services.loan_product(actor, &LoanProductKey::Id(id)).await)),
        (Action::ReadProducts, forbidden(services.loan_products_by_id(actor, &[id]).await)),
        (Action::ReadProducts, forbidden(services.loan_products(actor, &Filter::default(), &[], &page).await)),
        (Action::ReadProducts, forbidden(services.count_loan_products(actor, &Filter::default()).await)),
        (Action::ReadLoans, forbidden(services.loan(actor, &LoanKey::Id(id)).await)),
        (Action::ReadLoans, forbidden(services.loans_by_id(actor, &[id]).await)),
        (Action::ReadLoans, forbidden(services.loans(actor, &loans, &[], &page).await)),
        (Action::ReadLoans, forbidden(services.loan_faces_by_id(actor, &[id]).await)),
        (Action::ReadLoans, forbidden(services.loan_faces(actor, &loans, &[], &page).await)),
        (Action::ReadLoans, forbidden(services.count_loans(actor, &loans).await)),
        (Action::ReadPortfolio, forbidden(report.counted(services, actor, GroupBy::Branch).await)),
        (Action::ReadPortfolio, forbidden(report.owed(services, actor, GroupBy::Nothing).await)),
        (Action::ReadPortfolio, forbidden(report.late(services, actor, GroupBy::Nothing).await)),
        (Action::ReadPortfolio, forbidden(report.aged(services, actor, GroupBy::Nothing).await)),
        (Action::ReadPortfolio, forbidden(report.rescheduled(services, actor, GroupBy::Nothing).await)),
        (Action::ReadPortfolio, forbidden(report.flows(services, actor, GroupBy::Nothing, (today, today)).await)),
        (Action::ReadLoans, forbidden(services.collection_sheet(actor, id, today, None).await)),
        (Action::ReadLedger, forbidden(services.trial_balance(actor, None, None).await)),
        (Action::ReadLedger, forbidden(services.journal_entries(actor, &Filter::default(), &[], &page).await)),
        (Action::ReadLedger, forbidden(services.count_journal_entries(actor, &Filter::default()).await)),
        (Action::ReadLedger, forbidden(services.journal_entries_by_id(actor, &[id]).await)),
        (Action::ReadLedger, forbidden(services.journal_lines(actor, &[id]).await)),
        (Action::ReadBranches, forbidden(services.holidays(actor, &[id]).await)),
        (Action::ReadAudit, forbidden(services.audit_events(actor, &Filter::default(), &[], &page).await)),
        (Action::ReadAudit, forbidden(services.count_audit_events(actor, &Filter::default()).await)),
        (Action::ReadAudit, forbidden(services.audit_events_by_id(actor, &[id]).await)),
        (Action::ReadAudit, forbidden(services.audit_links(actor, &[id]).await)),
        (Action::ReadAudit, forbidden(services.unsealed_audit_events(actor).await)),
    ]
}

type Known = (
    branch_loan_api::service::branches::BranchRecord,
    branch_loan_api::service::borrowers::BorrowerRecord,
    branch_loan_api::service::loan_products::LoanProductRecord,
);

async fn known(world: &World) -> Known {
    let page = PageRequest { size: 1, backward: false, cursor: None };
    let branch = world.services.branches(&admin(), &Filter::default(), &[], &page).await.unwrap().rows.remove(0).1;
    let borrower = world.services.borrowers(&admin(), &Filter::default(), &[], &page).await.unwrap().rows.remove(0).1;
    let product =
        world.services.loan_products(&admin(), &Filter::default(), &[], &page).await.unwrap().rows.remove(0).1;
    (Arc::unwrap_or_clone(branch), Arc::unwrap_or_clone(borrower), Arc::unwrap_or_clone(product))
}

async fn every_use_case_asks_the_policy_first(engine: Engine) {
    let world = World::new(engine).await;
    world.parties().await;
    for role in Role::ALL {
        let someone = actor("someone", &[role], BranchGrant::All);
        let mut tried = writes(&world, &someone).await;
        tried.extend(reads(&world, &someone).await);
        for (action, refused) in tried {
            let expected = if action.roles().contains(&role) { None } else { Some(action) };
            assert_eq!(refused, expected, "{role} and {action:?}");
        }
    }
    let nobody = actor("nobody", &[], BranchGrant::All);
    world.statements.take();
    for (action, refused) in reads(&world, &nobody).await {
        assert_eq!(refused, Some(action));
    }
    assert_eq!(world.statements.take(), Vec::<String>::new(), "whoever may do nothing costs the database nothing");
}
