//! Cursors: opaque, bound to list, order and filter. Whatever else is handed in is refused as a cursor and never
//! reaches the database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::borrowers::BorrowerField;
use branch_loan_api::service::branches::BranchField;
use branch_loan_api::service::list::{Filter, PageRequest, Scalar, SortKey, Test};
use branch_loan_api::service::loans::LoanField;
use rand::Rng;
use serde_json::{Value, json};

use crate::support::engines::Engine;
use crate::support::fill::fill;
use crate::support::random::Dice;
use crate::support::services::{World, admin};

both_engines!(
    a_cursor_fits_only_the_list_it_was_made_by,
    garbage_is_no_cursor,
    a_cursor_with_keys_of_another_kind_is_refused,
    a_cursor_with_values_no_row_could_have_is_refused_or_harmless,
    a_damaged_cursor_is_refused_or_harmless,
);

type Order = Vec<SortKey<LoanField>>;

fn by(field: LoanField) -> SortKey<LoanField> {
    SortKey { field, descending: false }
}

fn orders() -> Vec<Order> {
    vec![
        vec![],
        vec![by(LoanField::Number)],
        vec![by(LoanField::Principal)],
        vec![by(LoanField::AppliedOn)],
        vec![by(LoanField::CreatedAt)],
        vec![by(LoanField::Status), SortKey { field: LoanField::Principal, descending: true }],
        vec![by(LoanField::CreatedAt), by(LoanField::Number), by(LoanField::AppliedOn)],
    ]
}

async fn filled(engine: Engine) -> (World, Dice) {
    let world = World::new(engine).await;
    let mut dice = Dice::new();
    fill(&world.database, &mut dice, 30).await;
    (world, dice)
}

async fn first_cursor(world: &World, filter: &Filter<LoanField>, order: &Order) -> String {
    let request = PageRequest { size: 1, backward: false, cursor: None };
    let page = world.services.loans(&admin(), filter, order, &request).await.unwrap();
    page.rows[0].0.to_string()
}

fn after(cursor: &str) -> PageRequest {
    PageRequest { size: 5, backward: false, cursor: Some(cursor.to_owned()) }
}

async fn assert_refused(world: &World, filter: &Filter<LoanField>, order: &Order, cursor: &str) {
    for backward in [false, true] {
        let request = PageRequest { backward, ..after(cursor) };
        let outcome = world.services.loans(&admin(), filter, order, &request).await;
        assert!(matches!(outcome, Err(ServiceError::InvalidCursor)), "{cursor:?} gave {outcome:?}");
    }
}

/// Refused, or taken for a place in the list: both are fine, everything else is not.
async fn assert_harmless(world: &World, order: &Order, cursor: &str) {
    for backward in [false, true] {
        let request = PageRequest { backward, ..after(cursor) };
        let outcome = world.services.loans(&admin(), &Filter::default(), order, &request).await;
        assert!(matches!(outcome, Ok(_) | Err(ServiceError::InvalidCursor)), "{cursor:?} gave {outcome:?}");
    }
}

fn unpack(cursor: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap()
}

fn pack(cursor: &Value) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap())
}

async fn a_cursor_fits_only_the_list_it_was_made_by(engine: Engine) {
    let (world, _) = filled(engine).await;
    let none = Filter::default();
    let pending = Filter::Field(LoanField::Status, Test::Is(Scalar::Text("PENDING".to_owned())));
    let order = vec![by(LoanField::Number)];
    let cursor = first_cursor(&world, &none, &order).await;
    world.services.loans(&admin(), &none, &order, &after(&cursor)).await.unwrap();

    assert_refused(&world, &pending, &order, &cursor).await;
    assert_refused(&world, &none, &vec![], &cursor).await;
    assert_refused(&world, &none, &vec![by(LoanField::Status)], &cursor).await;
    assert_refused(&world, &none, &vec![SortKey { descending: true, ..order[0] }], &cursor).await;
    assert_refused(&world, &none, &vec![order[0], by(LoanField::CreatedAt)], &cursor).await;

    let unordered = first_cursor(&world, &none, &vec![]).await;
    let outcome = world.services.borrowers(&admin(), &Filter::default(), &[], &after(&unordered)).await;
    assert!(matches!(outcome, Err(ServiceError::InvalidCursor)), "another list: {outcome:?}");
    let key = SortKey { field: BorrowerField::Number, descending: false };
    let outcome = world.services.borrowers(&admin(), &Filter::default(), &[key], &after(&cursor)).await;
    assert!(matches!(outcome, Err(ServiceError::InvalidCursor)), "another list, same key: {outcome:?}");
    let outcome = world.services.branches(&admin(), &Filter::<BranchField>::default(), &[], &after(&unordered)).await;
    assert!(matches!(outcome, Err(ServiceError::InvalidCursor)), "another list: {outcome:?}");
}

async fn garbage_is_no_cursor(engine: Engine) {
    let (world, mut dice) = filled(engine).await;
    let none = Filter::default();
    let order = vec![by(LoanField::Number)];
    let valid = first_cursor(&world, &none, &order).await;
    let mut garbage: Vec<String> = ["", " ", "null", "0", "🦀", "%%%", "AAAA", "bnVsbA", "e30", "W10", "\0", "'; --"]
        .iter()
        .map(|text| (*text).to_owned())
        .collect();
    garbage.push(format!("{valid}="));
    garbage.push(format!(" {valid}"));
    garbage.push(valid[..valid.len() - 4].to_owned());
    garbage.push("A".repeat(1_000_000));
    garbage.push(pack(&json!([[[[]]]])));
    let mut next_version = unpack(&valid);
    next_version["v"] = json!(2);
    garbage.push(pack(&next_version));
    for _ in 0..50 {
        let length = dice.random_range(0..60);
        let bytes: Vec<u8> = (0..length).map(|_| dice.random()).collect();
        garbage.push(URL_SAFE_NO_PAD.encode(bytes));
    }
    for cursor in garbage {
        assert_refused(&world, &none, &order, &cursor).await;
    }
}

/// Well-made cursors whose keys do not fit their columns: the database must not be asked to compare a date with text.
async fn a_cursor_with_keys_of_another_kind_is_refused(engine: Engine) {
    let (world, _) = filled(engine).await;
    let none = Filter::default();
    let marks = [
        json!({"text": "x"}),
        json!({"integer": 1}),
        json!({"date": "2026-01-01"}),
        json!({"time": "2026-01-01T00:00:00Z"}),
    ];
    for order in orders() {
        let valid = unpack(&first_cursor(&world, &none, &order).await);
        for position in 0..order.len() {
            for mark in &marks {
                let kind = |mark: &Value| mark.as_object().unwrap().keys().next().unwrap().clone();
                if kind(mark) == kind(&valid["k"][position]) {
                    continue;
                }
                let mut forged = valid.clone();
                forged["k"][position] = mark.clone();
                assert_refused(&world, &none, &order, &pack(&forged)).await;
            }
        }
        for keys in [json!([]), json!([{"text": "x"}, {"text": "x"}, {"text": "x"}, {"text": "x"}]), json!(null)] {
            let mut forged = valid.clone();
            forged["k"] = keys;
            if forged["k"] != valid["k"] {
                assert_refused(&world, &none, &order, &pack(&forged)).await;
            }
        }
        let mut forged = valid.clone();
        forged["i"] = json!("not an id");
        assert_refused(&world, &none, &order, &pack(&forged)).await;
    }
}

async fn a_cursor_with_values_no_row_could_have_is_refused_or_harmless(engine: Engine) {
    let (world, _) = filled(engine).await;
    for order in orders() {
        let valid = unpack(&first_cursor(&world, &Filter::default(), &order).await);
        for position in 0..order.len() {
            for mark in [
                json!({"text": "\u{0}"}),
                json!({"text": "a\u{0}b"}),
                json!({"text": "🦀".repeat(100_000)}),
                json!({"text": ""}),
                json!({"integer": i64::MAX}),
                json!({"integer": i64::MIN}),
                json!({"date": "+262142-12-31"}),
                json!({"date": "-262143-01-01"}),
                json!({"date": "0000-01-01"}),
                json!({"time": "+262142-12-31T23:59:59Z"}),
                json!({"time": "-262143-01-01T00:00:00Z"}),
                json!({"time": "2026-01-01T00:00:00.123456789Z"}),
            ] {
                let mut forged = valid.clone();
                forged["k"][position] = mark;
                assert_harmless(&world, &order, &pack(&forged)).await;
            }
        }
        let mut forged = valid.clone();
        forged["i"] = json!("ffffffff-ffff-ffff-ffff-ffffffffffff");
        assert_harmless(&world, &order, &pack(&forged)).await;
    }
}

async fn a_damaged_cursor_is_refused_or_harmless(engine: Engine) {
    let (world, mut dice) = filled(engine).await;
    for order in orders() {
        let valid = URL_SAFE_NO_PAD.decode(first_cursor(&world, &Filter::default(), &order).await).unwrap();
        for _ in 0..30 {
            let mut damaged = valid.clone();
            let place = dice.random_range(0..damaged.len());
            damaged[place] = dice.random();
            assert_harmless(&world, &order, &URL_SAFE_NO_PAD.encode(damaged)).await;
        }
    }
}
