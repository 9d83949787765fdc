//! The portfolio's counts against sums over the rows in memory, whatever the filter.

use std::collections::BTreeMap;

use branch_loan_api::service::list::Filter;
use branch_loan_api::service::loans::{LoanField, LoanRecord};
use branch_loan_api::service::portfolio::{Counted, GroupBy, GroupKey, Report, Sums};
use rand::Rng;

use crate::support::engines::Engine;
use crate::support::fill::fill;
use crate::support::model::{matches, random_filter};
use crate::support::random::Dice;
use crate::support::services::{World, admin};

both_engines!(counts_are_sums_per_currency_and_group_whatever_the_filter, an_empty_portfolio_has_no_totals);

fn key(group: GroupBy, loan: &LoanRecord) -> GroupKey {
    match group {
        GroupBy::Nothing => GroupKey::All,
        GroupBy::Status => GroupKey::Status(loan.state.status()),
        GroupBy::Branch => GroupKey::Branch(loan.branch_id),
        GroupBy::Product => GroupKey::Product(loan.product_id),
        GroupBy::Officer => GroupKey::Officer(loan.officer.clone()),
    }
}

fn expected<'a>(group: GroupBy, loans: impl Iterator<Item = &'a LoanRecord>) -> Sums<Counted> {
    let mut sums: Sums<Counted> = BTreeMap::new();
    for loan in loans {
        let principal = loan.terms.principal;
        let sum = sums.entry((key(group, loan), principal.currency().code())).or_default();
        sum.count += 1;
        sum.principal += principal.minor();
    }
    sums
}

async fn counted(world: &World, filter: &Filter<LoanField>, group: GroupBy) -> Sums<Counted> {
    let report = Report::new(filter.clone(), None);
    Sums::clone(&*report.counted(&world.services, &admin(), group).await.unwrap())
}

async fn counts_are_sums_per_currency_and_group_whatever_the_filter(engine: Engine) {
    let world = World::new(engine).await;
    let mut dice = Dice::new();
    let filled = fill(&world.database, &mut dice, 300).await;
    for round in 0..20 {
        let depth = dice.random_range(0..3);
        let filter = if round == 0 { Filter::default() } else { random_filter(&mut dice, &filled, depth) };
        let matching: Vec<&LoanRecord> = filled.loans.iter().filter(|loan| matches(&filter, loan, &filled)).collect();
        for group in GroupBy::ALL {
            let expected = expected(group, matching.iter().copied());
            assert_eq!(counted(&world, &filter, group).await, expected, "{filter:?}");
        }
    }
}

async fn an_empty_portfolio_has_no_totals(engine: Engine) {
    let world = World::new(engine).await;
    for group in GroupBy::ALL {
        assert!(counted(&world, &Filter::default(), group).await.is_empty());
        let report = Report::new(Filter::default(), None);
        assert!(report.owed(&world.services, &admin(), group).await.unwrap().is_empty());
        assert!(report.late(&world.services, &admin(), group).await.unwrap().is_empty());
        assert!(report.aged(&world.services, &admin(), group).await.unwrap().is_empty());
    }
}
