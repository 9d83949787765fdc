//! Walks through lists: whatever the order, the filter, the page size and the direction, the pages put together are
//! what one ordered query gives, and each page knows whether there is more.

use branch_loan_api::service::list::{Filter, PageRequest, SortKey};
use branch_loan_api::service::loans::{LoanField, LoanRecord};
use branch_loan_api::store::scope::Scope;
use branch_loan_api::store::{Database, StoreError, loans, page};
use rand::Rng;
use rand::seq::IndexedRandom;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::fill::{Filled, fill};
use crate::support::model::{SORTABLE, matches, random_filter};
use crate::support::random::Dice;

both_engines!(
    random_walks_equal_one_ordered_query,
    walks_stay_within_their_scope,
    a_page_of_nothing_has_no_neighbours,
    a_walk_sees_every_old_row_once_while_new_ones_come_in,
);

const LOANS: u32 = 2_000;
const WALKS: usize = 40;
/// Pages of one walk, so that a small page size does not take all day.
const PAGES: usize = 40;

fn column(field: LoanField) -> &'static str {
    match field {
        LoanField::Number => "number",
        LoanField::Currency => "currency",
        LoanField::Principal => "principal_minor",
        LoanField::Status => "status",
        LoanField::AppliedOn => "applied_on",
        LoanField::CreatedAt => "created_at",
        LoanField::OldestUnpaidDueOn => "coalesce(oldest_unpaid_due_on, '9999-12-31')",
        LoanField::NextDueOn => "coalesce(next_due_on, '9999-12-31')",
        other => panic!("{other:?} is no key of an order"),
    }
}

/// All ids in the order, by a query written here; the id goes the way of the last key.
async fn ordered(engine: &Engine, order: &[SortKey<LoanField>]) -> Vec<Uuid> {
    let direction = |descending| if descending { "DESC" } else { "ASC" };
    let mut keys: Vec<String> =
        order.iter().map(|key| format!("{} {}", column(key.field), direction(key.descending))).collect();
    keys.push(format!("id {}", direction(order.last().is_some_and(|key| key.descending))));
    let sql = format!("SELECT id FROM loans ORDER BY {}", keys.join(", "));
    let rows = engine.raw().await.query_all_raw(Statement::from_string(engine.backend, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "id").unwrap()).collect()
}

fn random_order(dice: &mut Dice) -> Vec<SortKey<LoanField>> {
    let count = dice.random_range(0..=3);
    let fields: Vec<LoanField> = SORTABLE.choose_multiple(&mut **dice, count).copied().collect();
    fields.into_iter().map(|field| SortKey { field, descending: dice.random() }).collect()
}

/// One walk from end to end, checking what each page says of its neighbours.
async fn walk(
    database: &Database,
    scope: &Scope,
    filter: &Filter<LoanField>,
    order: &[SortKey<LoanField>],
    size: u32,
    backward: bool,
) -> Vec<Uuid> {
    let mut seen: Vec<Uuid> = Vec::new();
    let mut request = PageRequest { size, backward, cursor: None };
    loop {
        let page: page::Page<LoanRecord> = page::page(database.reader(), scope, filter, order, &request).await.unwrap();
        let behind = if backward { page.has_next } else { page.has_previous };
        assert_eq!(behind, request.cursor.is_some(), "nothing lies behind the first page, and something the others");
        let ids: Vec<Uuid> = page.rows.iter().map(|(_, loan)| loan.id).collect();
        assert!(ids.len() <= usize::try_from(size).unwrap());
        if backward {
            seen.splice(0..0, ids);
        } else {
            seen.extend(ids);
        }
        let more = if backward { page.has_previous } else { page.has_next };
        if !more {
            return seen;
        }
        assert_eq!(page.rows.len(), usize::try_from(size).unwrap(), "a page that is not the last is full");
        let edge = if backward { page.rows.first() } else { page.rows.last() };
        request.cursor = edge.map(|(cursor, _)| cursor.to_string());
    }
}

async fn random_walks_equal_one_ordered_query(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, LOANS).await;
    for number in 0..WALKS {
        let order = random_order(&mut dice);
        let filter = if number % 3 == 0 { Filter::default() } else { random_filter(&mut dice, &filled, 2) };
        let backward = dice.random();
        let expected = expected(&engine, &filled, &filter, &order).await;
        let smallest = u32::try_from(expected.len() / PAGES).unwrap() + 1;
        let size = dice.random_range(smallest..=smallest + 60);
        let seen = walk(&database, &Scope::All, &filter, &order, size, backward).await;
        assert_eq!(seen.len(), expected.len(), "{order:?} {filter:?} by {size}, backward: {backward}");
        assert_eq!(seen, expected, "{order:?} {filter:?} by {size}, backward: {backward}");
    }
}

async fn expected(
    engine: &Engine,
    filled: &Filled,
    filter: &Filter<LoanField>,
    order: &[SortKey<LoanField>],
) -> Vec<Uuid> {
    let matching: std::collections::HashSet<Uuid> =
        filled.loans.iter().filter(|loan| matches(filter, loan, filled)).map(|loan| loan.id).collect();
    ordered(engine, order).await.into_iter().filter(|id| matching.contains(id)).collect()
}

async fn walks_stay_within_their_scope(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, 300).await;
    for code in ["EAST", "NBO", "OTHER", "ROOT"] {
        let order = random_order(&mut dice);
        let under = Filter::UnderBranches(vec![filled.branch(code).id]);
        let expected = expected(&engine, &filled, &under, &order).await;
        let scope = Scope::Branches(vec![code.to_owned()]);
        for backward in [false, true] {
            let seen = walk(&database, &scope, &Filter::default(), &order, 17, backward).await;
            assert_eq!(seen, expected, "{code} {order:?} backward: {backward}");
        }
    }
    let nowhere = Scope::Branches(vec![]);
    assert!(walk(&database, &nowhere, &Filter::default(), &[], 10, false).await.is_empty());
}

async fn a_page_of_nothing_has_no_neighbours(engine: Engine) {
    let database = engine.connect().await;
    for backward in [false, true] {
        let request = PageRequest { size: 10, backward, cursor: None };
        let page: page::Page<LoanRecord> =
            page::page(database.reader(), &Scope::All, &Filter::<LoanField>::default(), &[], &request).await.unwrap();
        assert!(page.rows.is_empty() && !page.has_next && !page.has_previous);
    }
}

/// New rows land before, between and behind the pages already read; none of the old ones may be missed or come twice.
async fn a_walk_sees_every_old_row_once_while_new_ones_come_in(engine: Engine) {
    let (database, mut dice) = (engine.connect().await, Dice::new());
    let filled = fill(&database, &mut dice, 200).await;
    for backward in [false, true] {
        let order = [
            SortKey { field: LoanField::Principal, descending: true },
            SortKey { field: LoanField::AppliedOn, descending: false },
        ];
        let filter = Filter::default();
        let mut seen = Vec::new();
        let mut request = PageRequest { size: 9, backward, cursor: None };
        loop {
            let page: page::Page<LoanRecord> =
                page::page(database.reader(), &Scope::All, &filter, &order, &request).await.unwrap();
            seen.extend(page.rows.iter().map(|(_, loan)| loan.id));
            let more = if backward { page.has_previous } else { page.has_next };
            if !more {
                break;
            }
            let edge = if backward { page.rows.first() } else { page.rows.last() };
            request.cursor = edge.map(|(cursor, _)| cursor.to_string());
            insert_copy(&database, &filled, &mut dice).await;
        }
        let mut unique = seen.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), seen.len(), "no row twice");
        assert!(filled.loans.iter().all(|loan| seen.contains(&loan.id)), "no old row missed");
    }
}

/// One more loan, tied with an old one on every key.
async fn insert_copy(database: &Database, filled: &Filled, dice: &mut Dice) {
    let mut copy = dice.pick(&filled.loans).clone();
    copy.id = Uuid::from_u128(dice.random());
    copy.number = format!("L-{}", copy.id);
    copy.external_ref = None;
    let copy = &[copy];
    let write = |transaction: branch_loan_api::store::database::Transaction| async move {
        loans::insert(&*transaction, copy).await?;
        Ok::<_, StoreError>(())
    };
    database.write(write).await.unwrap();
}
