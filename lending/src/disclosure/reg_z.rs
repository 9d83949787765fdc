//! The annual percentage rate of US Regulation Z, 12 CFR 1026 Appendix J, actuarial method: the rate `i` of a
//! unit-period, times the number of unit-periods in a year. A nominal rate.

use chrono::NaiveDate;

use super::credit::{Credit, Dated};
use super::fixed::{self, ExactSum, ONE};
use super::unit_period::UnitPeriod;
use super::{DisclosureError, interval, solve};
use crate::loan::PeriodUnit;

/// How many unit-periods a year has: `numerator / denominator`.
#[derive(Clone, Copy)]
struct PerYear {
    numerator: u64,
    denominator: u64,
}

/// A flow after `periods` whole unit-periods and `odd / of` of one, with the sign it has for the lender.
struct Placed {
    amount: i64,
    periods: u64,
    odd: u64,
    of: u64,
}

/// The rate a year in parts per trillion.
pub(super) fn rate(credit: &Credit, agreed: PeriodUnit) -> Result<i64, DisclosureError> {
    let (per_year, flows) = match (credit.advances.as_slice(), credit.payments.as_slice()) {
        ([advance], [payment]) => single_payment(advance, payment),
        _ => {
            let unit = UnitPeriod::of(credit, agreed);
            (per_year(unit), place(credit, unit))
        }
    };
    solve::rate(|rate| present_value(&flows, per_unit_period(rate, per_year)))
}

/// Σ P / ((1 + f·i)(1 + i)^t) − Σ A / ((1 + e·i)(1 + i)^q), (b)(8).
fn present_value(flows: &[Placed], rate: i128) -> ExactSum {
    let discount = fixed::reciprocal(ONE + rate);
    flows.iter().fold(ExactSum::default(), |sum, flow| {
        let whole = fixed::power(discount, flow.periods);
        let odd = fixed::reciprocal(ONE + rate * i128::from(flow.odd) / i128::from(flow.of));
        sum.add_product(flow.amount, fixed::multiply(whole, odd))
    })
}

fn per_unit_period(rate: i64, per_year: PerYear) -> i128 {
    fixed::from_parts_per_trillion(rate) * i128::from(per_year.denominator) / i128::from(per_year.numerator)
}

/// (b)(5)(ii) to (v).
const fn per_year(unit: UnitPeriod) -> PerYear {
    match unit {
        UnitPeriod::Days(days) if days % 7 == 0 => PerYear { numerator: 52, denominator: days / 7 },
        UnitPeriod::Days(days) => PerYear { numerator: 365, denominator: days },
        UnitPeriod::Semimonth => PerYear { numerator: 24, denominator: 1 },
        UnitPeriod::Months(months) => PerYear { numerator: 12, denominator: months },
    }
}

/// One advance and one payment: the unit-period is the term, or a year when the term is longer, (b)(4)(ii), (5)(v) to
/// (vii).
fn single_payment(advance: &Dated, payment: &Dated) -> (PerYear, Vec<Placed>) {
    let day_of_month = interval::day_of_month(&[payment.on], advance.on);
    let term = interval::months_and_days(advance.on, payment.on, day_of_month);
    let (per_year, (periods, odd, of)) = if term.months >= 12 {
        (per_year(UnitPeriod::Months(12)), years(advance.on, payment.on, day_of_month))
    } else if term.days == 0 {
        (PerYear { numerator: 12, denominator: term.months }, (1, 0, 1))
    } else {
        (PerYear { numerator: 365, denominator: interval::days(advance.on, payment.on) }, (1, 0, 1))
    };
    let flows = vec![
        Placed { amount: -advance.minor, periods: 0, odd: 0, of: 1 },
        Placed { amount: payment.minor, periods, odd, of },
    ];
    (per_year, flows)
}

fn place(credit: &Credit, unit: UnitPeriod) -> Vec<Placed> {
    let advances =
        place_series(&credit.advances, credit.start, unit).map(|placed| Placed { amount: -placed.amount, ..placed });
    let payments = place_series(&credit.payments, credit.start, unit);
    advances.chain(payments).collect()
}

fn place_series(series: &[Dated], start: NaiveDate, unit: UnitPeriod) -> impl Iterator<Item = Placed> {
    // Half-monthly payments alternate between two days of the month.
    let strands = if unit == UnitPeriod::Semimonth { 2 } else { 1 };
    (0..strands).flat_map(move |strand| {
        let flows: Vec<Dated> = series.iter().skip(strand).step_by(strands).copied().collect();
        let days: Vec<NaiveDate> = flows.iter().map(|flow| flow.on).collect();
        let day_of_month = interval::day_of_month(&days, start);
        flows.into_iter().map(move |flow| {
            let (periods, odd, of) = unit_periods(start, flow.on, unit, day_of_month);
            Placed { amount: flow.minor, periods, odd, of }
        })
    })
}

/// Whole unit-periods, and the rest as a fraction of one, (b)(5)(ii) to (v).
fn unit_periods(start: NaiveDate, on: NaiveDate, unit: UnitPeriod, day_of_month: Option<u32>) -> (u64, u64, u64) {
    let between = interval::months_and_days(start, on, day_of_month);
    let split = |days: u64, of: u64| (days / of, days % of, of);
    match unit {
        UnitPeriod::Days(days) => split(interval::days(start, on), days),
        UnitPeriod::Semimonth => split(30 * between.months + between.days, 15),
        UnitPeriod::Months(1) => (between.months, between.days, 30),
        UnitPeriod::Months(12) => years(start, on, day_of_month),
        UnitPeriod::Months(months) => split(30 * between.months + between.days, 30 * months),
    }
}

/// Whole years; the rest in months where it is a whole number of them, or else in days, (b)(5)(v).
fn years(start: NaiveDate, on: NaiveDate, day_of_month: Option<u32>) -> (u64, u64, u64) {
    let between = interval::months_and_days(start, on, day_of_month);
    let (years, months) = (between.months / 12, between.months % 12);
    if between.days == 0 {
        return (years, months, 12);
    }
    let years_begin = interval::years_before(on, years).unwrap_or(on).max(start);
    (years, interval::days(start, years_begin), 365)
}
