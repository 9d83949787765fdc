//! The rules that compound over the real time between the flows: the EU's and the Philippines' effective annual rate and
//! India's nominal one. They share one discount factor, e^(−δ·t) with t in years, and differ in what they call the rate.

use chrono::{Days, NaiveDate};

use super::credit::{Credit, Dated};
use super::fixed::{self, ExactSum, ONE};
use super::{DisclosureError, Timing, interval, solve};
use crate::loan::PeriodUnit;

/// Time from the first advance: whole units, then days of a year of 365 or 366 days.
#[derive(Debug, Clone, Copy)]
struct Time {
    units: u64,
    days: u64,
    leap_year: bool,
}

struct Placed {
    amount: i64,
    time: Time,
}

/// The effective annual rate X in parts per trillion: Σ C·(1 + X)^−t = Σ D·(1 + X)^−s. Directive 2008/48/EC and
/// Directive 2014/17/EU, Annex I; BSP Circular 730 (2011).
pub(super) fn effective(credit: &Credit, unit: PeriodUnit) -> Result<i64, DisclosureError> {
    let flows = place(credit, unit);
    solve::rate(|rate| present_value(&flows, unit, force_of_yearly(rate)))
}

/// The rate of a period times the periods in a year, in parts per trillion: "using IRR approach and reducing balance
/// method" on the net disbursed amount, RBI circular of 15 April 2024, Annex B.
pub(super) fn nominal(credit: &Credit, timing: Timing) -> Result<i64, DisclosureError> {
    let flows = place(credit, timing.unit);
    solve::rate(|rate| present_value(&flows, timing.unit, force_of_periodic(rate, timing)))
}

/// δ = ln(1 + X).
fn force_of_yearly(rate: i64) -> i128 {
    fixed::natural_logarithm(ONE + fixed::from_parts_per_trillion(rate))
}

/// δ = w·ln(1 + R/w), with w periods a year.
fn force_of_periodic(rate: i64, timing: Timing) -> i128 {
    let (every, units) = (i128::from(timing.every), i128::from(units_per_year(timing.unit, 365)));
    let rate_of_period = fixed::from_parts_per_trillion(rate) * every / units;
    fixed::natural_logarithm(ONE + rate_of_period) * units / every
}

fn present_value(flows: &[Placed], unit: PeriodUnit, force: i128) -> ExactSum {
    let over = |parts: u64| fixed::exponential_of_negative(force / i128::from(parts));
    let of_unit = over(units_per_year(unit, 1));
    let (of_day, of_leap_day) = (over(365), over(366));
    flows.iter().fold(ExactSum::default(), |sum, flow| {
        let day = if flow.time.leap_year { of_leap_day } else { of_day };
        let (units, days) = (fixed::power(of_unit, flow.time.units), fixed::power(day, flow.time.days));
        sum.add_product(flow.amount, fixed::multiply(units, days))
    })
}

/// 12 months, 52 weeks, `days` days (or 1, where days are counted as years and days).
const fn units_per_year(unit: PeriodUnit, days: u64) -> u64 {
    match unit {
        PeriodUnit::Month => 12,
        PeriodUnit::Week => 52,
        PeriodUnit::Day => days,
    }
}

fn place(credit: &Credit, unit: PeriodUnit) -> Vec<Placed> {
    let advances =
        place_series(&credit.advances, credit.start, unit).map(|placed| Placed { amount: -placed.amount, ..placed });
    let payments = place_series(&credit.payments, credit.start, unit);
    advances.chain(payments).collect()
}

fn place_series(series: &[Dated], start: NaiveDate, unit: PeriodUnit) -> impl Iterator<Item = Placed> {
    let days: Vec<NaiveDate> = series.iter().map(|flow| flow.on).collect();
    let day_of_month = interval::day_of_month(&days, start);
    series.iter().map(move |flow| Placed { amount: flow.minor, time: time(start, flow.on, unit, day_of_month) })
}

/// Whole units counted back from the flow, then days over those of the year that ends where the days end (Annex I,
/// remark (c); the Commission's guidelines SWD(2012) 128, section 4.1.1). Loans by the day count in years and days.
fn time(start: NaiveDate, on: NaiveDate, unit: PeriodUnit, day_of_month: Option<u32>) -> Time {
    let (units, units_begin) = match unit {
        PeriodUnit::Month => {
            let between = interval::months_and_days(start, on, day_of_month);
            (between.months, between.months_begin)
        }
        PeriodUnit::Week => {
            let days = interval::days(start, on);
            (days / 7, start.checked_add_days(Days::new(days % 7)).unwrap_or(start))
        }
        PeriodUnit::Day => {
            let years = interval::months_and_days(start, on, day_of_month).months / 12;
            (years, interval::years_before(on, years).unwrap_or(on).max(start))
        }
    };
    let days = interval::days(start, units_begin);
    Time { units, days, leap_year: days > 0 && interval::days_of_year_back_from(units_begin) == 366 }
}
