//! The rules of lending by example, worked out by hand, and by property, a thousand cases each. One file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

mod allocation;
mod arrears;
mod charges;
mod closing;
mod credit;
mod currency;
mod day_counts;
mod disclosure;
mod disclosure_details;
mod disclosure_properties;
mod due_dates;
mod example;
mod fold_properties;
mod lateness;
mod ledger_properties;
mod lifecycle;
mod lifecycle_properties;
mod limits;
mod long_loans;
mod money;
mod payoff;
mod postings;
mod random;
mod rate;
mod recalculation;
mod schedule_properties;
mod schedules;

use chrono::NaiveDate;
use lending::loan::Business;
use lending::money::{Currency, Money};
use proptest::prelude::ProptestConfig;

/// A thousand cases a property and more; as many as `PROPTEST_CASES` says when that is more still.
fn thorough() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(2_000), ..usual }
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn money(amount: &str, code: &str) -> Money {
    Money::parse_amount(amount, currency(code)).unwrap()
}

/// A day of the March the examples play in.
fn march(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 3, day).unwrap()
}

/// The business date of the examples is 20 March, under maker-checker.
fn business() -> Business {
    Business { today: march(20), maker_checker: true }
}
