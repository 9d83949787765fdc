//! What is refused, and what it leaves behind: nothing.

use super::super::five::branch_record;
use super::World;
use crate::service::ServiceError;
use crate::service::demo::{DemoOptions, countries, run};
use crate::service::problem::{Problem, ProblemCode};
use crate::store::branches;

fn problems(error: ServiceError) -> Vec<Problem> {
    match error {
        ServiceError::Rejected(problems) => problems,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_code_that_is_used_for_something_else() {
    let world = World::new().await;
    let [kenya, ..] = countries::countries().unwrap();
    let (id, now) = (uuid::Uuid::from_u128(77), chrono::DateTime::UNIX_EPOCH);
    let mut other = branch_record(id, "NBO".to_owned(), "Someone's own".to_owned(), id, &kenya, now);
    other.parent_id = None;
    let (database, other) = (world.services.database.clone(), &other);
    database.write(|transaction| async move { branches::insert(&*transaction, other).await }).await.unwrap();

    let before = world.rows().await;
    let error = run(&world.services, DemoOptions { loans: 10, seed: 1 }).await.unwrap_err();
    let problems = problems(error);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, ProblemCode::AlreadyTaken);
    assert!(problems[0].message.contains("use a database of its own"), "{}", problems[0].message);
    assert_eq!(world.rows().await, before);
}

#[tokio::test]
async fn more_loans_than_there_is_room_for() {
    let world = World::new().await;
    let error = run(&world.services, DemoOptions { loans: 10_000_001, seed: 1 }).await.unwrap_err();
    assert_eq!(problems(error)[0].code, ProblemCode::NumberOutOfRange);
    assert!(world.rows().await.loans.is_empty());
}
