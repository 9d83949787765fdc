//! Filters against the model: every test on every field, complements, empty lists, subtrees, and hundreds at random.

use std::collections::BTreeSet;

use branch_loan_api::service::list::{Filter, PageRequest, Test};
use branch_loan_api::service::loans::LoanField;
use branch_loan_api::store::{Database, page, scope::Scope};
use rand::Rng;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::fill::{Filled, fill};
use crate::support::model::{FIELDS, matches, random_filter, value};
use crate::support::random::Dice;

both_engines!(
    every_test_on_every_field_means_what_it_says,
    the_complement_of_a_filter_is_exact,
    random_filters_agree_with_the_model,
    nothing_in_all_is_true_and_nothing_in_any_is_false,
    a_filter_by_branch_takes_the_subtree,
);

/// The ids the database finds.
async fn found(database: &Database, filter: &Filter<LoanField>) -> BTreeSet<Uuid> {
    let all = PageRequest { size: 10_000, backward: false, cursor: None };
    let page = page::page::<LoanField, branch_loan_api::service::loans::LoanRecord>(
        database.reader(),
        &Scope::All,
        filter,
        &[],
        &all,
    );
    page.await.unwrap().rows.into_iter().map(|(_, loan)| loan.id).collect()
}

/// The ids the model finds.
fn expected(filled: &Filled, filter: &Filter<LoanField>) -> BTreeSet<Uuid> {
    filled.loans.iter().filter(|loan| matches(filter, loan, filled)).map(|loan| loan.id).collect()
}

async fn check(database: &Database, filled: &Filled, filter: &Filter<LoanField>) {
    let found = found(database, filter).await;
    let expected = expected(filled, filter);
    assert_eq!(found.len(), expected.len(), "{filter:?}");
    assert_eq!(found, expected, "{filter:?}");
    let count = page::count(database.reader(), &Scope::All, filter, 10_001).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), expected.len(), "count of {filter:?}");
}

fn not(filter: Filter<LoanField>) -> Filter<LoanField> {
    Filter::Not(Box::new(filter))
}

/// Every kind of test of a field, against one of its values.
fn tests_of(filled: &Filled, field: LoanField) -> Vec<Test> {
    let mut values: Vec<_> = filled.loans.iter().filter_map(|loan| value(field, loan)).collect();
    values.sort_by(crate::support::model::compare);
    let (low, middle) = (values[0].clone(), values[values.len() / 2].clone());
    vec![
        Test::IsMissing,
        Test::Is(middle.clone()),
        Test::OneOf(vec![]),
        Test::OneOf(vec![low.clone(), middle.clone()]),
        Test::Below(middle.clone()),
        Test::AtMost(middle.clone()),
        Test::Above(middle.clone()),
        Test::AtLeast(middle),
        Test::Below(low),
    ]
}

async fn every_test_on_every_field_means_what_it_says(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, 150).await;
    for field in FIELDS {
        for test in tests_of(&filled, field) {
            check(&database, &filled, &Filter::Field(field, test)).await;
        }
    }
}

async fn the_complement_of_a_filter_is_exact(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, 150).await;
    let all: BTreeSet<Uuid> = filled.loans.iter().map(|loan| loan.id).collect();
    let mut filters = vec![
        Filter::Search("kamau".to_owned()),
        Filter::Search("EXT/".to_owned()),
        Filter::Search("no such thing".to_owned()),
        Filter::UnderBranches(vec![filled.branch("EAST").id]),
        Filter::UnderBranches(vec![]),
    ];
    for field in FIELDS {
        filters.extend(tests_of(&filled, field).into_iter().map(|test| Filter::Field(field, test)));
    }
    for filter in filters {
        let those = found(&database, &filter).await;
        let others = found(&database, &not(filter.clone())).await;
        assert!(those.is_disjoint(&others), "{filter:?}");
        assert_eq!(those.union(&others).copied().collect::<BTreeSet<_>>(), all, "{filter:?}");
    }
}

async fn random_filters_agree_with_the_model(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, 150).await;
    for _ in 0..250 {
        let depth = dice.random_range(0..4);
        let filter = random_filter(&mut dice, &filled, depth);
        check(&database, &filled, &filter).await;
    }
}

async fn nothing_in_all_is_true_and_nothing_in_any_is_false(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, 10).await;
    let (all, any) = (Filter::All(vec![]), Filter::Any(vec![]));
    for (filter, count) in [
        (all.clone(), 10),
        (any.clone(), 0),
        (not(all.clone()), 0),
        (not(any.clone()), 10),
        (Filter::All(vec![all.clone(), any.clone()]), 0),
        (Filter::Any(vec![all.clone(), any.clone()]), 10),
        (Filter::Any(vec![all.clone(), Filter::Search("no such thing".to_owned())]), 10),
        (not(Filter::All(vec![all])), 0),
        (not(not(any)), 0),
    ] {
        assert_eq!(found(&database, &filter).await.len(), count, "{filter:?}");
        check(&database, &filled, &filter).await;
    }
}

async fn a_filter_by_branch_takes_the_subtree(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, 300).await;
    let id = |code| filled.branch(code).id;
    for roots in [
        vec![id("ROOT")],
        vec![id("EAST")],
        vec![id("NBO"), id("WEST")],
        vec![id("EAST"), id("NBO")],
        vec![id("OTHER")],
        vec![Uuid::from_u128(99)],
        vec![],
    ] {
        check(&database, &filled, &Filter::UnderBranches(roots)).await;
    }
}
