//! The portfolio's totals against sums over the rows in memory.

use std::collections::BTreeMap;

use branch_loan_api::service::list::Filter;
use branch_loan_api::service::loans::LoanRecord;
use branch_loan_api::service::portfolio::Totals;
use lending::loan::LoanStatus;
use rand::Rng;

use crate::support::engines::Engine;
use crate::support::fill::fill;
use crate::support::model::{matches, random_filter};
use crate::support::random::Dice;
use crate::support::services::{World, admin};

both_engines!(totals_are_sums_per_currency_whatever_the_filter, an_empty_portfolio_has_no_totals);

/// Count and sum per currency, in the order of the codes.
fn totals<'a>(loans: impl Iterator<Item = &'a LoanRecord>) -> Vec<Totals> {
    let mut sums: BTreeMap<&str, Totals> = BTreeMap::new();
    for loan in loans {
        let principal = loan.terms.principal;
        sums.entry(principal.currency().code())
            .and_modify(|sum| {
                sum.count += 1;
                sum.principal = sum.principal.checked_add(principal).unwrap();
            })
            .or_insert(Totals { count: 1, principal });
    }
    sums.into_values().collect()
}

async fn totals_are_sums_per_currency_whatever_the_filter(engine: Engine) {
    let world = World::new(engine).await;
    let mut dice = Dice::new();
    let filled = fill(&world.database, &mut dice, 300).await;
    for round in 0..20 {
        let depth = dice.random_range(0..3);
        let filter = if round == 0 { Filter::default() } else { random_filter(&mut dice, &filled, depth) };
        let matching: Vec<&LoanRecord> = filled.loans.iter().filter(|loan| matches(&filter, loan, &filled)).collect();
        let services = &world.services;
        let all = services.portfolio_totals(&admin(), &filter).await.unwrap();
        assert_eq!(all, totals(matching.iter().copied()), "{filter:?}");

        for group in services.portfolio_by_status(&admin(), &filter).await.unwrap() {
            let of_status = matching.iter().filter(|loan| loan.state.status() == group.key);
            assert_eq!(group.totals, totals(of_status.copied()), "{filter:?}");
        }
        let statuses: Vec<LoanStatus> =
            services.portfolio_by_status(&admin(), &filter).await.unwrap().into_iter().map(|group| group.key).collect();
        let present =
            LoanStatus::ALL.into_iter().filter(|status| matching.iter().any(|loan| loan.state.status() == *status));
        assert_eq!(statuses, present.collect::<Vec<_>>(), "in the order of a loan's life");

        let by_branch = services.portfolio_by_branch(&admin(), &filter).await.unwrap();
        assert!(by_branch.is_sorted_by_key(|group| group.key));
        for group in &by_branch {
            let of_branch = matching.iter().filter(|loan| loan.branch_id == group.key);
            assert_eq!(group.totals, totals(of_branch.copied()), "{filter:?}");
        }
        let by_product = services.portfolio_by_product(&admin(), &filter).await.unwrap();
        for group in &by_product {
            let of_product = matching.iter().filter(|loan| loan.product_id == group.key);
            assert_eq!(group.totals, totals(of_product.copied()), "{filter:?}");
        }
        for groups in [by_branch, by_product] {
            let counted: i64 = groups.iter().flat_map(|group| &group.totals).map(|total| total.count).sum();
            assert_eq!(counted, i64::try_from(matching.len()).unwrap());
        }
    }
}

async fn an_empty_portfolio_has_no_totals(engine: Engine) {
    let world = World::new(engine).await;
    let none = Filter::default();
    assert!(world.services.portfolio_totals(&admin(), &none).await.unwrap().is_empty());
    assert!(world.services.portfolio_by_status(&admin(), &none).await.unwrap().is_empty());
    assert!(world.services.portfolio_by_branch(&admin(), &none).await.unwrap().is_empty());
    assert!(world.services.portfolio_by_product(&admin(), &none).await.unwrap().is_empty());
}
