//! The made-up portfolio: the same every time, growing, and varied enough to page through.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lending::loan::LoanStatus;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::World;
use crate::store::entity::loan;
use crate::store::loans::LoanRecord;

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let world = World::new().await;
    assert_eq!(world.added(300, 9).await, [16, 5, 80, 305]);
    let before = (world.rows().await, world.books().await);
    let report = world.fill(300, 9).await;
    assert_eq!((report.loans.added, report.loans.present), (0, 305));
    assert_eq!(report.to_string(), "The demonstration data was there already; nothing was added.");
    assert!((world.rows().await, world.books().await) == before);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_rows_and_another_seed_others() {
    let (one, two, three) = (World::new().await, World::new().await, World::new().await);
    one.fill(200, 5).await;
    two.fill(200, 5).await;
    three.fill(200, 6).await;
    assert_eq!(one.rows().await, two.rows().await);
    assert_eq!(one.books().await, two.books().await);
    assert_ne!(one.rows().await.loans, three.rows().await.loans);
}

#[tokio::test]
async fn growing_is_the_same_as_having_asked_for_all_at_once() {
    let (grown, at_once) = (World::new().await, World::new().await);
    grown.fill(0, 3).await;
    grown.fill(130, 3).await;
    let report = grown.fill(5_000, 3).await;
    assert_eq!((report.loans.added, report.loans.present), (4_870, 135));
    at_once.fill(5_000, 3).await;
    assert_eq!(grown.rows().await, at_once.rows().await);
    assert!(grown.books().await == at_once.books().await);
    assert_eq!(grown.added(130, 3).await, [0, 0, 0, 0], "asking for fewer removes none");
}

#[tokio::test]
async fn the_first_loan_of_a_seed_is_this_one_for_good() {
    let world = World::new().await;
    world.fill(1, 1).await;
    let rows = world.rows().await;
    let loan = rows.loans.iter().find(|row| row.number == "L-000000006").unwrap();
    let branch = rows.branches.iter().find(|row| row.id == loan.branch_id).unwrap();
    let borrower = rows.borrowers.iter().find(|row| row.id == loan.borrower_id).unwrap();
    assert_eq!(loan.id.to_string(), "01956b1a-5750-7f20-a13a-84a084e0c614");
    assert_eq!((loan.principal_minor, loan.currency.as_str(), loan.status.as_str()), (200_000, "NGN", "REPAID"));
    assert_eq!((branch.code.as_str(), borrower.name.as_str()), ("LOS-1-R1", "Ngozi Danjuma"));
}

#[tokio::test]
async fn another_seed_adds_a_portfolio_beside_the_first() {
    let world = World::new().await;
    world.fill(100, 1).await;
    assert_eq!(world.added(100, u64::MAX).await, [10, 0, 25, 100]);
    let numbers: BTreeSet<_> = world.rows().await.loans.into_iter().map(|row| row.number).collect();
    assert_eq!(numbers.first().map(String::as_str), Some("L-000000001"));
    assert_eq!(numbers.last().map(String::as_str), Some("L-000000205"));
    assert_eq!(numbers.len(), 205);
}

#[tokio::test]
async fn what_an_interrupted_run_left_out_is_added_by_the_next() {
    let world = World::new().await;
    world.fill(400, 1).await;
    let before = world.rows().await;
    // A loan with books cannot be lost without them: they are written together, and never deleted.
    let without_books = before.loans.iter().filter(|row| row.disbursed_on.is_none());
    let some: Vec<_> = without_books.skip(5).step_by(3).map(|row| row.id).collect();
    let lost = some.len();
    let database = world.services.database.clone();
    let some = &some;
    database
        .write(|transaction| async move {
            loan::Entity::delete_many()
                .filter(loan::Column::Id.is_in(some.iter().copied()))
                .exec(&*transaction)
                .await
                .map_err(crate::store::StoreError::from)
        })
        .await
        .unwrap();
    let report = world.fill(400, 1).await;
    assert_eq!(report.loans.added, u64::try_from(lost).unwrap());
    let unnumbered = |rows: Vec<loan::Model>| -> Vec<_> {
        rows.into_iter().map(|row| loan::Model { number: String::new(), ..row }).collect()
    };
    assert_eq!(unnumbered(world.rows().await.loans), unnumbered(before.loans));
}

#[tokio::test]
async fn twenty_thousand_loans_are_varied_and_follow_the_rules() {
    let world = World::new().await;
    assert_eq!(world.added(20_000, 42).await, [16, 5, 5_005, 20_005]);
    let rows = world.rows().await;
    let borrowers: HashMap<_, _> = rows.borrowers.iter().map(|row| (row.id, row)).collect();
    let branches: HashMap<_, _> = rows.branches.iter().map(|row| (row.id, row)).collect();
    let products: HashMap<_, _> = rows.products.iter().map(|row| (row.id, row)).collect();
    let mut groups: BTreeMap<(String, String), usize> = BTreeMap::new();
    for row in &rows.loans {
        let borrower = borrowers[&row.borrower_id];
        assert_eq!(borrower.branch_id, row.branch_id);
        assert!(borrower.created_at <= row.created_at);
        assert_eq!(branches[&row.branch_id].currency, row.currency);
        let product = products[&row.product_id];
        assert_eq!(product.currency, row.currency);
        assert!((product.principal_min_minor..=product.principal_max_minor).contains(&row.principal_minor));
        assert!(row.updated_at >= row.created_at);
        assert_ne!(row.approved_by.as_ref(), Some(&row.applied_by));
        *groups.entry((row.currency.clone(), row.status.clone())).or_default() += 1;
        LoanRecord::try_from(row.clone()).expect("a loan that can be read back");
    }
    let currencies: BTreeSet<_> = rows.products.iter().map(|row| row.currency.clone()).collect();
    for currency in &currencies {
        for status in LoanStatus::ALL {
            let count = groups.get(&(currency.clone(), status.as_str().to_owned())).copied().unwrap_or(0);
            assert!(count >= 50, "{count} loans in {currency} are {status}");
        }
    }
    assert!(rows.loans.iter().any(|row| row.officer.is_none()));
    assert!(rows.loans.iter().any(|row| row.external_ref.is_none()));
}

#[tokio::test]
async fn moments_days_and_amounts_coincide() {
    let world = World::new().await;
    world.fill(4_000, 2).await;
    let rows = world.rows().await.loans;
    let most = |keys: Vec<String>| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    };
    assert!(most(rows.iter().map(|row| row.created_at.to_string()).collect()) > 25, "more than a page of 20");
    assert!(most(rows.iter().map(|row| row.applied_on.to_string()).collect()) > 25);
    assert!(most(rows.iter().map(|row| format!("{}{}", row.principal_minor, row.currency)).collect()) > 25);
    let first = rows.iter().skip(5).map(|row| row.created_at).min().unwrap();
    let last = rows.iter().map(|row| row.created_at).max().unwrap();
    assert!((last - first).num_days() > 700);
}
