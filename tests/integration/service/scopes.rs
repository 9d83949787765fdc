//! Who sees what: an actor of a branch sees its subtree, and what lies outside cannot be told from what does not exist.

use std::collections::BTreeSet;
use std::fmt::Debug;

use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::service::ServiceError;
use branch_loan_api::service::borrowers::{BorrowerField, BorrowerKey};
use branch_loan_api::service::branches::{BranchField, BranchKey, CreateBranch, UpdateBranch};
use branch_loan_api::service::check::Change;
use branch_loan_api::service::list::{Filter, PageRequest, Scalar, Test};
use branch_loan_api::service::loans::{ApplyForLoan, LoanField, LoanKey};
use branch_loan_api::service::portfolio::{GroupBy, GroupKey, Report};
use branch_loan_api::service::problem::ProblemCode;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::fill::{Filled, fill};
use crate::support::inputs::{
    application, approve, borrower_change, branch_change, new_borrower, new_branch, reject, withdraw,
};
use crate::support::random::Dice;
use crate::support::services::{World, actor, admin, admin_of, auditor_of, manager_of, officer_of, problem, refusal};

both_engines!(
    lists_show_the_subtree_only,
    single_rows_outside_do_not_exist,
    totals_and_counts_are_of_the_subtree,
    filters_that_name_foreign_branches_find_nothing,
    filters_that_name_rows_of_elsewhere_find_nothing,
    foreign_and_missing_rows_are_refused_alike,
    several_grants_add_up_and_no_grant_shows_nothing,
    a_moved_branch_takes_its_rows_with_it,
    a_closed_branch_stays_visible,
    only_those_of_all_branches_make_or_leave_a_top,
);

async fn filled(engine: Engine) -> (World, Filled) {
    let world = World::new(engine).await;
    let filled = fill(&world.database, &mut Dice::new(), 300).await;
    (world, filled)
}

const ALL: PageRequest = PageRequest { size: 1_000, backward: false, cursor: None };

async fn loans_of(world: &World, actor: &Actor, filter: &Filter<LoanField>) -> BTreeSet<Uuid> {
    let page = world.services.loans(actor, filter, &[], &ALL).await.unwrap();
    page.rows.into_iter().map(|(_, loan)| loan.id).collect()
}

fn under(filled: &Filled, codes: &[&str]) -> BTreeSet<Uuid> {
    let roots: Vec<Uuid> = codes.iter().map(|code| filled.branch(code).id).collect();
    filled.loans.iter().filter(|loan| filled.is_under(loan.branch_id, &roots)).map(|loan| loan.id).collect()
}

async fn lists_show_the_subtree_only(engine: Engine) {
    let (world, filled) = filled(engine).await;
    for code in ["ROOT", "EAST", "NBO", "OTHER"] {
        let actor = officer_of(code);
        let roots = [filled.branch(code).id];
        assert_eq!(loans_of(&world, &actor, &Filter::default()).await, under(&filled, &[code]), "{code}");
        let page = world.services.borrowers(&actor, &Filter::default(), &[], &ALL).await.unwrap();
        let seen: BTreeSet<Uuid> = page.rows.into_iter().map(|(_, row)| row.id).collect();
        let due = filled.borrowers.iter().filter(|row| filled.is_under(row.branch_id, &roots)).map(|row| row.id);
        assert_eq!(seen, due.collect(), "{code}");
        let page = world.services.branches(&actor, &Filter::default(), &[], &ALL).await.unwrap();
        let seen: BTreeSet<Uuid> = page.rows.into_iter().map(|(_, row)| row.id).collect();
        let due = filled.branches.iter().filter(|row| filled.is_under(row.id, &roots)).map(|row| row.id);
        assert_eq!(seen, due.collect(), "{code}");
    }
    let page = world.services.loan_products(&officer_of("NBO"), &Filter::default(), &[], &ALL).await.unwrap();
    assert_eq!(page.rows.len(), filled.products.len(), "products belong to the whole lender");
}

async fn single_rows_outside_do_not_exist(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let actor = auditor_of("EAST");
    let east = [filled.branch("EAST").id];
    for loan in filled.loans.iter().take(60) {
        let visible = filled.is_under(loan.branch_id, &east);
        let found = world.services.loan(&actor, &LoanKey::Id(loan.id)).await.unwrap();
        assert_eq!(found.is_some(), visible);
        let found = world.services.loan(&actor, &LoanKey::Number(loan.number.clone())).await.unwrap();
        assert_eq!(found.is_some(), visible);
        if let Some(reference) = &loan.external_ref {
            let found = world.services.loan(&actor, &LoanKey::ExternalRef(reference.clone())).await.unwrap();
            assert_eq!(found.is_some(), visible);
        }
    }
    for borrower in &filled.borrowers {
        let visible = filled.is_under(borrower.branch_id, &east);
        for key in [BorrowerKey::Id(borrower.id), BorrowerKey::Number(borrower.number.clone())] {
            assert_eq!(world.services.borrower(&actor, &key).await.unwrap().is_some(), visible);
        }
    }
    for branch in &filled.branches {
        let visible = filled.is_under(branch.id, &east);
        for key in [BranchKey::Id(branch.id), BranchKey::Code(branch.code.clone())] {
            assert_eq!(world.services.branch(&actor, &key).await.unwrap().is_some(), visible);
        }
    }
    let ids: Vec<Uuid> = filled.loans.iter().map(|loan| loan.id).chain([Uuid::from_u128(1)]).collect();
    let found = world.services.loans_by_id(&actor, &ids).await.unwrap();
    let seen: BTreeSet<Uuid> = found.iter().flatten().map(|loan| loan.id).collect();
    assert_eq!((found.len(), seen), (ids.len(), under(&filled, &["EAST"])));
    let ids: Vec<Uuid> = filled.borrowers.iter().map(|row| row.id).collect();
    for (id, found) in ids.iter().zip(world.services.borrowers_by_id(&actor, &ids).await.unwrap()) {
        let home = filled.borrowers.iter().find(|row| row.id == *id).unwrap().branch_id;
        assert_eq!(found.is_some(), filled.is_under(home, &east));
    }
}

async fn totals_and_counts_are_of_the_subtree(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let none = Filter::default();
    for code in ["ROOT", "WEST", "OTHER"] {
        let actor = auditor_of(code);
        let due = i64::try_from(under(&filled, &[code]).len()).unwrap();
        let count = world.services.count_loans(&actor, &none).await.unwrap();
        assert_eq!(i64::try_from(count).unwrap(), due);
        for group in GroupBy::ALL {
            let report = Report::new(none.clone(), None);
            let counted = report.counted(&world.services, &actor, group).await.unwrap();
            assert_eq!(counted.values().map(|sum| sum.count).sum::<i64>(), due, "{group:?}");
            for (key, _) in counted.keys() {
                let GroupKey::Branch(branch) = key else { continue };
                assert!(filled.is_under(*branch, &[filled.branch(code).id]));
            }
        }
    }
}

/// A branch beside one's own, one above it, and one that does not exist: all the same.
async fn filters_that_name_foreign_branches_find_nothing(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let actor = officer_of("EAST");
    let id = |code| filled.branch(code).id;
    for foreign in [id("WEST"), id("ROOT"), id("OTHER"), Uuid::from_u128(1)] {
        let subtree = Filter::UnderBranches(vec![foreign]);
        assert_eq!(loans_of(&world, &actor, &subtree).await, BTreeSet::new());
        assert_eq!(world.services.count_loans(&actor, &subtree).await.unwrap(), 0);
        let report = Report::new(subtree.clone(), None);
        assert!(report.counted(&world.services, &actor, GroupBy::Nothing).await.unwrap().is_empty());
        assert_eq!(
            loans_of(&world, &actor, &Filter::Not(Box::new(subtree))).await,
            under(&filled, &["EAST"]),
            "the complement is one's own subtree"
        );
        let exactly = Filter::Field(LoanField::Branch, Test::Is(Scalar::Id(foreign)));
        assert_eq!(loans_of(&world, &actor, &exactly).await, BTreeSet::new());
        let borrowers = Filter::<BorrowerField>::UnderBranches(vec![foreign]);
        assert_eq!(world.services.count_borrowers(&actor, &borrowers).await.unwrap(), 0);
        let branches = Filter::<BranchField>::UnderBranches(vec![foreign]);
        assert_eq!(world.services.count_branches(&actor, &branches).await.unwrap(), 0);
    }
    let own = Filter::UnderBranches(vec![id("NBO"), id("LOS")]);
    assert_eq!(loans_of(&world, &actor, &own).await, under(&filled, &["NBO"]));
    let search = Filter::Search("L-0".to_owned());
    assert_eq!(loans_of(&world, &actor, &search).await, under(&filled, &["EAST"]));
}

/// A row of one's own is not found by what it refers to elsewhere, nor by the words of it.
async fn filters_that_name_rows_of_elsewhere_find_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let (_, borrower, product) = world.parties().await;
    let away = world.branch("AWAY", None).await;
    let below = world.branch("BELOW", Some(&away)).await;
    let input = ApplyForLoan { branch: Some(below.id), ..application("k", &borrower, &product) };
    world.services.apply_for_loan(&admin(), &input).await.unwrap();
    let by_id = Filter::Field(LoanField::Borrower, Test::Is(Scalar::Id(borrower.id)));
    for filter in [by_id, Filter::Search(borrower.name.clone())] {
        let not = Filter::Not(Box::new(filter.clone()));
        for (actor, found) in [(officer_of("BELOW"), 0), (officer_of("AWAY"), 0), (admin(), 1)] {
            assert_eq!(world.services.count_loans(&actor, &filter).await.unwrap(), found, "{filter:?}");
            assert_eq!(world.services.count_loans(&actor, &not).await.unwrap(), 1 - found, "{not:?}");
        }
    }
    let children = Filter::Field(BranchField::Parent, Test::OneOf(vec![Scalar::Id(away.id)]));
    let others = Filter::Not(Box::new(children.clone()));
    for (actor, found, rest) in [(officer_of("BELOW"), 0, 1), (officer_of("AWAY"), 1, 1)] {
        assert_eq!(world.services.count_branches(&actor, &children).await.unwrap(), found);
        assert_eq!(world.services.count_branches(&actor, &others).await.unwrap(), rest);
    }
}

/// The whole refusal, message and all, is the same for a row elsewhere and for none at all.
async fn foreign_and_missing_rows_are_refused_alike(engine: Engine) {
    let world = World::new(engine).await;
    let (foreign, borrower, product) = world.parties().await;
    let loan = world.loan("k", &borrower, &product).await;
    let home = world.branch("HOME", None).await;
    let own = world.borrower(&home).await;
    let missing = Uuid::from_u128(1);
    let alike = |one: String, other: String| assert_eq!(one, other);
    let manager = manager_of("HOME");
    for step in [approve, reject, withdraw] {
        let outcome = world.services.decide(&manager, &step(loan.id)).await;
        alike(told(&outcome), told(&world.services.decide(&manager, &step(missing)).await));
        assert_eq!(refusal(outcome), problem(ProblemCode::NotFound, "input.loanId"));
    }
    let apply = |borrower, branch| ApplyForLoan { borrower, branch, ..application("n", &own, &product) };
    let services = &world.services;
    alike(
        told(&services.apply_for_loan(&manager, &apply(borrower.id, None)).await),
        told(&services.apply_for_loan(&manager, &apply(missing, None)).await),
    );
    alike(
        told(&services.apply_for_loan(&manager, &apply(own.id, Some(foreign.id))).await),
        told(&services.apply_for_loan(&manager, &apply(own.id, Some(missing))).await),
    );
    alike(
        told(&services.update_borrower(&manager, &borrower_change(borrower.id)).await),
        told(&services.update_borrower(&manager, &borrower_change(missing)).await),
    );
    let register = |branch| {
        let mut input = new_borrower(&home);
        input.branch = branch;
        input
    };
    alike(
        told(&services.register_borrower(&manager, &register(foreign.id)).await),
        told(&services.register_borrower(&manager, &register(missing)).await),
    );
    let admin = admin_of("HOME");
    alike(
        told(&services.update_branch(&admin, &branch_change(foreign.id)).await),
        told(&services.update_branch(&admin, &branch_change(missing)).await),
    );
    alike(
        told(&services.close_branch(&admin, foreign.id, None).await),
        told(&services.close_branch(&admin, missing, None).await),
    );
    let below = |parent| CreateBranch { parent: Some(parent), ..new_branch("NEW") };
    alike(
        told(&services.create_branch(&admin, &below(foreign.id)).await),
        told(&services.create_branch(&admin, &below(missing)).await),
    );
    let moved = |parent| UpdateBranch { parent: Change::Set(parent), ..branch_change(home.id) };
    alike(
        told(&services.update_branch(&admin, &moved(foreign.id)).await),
        told(&services.update_branch(&admin, &moved(missing)).await),
    );
}

/// The problems of a refusal as text, to compare.
fn told<T: Debug>(outcome: &Result<T, ServiceError>) -> String {
    match outcome {
        Err(ServiceError::Rejected(problems)) => {
            assert_eq!(problems[0].code, ProblemCode::NotFound);
            format!("{problems:?}")
        }
        other => panic!("a refusal was due: {other:?}"),
    }
}

async fn several_grants_add_up_and_no_grant_shows_nothing(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let none = Filter::default();
    let of = |codes: &[&str]| {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        actor("someone", &[Role::Auditor], BranchGrant::Codes(codes))
    };
    assert_eq!(loans_of(&world, &of(&["NBO", "WEST"]), &none).await, under(&filled, &["NBO", "WEST"]));
    assert_eq!(loans_of(&world, &of(&["EAST", "NBO"]), &none).await, under(&filled, &["EAST"]));
    assert_eq!(loans_of(&world, &of(&["NBO", "NO-SUCH"]), &none).await, under(&filled, &["NBO"]));
    for nobody in [of(&[]), of(&["NO-SUCH"]), of(&["nbo"]), of(&["%"])] {
        assert_eq!(loans_of(&world, &nobody, &none).await, BTreeSet::new());
        assert_eq!(world.services.count_branches(&nobody, &Filter::default()).await.unwrap(), 0);
        assert_eq!(world.services.count_borrowers(&nobody, &Filter::default()).await.unwrap(), 0);
        let report = Report::new(none.clone(), None);
        assert!(report.counted(&world.services, &nobody, GroupBy::Nothing).await.unwrap().is_empty());
    }
}

async fn a_moved_branch_takes_its_rows_with_it(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let (west, east) = (filled.branch("WEST"), filled.branch("EAST"));
    let own = under(&filled, &["WEST"]);
    let moved = under(&filled, &["NBO"]);
    assert!(!moved.is_empty());
    let to_west = UpdateBranch { parent: Change::Set(west.id), ..branch_change(filled.branch("NBO").id) };
    world.services.update_branch(&admin(), &to_west).await.unwrap();
    let expected: BTreeSet<Uuid> = own.union(&moved).copied().collect();
    assert_eq!(loans_of(&world, &officer_of("WEST"), &Filter::default()).await, expected);
    assert_eq!(loans_of(&world, &admin(), &Filter::UnderBranches(vec![west.id])).await, expected);
    assert!(loans_of(&world, &officer_of("EAST"), &Filter::default()).await.is_disjoint(&moved));
    assert!(loans_of(&world, &admin(), &Filter::UnderBranches(vec![east.id])).await.is_disjoint(&moved));
    assert_eq!(loans_of(&world, &officer_of("NBO"), &Filter::default()).await, moved);
}

async fn a_closed_branch_stays_visible(engine: Engine) {
    let world = World::new(engine).await;
    let (branch, borrower, product) = world.parties().await;
    let loan = world.loan("k", &borrower, &product).await;
    world.services.decide(&admin(), &reject(loan.id)).await.unwrap();
    world.services.close_branch(&admin(), branch.id, None).await.unwrap();
    assert_eq!(loans_of(&world, &auditor_of("NBO"), &Filter::default()).await, BTreeSet::from([loan.id]));
}

async fn only_those_of_all_branches_make_or_leave_a_top(engine: Engine) {
    let world = World::new(engine).await;
    let home = world.branch("HOME", None).await;
    let below = world.branch("BELOW", Some(&home)).await;
    let required = problem(ProblemCode::Required, "input.parentId");
    let outcome = world.services.create_branch(&admin_of("HOME"), &new_branch("TOP")).await;
    assert_eq!(refusal(outcome), required);
    let up = UpdateBranch { parent: Change::Clear, ..branch_change(below.id) };
    assert_eq!(refusal(world.services.update_branch(&admin_of("HOME"), &up).await), required);
    let inside = CreateBranch { parent: Some(below.id), ..new_branch("INSIDE") };
    let inside = world.services.create_branch(&admin_of("HOME"), &inside).await.unwrap();
    let across = UpdateBranch { parent: Change::Set(home.id), ..branch_change(inside.id) };
    world.services.update_branch(&admin_of("HOME"), &across).await.unwrap();
    world.services.update_branch(&admin(), &up).await.unwrap();
}
