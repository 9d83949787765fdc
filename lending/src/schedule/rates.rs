//! How a stretch of days and an annual rate become the fraction of a balance that is interest, for each day-count
//! basis. Exact to 28 digits; nothing here rounds.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::loan::conditions::DayCount;
use crate::loan::{FoldError, PeriodUnit};
use crate::rate::Rate;

/// Parts per million in a whole.
const PPM: i64 = 1_000_000;

/// The period a stretch lies in: its dates and what it nominally is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The day after the last.
    pub until: NaiveDate,
    /// How many units it nominally lasts.
    pub every: u32,
    /// The unit.
    pub unit: PeriodUnit,
}

/// Days from one date to another.
pub(crate) fn days(from: NaiveDate, until: NaiveDate) -> i64 {
    until.signed_duration_since(from).num_days()
}

fn fraction(numerator: i64, denominator: i64) -> Result<Decimal, FoldError> {
    Decimal::from(numerator).checked_div(Decimal::from(denominator)).ok_or(FoldError::Overflow)
}

/// The year fraction of the stretch `[from, until)` of a period.
///
/// PERIODIC and the 30/360 bases give the whole period its fraction and a part of it the share of the calendar days
/// it covers, so that parts always add up to the whole.
pub(crate) fn year_fraction(
    basis: DayCount,
    period: Period,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Decimal, FoldError> {
    let whole = match basis {
        DayCount::Actual365 => return fraction(days(from, until), 365),
        DayCount::Actual360 => return fraction(days(from, until), 360),
        DayCount::ActualActual => return actual_actual(from, until),
        DayCount::Periodic => nominal_years(period.every, period.unit)?,
        DayCount::Thirty360 => fraction(thirty_360(period.from, period.until), 360)?,
        DayCount::ThirtyE360 => fraction(thirty_e_360(period.from, period.until), 360)?,
    };
    let length = days(period.from, period.until);
    if length <= 0 {
        return Ok(Decimal::ZERO);
    }
    let covered = days(from, until);
    if covered == length {
        return Ok(whole);
    }
    let part = whole.checked_mul(Decimal::from(covered)).ok_or(FoldError::Overflow)?;
    part.checked_div(Decimal::from(length)).ok_or(FoldError::Overflow)
}

/// The year fraction of a period by its name alone: a month is a twelfth, a week a fifty-second, a day a 365th.
pub(crate) fn nominal_years(every: u32, unit: PeriodUnit) -> Result<Decimal, FoldError> {
    let per_year = match unit {
        PeriodUnit::Month => 12,
        PeriodUnit::Week => 52,
        PeriodUnit::Day => 365,
    };
    fraction(i64::from(every), per_year)
}

/// The year fraction of a nominal period on a basis: a month of 30 days, a week of 7.
pub(crate) fn nominal_fraction(basis: DayCount, every: u32, unit: PeriodUnit) -> Result<Decimal, FoldError> {
    let unit_days = match unit {
        PeriodUnit::Month => 30,
        PeriodUnit::Week => 7,
        PeriodUnit::Day => 1,
    };
    let length = i64::from(every).saturating_mul(unit_days);
    match basis {
        DayCount::Periodic => nominal_years(every, unit),
        DayCount::Thirty360 | DayCount::ThirtyE360 | DayCount::Actual360 => fraction(length, 360),
        DayCount::Actual365 | DayCount::ActualActual => fraction(length, 365),
    }
}

/// A year fraction of an annual rate, as a fraction of the balance.
pub(crate) fn of_rate(rate: Rate, years: Decimal) -> Result<Decimal, FoldError> {
    let annual = fraction(rate.ppm(), PPM)?;
    annual.checked_mul(years).ok_or(FoldError::Overflow)
}

/// 30/360 as in the United States: the 31st is the 30th, at the end only when the start is at the month's end too.
fn thirty_360(from: NaiveDate, until: NaiveDate) -> i64 {
    let first = from.day().min(30);
    let second = if until.day() == 31 && first == 30 { 30 } else { until.day() };
    thirty_days(from, until, first, second)
}

/// 30/360 as in Europe: the 31st is the 30th.
fn thirty_e_360(from: NaiveDate, until: NaiveDate) -> i64 {
    thirty_days(from, until, from.day().min(30), until.day().min(30))
}

fn thirty_days(from: NaiveDate, until: NaiveDate, first: u32, second: u32) -> i64 {
    let years = i64::from(until.year()).saturating_sub(i64::from(from.year()));
    let months = i64::from(until.month()).saturating_sub(i64::from(from.month()));
    let within = i64::from(second).saturating_sub(i64::from(first));
    years.saturating_mul(360).saturating_add(months.saturating_mul(30)).saturating_add(within)
}

/// ISDA: the days of each calendar year over that year's length, split at 1 January.
fn actual_actual(from: NaiveDate, until: NaiveDate) -> Result<Decimal, FoldError> {
    let mut sum = Decimal::ZERO;
    let mut start = from;
    while start < until {
        let next_year = NaiveDate::from_ymd_opt(start.year().saturating_add(1), 1, 1).ok_or(FoldError::DateOverflow)?;
        let end = next_year.min(until);
        let length = if start.leap_year() { 366 } else { 365 };
        sum = sum.checked_add(fraction(days(start, end), length)?).ok_or(FoldError::Overflow)?;
        start = end;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn month(from: &str, until: &str) -> Period {
        Period { from: on(from), until: on(until), every: 1, unit: PeriodUnit::Month }
    }

    #[test]
    fn thirty_360_counts_days_as_each_side_of_the_ocean_does() {
        for (from, until, american, european) in [
            ("2024-01-31", "2024-02-29", 29, 29),
            ("2024-01-31", "2024-03-31", 60, 60),
            ("2024-01-15", "2024-03-31", 76, 75),
            ("2024-02-29", "2024-03-31", 32, 31),
            ("2023-12-01", "2024-12-01", 360, 360),
        ] {
            assert_eq!(thirty_360(on(from), on(until)), american, "{from} to {until}");
            assert_eq!(thirty_e_360(on(from), on(until)), european, "{from} to {until}");
        }
    }

    #[test]
    fn actual_actual_splits_at_new_year() {
        let years = actual_actual(on("2023-12-12"), on("2024-01-12")).unwrap();
        let expected = Decimal::from(20) / Decimal::from(365) + Decimal::from(11) / Decimal::from(366);
        assert_eq!(years, expected);
    }

    #[test]
    fn a_part_of_a_thirty_day_month_is_a_share_of_its_calendar_days() {
        let february = month("2024-02-01", "2024-03-01");
        let part = year_fraction(DayCount::Thirty360, february, on("2024-02-01"), on("2024-02-15")).unwrap();
        assert_eq!(part, (Decimal::from(30) / Decimal::from(360)) * Decimal::from(14) / Decimal::from(29));
        let whole = year_fraction(DayCount::Thirty360, february, on("2024-02-01"), on("2024-03-01")).unwrap();
        assert_eq!(whole, Decimal::from(30) / Decimal::from(360));
    }

    #[test]
    fn periodic_ignores_dates() {
        for period in [month("2024-01-01", "2024-02-01"), month("2024-02-01", "2024-03-01")] {
            let years = year_fraction(DayCount::Periodic, period, period.from, period.until).unwrap();
            assert_eq!(years, Decimal::ONE / Decimal::from(12));
        }
    }
}
