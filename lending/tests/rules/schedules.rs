//! The four ways principal comes back, flat interest, and how equal installments are solved, rounded and evened out.

use lending::loan::conditions::{Amortization, DayCount, InterestMethod, LevelOn};
use lending::loan::{Conditions, LoanTerms};

use crate::example::{Example, asked, dates, day, totals};

fn schedule(principal: i64, percent: &str, installments: u32, conditions: Conditions) -> Vec<(i64, i64)> {
    asked(&Example::new(principal, percent, installments, "2024-01-01", conditions).schedule())
}

#[test]
fn equal_installments_consume_the_balance() {
    // 1,000.00 at 2 % a month over 4: E = 262.6238.
    let found = schedule(100_000, "24", 4, Conditions::default());
    assert_eq!(found, [(24_262, 2_000), (24_747, 1_515), (25_242, 1_020), (25_749, 515)]);
    // 100.00 at 7 %, 30/360, over 6 months: 17.01.
    let conditions = Conditions { day_count: DayCount::Thirty360, ..Conditions::default() };
    let found = schedule(10_000, "7", 6, conditions);
    assert_eq!(found, [(1_643, 58), (1_652, 49), (1_662, 39), (1_672, 29), (1_681, 20), (1_690, 10)]);
}

#[test]
fn without_interest_the_principal_is_divided() {
    assert_eq!(schedule(100_000, "0", 3, Conditions::default()), [(33_333, 0), (33_333, 0), (33_334, 0)]);
}

#[test]
fn unequal_periods_are_solved_on_their_own_rates() {
    // 46, 31 and 30 days at 12 % of 365: E = 341.8149…, worked out from the three discount factors.
    let conditions = Conditions { day_count: DayCount::Actual365, ..Conditions::default() };
    let change = |terms: &mut LoanTerms| terms.first_due_on = Some(day("2024-03-01"));
    let example = Example::with(100_000, "12", 3, "2024-01-15", conditions, change);
    assert_eq!(asked(&example.schedule()), [(32_665, 1_512), (33_491, 686), (33_844, 334)]);
}

#[test]
fn five_thousand_over_six_months_is_863_on_real_and_862_on_nominal_periods() {
    let conditions = |level_on| Conditions {
        level_on,
        day_count: DayCount::Actual365,
        installment_multiple: Some(100),
        ..Conditions::default()
    };
    let real = schedule(500_000, "12", 6, conditions(LevelOn::ActualPeriods));
    let on_real = [(81_204, 5_096), (82_307, 3_993), (82_871, 3_429), (83_799, 2_501), (84_569, 1_731), (85_250, 841)];
    assert_eq!(real, on_real);
    let nominal = schedule(500_000, "12", 6, conditions(LevelOn::NominalPeriods));
    let on_nominal =
        [(81_104, 5_096), (82_206, 3_994), (82_769, 3_431), (83_696, 2_504), (84_465, 1_735), (85_760, 846)];
    assert_eq!(nominal, on_nominal);
}

#[test]
fn the_last_installment_is_evened_out_when_that_brings_it_closer() {
    let conditions = |smooth_last| Conditions {
        smooth_last,
        level_on: LevelOn::NominalPeriods,
        day_count: DayCount::Actual365,
        ..Conditions::default()
    };
    let total = |smooth_last| totals(&Example::new(500_000, "12", 6, "2024-01-01", conditions(smooth_last)).schedule());
    assert_eq!(total(false), [86_234, 86_234, 86_234, 86_234, 86_234, 86_431]);
    // 197 / 6 is 33 more each: the last is then 7 less, still more than three hundredths, and 7 / 6 is 1 less each.
    assert_eq!(total(true), [86_266; 6]);
}

#[test]
fn a_small_difference_is_not_evened_out() {
    // The last is 262.64, one fiftieth of a unit above 262.62: 100 × 0.02 is not more than floor(4 / 2).
    let conditions = Conditions { smooth_last: true, ..Conditions::default() };
    assert_eq!(schedule(100_000, "24", 4, conditions.clone()), schedule(100_000, "24", 4, Conditions::default()));
}

#[test]
fn evening_out_never_makes_a_loan_shorter() {
    // 903 at 5.5 % each two months, the first seven free: solved at 42, and the last is 75. A try of 43 leaves nothing
    // for the last, which is 43 away from the others and not 33, so it is not kept.
    let conditions = Conditions {
        smooth_last: true,
        day_count: DayCount::Thirty360,
        interest_free_installments: 7,
        ..Conditions::default()
    };
    let change = |terms: &mut LoanTerms| {
        terms.every = 2;
        terms.principal = lending::money::Money::new(903, crate::currency("JPY"));
    };
    let found = totals(&Example::with(903, "33", 36, "2024-07-28", conditions, change).schedule());
    assert_eq!((found.len(), found[0], found[34], found[35]), (36, 42, 42, 75));
}

#[test]
fn interest_above_the_installment_is_carried_on() {
    // Solved on a month of 30 days, and 13 months before the first due date: its interest, 396 days at 100 %, is
    // 108.49 and more than the installment.
    let conditions =
        Conditions { day_count: DayCount::Actual365, level_on: LevelOn::NominalPeriods, ..Conditions::default() };
    let change = |terms: &mut LoanTerms| terms.first_due_on = Some(day("2025-01-31"));
    let example = Example::with(10_000, "100", 12, "2024-01-01", conditions, change);
    let found = asked(&example.schedule());
    assert_eq!(found[0].0, 0);
    assert_eq!(found[0].1, found[1].0 + found[1].1);
    assert_eq!(found.iter().map(|(principal, _)| principal).sum::<i64>(), 10_000);
    assert!(found.iter().all(|(principal, interest)| *principal >= 0 && *interest >= 0));
    // Nothing is forgiven: 108.49, and what 100.00 bears in the ten months until principal is paid, comes in.
    let carried: i64 = found.iter().take_while(|(principal, _)| *principal == 0).map(|(_, interest)| interest).sum();
    assert!(carried > 10_849);
}

#[test]
fn equal_principal_bears_interest_on_the_balance() {
    let conditions = Conditions { amortization: Amortization::EqualPrincipal, ..Conditions::default() };
    let found = schedule(100_000, "12", 3, conditions.clone());
    assert_eq!(found, [(33_333, 1_000), (33_333, 667), (33_334, 333)]);
    let grace = Conditions { principal_grace: 1, ..conditions };
    assert_eq!(schedule(100_000, "12", 3, grace), [(0, 1_000), (50_000, 1_000), (50_000, 500)]);
}

#[test]
fn equal_principal_never_asks_for_more_than_was_lent() {
    // 0.09 over six: round(1.5) is 2 each, and the rows run out of principal before they run out.
    let conditions = Conditions { amortization: Amortization::EqualPrincipal, ..Conditions::default() };
    let found = schedule(9, "0", 6, conditions);
    assert_eq!(found.iter().map(|(principal, _)| *principal).collect::<Vec<_>>(), [2, 2, 2, 2, 1, 0]);
}

#[test]
fn flat_interest_is_charged_on_the_whole_principal() {
    let flat = Conditions { interest_method: InterestMethod::Flat, ..Conditions::default() };
    // 1,000.00 × 10 % × 3 / 12 = 25.00: 8.33, 8.33, 8.34.
    let found = schedule(100_000, "10", 3, flat.clone());
    assert_eq!(found, [(33_333, 833), (33_333, 833), (33_334, 834)]);
    // In whole units: 333 + 8 − 8.33 of principal each, the last takes what is left of both.
    let whole = Conditions { installment_multiple: Some(100), ..flat };
    let found = schedule(100_000, "10", 3, whole);
    assert_eq!(found, [(33_267, 833), (33_267, 833), (33_466, 834)]);
    assert_eq!(found.iter().map(|(principal, interest)| principal + interest).sum::<i64>(), 102_500);
}

#[test]
fn flat_interest_too_small_for_its_rows_runs_out() {
    // 0.08 × 90 % × 5 / 12 is 0.03: a cent in each of three installments, and none in the others.
    let flat = Conditions { interest_method: InterestMethod::Flat, ..Conditions::default() };
    let found = schedule(8, "90", 5, flat);
    assert_eq!(found.iter().map(|(_, interest)| *interest).collect::<Vec<_>>(), [1, 1, 1, 0, 0]);
}

#[test]
fn a_multiple_too_coarse_for_flat_principal_ends_the_principal_early() {
    // 354 over seven in hundreds: three times 100, then what is left.
    let conditions =
        Conditions { interest_method: InterestMethod::Flat, installment_multiple: Some(100), ..Conditions::default() };
    let found = schedule(354, "0", 7, conditions);
    assert_eq!(found.iter().map(|(principal, _)| *principal).collect::<Vec<_>>(), [100, 100, 100, 54, 0, 0, 0]);
}

#[test]
fn interest_only_leaves_all_principal_to_the_last() {
    let conditions = Conditions { amortization: Amortization::InterestOnly, ..Conditions::default() };
    assert_eq!(schedule(100_000, "12", 3, conditions), [(0, 1_000), (0, 1_000), (100_000, 1_000)]);
}

#[test]
fn a_bullet_is_one_installment_at_maturity() {
    let conditions = Conditions { amortization: Amortization::Bullet, ..Conditions::default() };
    let example = Example::new(100_000, "12", 3, "2024-01-31", conditions);
    assert_eq!(asked(&example.schedule()), [(100_000, 3_000)]);
    assert_eq!(dates(&example.schedule()), ["2024-04-30"]);
}

#[test]
fn principal_grace_solves_the_others() {
    // E over 3 of the 4 at 1 %.
    let conditions = Conditions { principal_grace: 1, ..Conditions::default() };
    assert_eq!(schedule(100_000, "12", 4, conditions), [(0, 1_000), (33_002, 1_000), (33_332, 670), (33_666, 337)]);
}

#[test]
fn interest_of_the_payment_grace_falls_due_after_it() {
    let conditions = Conditions { interest_payment_grace: 2, ..Conditions::default() };
    let plain = schedule(100_000, "12", 4, Conditions::default());
    let graced = schedule(100_000, "12", 4, conditions);
    assert_eq!(graced[0], (plain[0].0, 0));
    assert_eq!(graced[1], (plain[1].0, 0));
    assert_eq!(graced[2], (plain[2].0, plain[0].1 + plain[1].1 + plain[2].1));
    assert_eq!(graced[3], plain[3]);
}

#[test]
fn interest_free_installments_are_not_charged() {
    let conditions = Conditions {
        interest_free_installments: 2,
        amortization: Amortization::EqualPrincipal,
        ..Conditions::default()
    };
    let found = schedule(90_000, "12", 3, conditions);
    assert_eq!(found, [(30_000, 0), (30_000, 0), (30_000, 300)]);
}

#[test]
fn a_tranche_solves_the_rows_that_end_after_it() {
    use lending::loan::Event;
    let example = Example::new(100_000, "12", 4, "2024-01-15", Conditions::default())
        .then("2024-02-15", Event::Disbursement { amount: 50_000 });
    let state = example.on("2024-02-15");
    assert_eq!(asked(&state.installments), [(24_628, 1_000), (41_375, 1_254), (41_789, 840), (42_208, 422)]);
    assert_eq!(state.disbursed, 150_000);
    // Half-way through a period of 31 days the tranche bears 16 days of it: 10.00 + 5.00 × 16 / 31, less principal.
    let example = Example::new(100_000, "12", 4, "2024-01-15", Conditions::default())
        .then("2024-01-30", Event::Disbursement { amount: 50_000 });
    let state = example.on("2024-02-15");
    assert_eq!(state.installments[0].due.interest, 1_258);
    let lines: Vec<(i64, i64)> = state.interest_lines.iter().take(2).map(|line| (line.days, line.balance)).collect();
    assert_eq!(lines, [(15, 100_000), (16, 150_000)]);
}
