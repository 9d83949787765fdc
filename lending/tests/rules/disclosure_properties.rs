//! What holds for the annual rate of any credit.

use chrono::{Datelike, Days, Months, NaiveDate};
use lending::disclosure::{CashFlow, Direction, DisclosureError, DisclosureRule, Timing, disclose};
use lending::loan::PeriodUnit;
use lending::money::Money;
use proptest::prelude::*;

use crate::disclosure::{MONTHLY, day};
use crate::{currency, thorough};

fn flow(on: NaiveDate, minor: i64, direction: Direction) -> CashFlow {
    CashFlow { on, amount: Money::new(minor, currency("USD")), direction }
}

fn any_rule() -> impl Strategy<Value = DisclosureRule> {
    prop::sample::select(DisclosureRule::ALL)
}

fn any_timing() -> impl Strategy<Value = Timing> {
    (1..=12_u32, prop::sample::select(PeriodUnit::ALL.to_vec())).prop_map(|(every, unit)| Timing { every, unit })
}

/// One to three advances, then one to a dozen payments on irregular days that cover them.
fn any_credit() -> impl Strategy<Value = Vec<CashFlow>> {
    let advances = prop::collection::vec((0..60_u64, 1..=10_000_000_i64), 1..=3);
    let payments = prop::collection::vec((1..=120_u64, 1..=5_000_000_i64), 1..=12);
    (0..3_000_u64, advances, payments, 0..=5_000_000_i64).prop_map(|(start, advances, payments, cost)| {
        let mut on = day("2020-01-01") + Days::new(start);
        let mut flows = Vec::new();
        for (days, minor) in &advances {
            flows.push(flow(on, *minor, Direction::Advance));
            on = on + Days::new(*days);
        }
        for (days, minor) in &payments {
            on = on + Days::new(*days);
            flows.push(flow(on, *minor, Direction::Payment));
        }
        let short: i64 =
            advances.iter().map(|(_, minor)| minor).sum::<i64>() - payments.iter().map(|(_, minor)| minor).sum::<i64>();
        on = on + Days::new(1);
        flows.push(flow(on, short.max(0) + cost + 1, Direction::Payment));
        flows
    })
}

fn exact(rule: DisclosureRule, flows: &[CashFlow], timing: Timing) -> Result<i64, DisclosureError> {
    disclose(rule, flows, timing).map(|cost| cost.rate.parts_per_trillion())
}

/// What is still owed after equal monthly payments, in minor units times 10^12, at a nominal annual rate.
fn owed_after(principal: i64, payment: i64, count: u32, annual_parts_per_trillion: i64) -> i128 {
    let one_year = 12 * 1_000_000_000_000_i128;
    (0..count).fold(i128::from(principal) * 1_000_000_000_000, |owed, _| {
        owed * (one_year + i128::from(annual_parts_per_trillion)) / one_year - i128::from(payment) * 1_000_000_000_000
    })
}

/// (1 + R/12)^12 − 1 in parts per trillion.
fn compounded(annual_parts_per_trillion: i64) -> i128 {
    let one = 1_000_000_000_000_000_000_i128;
    let factor = one + i128::from(annual_parts_per_trillion) * 1_000_000 / 12;
    ((0..12).fold(one, |power, _| power * factor / one) - one) / 1_000_000
}

proptest! {
    #![proptest_config(thorough())]

    /// Counted forward by hand, the loan is overpaid just below the returned rate and underpaid just above it; India's
    /// rate and the American one agree on regular months, and the effective rates compound them.
    #[test]
    fn the_rate_brackets_a_balance_of_zero(principal in 10_000..=100_000_000_i64, count in 1..=60_u32, cost in 1..=2_000_i64) {
        let payment = principal / i64::from(count) + principal * cost / 1_000 / i64::from(count) + 1;
        let start = day("2025-01-15");
        let mut flows = vec![flow(start, principal, Direction::Advance)];
        flows.extend((1..=count).map(|month| flow(start + Months::new(month), payment, Direction::Payment)));
        let rate = exact(DisclosureRule::RbiKfs, &flows, MONTHLY).unwrap();
        prop_assert!(owed_after(principal, payment, count, (rate - 1).max(0)) <= 0);
        prop_assert!(owed_after(principal, payment, count, rate + 1) >= 0);
        if count > 1 {
            let american = exact(DisclosureRule::RegZAppendixJ, &flows, MONTHLY).unwrap();
            prop_assert!((american - rate).abs() <= 1);
        }
        if rate < 5_000_000_000_000 {
            let effective = i128::from(exact(DisclosureRule::BspEir, &flows, MONTHLY).unwrap());
            prop_assert!((compounded(rate - 1) - 1..=compounded(rate + 1) + 1).contains(&effective));
        }
    }

    #[test]
    fn a_credit_without_cost_has_no_rate(mut flows in any_credit(), rule in any_rule(), timing in any_timing()) {
        let minor = |direction| flows.iter().filter(|flow| flow.direction == direction).map(|flow| flow.amount.minor()).sum::<i64>();
        let missing = minor(Direction::Payment) - minor(Direction::Advance);
        flows.insert(0, flow(flows[0].on, missing, Direction::Advance));
        let cost = disclose(rule, &flows, timing).unwrap();
        prop_assert_eq!(cost.rate.parts_per_trillion(), 0);
        prop_assert!(["0.0", "0.00"].contains(&cost.rate.to_percent_string().as_str()));
        prop_assert!(cost.finance_charge.is_zero());
    }

    #[test]
    fn raising_a_payment_never_lowers_the_rate(
        flows in any_credit(), rule in any_rule(), timing in any_timing(), which in any::<prop::sample::Index>(), more in 1..=1_000_000_i64,
    ) {
        let mut raised = flows.clone();
        let payments: Vec<usize> = (0..flows.len()).filter(|&index| flows[index].direction == Direction::Payment).collect();
        let index = payments[which.index(payments.len())];
        raised[index] = flow(flows[index].on, flows[index].amount.minor() + more, Direction::Payment);
        match (exact(rule, &flows, timing), exact(rule, &raised, timing)) {
            (Ok(before), Ok(after)) => prop_assert!(after >= before),
            (_, after) => prop_assert_eq!(after, Err(DisclosureError::RateTooHigh)),
        }
    }

    #[test]
    fn scaling_every_amount_leaves_the_rate(flows in any_credit(), rule in any_rule(), timing in any_timing(), times in 2..=1_000_i64) {
        let scaled: Vec<CashFlow> = flows.iter().map(|one| flow(one.on, one.amount.minor() * times, one.direction)).collect();
        prop_assert_eq!(exact(rule, &flows, timing), exact(rule, &scaled, timing));
    }

    /// Refusals too are answers: these flows are covered, in order, and after their only advances.
    #[test]
    fn every_covered_credit_has_a_rate_or_too_high_a_one(flows in any_credit(), rule in any_rule(), timing in any_timing()) {
        match exact(rule, &flows, timing) {
            Ok(rate) => prop_assert!(rate >= 0),
            Err(error) => prop_assert_eq!(error, DisclosureError::RateTooHigh),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Any days the calendar knows, any amounts, any order: an answer, never a panic.
    #[test]
    fn extremes_end_in_an_answer(
        parts in prop::collection::vec((any::<i32>(), 0..366_u64, any::<i64>(), any::<bool>()), 0..12),
        sorted in any::<bool>(), positive in any::<bool>(), rule in any_rule(), every in any::<u32>(), unit in prop::sample::select(PeriodUnit::ALL.to_vec()),
    ) {
        let years = i64::from(NaiveDate::MAX.year());
        let mut flows: Vec<CashFlow> = parts.into_iter().map(|(year, days, minor, out)| {
            let year = i32::try_from(i64::from(year) % years).unwrap();
            let on = NaiveDate::from_ymd_opt(year, 1, 1).unwrap() + Days::new(days.min(364));
            let minor = if positive { (minor >> 4).saturating_abs() } else { minor };
            flow(on, minor, if out { Direction::Advance } else { Direction::Payment })
        }).collect();
        if sorted {
            flows.sort_by_key(|flow| (flow.on, flow.direction == Direction::Payment));
        }
        let _ = disclose(rule, &flows, Timing { every, unit });
    }
}

/// 600 payments, amounts at the limit of 64 bits, centuries between the flows, the ends of the calendar.
#[test]
fn the_largest_credits_have_rates() {
    let largest = i64::MAX;
    let credits = |unit_days: u64| {
        let start = NaiveDate::MIN + Days::new(31);
        let payment = largest / 600;
        let mut flows = vec![flow(start, largest / 2, Direction::Advance)];
        flows.extend((1..=600).map(|index| flow(start + Days::new(unit_days * index), payment, Direction::Payment)));
        flows
    };
    for &rule in DisclosureRule::ALL {
        for unit in PeriodUnit::ALL {
            for unit_days in [1, 7, 30, 365, 36_525] {
                assert!(disclose(rule, &credits(unit_days), Timing { every: 1, unit }).is_ok());
            }
            let ends = [flow(NaiveDate::MIN, 1, Direction::Advance), flow(NaiveDate::MAX, largest, Direction::Payment)];
            assert!(disclose(rule, &ends, Timing { every: 1, unit }).is_ok());
        }
    }
}
