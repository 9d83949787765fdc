//! The streams: fixed for all time, within their bounds.

use chrono::DateTime;

use crate::service::demo::DemoOptions;
use crate::service::demo::countries::countries;
use crate::service::demo::draw::{Draws, id_from};
use crate::service::demo::portfolio::Portfolio;

#[test]
fn a_stream_is_the_same_on_every_machine_and_in_every_version() {
    let mut draws = Draws::new(1, "loan", 0);
    let first: Vec<_> = (0..6).map(|_| draws.below(1_000_000)).collect();
    assert_eq!(first, [589_666, 719_642, 932_380, 629_799, 967_508, 135_393]);
}

#[test]
fn streams_differ_by_seed_kind_and_row() {
    let first = |seed, kind, row| Draws::new(seed, kind, row).below(u64::MAX);
    let base = first(1, "loan", 0);
    assert_eq!(first(1, "loan", 0), base);
    for other in [first(2, "loan", 0), first(1, "borrower", 0), first(1, "loan", 1)] {
        assert_ne!(other, base);
    }
}

#[test]
fn draws_stay_within_their_bounds_and_reach_them() {
    let mut draws = Draws::new(4, "bounds", 0);
    let seen: Vec<_> = (0..2_000).map(|_| draws.between(-2, 3)).collect();
    assert_eq!((seen.iter().min(), seen.iter().max()), (Some(&-2), Some(&3)));
    assert_eq!(draws.below(0), 0);
    assert_eq!(draws.below(1), 0);
    assert_eq!(draws.pick::<u8>(&[]), None);
    assert_eq!(draws.weighted::<u8>(&[]), None);
    let picks: Vec<_> = (0..2_000).filter_map(|_| draws.weighted(&[('a', 0), ('b', 1), ('c', 9)])).collect();
    assert_eq!(picks.len(), 2_000);
    assert!(!picks.contains(&'a') && picks.contains(&'b'));
    assert!(picks.iter().filter(|pick| **pick == 'c').count() > 1_600);
}

#[test]
fn ids_are_of_their_moment() {
    let moment = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
    let id = id_from(moment, 5);
    assert_eq!(id.to_string(), "018bcfe5-687b-7000-8000-000000000005");
    assert_eq!(id.get_version_num(), 7);
}

#[test]
fn the_codes_of_the_largest_portfolio_fit_their_column() {
    let options = DemoOptions { loans: 10_000_000, seed: u64::MAX };
    let portfolio = Portfolio::new(countries().unwrap(), options);
    let longest = (4_900..5_000).map(|number| portfolio.branch(number).code).max_by_key(String::len).unwrap();
    assert!(longest.len() <= 32, "{longest}");
}
