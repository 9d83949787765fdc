//! The warning that a borrower may be known already.

use branch_loan_api::auth::Actor;
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::borrowers::{BorrowerKey, BorrowerRecord, Filter, RegisterBorrower, UpdateBorrower};
use branch_loan_api::service::branches::BranchRecord;
use branch_loan_api::service::check::Change;
use branch_loan_api::service::problem::{Detail, DuplicateMatch, PersonalField, ProblemCode};

use crate::support::engines::Engine;
use crate::support::inputs::{borrower_change, new_borrower};
use crate::support::services::{World, admin, officer_of, problems};

both_engines!(
    a_known_telephone_number_or_national_id_is_warned_of,
    the_warning_can_be_overridden,
    a_change_is_warned_of_only_where_it_brings_a_new_value,
    nobody_is_warned_of_borrowers_they_may_not_see,
    values_without_letters_and_digits_are_nobodys,
    a_warning_names_no_more_than_twenty,
);

fn person(branch: &BranchRecord, phone: &str, national_id: &str) -> RegisterBorrower {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    RegisterBorrower { phone: some(phone), national_id: some(national_id), ..new_borrower(branch) }
}

async fn register(world: &World, input: &RegisterBorrower) -> BorrowerRecord {
    world.services.register_borrower(&admin(), input).await.unwrap()
}

fn matches(outcome: Result<BorrowerRecord, ServiceError>) -> Vec<DuplicateMatch> {
    let mut found = problems(outcome);
    assert_eq!((found.len(), found[0].code), (1, ProblemCode::PossibleDuplicate), "{found:?}");
    match found.remove(0).detail {
        Detail::Duplicates { matches } => matches,
        other => panic!("matches were due, not {other:?}"),
    }
}

fn of(borrower: &BorrowerRecord, field: PersonalField) -> DuplicateMatch {
    DuplicateMatch { borrower: borrower.id, number: borrower.number.clone(), field }
}

async fn count(world: &World, actor: &Actor) -> u64 {
    world.services.count_borrowers(actor, &Filter::default()).await.unwrap()
}

async fn a_known_telephone_number_or_national_id_is_warned_of(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let one = register(&world, &person(&branch, "+254 700 000 001", "AB 123")).await;
    let two = register(&world, &person(&branch, "+254 700 000 002", "AB 456")).await;
    for (phone, national_id, expected) in [
        ("+254-700-000-001", "", vec![of(&one, PersonalField::Phone)]),
        ("", "ab-123", vec![of(&one, PersonalField::NationalId)]),
        ("254700000001", "AB123", vec![of(&one, PersonalField::Phone), of(&one, PersonalField::NationalId)]),
        ("254700000001", "AB456", vec![of(&one, PersonalField::Phone), of(&two, PersonalField::NationalId)]),
    ] {
        // An officer is warned too, though the values are masked for them.
        for actor in [admin(), officer_of("NBO")] {
            let outcome = world.services.register_borrower(&actor, &person(&branch, phone, national_id)).await;
            assert_eq!(matches(outcome), expected, "{phone} {national_id}");
        }
    }
    assert_eq!(count(&world, &admin()).await, 2, "a warning writes nothing");
    // The same digits as another kind of value are another value.
    register(&world, &person(&branch, "", "254700000001")).await;
    let next = register(&world, &person(&branch, "+254 700 000 003", "AB 789")).await;
    assert_eq!(next.number, "B-000000004", "a warning leaves no gap in the numbers");
}

async fn the_warning_can_be_overridden(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let one = register(&world, &person(&branch, "0700 000 001", "")).await;
    let sister = RegisterBorrower { allow_duplicate: true, ..person(&branch, "0700000001", "") };
    let two = register(&world, &sister).await;
    let outcome = world.services.register_borrower(&admin(), &person(&branch, "0700000001", "")).await;
    assert_eq!(matches(outcome), [of(&one, PersonalField::Phone), of(&two, PersonalField::Phone)]);
}

async fn a_change_is_warned_of_only_where_it_brings_a_new_value(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let one = register(&world, &person(&branch, "0700 000 001", "AB 123")).await;
    let two = register(&world, &person(&branch, "", "")).await;
    let change = UpdateBorrower { phone: Change::Set("0700-000-001".to_owned()), ..borrower_change(two.id) };
    assert_eq!(matches(world.services.update_borrower(&admin(), &change).await), [of(&one, PersonalField::Phone)]);
    let read = world.services.borrower(&admin(), &BorrowerKey::Id(two.id)).await.unwrap().unwrap();
    assert!(*read == two, "a warning writes nothing");
    let sure = UpdateBorrower { allow_duplicate: true, ..change.clone() };
    world.services.update_borrower(&admin(), &sure).await.unwrap();
    // From now on the two share it knowingly: writing it again, or something else, brings nothing new.
    for change in [
        change,
        UpdateBorrower { name: Some("Someone Else".to_owned()), ..borrower_change(two.id) },
        UpdateBorrower { phone: Change::Set("0700000001".to_owned()), ..borrower_change(one.id) },
        UpdateBorrower { phone: Change::Clear, ..borrower_change(two.id) },
    ] {
        world.services.update_borrower(&admin(), &change).await.unwrap();
    }
    let change = UpdateBorrower { national_id: Change::Set("ab123".to_owned()), ..borrower_change(two.id) };
    assert_eq!(matches(world.services.update_borrower(&admin(), &change).await), [of(&one, PersonalField::NationalId)]);
}

async fn nobody_is_warned_of_borrowers_they_may_not_see(engine: Engine) {
    let world = World::new(engine).await;
    let (here, there) = (world.branch("NBO", None).await, world.branch("MSA", None).await);
    register(&world, &person(&there, "0700 000 001", "AB 123")).await;
    let same = person(&here, "0700 000 001", "AB 123");
    let made = world.services.register_borrower(&officer_of("NBO"), &same).await.unwrap();
    let plain = world.services.register_borrower(&officer_of("NBO"), &new_borrower(&here)).await.unwrap();
    let change = UpdateBorrower { phone: Change::Set("0700000001".to_owned()), ..borrower_change(plain.id) };
    let outcome = world.services.update_borrower(&officer_of("NBO"), &change).await;
    assert_eq!(matches(outcome), [of(&made, PersonalField::Phone)], "their own only");
    let everywhere = world.services.register_borrower(&admin(), &same).await;
    assert_eq!(matches(everywhere).len(), 4);
}

async fn values_without_letters_and_digits_are_nobodys(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    for national_id in ["-", "---", "-"] {
        register(&world, &person(&branch, "", national_id)).await;
    }
}

async fn a_warning_names_no_more_than_twenty(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let shared = RegisterBorrower { allow_duplicate: true, ..person(&branch, "0700 000 001", "") };
    let mut all = Vec::new();
    for _ in 0..21 {
        all.push(register(&world, &shared).await);
    }
    let found = matches(world.services.register_borrower(&admin(), &person(&branch, "0700 000 001", "")).await);
    let oldest: Vec<DuplicateMatch> = all[..20].iter().map(|one| of(one, PersonalField::Phone)).collect();
    assert_eq!(found, oldest);
}
