//! Text nobody expects: kept as it is, or refused the same way on both engines, and never an internal error.

use std::fmt::Debug;

use branch_loan_api::service::ServiceError;
use branch_loan_api::service::borrowers::{BorrowerField, BorrowerKey, RegisterBorrower};
use branch_loan_api::service::branches::{BranchField, BranchKey, CreateBranch};
use branch_loan_api::service::list::{Filter, PageRequest, Scalar, Test};
use branch_loan_api::service::loan_products::{LoanProductField, LoanProductKey};
use branch_loan_api::service::loans::{ApplyForLoan, LoanField, LoanKey};
use branch_loan_api::service::portfolio::{GroupBy, Report};
use branch_loan_api::service::problem::{PersonalField, ProblemCode};

use crate::support::engines::Engine;
use crate::support::inputs::{application, new_borrower, new_branch};
use crate::support::services::{World, admin, problem, refusal};

both_engines!(
    text_of_every_kind_is_kept_as_it_is,
    control_characters_are_refused_in_what_is_stored,
    a_nul_in_a_filter_a_search_or_a_key_is_bad_input_on_both_engines,
    text_of_any_kind_can_be_looked_for,
);

const KEPT: [&str; 12] = [
    "🦀🇰🇪👩‍👩‍👧‍👦",
    "محمد بن سلمان",
    "\u{202e}desrever\u{202c}",
    "e\u{301}e\u{301}",
    "𝕬𝖓𝖓𝖆",
    "';DROP TABLE loans;--",
    "\"quoted\" `back` $1 ?1 :name @x",
    "%_\\%%__\\\\",
    "ﬃ İstanbul straße ΑΘΗΝΑΣ",
    "\u{feff}bom",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "null",
];

const LOOKED_FOR: [&str; 6] = ["", " ", "\u{200b}", "\t\n", "\u{1b}[31m", "$$$$"];

async fn text_of_every_kind_is_kept_as_it_is(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    for (index, text) in KEPT.iter().enumerate() {
        let input = CreateBranch { name: (*text).to_owned(), ..new_branch(&format!("B{index}")) };
        let made = world.services.create_branch(&admin(), &input).await.unwrap();
        let read = world.services.branch(&admin(), &BranchKey::Id(made.id)).await.unwrap().unwrap();
        assert_eq!(read.name, *text);

        let input = RegisterBorrower {
            name: (*text).to_owned(),
            external_ref: Some((*text).to_owned()),
            national_id: Some((*text).to_owned()),
            ..new_borrower(&branch)
        };
        world.services.register_borrower(&admin(), &input).await.unwrap();
        let key = BorrowerKey::ExternalRef((*text).to_owned());
        let read = world.services.borrower(&admin(), &key).await.unwrap().unwrap();
        let national_id = world.services.personal_value(&admin(), &read, PersonalField::NationalId).unwrap();
        assert_eq!((read.name.as_str(), national_id.as_deref()), (*text, Some(*text)));
        let found = Filter::<BorrowerField>::Search((*text).to_owned());
        assert!(world.services.count_borrowers(&admin(), &found).await.unwrap() >= 1, "{text}");

        let input = ApplyForLoan {
            external_ref: Some((*text).to_owned()),
            officer: Some((*text).to_owned()),
            ..application(text, &borrower, &product)
        };
        let made = world.services.apply_for_loan(&admin(), &input).await.unwrap();
        assert!(world.services.apply_for_loan(&admin(), &input).await.unwrap().replayed);
        let read = world.services.loan(&admin(), &LoanKey::ExternalRef((*text).to_owned())).await.unwrap().unwrap();
        assert_eq!((read.id, read.officer.as_deref()), (made.loan.id, Some(*text)));
        let of_officer = Filter::Field(LoanField::Officer, Test::Is(Scalar::Text((*text).to_owned())));
        assert_eq!(world.services.count_loans(&admin(), &of_officer).await.unwrap(), 1);
    }
}

async fn control_characters_are_refused_in_what_is_stored(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    for control in ["a\u{0}b", "a\u{1}b", "a\nb", "a\u{7f}b", "a\u{85}b"] {
        let name = CreateBranch { name: control.to_owned(), ..new_branch("X") };
        let outcome = world.services.create_branch(&admin(), &name).await;
        assert_eq!(refusal(outcome), problem(ProblemCode::InvalidFormat, "input.name"));
        let name = RegisterBorrower { name: control.to_owned(), ..new_borrower(&branch) };
        let outcome = world.services.register_borrower(&admin(), &name).await;
        assert_eq!(refusal(outcome), problem(ProblemCode::InvalidFormat, "input.name"));
        let officer = ApplyForLoan { officer: Some(control.to_owned()), ..application("k", &borrower, &product) };
        let outcome = world.services.apply_for_loan(&admin(), &officer).await;
        assert_eq!(refusal(outcome), problem(ProblemCode::InvalidFormat, "input.officer"));
    }
}

fn assert_bad_input<T: Debug>(outcome: Result<T, ServiceError>) {
    assert!(matches!(outcome, Err(ServiceError::BadInput)), "{outcome:?}");
}

async fn a_nul_in_a_filter_a_search_or_a_key_is_bad_input_on_both_engines(engine: Engine) {
    let world = World::new(engine).await;
    world.parties().await;
    let services = &world.services;
    let all = PageRequest { size: 5, backward: false, cursor: None };
    for nul in ["\u{0}", "NBO\u{0}", "a\u{0}b"] {
        let text = || nul.to_owned();
        assert_bad_input(services.branch(&admin(), &BranchKey::Code(text())).await);
        assert_bad_input(services.borrower(&admin(), &BorrowerKey::Number(text())).await);
        assert_bad_input(services.borrower(&admin(), &BorrowerKey::ExternalRef(text())).await);
        assert_bad_input(services.loan_product(&admin(), &LoanProductKey::Code(text())).await);
        assert_bad_input(services.loan(&admin(), &LoanKey::Number(text())).await);
        assert_bad_input(services.loan(&admin(), &LoanKey::ExternalRef(text())).await);

        assert_bad_input(services.count_branches(&admin(), &Filter::Search(text())).await);
        assert_bad_input(services.count_borrowers(&admin(), &Filter::Search(text())).await);
        assert_bad_input(services.count_loan_products(&admin(), &Filter::Search(text())).await);
        let scalar = || Scalar::Text(text());
        let field = LoanField::Officer;
        for filter in [
            Filter::Search(text()),
            Filter::Field(field, Test::Is(scalar())),
            Filter::Field(field, Test::OneOf(vec![Scalar::Text("a".to_owned()), scalar()])),
            Filter::Field(field, Test::Below(scalar())),
            Filter::Field(field, Test::AtMost(scalar())),
            Filter::Field(field, Test::Above(scalar())),
            Filter::Field(field, Test::AtLeast(scalar())),
            Filter::Not(Box::new(Filter::Any(vec![Filter::All(vec![Filter::Search(text())])]))),
        ] {
            assert_bad_input(services.count_loans(&admin(), &filter).await);
            assert_bad_input(services.loans(&admin(), &filter, &[], &all).await);
            let report = Report::new(filter.clone(), None);
            assert_bad_input(report.counted(services, &admin(), GroupBy::Branch).await);
            assert_bad_input(report.late(services, &admin(), GroupBy::Nothing).await);
        }
    }
    assert_bad_input(services.count_loans(&admin(), &Filter::Search("%".repeat(100_000))).await);
}

async fn text_of_any_kind_can_be_looked_for(engine: Engine) {
    let world = World::new(engine).await;
    world.parties().await;
    let services = &world.services;
    let long = "🦀".repeat(1_000);
    for text in KEPT.iter().chain(&LOOKED_FOR).copied().chain([long.as_str()]) {
        let owned = || text.to_owned();
        services.count_branches(&admin(), &Filter::Search(owned())).await.unwrap();
        services.count_borrowers(&admin(), &Filter::Search(owned())).await.unwrap();
        services.count_loan_products(&admin(), &Filter::Search(owned())).await.unwrap();
        services.count_loans(&admin(), &Filter::Search(owned())).await.unwrap();
        let branches = Filter::Field(BranchField::Name, Test::Is(Scalar::Text(owned())));
        services.count_branches(&admin(), &branches).await.unwrap();
        let products = Filter::Field(LoanProductField::Code, Test::AtLeast(Scalar::Text(owned())));
        services.count_loan_products(&admin(), &products).await.unwrap();
        assert_eq!(services.branch(&admin(), &BranchKey::Code(owned())).await.unwrap(), None);
        assert_eq!(services.loan(&admin(), &LoanKey::Number(owned())).await.unwrap(), None);
        assert!(services.borrower(&admin(), &BorrowerKey::ExternalRef(owned())).await.unwrap().is_none());
    }
}
