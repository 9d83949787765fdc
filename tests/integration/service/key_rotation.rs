//! A new key for personal data: what was sealed with the old one is still read and found, is sealed anew while others
//! work, and the old key can then be taken away.

use std::sync::Arc;

use branch_loan_api::auth::Role;
use branch_loan_api::clock::Clock;
use branch_loan_api::ids::RandomIds;
use branch_loan_api::service::borrowers::{
    BorrowerField, BorrowerKey, BorrowerRecord, Filter, PageRequest, RegisterBorrower, UpdateBorrower,
};
use branch_loan_api::service::branches::BranchKey;
use branch_loan_api::service::check::Change;
use branch_loan_api::service::key_rotation::Rotation;
use branch_loan_api::service::list::{Scalar, Test};
use branch_loan_api::service::personal_data::PersonalDataKeys;
use branch_loan_api::service::problem::{PersonalField, ProblemCode};
use branch_loan_api::service::{Rules, ServiceError, Services};
use sea_orm::ConnectionTrait;

use crate::support::engines::Engine;
use crate::support::inputs::{borrower_change, new_borrower};
use crate::support::seams::TestClock;
use crate::support::services::{World, actor, admin, granted, officer_of, problem, refusal};

both_engines!(
    the_old_key_can_be_taken_away_after_a_rotation,
    values_are_found_under_either_key,
    several_rotations_at_once_seal_each_borrower_once,
    a_run_that_was_cut_off_is_gone_on_with,
    a_change_brings_all_values_under_the_current_key,
    a_value_that_no_key_opens_costs_nobody_else_theirs,
    a_value_moved_to_another_borrower_or_field_does_not_open,
    one_value_is_looked_for_at_a_time_and_the_look_is_on_the_trail,
);

/// The use cases over the world's database with other keys; the world's own are sevens.
fn with_keys(world: &World, current: u8, others: &[u8]) -> Services {
    let others: Vec<[u8; 32]> = others.iter().map(|byte| [*byte; 32]).collect();
    let keys = PersonalDataKeys::new(&[current; 32]).unwrap().with_others(&others).unwrap();
    let clock = Arc::new(TestClock::at("2026-01-15T12:00:00Z")) as Arc<dyn Clock>;
    Services::new(world.database.clone(), clock, Arc::new(RandomIds), keys, Rules::default())
}

async fn person(world: &World, number: u32) -> BorrowerRecord {
    let key = BranchKey::Code("NBO".to_owned());
    let branch = world.services.branch(&admin(), &key).await.unwrap().unwrap();
    let input = RegisterBorrower {
        phone: Some(format!("+254 700 000 {number:03}")),
        national_id: Some(format!("ID {number:06}")),
        ..new_borrower(&branch)
    };
    world.services.register_borrower(&admin(), &input).await.unwrap()
}

async fn read(services: &Services, borrower: &BorrowerRecord) -> BorrowerRecord {
    Arc::unwrap_or_clone(services.borrower(&admin(), &BorrowerKey::Id(borrower.id)).await.unwrap().unwrap())
}

async fn values(services: &Services, borrower: &BorrowerRecord) -> [Option<String>; 2] {
    let record = read(services, borrower).await;
    [PersonalField::Phone, PersonalField::NationalId]
        .map(|field| services.personal_value(&admin(), &record, field).unwrap())
}

fn own(number: u32) -> [Option<String>; 2] {
    [Some(format!("+254 700 000 {number:03}")), Some(format!("ID {number:06}"))]
}

fn by(field: BorrowerField, text: &str) -> Filter<BorrowerField> {
    Filter::Field(field, Test::Is(Scalar::Text(text.to_owned())))
}

async fn found(services: &Services, filter: &Filter<BorrowerField>) -> Vec<String> {
    let page = PageRequest { size: 50, backward: false, cursor: None };
    let page = services.borrowers(&officer_of("NBO"), filter, &[], &page).await.unwrap();
    let count = services.count_borrowers(&officer_of("NBO"), filter).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), page.rows.len());
    page.rows.into_iter().map(|(_, row)| row.number.clone()).collect()
}

async fn the_old_key_can_be_taken_away_after_a_rotation(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    let mut people = Vec::new();
    for number in 0..7 {
        people.push(person(&world, number).await);
    }
    let both = with_keys(&world, 8, &[7]);
    assert_eq!(values(&both, &people[3]).await, own(3), "read before it is sealed anew");
    // Two a batch: the rows at the ends of batches are neither skipped nor done twice.
    assert_eq!(both.rotate_keys(&admin(), 2).await.unwrap(), Rotation { borrowers: 7, unreadable: 0 });
    assert_eq!(both.rotate_keys(&admin(), 2).await.unwrap(), Rotation::default(), "nothing is left to do");
    let new = with_keys(&world, 8, &[]);
    for (number, borrower) in (0..).zip(&people) {
        assert_eq!(values(&new, borrower).await, own(number));
        assert_eq!(
            found(&new, &by(BorrowerField::Phone, &format!("254700000{number:03}"))).await,
            std::slice::from_ref(&borrower.number)
        );
        let now = read(&new, borrower).await;
        assert_eq!((now.version, now.updated_at), (borrower.version, borrower.updated_at));
        let record = read(&world.services, borrower).await;
        let unreadable = world.services.personal_value(&admin(), &record, PersonalField::Phone);
        assert!(matches!(unreadable, Err(ServiceError::Unreadable)), "the old key opens nothing any more");
    }
}

async fn values_are_found_under_either_key(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    let one = person(&world, 1).await;
    let both = with_keys(&world, 8, &[7]);
    let another = RegisterBorrower { phone: Some("+254 700 000 002".to_owned()), ..new_borrower(&branch) };
    let two = both.register_borrower(&admin(), &another).await.unwrap();
    assert_eq!(found(&both, &by(BorrowerField::Phone, "254-700-000-001")).await, std::slice::from_ref(&one.number));
    assert_eq!(found(&both, &by(BorrowerField::NationalId, "id000001")).await, std::slice::from_ref(&one.number));
    assert_eq!(found(&both, &by(BorrowerField::Phone, "254-700-000-002")).await, std::slice::from_ref(&two.number));
    for nobodys in ["+254 700 000 003", "254 700 000", "--", "ID 000001"] {
        assert_eq!(found(&both, &by(BorrowerField::Phone, nobodys)).await, Vec::<String>::new(), "{nobodys}");
    }
    let not = Filter::Not(Box::new(by(BorrowerField::Phone, "254700000001")));
    assert_eq!(found(&both, &not).await, std::slice::from_ref(&two.number));
    assert_eq!(
        found(&with_keys(&world, 8, &[]), &by(BorrowerField::Phone, "254700000001")).await,
        Vec::<String>::new()
    );
    // The warning of duplicates compares under either key too, in both directions.
    for services in [&both, &with_keys(&world, 7, &[8])] {
        for phone in ["+254700000001", "+254700000002"] {
            let again = RegisterBorrower { phone: Some(phone.to_owned()), ..new_borrower(&branch) };
            let outcome = services.register_borrower(&admin(), &again).await;
            assert_eq!(refusal(outcome), problem(ProblemCode::PossibleDuplicate, "input"), "{phone}");
        }
    }
}

async fn several_rotations_at_once_seal_each_borrower_once(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    let mut people = Vec::new();
    for number in 0..24 {
        people.push(person(&world, number).await);
    }
    let (one, two) = (with_keys(&world, 8, &[7]), with_keys(&world, 8, &[7]));
    let admin = admin();
    let (first, second) = tokio::join!(one.rotate_keys(&admin, 3), two.rotate_keys(&admin, 5));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.borrowers + second.borrowers, first.unreadable + second.unreadable), (24, 0));
    let new = with_keys(&world, 8, &[]);
    for (number, borrower) in (0..).zip(&people) {
        assert_eq!(values(&new, borrower).await, own(number));
    }
}

async fn a_run_that_was_cut_off_is_gone_on_with(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    for number in 0..8 {
        person(&world, number).await;
    }
    let (stop, go_on) = if world.engine.is_postgres() {
        let stop = "ALTER TABLE borrowers ADD CONSTRAINT stop CHECK (number <> 'B-000000006') NOT VALID";
        (stop, "ALTER TABLE borrowers DROP CONSTRAINT stop")
    } else {
        let stop = "CREATE TRIGGER stop BEFORE UPDATE ON borrowers WHEN NEW.number = 'B-000000006'
                    BEGIN SELECT RAISE(ABORT, 'stop'); END";
        (stop, "DROP TRIGGER stop")
    };
    let raw = world.engine.raw().await;
    raw.execute_unprepared(stop).await.unwrap();
    let both = with_keys(&world, 8, &[7]);
    let outcome = both.rotate_keys(&admin(), 2).await;
    assert!(matches!(outcome, Err(ServiceError::Internal(_))), "{outcome:?}");
    raw.execute_unprepared(go_on).await.unwrap();
    // Two batches were done; of the third, which failed, nothing was.
    assert_eq!(both.rotate_keys(&admin(), 2).await.unwrap(), Rotation { borrowers: 4, unreadable: 0 });
}

async fn a_change_brings_all_values_under_the_current_key(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    let borrower = person(&world, 1).await;
    let both = with_keys(&world, 8, &[7]);
    let change = UpdateBorrower { phone: Change::Set("+254 711 111 111".to_owned()), ..borrower_change(borrower.id) };
    both.update_borrower(&admin(), &change).await.unwrap();
    let expected = [Some("+254 711 111 111".to_owned()), Some("ID 000001".to_owned())];
    assert_eq!(values(&with_keys(&world, 8, &[]), &borrower).await, expected);
    assert_eq!(both.rotate_keys(&admin(), 10).await.unwrap(), Rotation::default());
}

async fn a_value_that_no_key_opens_costs_nobody_else_theirs(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    let (lost, kept) = (person(&world, 1).await, person(&world, 2).await);
    let both = with_keys(&world, 8, &[7]);
    let raw = world.engine.raw().await;
    raw.execute_unprepared("UPDATE borrowers SET phone_sealed = national_id_sealed WHERE number = 'B-000000001'")
        .await
        .unwrap();
    assert_eq!(both.rotate_keys(&admin(), 10).await.unwrap(), Rotation { borrowers: 1, unreadable: 1 });
    assert_eq!(both.rotate_keys(&admin(), 10).await.unwrap(), Rotation { borrowers: 0, unreadable: 1 });
    let new = with_keys(&world, 8, &[]);
    assert_eq!(values(&new, &kept).await, own(2));
    let record = read(&new, &lost).await;
    assert!(matches!(new.personal_value(&admin(), &record, PersonalField::Phone), Err(ServiceError::Unreadable)));
    let national_id = new.personal_value(&admin(), &record, PersonalField::NationalId).unwrap();
    assert_eq!(national_id.as_deref(), Some("ID 000001"), "what can be opened was sealed anew");
    // Entering the value anew mends it.
    let change = UpdateBorrower { phone: Change::Set("+254 700 000 001".to_owned()), ..borrower_change(lost.id) };
    new.update_borrower(&admin(), &change).await.unwrap();
    assert_eq!(values(&new, &lost).await, own(1));
    assert_eq!(new.rotate_keys(&admin(), 10).await.unwrap(), Rotation::default());
}

async fn a_value_moved_to_another_borrower_or_field_does_not_open(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    let (one, two) = (person(&world, 1).await, person(&world, 2).await);
    let raw = world.engine.raw().await;
    raw.execute_unprepared(
        "UPDATE borrowers SET phone_sealed = (SELECT b.phone_sealed FROM borrowers b WHERE b.number = 'B-000000002'),
                              national_id_sealed = phone_sealed
         WHERE number = 'B-000000001'",
    )
    .await
    .unwrap();
    let record = read(&world.services, &one).await;
    for field in [PersonalField::Phone, PersonalField::NationalId] {
        let outcome = world.services.personal_value(&admin(), &record, field);
        assert!(matches!(outcome, Err(ServiceError::Unreadable)), "{field:?}");
    }
    assert_eq!(values(&world.services, &two).await, own(2));
}

async fn one_value_is_looked_for_at_a_time_and_the_look_is_on_the_trail(engine: Engine) {
    let world = World::new(engine).await;
    world.branch("NBO", None).await;
    let one = person(&world, 1).await;
    let two_phones =
        Filter::Any(vec![by(BorrowerField::Phone, "254700000001"), by(BorrowerField::Phone, "254700000002")]);
    let page = PageRequest { size: 50, backward: false, cursor: None };
    let officer = officer_of("NBO");
    let refused = world.services.borrowers(&officer, &two_phones, &[], &page).await.map(|page| page.rows.len());
    assert_eq!(refusal(refused), problem(ProblemCode::Contradiction, "filter"));
    let refused = world.services.count_borrowers(&officer, &two_phones).await;
    assert_eq!(refusal(refused), problem(ProblemCode::Contradiction, "filter"));

    let either =
        Filter::Any(vec![by(BorrowerField::Phone, "254700000009"), by(BorrowerField::NationalId, "ID-000001")]);
    assert_eq!(found(&world.services, &either).await, [one.number]);
    assert_eq!(found(&world.services, &Filter::default()).await.len(), 1);
    let events = world.services.audit_events(&admin(), &Filter::default(), &[], &page).await.unwrap();
    let looks: Vec<_> =
        events.rows.iter().map(|(_, event)| event).filter(|event| event.operation == "look-up").collect();
    assert_eq!(looks.len(), 1, "the list without such a filter leaves none");
    assert_eq!((looks[0].subject.as_str(), looks[0].details.as_str()), (officer.subject.as_str(), "{}"));
    // Someone of another branch finds nobody.
    let elsewhere = actor("x", &[Role::Manager], granted("LOS"));
    let filter = by(BorrowerField::Phone, "254700000001");
    assert_eq!(world.services.count_borrowers(&elsewhere, &filter).await.unwrap(), 0);
}
