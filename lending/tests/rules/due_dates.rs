//! When installments fall due: counted from the seed date, on the days the branch works, and never two on one day.

use chrono::Weekday;
use lending::calendar::Calendar;
use lending::loan::conditions::{Amortization, DayCount, MonthEnd, NonWorkingDays};
use lending::loan::{Conditions, FoldError, Loan, LoanTerms, PeriodUnit};

use crate::example::{Example, asked, dates, day};

fn due(installments: u32, every: u32, unit: PeriodUnit, on: &str, conditions: Conditions) -> Vec<String> {
    let change = |terms: &mut LoanTerms| (terms.every, terms.unit) = (every, unit);
    dates(&Example::with(100_000, "12", installments, on, conditions, change).schedule())
}

#[test]
fn a_loan_of_the_31st_stays_one_of_the_31st() {
    let found = due(4, 1, PeriodUnit::Month, "2024-01-31", Conditions::default());
    assert_eq!(found, ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]);
    let found = due(2, 1, PeriodUnit::Month, "2023-01-31", Conditions::default());
    assert_eq!(found, ["2023-02-28", "2023-03-31"]);
}

#[test]
fn a_day_the_month_does_not_have_rolls_if_agreed() {
    let roll = Conditions { month_end: MonthEnd::NextMonth, ..Conditions::default() };
    let found = due(3, 1, PeriodUnit::Month, "2023-01-31", roll);
    assert_eq!(found, ["2023-03-01", "2023-03-31", "2023-05-01"]);
}

#[test]
fn every_unit_can_be_counted_in_steps() {
    for (every, unit, expected) in [
        (1, PeriodUnit::Week, ["2024-02-27", "2024-03-05"]),
        (2, PeriodUnit::Week, ["2024-03-05", "2024-03-19"]),
        (15, PeriodUnit::Day, ["2024-03-06", "2024-03-21"]),
        (3, PeriodUnit::Month, ["2024-05-20", "2024-08-20"]),
    ] {
        assert_eq!(due(2, every, unit, "2024-02-20", Conditions::default()), expected);
    }
}

#[test]
fn a_first_due_date_is_the_seed_of_the_others() {
    let change = |terms: &mut LoanTerms| terms.first_due_on = Some(day("2024-03-31"));
    let example = Example::with(100_000, "12", 3, "2024-02-10", Conditions::default(), change);
    assert_eq!(dates(&example.schedule()), ["2024-03-31", "2024-04-30", "2024-05-31"]);
    assert_eq!(example.schedule()[0].starts_on, day("2024-02-10"));
}

#[test]
fn a_first_due_date_before_the_disbursement_makes_no_schedule() {
    let mut example = Example::new(100_000, "12", 3, "2024-02-10", Conditions::default());
    example.terms.first_due_on = Some(day("2024-02-10"));
    let found = Loan::fold(&example.terms, &example.transactions, &example.calendar, day("2024-02-10"));
    assert_eq!(found, Err(FoldError::FirstDuePassed { first_due_on: day("2024-02-10") }));
}

#[test]
fn due_dates_off_work_move_and_interest_follows_only_if_agreed() {
    // 3 March 2024 is a Sunday and 4 March a holiday. Interest of 29 days is 953.42, of 31 days 1019.18.
    let calendar = Calendar::new([Weekday::Sun], [day("2024-03-04")]);
    for (choice, follows, due_on, interest) in [
        (NonWorkingDays::Keep, true, "2024-03-03", 953),
        (NonWorkingDays::Next, false, "2024-03-05", 953),
        (NonWorkingDays::Next, true, "2024-03-05", 1_019),
        (NonWorkingDays::Previous, false, "2024-03-02", 953),
        (NonWorkingDays::Previous, true, "2024-03-02", 921),
    ] {
        let conditions = Conditions {
            non_working_days: choice,
            interest_follows_moved_date: follows,
            day_count: DayCount::Actual365,
            amortization: Amortization::InterestOnly,
            ..Conditions::default()
        };
        let mut example = Example::new(100_000, "12", 1, "2024-02-03", conditions);
        example.calendar = calendar.clone();
        assert_eq!(dates(&example.schedule()), [due_on], "{choice:?} {follows}");
        assert_eq!(asked(&example.schedule()), [(100_000, interest)], "{choice:?} {follows}");
    }
}

#[test]
fn two_installments_never_share_a_day() {
    let conditions = Conditions { non_working_days: NonWorkingDays::Next, ..Conditions::default() };
    let mut example = Example::with(100_000, "12", 4, "2024-03-01", conditions, |terms| terms.unit = PeriodUnit::Day);
    example.calendar = Calendar::new([Weekday::Sat, Weekday::Sun], [day("2024-03-04")]);
    assert_eq!(dates(&example.schedule()), ["2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08"]);
}
