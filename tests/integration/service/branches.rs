//! Opening, changing and closing branches.

use branch_loan_api::service::branches::{BranchKey, BranchStatus, CreateBranch, UpdateBranch};
use branch_loan_api::service::check::Change;
use branch_loan_api::service::problem::{Detail, ProblemCode};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{branch_change, new_branch, reject};
use crate::support::services::{World, admin, day, moment, problem, problems, refusal, refusals};

both_engines!(
    a_branch_is_opened_and_read_back,
    every_problem_of_a_new_branch_is_told_at_once,
    a_code_is_taken_once,
    a_parent_must_exist_and_be_open,
    a_change_touches_what_it_names_and_nothing_else,
    every_problem_of_a_change_is_told_at_once,
    a_branch_cannot_lie_below_itself,
    a_stale_version_changes_nothing,
    a_branch_that_does_not_exist_is_not_found,
    a_branch_in_use_stays_open,
    closing_twice_changes_nothing_the_second_time,
    the_business_date_is_the_branchs_own,
);

async fn a_branch_is_opened_and_read_back(engine: Engine) {
    let world = World::new(engine).await;
    let parent = world.branch("KE", None).await;
    let input = CreateBranch {
        code: " NBO-1_a ".to_owned(),
        name: "  Nairobi Центр 🦀 ".to_owned(),
        parent: Some(parent.id),
        currency: "UGX".to_owned(),
        time_zone: " Africa/Kampala ".to_owned(),
    };
    let made = world.services.create_branch(&admin(), &input).await.unwrap();
    assert_eq!((made.code.as_str(), made.name.as_str()), ("NBO-1_a", "Nairobi Центр 🦀"));
    assert_eq!((made.currency.code(), made.time_zone.as_str()), ("UGX", "Africa/Kampala"));
    assert_eq!((made.parent_id, made.status, made.version), (Some(parent.id), BranchStatus::Open, 1));
    assert_eq!((made.created_at, made.updated_at), (moment("2026-01-15T12:00:00Z"), moment("2026-01-15T12:00:00Z")));
    let by_id = world.services.branch(&admin(), &BranchKey::Id(made.id)).await.unwrap();
    let by_code = world.services.branch(&admin(), &BranchKey::Code("NBO-1_a".to_owned())).await.unwrap();
    assert_eq!((by_id.as_deref(), by_code.as_deref()), (Some(&made), Some(&made)));
    let by_ids = world.services.branches_by_id(&admin(), &[made.id, Uuid::from_u128(9), parent.id]).await.unwrap();
    assert_eq!(by_ids, [Some(made.into()), None, Some(parent.into())]);
}

async fn every_problem_of_a_new_branch_is_told_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let bad = |code: &str, name: &str, currency: &str, time_zone: &str| CreateBranch {
        code: code.to_owned(),
        name: name.to_owned(),
        currency: currency.to_owned(),
        time_zone: time_zone.to_owned(),
        parent: None,
    };
    let (code, name, currency, zone) = ("input.code", "input.name", "input.currency", "input.timeZone");
    for (input, expected) in [
        (
            bad("", " \t ", "kes", ""),
            vec![
                problem(ProblemCode::Required, code),
                problem(ProblemCode::Required, name),
                problem(ProblemCode::UnknownCurrency, currency),
                problem(ProblemCode::Required, zone),
            ],
        ),
        (
            bad(&"x".repeat(33), &"é".repeat(201), "ZZZ", &"Z".repeat(65)),
            vec![
                problem(ProblemCode::TooLong, code),
                problem(ProblemCode::TooLong, name),
                problem(ProblemCode::UnknownCurrency, currency),
                problem(ProblemCode::TooLong, zone),
            ],
        ),
        (
            bad("N B", "a\u{0}b", "XAU", "Africa/Nowhere"),
            vec![
                problem(ProblemCode::InvalidFormat, code),
                problem(ProblemCode::InvalidFormat, name),
                problem(ProblemCode::UnknownCurrency, currency),
                problem(ProblemCode::InvalidFormat, zone),
            ],
        ),
        (bad("NÄ", "n", "KES", "UTC"), vec![problem(ProblemCode::InvalidFormat, code)]),
        (bad("N\u{0}", "n", "KES", "UTC"), vec![problem(ProblemCode::InvalidFormat, code)]),
        (bad("N", "n", "KESH", "UTC"), vec![problem(ProblemCode::UnknownCurrency, currency)]),
        (bad("N", "n", "KES", "+03:00"), vec![problem(ProblemCode::InvalidFormat, zone)]),
    ] {
        assert_eq!(refusals(world.services.create_branch(&admin(), &input).await), expected, "{input:?}");
    }
    assert_eq!(world.services.count_branches(&admin(), &Default::default()).await.unwrap(), 0);
    let longest = bad(&"x".repeat(32), &"é".repeat(200), "KES", "UTC");
    world.services.create_branch(&admin(), &longest).await.unwrap();
}

async fn a_code_is_taken_once(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    let again = world.services.create_branch(&admin(), &new_branch("NBO")).await;
    assert_eq!(refusal(again), problem(ProblemCode::AlreadyTaken, "input.code"));
    let again = world.services.create_branch(&admin(), &new_branch(" NBO ")).await;
    assert_eq!(refusal(again), problem(ProblemCode::AlreadyTaken, "input.code"));
    assert_eq!(world.services.count_branches(&admin(), &Default::default()).await.unwrap(), 1);
}

async fn a_parent_must_exist_and_be_open(engine: Engine) {
    let world = World::new(engine).await;
    let closed = world.branch("OLD", None).await;
    world.services.close_branch(&admin(), closed.id, None).await.unwrap();
    let child = world.branch("NBO", None).await;
    for (parent, code) in [(Uuid::from_u128(5), ProblemCode::NotFound), (closed.id, ProblemCode::BranchClosed)] {
        let input = CreateBranch { parent: Some(parent), ..new_branch("NEW") };
        let outcome = world.services.create_branch(&admin(), &input).await;
        assert_eq!(refusal(outcome), problem(code, "input.parentId"));
        let input = UpdateBranch { parent: Change::Set(parent), ..branch_change(child.id) };
        let outcome = world.services.update_branch(&admin(), &input).await;
        assert_eq!(refusal(outcome), problem(code, "input.parentId"));
    }
}

async fn a_change_touches_what_it_names_and_nothing_else(engine: Engine) {
    let world = World::new(engine).await;
    let parent = world.branch("KE", None).await;
    let made = world.branch("NBO", Some(&parent)).await;
    world.clock.advance(TimeDelta::minutes(1));

    let input = UpdateBranch { name: Some(" Nairobi ".to_owned()), ..branch_change(made.id) };
    let named = world.services.update_branch(&admin(), &input).await.unwrap();
    let mut expected = made.clone();
    expected.name = "Nairobi".to_owned();
    expected.version = 2;
    expected.updated_at = moment("2026-01-15T12:01:00Z");
    assert_eq!(named, expected);
    assert_eq!(world.services.branch(&admin(), &BranchKey::Id(made.id)).await.unwrap(), Some(expected.into()));

    let input = UpdateBranch { time_zone: Some("UTC".to_owned()), parent: Change::Clear, ..branch_change(made.id) };
    let moved = world.services.update_branch(&admin(), &input).await.unwrap();
    assert_eq!((moved.time_zone.as_str(), moved.parent_id, moved.name.as_str()), ("UTC", None, "Nairobi"));
    let input = UpdateBranch { parent: Change::Set(parent.id), ..branch_change(made.id) };
    let moved = world.services.update_branch(&admin(), &input).await.unwrap();
    assert_eq!((moved.time_zone.as_str(), moved.parent_id, moved.version), ("UTC", Some(parent.id), 4));
}

async fn every_problem_of_a_change_is_told_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let made = world.branch("NBO", None).await;
    let input = UpdateBranch {
        name: Some(" ".to_owned()),
        time_zone: Some("Mars/Olympus".to_owned()),
        ..branch_change(made.id)
    };
    let outcome = world.services.update_branch(&admin(), &input).await;
    assert_eq!(
        refusals(outcome),
        [problem(ProblemCode::Required, "input.name"), problem(ProblemCode::InvalidFormat, "input.timeZone")]
    );
    assert_eq!(world.services.branch(&admin(), &BranchKey::Id(made.id)).await.unwrap(), Some(made.into()));
}

async fn a_branch_cannot_lie_below_itself(engine: Engine) {
    let world = World::new(engine).await;
    let top = world.branch("A", None).await;
    let middle = world.branch("B", Some(&top)).await;
    let bottom = world.branch("C", Some(&middle)).await;
    for below in [&top, &middle, &bottom] {
        let input = UpdateBranch { parent: Change::Set(below.id), ..branch_change(top.id) };
        let outcome = world.services.update_branch(&admin(), &input).await;
        assert_eq!(refusal(outcome), problem(ProblemCode::BranchCycle, "input.parentId"));
    }
    let input = UpdateBranch { parent: Change::Set(top.id), ..branch_change(bottom.id) };
    world.services.update_branch(&admin(), &input).await.unwrap();
}

async fn a_stale_version_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let made = world.branch("NBO", None).await;
    let rename = |expected| UpdateBranch {
        name: Some("New".to_owned()),
        expected_version: Some(expected),
        ..branch_change(made.id)
    };
    world.services.update_branch(&admin(), &rename(1)).await.unwrap();
    for stale in [1, 3, 0, -1, i64::MAX] {
        let found = problems(world.services.update_branch(&admin(), &rename(stale)).await);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].code, &found[0].detail), (ProblemCode::VersionConflict, &Detail::Version { current: 2 }));
        assert_eq!(found[0].path, ["input", "expectedVersion"]);
        let outcome = world.services.close_branch(&admin(), made.id, Some(stale)).await;
        assert_eq!(refusal(outcome), problem(ProblemCode::VersionConflict, "input.expectedVersion"));
    }
    let closed = world.services.close_branch(&admin(), made.id, Some(2)).await.unwrap();
    assert_eq!((closed.status, closed.version), (BranchStatus::Closed, 3));
}

async fn a_branch_that_does_not_exist_is_not_found(engine: Engine) {
    let world = World::new(engine).await;
    let nobody = Uuid::from_u128(1);
    let outcome = world.services.update_branch(&admin(), &branch_change(nobody)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.branchId"));
    let outcome = world.services.close_branch(&admin(), nobody, None).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.branchId"));
    assert_eq!(world.services.branch(&admin(), &BranchKey::Code("nbo".to_owned())).await.unwrap(), None);
}

async fn a_branch_in_use_stays_open(engine: Engine) {
    let world = World::new(engine).await;
    let top = world.branch("TOP", None).await;
    let child = world.branch("NBO", Some(&top)).await;
    let borrower = world.borrower(&child).await;
    let product = world.product("P").await;
    let loan = world.loan("k", &borrower, &product).await;
    let in_use = problem(ProblemCode::BranchInUse, "input.branchId");
    assert_eq!(refusal(world.services.close_branch(&admin(), child.id, None).await), in_use, "a pending loan");
    assert_eq!(refusal(world.services.close_branch(&admin(), top.id, None).await), in_use, "an open branch below");
    world.services.decide(&admin(), &reject(loan.id)).await.unwrap();
    world.services.close_branch(&admin(), child.id, None).await.unwrap();
    world.services.close_branch(&admin(), top.id, None).await.unwrap();
}

async fn closing_twice_changes_nothing_the_second_time(engine: Engine) {
    let world = World::new(engine).await;
    let made = world.branch("NBO", None).await;
    let once = world.services.close_branch(&admin(), made.id, None).await.unwrap();
    world.clock.advance(TimeDelta::hours(1));
    let twice = world.services.close_branch(&admin(), made.id, None).await.unwrap();
    assert_eq!((once.status, once.version), (BranchStatus::Closed, 2));
    assert_eq!(once, twice);
}

async fn the_business_date_is_the_branchs_own(engine: Engine) {
    let world = World::new(engine).await;
    world.clock.set("2026-01-15T22:30:00Z");
    for (code, zone, date) in [
        ("A", "Africa/Nairobi", "2026-01-16"),
        ("B", "Africa/Lagos", "2026-01-15"),
        ("C", "Pacific/Kiritimati", "2026-01-16"),
        ("D", "America/Los_Angeles", "2026-01-15"),
    ] {
        let input = CreateBranch { time_zone: zone.to_owned(), ..new_branch(code) };
        let branch = world.services.create_branch(&admin(), &input).await.unwrap();
        assert_eq!(world.services.business_date(&branch), day(date), "{zone}");
    }
}
