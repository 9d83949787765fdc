//! The time between two days in months, counted backwards from the later one, as Appendix J (b)(3) and (5) and
//! remark (c) of Annex I want it. It finds the day of the month a series is meant for, so that 31 January, 28 February
//! and 31 March lie whole months apart.

use chrono::{Datelike, NaiveDate};

/// Whole months and the days left over between them and the earlier day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MonthsAndDays {
    pub(super) months: u64,
    pub(super) days: u64,
    /// Where the whole months begin and the days left over end.
    pub(super) months_begin: NaiveDate,
}

/// The number of days from one day to another.
pub(super) fn days(earlier: NaiveDate, later: NaiveDate) -> u64 {
    later.signed_duration_since(earlier).num_days().unsigned_abs()
}

/// The day of the month every day of a series is meant for, where a shorter month takes its last day; none when there
/// is no such day. Where the series leaves the choice (28 February alone), the start decides: a loan of 31 January
/// falls due a month later on 28 February.
pub(super) fn day_of_month(series: &[NaiveDate], start: NaiveDate) -> Option<u32> {
    let latest = series.iter().map(Datelike::day).max()?;
    if series.iter().any(|day| day.day() != latest.min(last_day(*day))) {
        return None;
    }
    if series.iter().all(|day| day.day() == last_day(*day)) { Some(latest.max(start.day())) } else { Some(latest) }
}

/// Counts back from `later` (not before `earlier`) in whole months to the last one that does not begin before
/// `earlier`. `day_of_month` is that of the series `later` belongs to.
pub(super) fn months_and_days(earlier: NaiveDate, later: NaiveDate, day_of_month: Option<u32>) -> MonthsAndDays {
    let meant = day_of_month.unwrap_or_else(|| day_alone(later, earlier));
    let whole = month_index(later) - month_index(earlier);
    let in_month_of_earlier = clamped(earlier, meant);
    let (months, months_begin) = match whole {
        0 => (0, later),
        _ if in_month_of_earlier >= earlier => (whole, in_month_of_earlier),
        _ => (whole - 1, if whole == 1 { later } else { clamped(first_of_next_month(earlier), meant) }),
    };
    MonthsAndDays { months: months.unsigned_abs(), days: days(earlier, months_begin), months_begin }
}

/// The days of the year that ends on `day`: 365, or 366 when it has a 29 February in it.
pub(super) fn days_of_year_back_from(day: NaiveDate) -> u64 {
    match year_before(day) {
        Some(year_before) => days(year_before, day),
        None => 365,
    }
}

/// The same day `years` years earlier, 28 February for 29 February.
pub(super) fn years_before(day: NaiveDate, years: u64) -> Option<NaiveDate> {
    let year = day.year().checked_sub(i32::try_from(years).ok()?)?;
    day.with_year(year).or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
}

fn year_before(day: NaiveDate) -> Option<NaiveDate> {
    years_before(day, 1)
}

fn day_alone(day: NaiveDate, start: NaiveDate) -> u32 {
    if day.day() == last_day(day) { day.day().max(start.day()) } else { day.day() }
}

fn month_index(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

fn last_day(day: NaiveDate) -> u32 {
    (28..=31).rev().find(|&last| day.with_day(last).is_some()).unwrap_or(28)
}

/// That day of the month, or the month's last one.
fn clamped(month: NaiveDate, day_of_month: u32) -> NaiveDate {
    month.with_day(day_of_month.min(last_day(month))).unwrap_or(month)
}

fn first_of_next_month(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first.checked_add_months(chrono::Months::new(1)).unwrap_or(first)
}
