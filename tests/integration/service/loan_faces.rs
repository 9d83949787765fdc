//! Where the face of a loan is enough, it is the face of the same loan, in the same places of the same lists, for the same
//! callers.

use branch_loan_api::service::list::{Filter, PageRequest, SortKey};
use branch_loan_api::service::loan_faces::LoanFace;
use branch_loan_api::service::loans::LoanField;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::fill::fill;
use crate::support::random::Dice;
use crate::support::services::{World, admin, officer_of};

both_engines!(a_list_of_faces_is_the_list_of_loans, faces_by_id_are_those_of_the_loans);

const SORTED_BY: [LoanField; 6] = [
    LoanField::CreatedAt,
    LoanField::AppliedOn,
    LoanField::Number,
    LoanField::Principal,
    LoanField::OldestUnpaidDueOn,
    LoanField::NextDueOn,
];

async fn a_list_of_faces_is_the_list_of_loans(engine: Engine) {
    let world = World::new(engine).await;
    fill(&world.database, &mut Dice::new(), 200).await;
    for actor in [admin(), officer_of("EAST")] {
        for field in SORTED_BY {
            let order = [SortKey { field, descending: true }];
            let mut request = PageRequest { size: 30, backward: false, cursor: None };
            loop {
                let faces = world.services.loan_faces(&actor, &Filter::default(), &order, &request).await;
                if !LoanFace::has(field) {
                    assert!(faces.is_err(), "{field:?} is not read");
                    break;
                }
                let faces = faces.unwrap();
                let loans = world.services.loans(&actor, &Filter::default(), &order, &request).await.unwrap();
                assert!(!loans.rows.is_empty());
                let expected: Vec<_> =
                    loans.rows.iter().map(|(cursor, loan)| (cursor.to_string(), LoanFace::from(&**loan))).collect();
                let found: Vec<_> =
                    faces.rows.iter().map(|(cursor, face)| (cursor.to_string(), LoanFace::clone(face))).collect();
                assert_eq!(found, expected, "{field:?}");
                assert_eq!((faces.has_previous, faces.has_next), (loans.has_previous, loans.has_next));
                if !faces.has_next {
                    break;
                }
                request.cursor = found.last().map(|(cursor, _)| cursor.clone());
            }
        }
    }
}

async fn faces_by_id_are_those_of_the_loans(engine: Engine) {
    let world = World::new(engine).await;
    let filled = fill(&world.database, &mut Dice::new(), 100).await;
    let ids: Vec<Uuid> = filled.loans.iter().map(|loan| loan.id).chain([Uuid::from_u128(1)]).collect();
    for actor in [admin(), officer_of("EAST")] {
        let loans = world.services.loans_by_id(&actor, &ids).await.unwrap();
        let faces = world.services.loan_faces_by_id(&actor, &ids).await.unwrap();
        assert_eq!(faces.last(), Some(&None));
        let expected: Vec<_> = loans.iter().map(|loan| loan.as_ref().map(|loan| LoanFace::from(&**loan))).collect();
        let found: Vec<_> = faces.iter().map(|face| face.as_ref().map(|face| LoanFace::clone(face))).collect();
        assert_eq!(found, expected);
    }
}
