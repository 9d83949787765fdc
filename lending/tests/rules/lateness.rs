//! The charge for being late: once for each installment, after its grace, of what is overdue but penalties, capped.
//! The loan of the examples is 1,000.00 at 2 % a month over 4, and asks for 262.62 on 15 February and 15 March.

use lending::loan::lateness::{LateChargeDue, late_charges};
use lending::loan::{ChargeAmount, ChargeKind, Conditions, Event, LateCharge};

use crate::example::{Example, day};

fn loan(amount: ChargeAmount, cap: Option<i64>) -> Example {
    let late_charge = Some(LateCharge { amount, grace_days: 2, cap });
    Example::new(100_000, "24", 4, "2024-01-15", Conditions { late_charge, ..Conditions::default() })
}

/// 5 % of what is overdue.
fn share(cap: Option<i64>) -> Example {
    loan(ChargeAmount::Share(50_000), cap)
}

fn due(example: &Example, on: &str) -> Vec<(u32, i64)> {
    let found = late_charges(&example.on(on), &example.terms, &example.transactions, day(on)).unwrap();
    found.iter().map(|LateChargeDue { installment, amount }| (*installment, *amount)).collect()
}

fn charged(example: Example, installment: u32, on: &str) -> Example {
    let late_for = Some(installment);
    example.then(on, Event::Charge { amount: 1_313, charge: ChargeKind::Penalty, due_on: day(on), late_for })
}

#[test]
fn it_is_made_when_the_grace_is_over() {
    for (on, expected) in [("2024-02-15", vec![]), ("2024-02-17", vec![]), ("2024-02-18", vec![(1, 1_313)])] {
        assert_eq!(due(&share(None), on), expected, "{on}");
    }
    assert_eq!(due(&share(None), "2024-03-18"), [(1, 1_313), (2, 1_313)]);
}

#[test]
fn it_is_flat_or_a_share_and_never_more_than_its_cap() {
    assert_eq!(due(&loan(ChargeAmount::Flat(500), None), "2024-02-18"), [(1, 500)]);
    assert_eq!(due(&loan(ChargeAmount::Flat(500), Some(400)), "2024-02-18"), [(1, 400)]);
    assert_eq!(due(&share(Some(1_000)), "2024-02-18"), [(1, 1_000)]);
    assert_eq!(due(&share(Some(2_000)), "2024-02-18"), [(1, 1_313)]);
}

#[test]
fn it_is_of_what_is_left_and_penalties_bear_none() {
    // 1.10 are left, and 5 % of them are 5.5 cents: 6. Of a penalty alone nothing is charged.
    assert_eq!(due(&share(None).pays("2024-02-16", 26_152), "2024-02-18"), [(1, 6)]);
    let penalized = share(None).pays("2024-02-15", 26_262).penalty("2024-02-15", "2024-02-15", 700);
    assert_eq!(due(&penalized, "2024-02-18"), []);
    assert_eq!(due(&share(None).pays("2024-02-18", 26_262), "2024-02-18"), []);
}

#[test]
fn it_is_made_once_even_when_it_was_reversed() {
    let once = charged(share(None), 1, "2024-02-18");
    assert_eq!(due(&once, "2024-03-01"), []);
    assert_eq!(due(&once.reversing(2), "2024-03-01"), []);
    assert_eq!(due(&charged(share(None), 1, "2024-02-18"), "2024-03-18"), [(2, 1_313)]);
}

#[test]
fn a_loan_off_the_books_or_given_up_bears_none() {
    assert_eq!(due(&share(None).then("2024-02-16", Event::ChargeOff), "2024-02-18"), []);
    assert_eq!(due(&share(None).then("2024-02-16", Event::WriteOff), "2024-02-18"), []);
}
