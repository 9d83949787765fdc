//! Days past due, buckets, and default with its cure.

use lending::loan::arrears::{Bucket, days_past_due};
use lending::loan::conditions::USUAL_BUCKETS;
use lending::loan::{Conditions, Standing};

use crate::example::{Example, day, portions};

/// 300.00 without interest, 100.00 on 15 February, March and April.
fn loan(conditions: Conditions) -> Example {
    Example::new(30_000, "0", 3, "2024-01-15", conditions)
}

#[test]
fn days_past_due_start_the_day_after_the_due_date() {
    let loan = loan(Conditions::default());
    for (on, expected) in [("2024-02-14", 0), ("2024-02-15", 0), ("2024-02-16", 1), ("2024-03-16", 30)] {
        assert_eq!(loan.on(on).days_past_due(), expected, "{on}");
        assert_eq!(days_past_due(day("2024-02-15"), day(on)), expected);
    }
}

#[test]
fn any_cent_keeps_an_installment_past_due() {
    let nearly = loan(Conditions::default()).pays("2024-02-20", 9_999);
    assert_eq!(nearly.on("2024-02-21").days_past_due(), 6);
    let paid = nearly.pays("2024-02-21", 1);
    assert_eq!(paid.on("2024-02-21").days_past_due(), 0);
    assert_eq!(paid.on("2024-03-17").days_past_due(), 2);
    assert_eq!(paid.on("2024-02-21").next_due_on(), Some(day("2024-03-15")));
    assert_eq!(paid.reversing(3).on("2024-03-17").days_past_due(), 31);
}

#[test]
fn overdue_is_what_was_due_before_the_day() {
    let loan = loan(Conditions::default());
    assert_eq!(loan.on("2024-03-15").overdue().unwrap(), portions(10_000, 0, 0, 0));
    assert_eq!(loan.on("2024-03-16").overdue().unwrap(), portions(20_000, 0, 0, 0));
    assert_eq!(loan.on("2024-03-16").outstanding().unwrap(), portions(30_000, 0, 0, 0));
}

#[test]
fn buckets_are_the_usual_ten() {
    for (days, from, to) in [
        (0, 0, Some(0)),
        (1, 1, Some(3)),
        (3, 1, Some(3)),
        (4, 4, Some(30)),
        (30, 4, Some(30)),
        (31, 31, Some(60)),
        (61, 61, Some(90)),
        (120, 91, Some(120)),
        (150, 121, Some(150)),
        (151, 151, Some(180)),
        (240, 181, Some(240)),
        (241, 241, None),
        (9_999, 241, None),
    ] {
        assert_eq!(Bucket::of(days, &USUAL_BUCKETS), Bucket { from, to }, "{days}");
    }
}

#[test]
fn a_product_has_its_own_buckets() {
    assert_eq!(Bucket::of(8, &[7]), Bucket { from: 8, to: None });
    assert_eq!(Bucket::of(0, &[]), Bucket { from: 0, to: None });
}

#[test]
fn a_loan_defaults_after_ninety_days_and_is_cured_when_arrears_are_paid() {
    let loan = loan(Conditions::default());
    assert_eq!(loan.on("2024-05-14").standing, Standing::Active, "89 days");
    assert_eq!(loan.on("2024-05-15").standing, Standing::Defaulted { on: day("2024-05-15") }, "90 days");
    let still = loan.pays("2024-05-20", 29_999);
    assert_eq!(still.on("2024-05-20").standing, Standing::Defaulted { on: day("2024-05-15") });
    let cured = still.pays("2024-05-21", 1);
    assert_eq!(cured.on("2024-05-21").standing, Standing::Repaid { on: day("2024-05-21") });
}

#[test]
fn arrears_paid_in_full_cure_a_loan_that_still_runs() {
    let conditions = Conditions { default_after_days: 20, ..Conditions::default() };
    let loan = loan(conditions).pays("2024-03-10", 5_000);
    assert_eq!(loan.on("2024-03-10").standing, Standing::Defaulted { on: day("2024-03-06") });
    let cured = loan.pays("2024-03-11", 5_000);
    assert_eq!(cured.on("2024-03-11").standing, Standing::Active);
    assert_eq!(cured.on("2024-04-04").standing, Standing::Defaulted { on: day("2024-04-04") }, "a second time");
}
