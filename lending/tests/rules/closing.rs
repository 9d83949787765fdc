//! The ends of a loan: given up, taken off the books and still collected, recovered; and what it earned until then.

use lending::loan::{Conditions, Event, Standing};

use crate::example::{Example, day, portions};

/// 1,000.00 at 2 % a month over 4: interest of 20.00, 15.15, 10.20 and 5.15.
fn loan() -> Example {
    Example::new(100_000, "24", 4, "2024-01-15", Conditions::default())
}

#[test]
fn interest_is_earned_by_days_and_in_full_when_it_is_due() {
    let state = loan().on("2024-01-15");
    for (on, interest) in [
        ("2024-01-15", 0),
        // 1 and 16 of 31 days of 20.00.
        ("2024-01-16", 65),
        ("2024-01-31", 1_032),
        ("2024-02-15", 2_000),
        // 10 of the 29 days of 15.15 more.
        ("2024-02-25", 2_522),
        ("2024-05-15", 5_050),
        ("2025-01-01", 5_050),
    ] {
        assert_eq!(state.earned(day(on)).unwrap(), portions(0, interest, 0, 0), "{on}");
    }
}

#[test]
fn what_was_paid_or_waived_is_earned() {
    let state = loan().pays("2024-01-20", 1_500).on("2024-01-20");
    assert_eq!(state.earned(day("2024-01-20")).unwrap().interest, 1_500);
    let state = loan().then("2024-01-20", Event::InterestWaiver { amount: 1_800 }).on("2024-01-20");
    assert_eq!(state.earned(day("2024-01-20")).unwrap().interest, 1_800);
    let state = loan().fee("2024-01-20", "2024-01-20", 700).on("2024-01-20");
    assert_eq!(state.earned(day("2024-02-14")).unwrap().fees, 0, "its installment is not due yet");
    assert_eq!(state.earned(day("2024-02-15")).unwrap().fees, 700);
}

#[test]
fn a_write_off_closes_all_portions() {
    let state = loan().pays("2024-02-15", 26_262).then("2024-03-01", Event::WriteOff).on("2024-06-01");
    assert_eq!(state.standing, Standing::WrittenOff { on: day("2024-03-01") });
    assert!(state.outstanding().unwrap().is_zero());
    assert_eq!(state.effects[2].amount, 75_738 + 3_050);
    assert_eq!(state.effects[2].portions, portions(75_738, 3_050, 0, 0));
    assert_eq!(state.days_past_due(), 0);
    assert_eq!(state.installments[3].written_off, state.installments[3].due);
    // 15 of 29 days of 15.15.
    assert_eq!(state.earned(day("2024-06-01")).unwrap().interest, 2_000 + 784);
}

#[test]
fn recovered_money_is_counted_apart() {
    let state = loan()
        .then("2024-03-01", Event::WriteOff)
        .then("2024-04-01", Event::Recovery { amount: 700 })
        .then("2024-05-01", Event::Recovery { amount: 300 })
        .on("2024-05-01");
    assert_eq!(state.recovered, 1_000);
    assert_eq!(state.standing, Standing::WrittenOff { on: day("2024-03-01") });
    assert!(state.installments.iter().all(|row| row.paid.is_zero()));
}

#[test]
fn a_reversed_write_off_leaves_the_loan_as_it_was() {
    let example = loan().then("2024-03-01", Event::WriteOff).reversing(2);
    assert_eq!(example.on("2024-03-01"), loan().on("2024-03-01"));
}

#[test]
fn a_loan_charged_off_accrues_no_more_and_is_still_collected() {
    let example = loan().then("2024-01-31", Event::ChargeOff).pays("2024-02-20", 26_262);
    let state = example.on("2024-02-20");
    assert_eq!(state.charged_off_on, Some(day("2024-01-31")));
    assert_eq!(state.standing, Standing::Active);
    assert_eq!(state.earned(day("2024-05-15")).unwrap().interest, 1_032);
    assert_eq!(state.effects[2].portions, portions(24_262, 2_000, 0, 0));
    assert_eq!(state.outstanding().unwrap(), portions(75_738, 3_050, 0, 0));
}
