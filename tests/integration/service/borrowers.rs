//! Registering borrowers and changing what is known of them.

use branch_loan_api::service::borrowers::{BorrowerKey, BorrowerRecord, RegisterBorrower, UpdateBorrower};
use branch_loan_api::service::check::Change;
use branch_loan_api::service::problem::{Detail, PersonalField, ProblemCode};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::inputs::{borrower_change, new_borrower};
use crate::support::services::{
    World, admin, auditor_of, day, manager_of, moment, officer_of, problem, problems, refusal, refusals,
};

both_engines!(
    a_borrower_is_registered_and_read_back,
    personal_values_are_sealed_in_the_database_and_shown_to_few,
    every_problem_of_a_borrower_is_told_at_once,
    a_telephone_number_looks_like_one,
    a_reference_is_taken_once,
    the_branch_must_exist_and_be_open,
    nobody_is_born_tomorrow,
    a_change_keeps_clears_and_sets,
    a_stale_version_changes_nothing,
);

fn full(branch: Uuid) -> RegisterBorrower {
    RegisterBorrower {
        branch,
        name: " Wanjiru Kamau ".to_owned(),
        external_ref: Some(" crm-1 ".to_owned()),
        phone: Some("+254 (700) 000-001".to_owned()),
        national_id: Some("AB 123456".to_owned()),
        date_of_birth: Some(day("1990-02-28")),
        allow_duplicate: false,
    }
}

async fn a_borrower_is_registered_and_read_back(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let made = world.services.register_borrower(&admin(), &full(branch.id)).await.unwrap();
    assert_eq!((made.name.as_str(), made.external_ref.as_deref()), ("Wanjiru Kamau", Some("crm-1")));
    assert_eq!((made.number.as_str(), made.version), ("B-000000001", 1));
    assert_eq!((made.branch_id, made.date_of_birth), (branch.id, Some(day("1990-02-28"))));
    for key in [
        BorrowerKey::Id(made.id),
        BorrowerKey::Number("B-000000001".to_owned()),
        BorrowerKey::ExternalRef("crm-1".to_owned()),
    ] {
        assert!(world.services.borrower(&admin(), &key).await.unwrap() == Some(made.clone().into()), "{key:?}");
    }
    let blank = RegisterBorrower { external_ref: Some("  ".to_owned()), ..new_borrower(&branch) };
    let second = world.services.register_borrower(&admin(), &blank).await.unwrap();
    assert_eq!((second.number.as_str(), second.external_ref), ("B-000000002", None));
}

async fn personal_values_are_sealed_in_the_database_and_shown_to_few(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let made = world.services.register_borrower(&admin(), &full(branch.id)).await.unwrap();
    let phone = |actor| world.services.personal_value(&actor, &made, PersonalField::Phone).unwrap().unwrap();
    let national_id = |actor| world.services.personal_value(&actor, &made, PersonalField::NationalId).unwrap().unwrap();
    for actor in [admin(), manager_of("NBO"), auditor_of("NBO")] {
        assert_eq!((phone(actor.clone()).as_str(), national_id(actor).as_str()), ("+254 (700) 000-001", "AB 123456"));
    }
    assert_eq!(phone(officer_of("NBO")), "•••••001");
    assert_eq!(national_id(officer_of("NBO")), "•••••456");
    let without = BorrowerRecord { phone: None, ..made.clone() };
    assert_eq!(world.services.personal_value(&admin(), &without, PersonalField::Phone).unwrap(), None);
    assert!(!format!("{made:?}").contains("Wanjiru"), "a debug print has nothing personal");

    let columns = ["phone_sealed", "phone_hash", "national_id_sealed", "national_id_hash"];
    let statement =
        Statement::from_string(world.engine.backend, format!("SELECT {} FROM borrowers", columns.join(",")));
    let row = world.engine.raw().await.query_one_raw(statement).await.unwrap().unwrap();
    for column in columns {
        let bytes: Vec<u8> = row.try_get("", column).unwrap();
        assert!(bytes.len() >= 28, "{column}");
        assert!(!bytes.windows(4).any(|part| part == b"1234" || part == b"(700"), "{column}");
    }
}

async fn every_problem_of_a_borrower_is_told_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let bad = RegisterBorrower {
        branch: branch.id,
        name: " ".to_owned(),
        external_ref: Some("x".repeat(101)),
        phone: Some("call me".to_owned()),
        national_id: Some("1\u{0}2".to_owned()),
        date_of_birth: None,
        allow_duplicate: false,
    };
    let expected = [
        problem(ProblemCode::Required, "input.name"),
        problem(ProblemCode::TooLong, "input.externalRef"),
        problem(ProblemCode::InvalidFormat, "input.phone"),
        problem(ProblemCode::InvalidFormat, "input.nationalId"),
    ];
    let found = problems(world.services.register_borrower(&admin(), &bad).await);
    assert!(found.iter().all(|problem| !problem.message.contains("call me")), "personal data in {found:?}");
    assert_eq!(refusals(world.services.register_borrower(&admin(), &bad).await), expected);

    let made = world.borrower(&branch).await;
    let change = UpdateBorrower {
        name: Some(" ".to_owned()),
        external_ref: Change::Set("x".repeat(101)),
        phone: Change::Set("call me".to_owned()),
        national_id: Change::Set("1\u{0}2".to_owned()),
        ..borrower_change(made.id)
    };
    assert_eq!(refusals(world.services.update_borrower(&admin(), &change).await), expected);
    assert!(world.services.borrower(&admin(), &BorrowerKey::Id(made.id)).await.unwrap() == Some(made.into()));
}

async fn a_telephone_number_looks_like_one(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    for (phone, fine) in [
        ("0700", true),
        ("+254 (0) 700.000-001", true),
        ("123456789012345", true),
        ("070", false),
        ("1234567890123456", false),
        ("++--", false),
        ("0700x", false),
        ("٠٧٠٠٠٠", false),
    ] {
        let input = RegisterBorrower { phone: Some(phone.to_owned()), ..new_borrower(&branch) };
        let outcome = world.services.register_borrower(&admin(), &input).await;
        if fine {
            outcome.unwrap();
        } else {
            assert_eq!(refusal(outcome), problem(ProblemCode::InvalidFormat, "input.phone"), "{phone}");
        }
    }
}

async fn a_reference_is_taken_once(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    world.services.register_borrower(&admin(), &full(branch.id)).await.unwrap();
    let taken = problem(ProblemCode::AlreadyTaken, "input.externalRef");
    let again = RegisterBorrower { allow_duplicate: true, ..full(branch.id) };
    assert_eq!(refusal(world.services.register_borrower(&admin(), &again).await), taken);
    let other = world.borrower(&branch).await;
    let change = UpdateBorrower { external_ref: Change::Set("crm-1".to_owned()), ..borrower_change(other.id) };
    assert_eq!(refusal(world.services.update_borrower(&admin(), &change).await), taken);
    let third = world.borrower(&branch).await;
    assert!(third.external_ref.is_none(), "any number of borrowers may have none");
}

async fn the_branch_must_exist_and_be_open(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    world.services.close_branch(&admin(), branch.id, None).await.unwrap();
    let outcome = world.services.register_borrower(&admin(), &new_borrower(&branch)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::BranchClosed, "input.branchId"));
    let nowhere = RegisterBorrower { branch: Uuid::from_u128(1), ..new_borrower(&branch) };
    let outcome = world.services.register_borrower(&admin(), &nowhere).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.branchId"));
}

/// It is the 16th in Nairobi already when it is the 15th in Greenwich.
async fn nobody_is_born_tomorrow(engine: Engine) {
    let world = World::new(engine).await;
    world.clock.set("2026-01-15T22:30:00Z");
    let branch = world.branch("NBO", None).await;
    let born = |date| RegisterBorrower { date_of_birth: Some(day(date)), ..new_borrower(&branch) };
    let made = world.services.register_borrower(&admin(), &born("2026-01-16")).await.unwrap();
    let found = problems(world.services.register_borrower(&admin(), &born("2026-01-17")).await);
    assert_eq!((found[0].code, found[0].path.join(".")), problem(ProblemCode::DateOutOfRange, "input.dateOfBirth"));
    assert_eq!(found[0].detail, Detail::Date { earliest: None, latest: Some(day("2026-01-16")) });
    let change = UpdateBorrower { date_of_birth: Change::Set(day("2026-01-17")), ..borrower_change(made.id) };
    let outcome = world.services.update_borrower(&admin(), &change).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::DateOutOfRange, "input.dateOfBirth"));
}

async fn a_change_keeps_clears_and_sets(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let made = world.services.register_borrower(&admin(), &full(branch.id)).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    let change = UpdateBorrower {
        external_ref: Change::Clear,
        phone: Change::Set("0711 111 111".to_owned()),
        ..borrower_change(made.id)
    };
    world.services.update_borrower(&admin(), &change).await.unwrap();
    let read = world.services.borrower(&admin(), &BorrowerKey::Id(made.id)).await.unwrap().unwrap();
    assert_eq!((read.name.as_str(), read.external_ref.as_deref()), ("Wanjiru Kamau", None));
    assert!(read.national_id == made.national_id && read.date_of_birth == made.date_of_birth);
    let phone = world.services.personal_value(&admin(), &read, PersonalField::Phone).unwrap();
    assert_eq!(phone.as_deref(), Some("0711 111 111"));
    assert_eq!((read.version, read.updated_at), (2, moment("2026-01-15T12:00:01Z")));

    let change = UpdateBorrower {
        name: Some("New Name".to_owned()),
        phone: Change::Clear,
        national_id: Change::Clear,
        date_of_birth: Change::Clear,
        ..borrower_change(made.id)
    };
    world.services.update_borrower(&admin(), &change).await.unwrap();
    let read = world.services.borrower(&admin(), &BorrowerKey::Id(made.id)).await.unwrap().unwrap();
    assert!(read.phone.is_none() && read.national_id.is_none() && read.date_of_birth.is_none());
    assert_eq!(read.name, "New Name");
}

async fn a_stale_version_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let made = world.borrower(&branch).await;
    let change = |version| UpdateBorrower {
        name: Some("New".to_owned()),
        expected_version: Some(version),
        ..borrower_change(made.id)
    };
    world.services.update_borrower(&admin(), &change(1)).await.unwrap();
    let outcome = world.services.update_borrower(&admin(), &change(1)).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::VersionConflict, "input.expectedVersion"));
    let nobody = borrower_change(Uuid::from_u128(3));
    let outcome = world.services.update_borrower(&admin(), &nobody).await;
    assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.borrowerId"));
}
