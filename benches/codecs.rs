//! What each request pays before and after its SQL: the checks of a document at the first and at the second sight, a
//! cursor written and read, an id, and the scalars.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may fail by panicking")]

use std::cell::Cell;
use std::hint::black_box;

use async_graphql::{ScalarType, Value, Variables};
use branch_loan_api::graphql::schema;
use branch_loan_api::graphql::types::scalars::{CHECKS, Date, DateTime, Decimal};
use branch_loan_api::http::guard::{Guard, Limits};
use branch_loan_api::ids::{Kind, NodeId};
use branch_loan_api::store::branches::BranchField;
use branch_loan_api::store::entity::branch;
use branch_loan_api::store::page::{self, SortKey};
use chrono::{NaiveDate, TimeZone, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use uuid::Uuid;

const DOCUMENT: &str = "query Loans($after: String, $status: LoanStatus!) {
    loans(first: 20, after: $after, filter: { status: { eq: $status } }, orderBy: [{ field: CREATED_AT }]) {
        nodes { id number status principal { amount currency } appliedOn branch { code name } borrower { number name } }
        pageInfo { hasNextPage endCursor }
    }
}";

/// What `benches/load` asks for with the workloads of these names.
const BY_ID: &str = "query($id: ID!) { loan(by: { id: $id }) { id number status principal { amount currency } appliedOn disbursedOn version updatedAt } }";
const PAGE: &str = "{ loans(first: 20) { nodes { id number status principal { amount currency } appliedOn branch { code name } borrower { number name } } pageInfo { hasNextPage endCursor } } }";

fn documents(criterion: &mut Criterion) {
    let guard = Guard::from_sdl(Limits::default(), &schema::sdl()).unwrap().checking(&CHECKS);
    let id = NodeId { kind: Kind::Loan, uuid: Uuid::from_u128(7) }.to_string();
    let documents = [
        ("document", DOCUMENT, json!({"after": null, "status": "DISBURSED"})),
        ("document of by-id", BY_ID, json!({"id": id})),
        ("document of page", PAGE, json!({})),
        ("document of no-database", "{ __typename }", json!({})),
    ];
    let number = Cell::new(0_u64);
    for (name, document, variables) in documents {
        let variables = Variables::from_json(variables);
        criterion.bench_function(&format!("{name} at first sight"), |bencher| {
            bencher.iter(|| {
                // A comment makes it another document, of which the cache knows nothing.
                number.set(number.get() + 1);
                guard.admit(&format!("{document} # {}", number.get()), None, black_box(&variables)).unwrap()
            });
        });
        criterion.bench_function(&format!("{name} at second sight"), |bencher| {
            bencher.iter(|| guard.admit(black_box(document), None, black_box(&variables)).unwrap());
        });
    }
}

fn a_branch() -> branch::Model {
    let moment = Utc.with_ymd_and_hms(2026, 1, 31, 9, 30, 0).unwrap();
    branch::Model {
        id: Uuid::from_u128(7),
        code: "NBO-1".to_owned(),
        name: "Nairobi branch 1".to_owned(),
        name_folded: "nairobi branch 1".to_owned(),
        parent_id: None,
        currency: "KES".to_owned(),
        time_zone: "Africa/Nairobi".to_owned(),
        status: "OPEN".to_owned(),
        rest_days: String::new(),
        closed_through: None,
        version: 1,
        created_at: moment,
        updated_at: moment,
    }
}

fn cursors(criterion: &mut Criterion) {
    let order = [SortKey { field: BranchField::CreatedAt, descending: false }];
    let (row, binding) = (a_branch(), page::binding(&order));
    criterion
        .bench_function("binding of cursors to a list", |bencher| bencher.iter(|| page::binding(black_box(&order))));
    criterion.bench_function("cursor written", |bencher| {
        bencher.iter(|| page::cursor_of(black_box(&row), &order, &binding).unwrap());
    });
    let cursor = page::cursor_of(&row, &order, &binding).unwrap();
    // The binding is worked out anew, as for every page.
    criterion.bench_function("cursor read, and its binding", |bencher| {
        bencher.iter(|| assert!(page::is_cursor(black_box(&cursor), &order)));
    });
}

fn scalars(criterion: &mut Criterion) {
    let id = NodeId { kind: Kind::Loan, uuid: Uuid::from_u128(0x01a2_256a_b8dc_71e0_b5ad_93e5_ac0c_4088) };
    let text = id.to_string();
    criterion.bench_function("id written", |bencher| bencher.iter(|| black_box(&id).to_string()));
    criterion
        .bench_function("id read", |bencher| bencher.iter(|| NodeId::parse(black_box(&text), Kind::Loan).unwrap()));
    let day = Date(NaiveDate::from_ymd_opt(2026, 1, 31).unwrap());
    let moment = DateTime(Utc.with_ymd_and_hms(2026, 1, 31, 9, 30, 0).unwrap());
    criterion.bench_function("date written", |bencher| bencher.iter(|| black_box(&day).to_value()));
    criterion.bench_function("moment written", |bencher| bencher.iter(|| black_box(&moment).to_value()));
    let parse = |text: &str| Value::String(text.to_owned());
    criterion.bench_function("decimal read", |bencher| {
        bencher.iter(|| Decimal::parse(black_box(parse("12500.00"))).unwrap());
    });
    criterion.bench_function("date read", |bencher| {
        bencher.iter(|| Date::parse(black_box(parse("2026-01-31"))).unwrap());
    });
    criterion.bench_function("moment read", |bencher| {
        bencher.iter(|| DateTime::parse(black_box(parse("2026-01-31T09:30:00.000Z"))).unwrap());
    });
}

criterion_group!(benches, documents, cursors, scalars);
criterion_main!(benches);
