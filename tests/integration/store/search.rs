//! Free text: what LIKE would take for a pattern is text, and case does not matter.

use branch_loan_api::service::borrowers::{BorrowerField, RegisterBorrower};
use branch_loan_api::service::branches::{BranchField, CreateBranch};
use branch_loan_api::service::list::{Filter, PageRequest, SortKey};

use crate::support::engines::Engine;
use crate::support::inputs::{new_borrower, new_branch};
use crate::support::services::{World, admin};

both_engines!(
    the_signs_of_like_are_only_text,
    case_does_not_matter_in_any_alphabet,
    a_reference_is_found_as_it_is_written,
    names_sort_by_code_point_whatever_the_database_is_set_to,
);

async fn names(world: &World, text: &str) -> Vec<String> {
    let order = [SortKey { field: BorrowerField::Number, descending: false }];
    let all = PageRequest { size: 100, backward: false, cursor: None };
    let filter = Filter::Search(text.to_owned());
    let page = world.services.borrowers(&admin(), &filter, &order, &all).await.unwrap();
    page.rows.into_iter().map(|(_, borrower)| borrower.name.clone()).collect()
}

async fn world_with(engine: Engine, names: &[&str]) -> World {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    for name in names {
        let input = RegisterBorrower { name: (*name).to_owned(), ..new_borrower(&branch) };
        world.services.register_borrower(&admin(), &input).await.unwrap();
    }
    world
}

async fn the_signs_of_like_are_only_text(engine: Engine) {
    let world = world_with(engine, &["100% sure", "100 sure", "a_b", "axb", "a\\b", "a\\%b", "[x]", "it's"]).await;
    for (text, expected) in [
        ("%", vec!["100% sure", "a\\%b"]),
        ("0%", vec!["100% sure"]),
        ("_", vec!["a_b"]),
        ("a_b", vec!["a_b"]),
        ("\\", vec!["a\\b", "a\\%b"]),
        ("a\\b", vec!["a\\b"]),
        ("\\%", vec!["a\\%b"]),
        ("[x]", vec!["[x]"]),
        ("'", vec!["it's"]),
        ("a%b", vec![]),
        ("  sure  ", vec!["100% sure", "100 sure"]),
    ] {
        assert_eq!(names(&world, text).await, expected, "{text:?}");
    }
}

async fn case_does_not_matter_in_any_alphabet(engine: Engine) {
    let world = world_with(engine, &["ÉLODIE Åström", "Жанна", "ΑΘΗΝΑ", "محمد", "Nguyễn 🦀"]).await;
    for (text, expected) in [
        ("élodie å", "ÉLODIE Åström"),
        ("ÅSTRÖM", "ÉLODIE Åström"),
        ("жанна", "Жанна"),
        ("ЖАННА", "Жанна"),
        ("αθηνα", "ΑΘΗΝΑ"),
        ("محمد", "محمد"),
        ("NGUYỄN", "Nguyễn 🦀"),
        ("🦀", "Nguyễn 🦀"),
    ] {
        assert_eq!(names(&world, text).await, [expected], "{text}");
    }
}

async fn a_reference_is_found_as_it_is_written(engine: Engine) {
    let world = World::new(engine).await;
    let branch = world.branch("NBO", None).await;
    for (index, reference) in ["Crm-1", "RÉF-2", "réf-3"].into_iter().enumerate() {
        let input = RegisterBorrower {
            name: format!("Bearer {}", index + 1),
            external_ref: Some(reference.to_owned()),
            ..new_borrower(&branch)
        };
        world.services.register_borrower(&admin(), &input).await.unwrap();
        assert_eq!(names(&world, reference).await, [format!("Bearer {}", index + 1)], "{reference}");
    }
    assert_eq!(names(&world, "CRM-").await, ["Bearer 1"]);
}

async fn names_sort_by_code_point_whatever_the_database_is_set_to(engine: Engine) {
    let world = World::new(engine).await;
    let mut codes = Vec::new();
    for (index, name) in ["a b", "a-c", "ab", "äb", "zb", "_b", "1b", "a 🦀", "été"].iter().enumerate() {
        let input = CreateBranch { name: (*name).to_owned(), ..new_branch(&format!("B{index}")) };
        codes.push(world.services.create_branch(&admin(), &input).await.unwrap().name);
    }
    codes.sort();
    let order = [SortKey { field: BranchField::Name, descending: false }];
    let mut request = PageRequest { size: 2, backward: false, cursor: None };
    let mut listed = Vec::new();
    loop {
        let page = world.services.branches(&admin(), &Filter::default(), &order, &request).await.unwrap();
        listed.extend(page.rows.iter().map(|(_, branch)| branch.name.clone()));
        request.cursor = page.rows.last().map(|(cursor, _)| cursor.to_string());
        if !page.has_next {
            break;
        }
    }
    assert_eq!(listed, codes);
}
