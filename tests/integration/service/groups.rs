//! Groups: creating, changing and closing them, who joins and who leaves, and lending to their members.

use std::sync::Arc;

use branch_loan_api::service::check::Change;
use branch_loan_api::service::group_members::{AddGroupMember, MOST_MEMBERS, MemberRole, RemoveGroupMember};
use branch_loan_api::service::groups::{CreateGroup, GroupKey, GroupRecord, GroupStatus, UpdateGroup};
use branch_loan_api::service::loans::ApplyForLoan;
use branch_loan_api::service::problem::{Detail, ProblemCode};
use chrono::{TimeDelta, Weekday};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{
    application, approve, group_change, joining, leaving, new_borrower, new_group, promotion, reject,
};
use crate::support::services::{World, admin, admin_of, day, moment, problem, problems, refusal, refusals};

both_engines!(
    a_group_is_created_and_read_back,
    every_problem_of_a_group_is_told_at_once,
    a_group_needs_an_open_branch,
    a_change_of_a_group_keeps_clears_and_sets,
    members_join_are_promoted_and_leave,
    whoever_left_can_join_again_and_the_history_stays,
    nobody_belongs_to_two_groups_of_a_branch,
    a_borrower_may_belong_to_groups_of_two_branches,
    memberships_do_not_overlap_and_do_not_begin_tomorrow,
    a_group_has_a_largest_size,
    an_application_names_the_group_of_its_borrower,
    a_member_with_an_open_loan_stays,
    a_group_with_an_open_loan_stays_open,
    a_closed_group_takes_nobody_and_lets_everybody_go,
    a_stale_version_of_a_group_changes_nothing,
    groups_of_other_branches_do_not_exist,
);

async fn members(world: &World, group: Uuid) -> Vec<(Uuid, MemberRole, String, Option<String>)> {
    let members = world.services.members_of_groups(&admin(), &[group]).await.unwrap();
    let shown = members.into_iter().map(|member| {
        let left_on = member.left_on.map(|day| day.to_string());
        (member.borrower_id, member.role, member.joined_on.to_string(), left_on)
    });
    shown.collect()
}

async fn stored(world: &World, id: Uuid) -> GroupRecord {
    Arc::unwrap_or_clone(world.services.group(&admin(), &GroupKey::Id(id)).await.unwrap().unwrap())
}

async fn a_group_is_created_and_read_back(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let input = CreateGroup {
        branch: branch.id,
        name: " Umoja ".to_owned(),
        external_ref: Some(" grp-1 ".to_owned()),
        meeting_weekday: Some(Weekday::Sun),
        meeting_place: Some(" Market hall ".to_owned()),
    };
    let made = world.services.create_group(&admin(), &input).await.unwrap();
    assert_eq!((made.number.as_str(), made.name.as_str(), made.version), ("G-000000001", "Umoja", 1));
    assert_eq!((made.status, made.closed_on, made.meeting_weekday), (GroupStatus::Active, None, Some(Weekday::Sun)));
    assert_eq!(made.meeting_place.as_deref(), Some("Market hall"));
    for key in
        [GroupKey::Id(made.id), GroupKey::Number("G-000000001".to_owned()), GroupKey::ExternalRef("grp-1".to_owned())]
    {
        assert_eq!(world.services.group(&admin(), &key).await.unwrap(), Some(made.clone().into()), "{key:?}");
    }
    assert_eq!(world.services.group(&admin(), &GroupKey::Id(Uuid::from_u128(1))).await.unwrap(), None);
    assert_eq!(members(&world, made.id).await, []);
    assert_eq!(world.services.create_group(&admin(), &new_group(&branch)).await.unwrap().number, "G-000000002");
    let again = refusal(world.services.create_group(&admin(), &input).await);
    assert_eq!(again, problem(ProblemCode::AlreadyTaken, "input.externalRef"));
}

async fn every_problem_of_a_group_is_told_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let bad = CreateGroup {
        name: " ".to_owned(),
        external_ref: Some("x".repeat(101)),
        meeting_place: Some("a\u{0}b".to_owned()),
        ..new_group(&branch)
    };
    let expected = [
        problem(ProblemCode::Required, "input.name"),
        problem(ProblemCode::TooLong, "input.externalRef"),
        problem(ProblemCode::InvalidFormat, "input.meetingPlace"),
    ];
    assert_eq!(refusals(world.services.create_group(&admin(), &bad).await), expected);
    let group = world.group(&branch, &[]).await;
    let change = UpdateGroup {
        name: Some(String::new()),
        external_ref: Change::Set("x".repeat(101)),
        meeting_place: Change::Set("a\u{0}b".to_owned()),
        ..group_change(group.id)
    };
    assert_eq!(refusals(world.services.update_group(&admin(), &change).await), expected);
    assert_eq!(stored(&world, group.id).await, group);
}

async fn a_group_needs_an_open_branch(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    world.services.close_branch(&admin(), branch.id, None).await.unwrap();
    let outcome = world.services.create_group(&admin(), &new_group(&branch)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::BranchClosed, "input.branchId"));
    let nowhere = CreateGroup { branch: Uuid::from_u128(1), ..new_group(&branch) };
    let outcome = world.services.create_group(&admin(), &nowhere).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.branchId"));
}

async fn a_change_of_a_group_keeps_clears_and_sets(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let group = world.group(&branch, &[]).await;
    world.clock.advance(TimeDelta::seconds(1));
    let set = UpdateGroup {
        external_ref: Change::Set("grp-1".to_owned()),
        meeting_weekday: Change::Set(Weekday::Wed),
        meeting_place: Change::Set("Church".to_owned()),
        ..group_change(group.id)
    };
    let changed = world.services.update_group(&admin(), &set).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.external_ref.as_deref()), ("Umoja", Some("grp-1")));
    assert_eq!((changed.version, changed.updated_at), (2, moment("2026-01-15T12:00:01Z")));
    let clear = UpdateGroup {
        name: Some("Pamoja".to_owned()),
        meeting_weekday: Change::Clear,
        meeting_place: Change::Set(" ".to_owned()),
        ..group_change(group.id)
    };
    world.services.update_group(&admin(), &clear).await.unwrap();
    let read = stored(&world, group.id).await;
    assert_eq!((read.name.as_str(), read.external_ref.as_deref()), ("Pamoja", Some("grp-1")));
    assert_eq!((read.meeting_weekday, read.meeting_place, read.version), (None, None, 3));
}

async fn members_join_are_promoted_and_leave(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let (one, two) = (world.borrower(&branch).await, world.borrower(&branch).await);
    let group = world.group(&branch, &[]).await;
    let early =
        AddGroupMember { role: MemberRole::Treasurer, joined_on: Some(day("2025-12-01")), ..joining(group.id, two.id) };
    world.services.add_group_member(&admin(), &joining(group.id, one.id)).await.unwrap();
    let grown = world.services.add_group_member(&admin(), &early).await.unwrap();
    assert_eq!(grown.version, 3, "the members are part of the group");
    let today = "2026-01-15".to_owned();
    assert_eq!(
        members(&world, group.id).await,
        [
            (two.id, MemberRole::Treasurer, "2025-12-01".to_owned(), None),
            (one.id, MemberRole::Member, today.clone(), None)
        ]
    );
    world.services.update_group_member(&admin(), &promotion(group.id, one.id)).await.unwrap();
    world.services.remove_group_member(&admin(), &leaving(group.id, two.id)).await.unwrap();
    assert_eq!(
        members(&world, group.id).await,
        [
            (two.id, MemberRole::Treasurer, "2025-12-01".to_owned(), Some(today.clone())),
            (one.id, MemberRole::Chair, today, None)
        ]
    );
    let not_a_member = problem(ProblemCode::NotAMember, "input.borrowerId");
    for borrower in [two.id, Uuid::from_u128(1)] {
        let outcome = world.services.remove_group_member(&admin(), &leaving(group.id, borrower)).await;
        assert_eq!(refusal(outcome), not_a_member);
        let outcome = world.services.update_group_member(&admin(), &promotion(group.id, borrower)).await;
        assert_eq!(refusal(outcome), not_a_member);
    }
    let outcome = world.services.add_group_member(&admin(), &joining(group.id, Uuid::from_u128(1))).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.borrowerId"));
    let outcome = world.services.add_group_member(&admin(), &joining(Uuid::from_u128(1), one.id)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.groupId"));
    assert_eq!(stored(&world, group.id).await.version, 5, "a refusal is no change");
}

async fn whoever_left_can_join_again_and_the_history_stays(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let borrower = world.borrower(&branch).await;
    let (first, second) = (world.group(&branch, &[&borrower]).await, world.group(&branch, &[]).await);
    for (from, to) in [(&first, &second), (&second, &first)] {
        world.services.remove_group_member(&admin(), &leaving(from.id, borrower.id)).await.unwrap();
        world.services.add_group_member(&admin(), &joining(to.id, borrower.id)).await.unwrap();
    }
    let left = |members: Vec<(Uuid, MemberRole, String, Option<String>)>| -> Vec<bool> {
        members.iter().map(|(_, _, _, left_on)| left_on.is_some()).collect()
    };
    assert_eq!(left(members(&world, first.id).await), [true, false]);
    assert_eq!(left(members(&world, second.id).await), [true]);
}

async fn nobody_belongs_to_two_groups_of_a_branch(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let borrower = world.borrower(&branch).await;
    let first = world.group(&branch, &[&borrower]).await;
    let second = world.group(&branch, &[]).await;
    for group in [&first, &second] {
        let found = problems(world.services.add_group_member(&admin(), &joining(group.id, borrower.id)).await);
        assert_eq!((found.len(), found[0].code), (1, ProblemCode::AlreadyInGroup));
        assert!(found[0].message.contains("G-000000001"), "{}", found[0].message);
    }
    assert_eq!(members(&world, second.id).await, []);
}

async fn a_borrower_may_belong_to_groups_of_two_branches(engine: Engine) {
    let world = World::new(engine).await;
    let (one, other) = (world.branch("NBO", None).await, world.branch("MSA", None).await);
    let borrower = world.borrower(&one).await;
    let (here, there) = (world.group(&one, &[&borrower]).await, world.group(&other, &[&borrower]).await);
    let found = world.services.memberships_of_borrowers(&admin(), &[borrower.id]).await.unwrap();
    let mut groups: Vec<Uuid> = found.iter().map(|member| member.group_id).collect();
    groups.sort_unstable();
    let mut expected = vec![here.id, there.id];
    expected.sort_unstable();
    assert_eq!(groups, expected);
    let local = world.services.memberships_of_borrowers(&admin_of("MSA"), &[borrower.id]).await.unwrap();
    assert_eq!(local.iter().map(|member| member.group_id).collect::<Vec<_>>(), [there.id]);
    // Who may not see the borrower cannot take them in.
    let outcome = world.services.add_group_member(&admin_of("MSA"), &joining(there.id, borrower.id)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.borrowerId"));
}

async fn memberships_do_not_overlap_and_do_not_begin_tomorrow(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let borrower = world.borrower(&branch).await;
    let (first, second) = (world.group(&branch, &[]).await, world.group(&branch, &[]).await);
    let join = |group, date| AddGroupMember { joined_on: Some(day(date)), ..joining(group, borrower.id) };
    let leave = |date| RemoveGroupMember { left_on: Some(day(date)), ..leaving(first.id, borrower.id) };
    let out_of_range = |path| problem(ProblemCode::DateOutOfRange, path);
    let outcome = world.services.add_group_member(&admin(), &join(first.id, "2026-01-16")).await;
    assert_eq!(refusal(outcome), out_of_range("input.joinedOn"));
    world.services.add_group_member(&admin(), &join(first.id, "2026-01-10")).await.unwrap();
    for date in ["2026-01-09", "2026-01-16"] {
        let found = problems(world.services.remove_group_member(&admin(), &leave(date)).await);
        assert_eq!((found[0].code, found[0].path.join(".")), out_of_range("input.leftOn"));
        let limits = Detail::Date { earliest: Some(day("2026-01-10")), latest: Some(day("2026-01-15")) };
        assert_eq!(found[0].detail, limits);
    }
    world.services.remove_group_member(&admin(), &leave("2026-01-12")).await.unwrap();
    let outcome = world.services.add_group_member(&admin(), &join(second.id, "2026-01-11")).await;
    assert_eq!(refusal(outcome), out_of_range("input.joinedOn"));
    world.services.add_group_member(&admin(), &join(second.id, "2026-01-12")).await.unwrap();
}

async fn a_group_has_a_largest_size(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let group = world.group(&branch, &[]).await;
    let mut last = None;
    for _ in 0..MOST_MEMBERS {
        let borrower = world.borrower(&branch).await;
        world.services.add_group_member(&admin(), &joining(group.id, borrower.id)).await.unwrap();
        last = Some(borrower);
    }
    let late = world.borrower(&branch).await;
    let outcome = world.services.add_group_member(&admin(), &joining(group.id, late.id)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::GroupFull, "input.groupId"));
    world.services.remove_group_member(&admin(), &leaving(group.id, last.unwrap().id)).await.unwrap();
    world.services.add_group_member(&admin(), &joining(group.id, late.id)).await.unwrap();
}

async fn an_application_names_the_group_of_its_borrower(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    let other_branch = world.branch("MSA", None).await;
    let outsider = world.borrower(&branch).await;
    let group = world.group(&branch, &[&borrower]).await;
    let elsewhere = world.group(&other_branch, &[&borrower]).await;
    let apply = |key, borrower, group| ApplyForLoan { group: Some(group), ..application(key, borrower, &product) };
    let made = world.services.apply_for_loan(&admin(), &apply("a", &borrower, group.id)).await.unwrap();
    assert_eq!(made.loan.group_id, Some(group.id));
    let again = world.services.apply_for_loan(&admin(), &apply("a", &borrower, group.id)).await.unwrap();
    assert_eq!((again.replayed, again.loan), (true, made.loan));
    let other_input = world.services.apply_for_loan(&admin(), &application("a", &borrower, &product)).await;
    assert_eq!(refusal(other_input), problem(ProblemCode::IdempotencyKeyMismatch, "input.idempotencyKey"));
    for (borrower, group, expected) in [
        (&outsider, group.id, problem(ProblemCode::NotAMember, "input.borrowerId")),
        (&borrower, elsewhere.id, problem(ProblemCode::BranchMismatch, "input.groupId")),
        (&borrower, Uuid::from_u128(1), problem(ProblemCode::NotFound, "input.groupId")),
    ] {
        let outcome = world.services.apply_for_loan(&admin(), &apply("b", borrower, group)).await;
        assert_eq!(refusal(outcome), expected);
    }
    let there = ApplyForLoan { branch: Some(other_branch.id), ..apply("c", &borrower, elsewhere.id) };
    let made = world.services.apply_for_loan(&admin(), &there).await.unwrap();
    assert_eq!((made.loan.branch_id, made.loan.group_id), (other_branch.id, Some(elsewhere.id)));
    // What the caller may not see does not exist, as everywhere.
    let foreign = apply("d", &borrower, elsewhere.id);
    let outcome = world.services.apply_for_loan(&admin_of("NBO"), &foreign).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.groupId"));
}

async fn a_member_with_an_open_loan_stays(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    let other = world.borrower(&branch).await;
    let group = world.group(&branch, &[&borrower, &other]).await;
    let input = ApplyForLoan { group: Some(group.id), ..application("a", &borrower, &product) };
    let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
    // A loan outside the group keeps nobody in it.
    world.loan("b", &other, &product).await;
    world.services.remove_group_member(&admin(), &leaving(group.id, other.id)).await.unwrap();
    let open = problem(ProblemCode::MemberHasOpenLoan, "input.borrowerId");
    let leave = leaving(group.id, borrower.id);
    assert_eq!(refusal(world.services.remove_group_member(&admin(), &leave).await), open);
    world.services.decide(&admin(), &reject(loan.id)).await.unwrap();
    world.services.remove_group_member(&admin(), &leave).await.unwrap();
}

async fn a_group_with_an_open_loan_stays_open(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    let group = world.group(&branch, &[&borrower]).await;
    let input = |key| ApplyForLoan { group: Some(group.id), ..application(key, &borrower, &product) };
    let rejected = world.services.apply_for_loan(&admin(), &input("a")).await.unwrap().loan;
    let approved = world.services.apply_for_loan(&admin(), &input("b")).await.unwrap().loan;
    world.services.decide(&admin(), &reject(rejected.id)).await.unwrap();
    world.services.decide(&admin(), &approve(approved.id)).await.unwrap();
    let outcome = world.services.close_group(&admin(), group.id, None).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::GroupInUse, "input.groupId"));
    assert_eq!(stored(&world, group.id).await, group);
}

async fn a_closed_group_takes_nobody_and_lets_everybody_go(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    let group = world.group(&branch, &[&borrower]).await;
    let closed = world.services.close_group(&admin(), group.id, Some(2)).await.unwrap();
    assert_eq!((closed.status, closed.closed_on), (GroupStatus::Closed, Some(day("2026-01-15"))));
    assert_eq!(members(&world, group.id).await[0].3.as_deref(), Some("2026-01-15"));
    assert_eq!(world.services.close_group(&admin(), group.id, None).await.unwrap(), closed, "closing twice is closing");
    let newcomer = world.services.register_borrower(&admin(), &new_borrower(&branch)).await.unwrap();
    let outcome = world.services.add_group_member(&admin(), &joining(group.id, newcomer.id)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::GroupClosed, "input.groupId"));
    let input = ApplyForLoan { group: Some(group.id), ..application("a", &borrower, &product) };
    let outcome = world.services.apply_for_loan(&admin(), &input).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::GroupClosed, "input.groupId"));
    world.group(&branch, &[&borrower]).await;
}

async fn a_stale_version_of_a_group_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let (member, other) = (world.borrower(&branch).await, world.borrower(&branch).await);
    let group = world.group(&branch, &[&member]).await;
    let stale = Some(1);
    let services = &world.services;
    let change = UpdateGroup { expected_version: stale, ..group_change(group.id) };
    let mut join = joining(group.id, other.id);
    let mut promote = promotion(group.id, member.id);
    let mut leave = leaving(group.id, member.id);
    (join.expected_version, promote.expected_version, leave.expected_version) = (stale, stale, stale);
    for outcome in [
        services.update_group(&admin(), &change).await,
        services.add_group_member(&admin(), &join).await,
        services.update_group_member(&admin(), &promote).await,
        services.remove_group_member(&admin(), &leave).await,
        services.close_group(&admin(), group.id, stale).await,
    ] {
        let found = problems(outcome);
        assert_eq!((found[0].code, &found[0].detail), (ProblemCode::VersionConflict, &Detail::Version { current: 2 }));
    }
    assert_eq!(stored(&world, group.id).await, group);
    assert_eq!(members(&world, group.id).await.len(), 1);
}

async fn groups_of_other_branches_do_not_exist(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    world.branch("MSA", None).await;
    let borrower = world.borrower(&branch).await;
    let group = world.group(&branch, &[&borrower]).await;
    let (services, foreign) = (&world.services, admin_of("MSA"));
    for key in [GroupKey::Id(group.id), GroupKey::Number(group.number.clone())] {
        assert_eq!(services.group(&foreign, &key).await.unwrap(), None);
    }
    assert_eq!(services.groups_by_id(&foreign, &[group.id]).await.unwrap(), [None]);
    assert_eq!(services.members_of_groups(&foreign, &[group.id]).await.unwrap(), []);
    assert_eq!(services.memberships_of_borrowers(&foreign, &[borrower.id]).await.unwrap(), []);
    for outcome in [
        services.update_group(&foreign, &group_change(group.id)).await,
        services.add_group_member(&foreign, &joining(group.id, borrower.id)).await,
        services.update_group_member(&foreign, &promotion(group.id, borrower.id)).await,
        services.remove_group_member(&foreign, &leaving(group.id, borrower.id)).await,
        services.close_group(&foreign, group.id, None).await,
    ] {
        assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.groupId"));
    }
    assert_eq!(stored(&world, group.id).await, group);
}
