//! Interest that is fixed and interest that follows the balance. The loan of the examples lends 1,000.00 at 2 % a month
//! and asks for 250.00 of principal four times, so that every figure is a share of 20.00, 15.00, 10.00 and 5.00.

use lending::loan::conditions::{Allocation, AllocationMode, Amortization, EarlyPaymentRule, InterestRecalculation};
use lending::loan::{Conditions, Event, Reschedule};
use lending::rate::Rate;

use crate::example::{Example, asked, dates, day};

fn conditions(recalculation: InterestRecalculation, mode: AllocationMode) -> Conditions {
    Conditions {
        recalculation,
        amortization: Amortization::EqualPrincipal,
        allocation: Allocation { mode, ..Allocation::default() },
        ..Conditions::default()
    }
}

fn loan(conditions: Conditions) -> Example {
    Example::new(100_000, "24", 4, "2024-01-15", conditions)
}

fn daily(mode: AllocationMode) -> Example {
    loan(conditions(InterestRecalculation::DailyBalance, mode))
}

fn interest(example: &Example, on: &str) -> Vec<i64> {
    example.on(on).installments.iter().map(|row| row.due.interest).collect()
}

#[test]
fn fixed_interest_is_what_it_was_whenever_it_is_paid() {
    let example = loan(conditions(InterestRecalculation::Fixed, AllocationMode::ByInstallment));
    assert_eq!(interest(&example, "2024-12-31"), [2_000, 1_500, 1_000, 500]);
    assert_eq!(interest(&example.pays("2024-01-20", 80_000), "2024-12-31"), [2_000, 1_500, 1_000, 500]);
}

#[test]
fn late_principal_bears_interest_until_it_is_paid_or_until_the_day() {
    // Of the second period's 29 days 15 have passed on 1 March: 1,034.48 on 1,000.00 and 724.14 on 750.00, in cents;
    // rounded for each stretch, or for the row.
    for (mode, until_march, paid_march) in
        [(AllocationMode::ByInstallment, 1_758, 1_758), (AllocationMode::Rules, 1_759, 1_759)]
    {
        let example = daily(mode);
        assert_eq!(interest(&example, "2024-02-15"), [2_000, 1_500, 1_000, 500]);
        assert_eq!(interest(&example, "2024-03-01"), [2_000, until_march, 1_000, 500], "{mode:?}");
        assert_eq!(interest(&example, "2024-03-15"), [2_000, 2_000, 1_000, 500], "{mode:?}");
        let example = example.pays("2024-03-01", 27_000);
        assert_eq!(interest(&example, "2024-03-15"), [2_000, paid_march, 1_000, 500], "{mode:?}");
    }
}

#[test]
fn late_principal_stops_growing_at_maturity() {
    for mode in [AllocationMode::ByInstallment, AllocationMode::DueThenAdvance, AllocationMode::Rules] {
        assert_eq!(interest(&daily(mode), "2024-05-15"), [2_000; 4], "{mode:?}");
        assert_eq!(interest(&daily(mode), "2029-01-01"), [2_000; 4], "{mode:?}");
    }
}

#[test]
fn rows_to_come_assume_payment_on_time() {
    assert_eq!(interest(&daily(AllocationMode::ByInstallment), "2024-03-15")[2..], [1_000, 500]);
}

#[test]
fn early_money_lowers_the_balance_from_its_day_and_its_excess_goes_by_rule() {
    // 16 of 31 days on 1,000.00 are 10.32, 15 days on 600.00 are 5.81. 150.00 exceed the first installment.
    for (early_payment, rows) in [
        (EarlyPaymentRule::ReduceInstallment, vec![(40_000, 1_613), (20_000, 1_200), (20_000, 800), (20_000, 400)]),
        (EarlyPaymentRule::ReduceTerm, vec![(40_000, 1_613), (25_000, 1_200), (25_000, 700), (10_000, 200)]),
        (EarlyPaymentRule::NextInstallments, vec![(40_000, 1_613), (10_000, 1_200), (25_000, 1_000), (25_000, 500)]),
    ] {
        let conditions = Conditions {
            early_payment,
            ..conditions(InterestRecalculation::DailyBalance, AllocationMode::ByInstallment)
        };
        let state = loan(conditions).pays("2024-01-31", 40_000).on("2024-01-31");
        assert_eq!(asked(&state.installments), rows, "{early_payment:?}");
    }
}

#[test]
fn a_reduced_term_has_fewer_rows() {
    let conditions = Conditions {
        early_payment: EarlyPaymentRule::ReduceTerm,
        ..conditions(InterestRecalculation::DailyBalance, AllocationMode::ByInstallment)
    };
    let state = loan(conditions).pays("2024-02-15", 52_000).on("2024-02-15");
    assert_eq!(asked(&state.installments), [(50_000, 2_000), (25_000, 1_000), (25_000, 500)]);
}

#[test]
fn payment_on_every_due_date_costs_what_fixed_interest_costs() {
    for mode in [AllocationMode::ByInstallment, AllocationMode::DueThenAdvance, AllocationMode::Rules] {
        let example = daily(mode)
            .pays("2024-02-15", 27_000)
            .pays("2024-03-15", 26_500)
            .pays("2024-04-15", 26_000)
            .pays("2024-05-15", 25_500);
        let state = example.on("2024-05-15");
        assert_eq!(asked(&state.installments), [(25_000, 2_000), (25_000, 1_500), (25_000, 1_000), (25_000, 500)]);
        assert!(state.outstanding().unwrap().is_zero() && state.credit == 0);
    }
}

#[test]
fn interest_lines_account_for_every_day() {
    let state = daily(AllocationMode::Rules).on("2024-03-01");
    let of_second: Vec<_> = state
        .interest_lines
        .iter()
        .filter(|line| line.installment == 2)
        .map(|line| (line.from, line.until, line.days, line.balance))
        .collect();
    let (due, today, next) = (day("2024-02-15"), day("2024-03-01"), day("2024-03-15"));
    assert_eq!(of_second, [(due, today, 15, 100_000), (today, next, 14, 75_000)]);
    let micro: i128 =
        state.interest_lines.iter().filter(|line| line.installment == 2).map(|line| line.micro_interest).sum();
    assert_eq!(micro, 1_758_620_690);
}

#[test]
fn a_new_agreement_changes_the_rest() {
    let agreed = |change: fn(&mut Reschedule)| {
        let mut agreement =
            Reschedule { from: day("2024-03-15"), first_due_on: None, annual_rate: None, extra_installments: 0 };
        change(&mut agreement);
        let fixed = conditions(InterestRecalculation::Fixed, AllocationMode::ByInstallment);
        loan(fixed).then("2024-02-20", Event::Reschedule(agreement)).on("2024-02-20").installments
    };
    let later = agreed(|agreement| agreement.first_due_on = Some(day("2024-04-20")));
    assert_eq!(dates(&later), ["2024-02-15", "2024-04-20", "2024-05-20", "2024-06-20"]);
    let longer = agreed(|agreement| agreement.extra_installments = 2);
    assert_eq!(
        asked(&longer),
        [(25_000, 2_000), (15_000, 1_500), (15_000, 1_200), (15_000, 900), (15_000, 600), (15_000, 300)]
    );
    // 12 % from the second due date on; the period before it stays at 24 %.
    let cheaper = agreed(|agreement| agreement.annual_rate = Some(Rate::parse_percent("12").unwrap()));
    assert_eq!(asked(&cheaper), [(25_000, 2_000), (25_000, 1_500), (25_000, 500), (25_000, 250)]);
}

#[test]
fn rows_added_to_a_loan_that_was_agreed_anew_come_after_its_last() {
    let agree = |first_due_on: Option<&str>, extra_installments| {
        let first_due_on = first_due_on.map(day);
        Event::Reschedule(Reschedule { from: day("2024-03-15"), first_due_on, annual_rate: None, extra_installments })
    };
    let fixed = || conditions(InterestRecalculation::Fixed, AllocationMode::ByInstallment);
    let state = loan(fixed())
        .then("2024-02-20", agree(Some("2024-08-20"), 0))
        .then("2024-02-21", agree(None, 1))
        .on("2024-02-21");
    let expected = ["2024-02-15", "2024-08-20", "2024-09-20", "2024-10-20", "2024-11-20"];
    assert_eq!(dates(&state.installments), expected);
    let bullet = Conditions { amortization: Amortization::Bullet, ..fixed() };
    let state = loan(bullet).then("2024-02-20", agree(None, 2)).on("2024-02-20");
    assert_eq!(dates(&state.installments), ["2024-05-15", "2024-06-15", "2024-07-15"]);
}

#[test]
fn a_new_agreement_loses_no_principal_of_a_loan_that_was_paid_in_part() {
    let agreement = Reschedule {
        from: day("2024-02-20"),
        first_due_on: None,
        annual_rate: Some(Rate::parse_percent("12").unwrap()),
        extra_installments: 0,
    };
    for mode in [AllocationMode::ByInstallment, AllocationMode::Rules] {
        let conditions = Conditions {
            amortization: Amortization::InterestOnly,
            ..conditions(InterestRecalculation::DailyBalance, mode)
        };
        let example = Example::new(100_000, "0", 1, "2024-01-31", conditions)
            .pays("2024-02-10", 40_000)
            .then("2024-02-20", Event::Reschedule(agreement.clone()));
        assert_eq!(example.on("2024-02-20").outstanding().unwrap().principal, 60_000, "{mode:?}");
    }
}
