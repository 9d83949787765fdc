//! Interest of a single period of 10,000.00 at 12 % on each day-count basis. A year's interest is 1,200.00.

use lending::loan::conditions::{Amortization, DayCount};
use lending::loan::{Conditions, LoanTerms, PeriodUnit};

use crate::example::{Example, asked, day};

fn interest(day_count: DayCount, from: &str, until: &str) -> i64 {
    let conditions = Conditions { day_count, amortization: Amortization::Bullet, ..Conditions::default() };
    let change = |terms: &mut LoanTerms| terms.first_due_on = Some(day(until));
    asked(&Example::with(1_000_000, "12", 1, from, conditions, change).schedule())[0].1
}

#[test]
fn each_basis_counts_its_own_days() {
    for (day_count, from, until, expected) in [
        // A twelfth, whatever the dates.
        (DayCount::Periodic, "2024-01-15", "2024-03-31", 10_000),
        // 76 days over 360; the 31st is the 30th only when the period starts at a month's end.
        (DayCount::Thirty360, "2024-01-15", "2024-03-31", 25_333),
        (DayCount::Thirty360, "2024-01-31", "2024-03-31", 20_000),
        (DayCount::Thirty360, "2024-01-31", "2024-02-29", 9_667),
        // 75 days over 360.
        (DayCount::ThirtyE360, "2024-01-15", "2024-03-31", 25_000),
        (DayCount::ThirtyE360, "2024-01-31", "2024-03-31", 20_000),
        // 76 days.
        (DayCount::Actual365, "2024-01-15", "2024-03-31", 24_986),
        (DayCount::Actual360, "2024-01-15", "2024-03-31", 25_333),
        // 76 days over 366; 20 days over 365 and 11 over 366.
        (DayCount::ActualActual, "2024-01-15", "2024-03-31", 24_918),
        (DayCount::ActualActual, "2023-12-12", "2024-01-12", 10_182),
        (DayCount::Actual365, "2023-12-12", "2024-01-12", 10_192),
    ] {
        assert_eq!(interest(day_count, from, until), expected, "{day_count:?} {from} {until}");
    }
}

#[test]
fn a_period_without_dates_is_a_share_of_the_year_by_its_unit() {
    for (unit, every, expected) in
        [(PeriodUnit::Month, 3, 30_000), (PeriodUnit::Week, 2, 4_615), (PeriodUnit::Day, 15, 4_932)]
    {
        let conditions = Conditions { amortization: Amortization::InterestOnly, ..Conditions::default() };
        let change = |terms: &mut LoanTerms| (terms.unit, terms.every) = (unit, every);
        let example = Example::with(1_000_000, "12", 1, "2024-01-15", conditions, change);
        assert_eq!(asked(&example.schedule()), [(1_000_000, expected)]);
    }
}

#[test]
fn halves_round_to_the_even_cent() {
    // 1 % a month of 0.50 and of 1.50, 12 % a year: 0.5 and 1.5 cents.
    for (principal, expected) in [(50, 0), (150, 2), (250, 2)] {
        let conditions = Conditions { amortization: Amortization::Bullet, ..Conditions::default() };
        assert_eq!(asked(&Example::new(principal, "12", 1, "2024-01-15", conditions).schedule())[0].1, expected);
    }
}

#[test]
fn a_half_is_a_half_though_a_twelfth_has_no_end() {
    // Each is exactly half a cent above the figure left of the comma: 1,005.5, 25,374.5 and 467.5.
    for (day_count, principal, percent, days, expected) in [
        (DayCount::Periodic, 120_000, "10.055", 30, 1_006),
        (DayCount::Periodic, 1_522_470, "20", 30, 25_374),
        (DayCount::Thirty360, 165_000, "17", 6, 468),
    ] {
        let conditions = Conditions { day_count, amortization: Amortization::Bullet, ..Conditions::default() };
        let change = |terms: &mut LoanTerms| {
            terms.first_due_on = Some(day("2024-04-01") + chrono::Days::new(days));
        };
        let example = Example::with(principal, percent, 1, "2024-04-01", conditions, change);
        assert_eq!(asked(&example.schedule()), [(principal, expected)], "{principal} at {percent} %");
    }
}
