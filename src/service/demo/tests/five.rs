//! What is always there.

use lending::loan::LoanStatus;
use uuid::Uuid;

use super::World;
use crate::ids::{Kind, NodeId};
use crate::service::personal_data::Place;
use crate::service::problem::PersonalField;
use crate::store::borrowers::{self, BorrowerKey};
use crate::store::branches::{self, BranchKey};
use crate::store::find::Lock;
use crate::store::loan_products::{self, LoanProductKey};
use crate::store::loans::{self, LoanKey};
use crate::store::scope::Scope;

#[tokio::test]
async fn the_five_loans_are_there_to_the_letter() {
    let world = World::new().await;
    world.fill(0, 1).await;
    let expected = [
        (1, "usr_kenya_001", "12500.00 KES", LoanStatus::Pending, 6, "28", "NBO"),
        (2, "usr_india_002", "50000.00 INR", LoanStatus::Approved, 12, "24", "BOM"),
        (3, "usr_nigeria_003", "32000.00 NGN", LoanStatus::Rejected, 9, "30", "LOS"),
        (4, "usr_vietnam_004", "8400 VND", LoanStatus::Disbursed, 4, "26", "SGN"),
        (5, "usr_philippines_005", "21000.00 PHP", LoanStatus::Repaid, 6, "22", "MNL"),
    ];
    let reader = world.services.database.reader();
    for (number, reference, principal, status, installments, percent, code) in expected {
        let id: Uuid = format!("00000000-0000-0000-0000-00000000000{number}").parse().unwrap();
        let loan = loans::find(reader, &Scope::All, &LoanKey::Id(id), Lock::None).await.unwrap().unwrap();
        assert_eq!(loan.external_ref, Some(id.to_string()));
        assert_eq!(loan.number, format!("L-00000000{number}"));
        assert_eq!(loan.terms.principal.to_string(), principal);
        assert_eq!(loan.state.status(), status);
        assert_eq!((loan.terms.installments, loan.terms.every, loan.terms.unit.as_str()), (installments, 1, "MONTH"));
        assert_eq!(loan.terms.annual_rate.to_percent_string(), percent);

        let key = BorrowerKey::Id(loan.borrower_id);
        let borrower = borrowers::find(reader, &Scope::All, &key, Lock::None).await.unwrap().unwrap();
        assert_eq!(borrower.external_ref.as_deref(), Some(reference));
        assert_eq!(borrower.branch_id, loan.branch_id);

        let key = BranchKey::Code(code.to_owned());
        let branch = branches::find(reader, &Scope::All, &key, Lock::None).await.unwrap().unwrap();
        assert_eq!(branch.id, loan.branch_id);

        let currency = loan.terms.principal.currency();
        assert_eq!(branch.currency, currency);
        let key = LoanProductKey::Code(format!("STANDARD-{currency}"));
        let product = loan_products::find(reader, &key, Lock::None).await.unwrap().unwrap();
        assert_eq!(product.id, loan.product_id);
        assert_eq!(product.limits.check(&loan.terms), []);
    }
}

/// The README and GraphiQL's examples apply for a loan in Nairobi: the ids they name must be there.
#[tokio::test]
async fn the_documentation_names_ids_that_exist() {
    let world = World::new().await;
    world.fill(0, 1).await;
    let key = LoanKey::Number("L-000000001".to_owned());
    let reader = world.services.database.reader();
    let loan = loans::find(reader, &Scope::All, &key, Lock::None).await.unwrap().unwrap();
    let ids = [(Kind::Borrower, loan.borrower_id), (Kind::LoanProduct, loan.product_id)];
    let pages = [include_str!("../../../../README.md"), include_str!("../../../../graphiql/src/examples.js")];
    for id in ids.map(|(kind, uuid)| NodeId { kind, uuid }.to_string()) {
        for page in pages {
            assert!(page.contains(&id), "README.md and graphiql/src/examples.js must name {id}");
        }
    }
}

#[tokio::test]
async fn nothing_else_is_there_without_being_asked_for() {
    let world = World::new().await;
    assert_eq!(world.added(0, 1).await, [6, 5, 5, 5]);
    let rows = world.rows().await;
    let codes: Vec<_> = rows.branches.iter().map(|row| row.code.as_str()).collect();
    assert_eq!(codes, ["HQ", "NBO", "BOM", "LOS", "SGN", "MNL"]);
    let head_office = rows.branches[0].id;
    assert!(rows.branches[1..].iter().all(|row| row.parent_id == Some(head_office)));
    assert_eq!(rows.branches[0].parent_id, None);
}

#[tokio::test]
async fn a_subtree_of_the_head_office_is_everything() {
    let world = World::new().await;
    world.fill(40, 1).await;
    let reader = world.services.database.reader();
    let scope = Scope::Branches(vec!["HQ".to_owned()]);
    let rows = world.rows().await;
    let ids: Vec<_> = rows.branches.iter().map(|row| row.id).collect();
    let seen = crate::store::find::present::<branches::BranchField>(reader, &scope, &ids).await.unwrap();
    assert_eq!(seen.len(), ids.len());
    let nairobi = Scope::Branches(vec!["NBO".to_owned()]);
    let seen = crate::store::find::present::<branches::BranchField>(reader, &nairobi, &ids).await.unwrap();
    assert_eq!(seen.len(), 3, "the branch of Nairobi, its region and the branch below that");
}

#[tokio::test]
async fn personal_data_is_sealed_with_the_configured_key() {
    let world = World::new().await;
    world.fill(0, 1).await;
    let key = BorrowerKey::ExternalRef("usr_kenya_001".to_owned());
    let reader = world.services.database.reader();
    let borrower = borrowers::find(reader, &Scope::All, &key, Lock::None).await.unwrap().unwrap();
    let keys = &world.services.personal_data;
    let own = |field| Place { borrower: borrower.id, field };
    assert_eq!(keys.open(own(PersonalField::Phone), &borrower.phone.unwrap()).unwrap(), "+254 000 000 001");
    assert_eq!(keys.open(own(PersonalField::NationalId), &borrower.national_id.unwrap()).unwrap(), "KE-000000001");
    assert_eq!(borrower.key_id.as_deref(), Some(keys.id()));
}

#[tokio::test]
async fn what_has_become_of_a_loan_since_is_left_alone() {
    let world = World::new().await;
    world.fill(0, 1).await;
    let transaction = world.services.database.clone();
    let id = Uuid::from_u128(1);
    transaction
        .write(|transaction| async move {
            let key = LoanKey::Id(id);
            let mut loan = loans::find(&*transaction, &Scope::All, &key, Lock::ForUpdate).await?.unwrap();
            loan.officer = Some("someone-else".to_owned());
            loan.version += 1;
            loans::update(&*transaction, &loan).await
        })
        .await
        .unwrap();
    let before = world.rows().await;
    assert_eq!(world.added(0, 1).await, [0, 0, 0, 0]);
    assert_eq!(world.rows().await, before);
}
