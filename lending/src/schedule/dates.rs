//! When installments fall due: counted from the seed date, never from the due date before, so that a loan of the 31st
//! stays one of the 31st. Moving them off days a branch does not work is the last step.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::calendar::Calendar;
use crate::loan::conditions::{Conditions, MonthEnd, NonWorkingDays};
use crate::loan::{FoldError, PeriodUnit};

/// When one installment's period ends, and when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DueDate {
    /// The end of the days that bear interest.
    pub accrues_until: NaiveDate,
    /// The due date.
    pub due_on: NaiveDate,
}

/// `seed` + `units` of `unit`.
///
/// # Errors
/// [`FoldError::DateOverflow`].
pub(crate) fn add_units(
    seed: NaiveDate,
    units: u32,
    unit: PeriodUnit,
    month_end: MonthEnd,
) -> Result<NaiveDate, FoldError> {
    let date = match unit {
        PeriodUnit::Day => seed.checked_add_days(Days::new(u64::from(units))),
        PeriodUnit::Week => seed.checked_add_days(Days::new(u64::from(units).saturating_mul(7))),
        PeriodUnit::Month => seed.checked_add_months(Months::new(units)),
    }
    .ok_or(FoldError::DateOverflow)?;
    let clamped = unit == PeriodUnit::Month && date.day() != seed.day();
    if clamped && month_end == MonthEnd::NextMonth {
        return date.checked_add_days(Days::new(1)).ok_or(FoldError::DateOverflow);
    }
    Ok(date)
}

/// `count` due dates: the first at `first`, or else one period after `start`; the others counted from the same seed.
///
/// # Errors
/// [`FoldError::DateOverflow`].
pub(crate) fn due_dates(
    start: NaiveDate,
    first: Option<NaiveDate>,
    count: u32,
    every: u32,
    unit: PeriodUnit,
    conditions: &Conditions,
    calendar: &Calendar,
) -> Result<Vec<DueDate>, FoldError> {
    let mut dates: Vec<DueDate> = Vec::new();
    let mut last_due = start;
    for index in 0..count {
        let (seed, steps) = match first {
            Some(first) => (first, index),
            None => (start, index.saturating_add(1)),
        };
        let nominal = add_units(seed, steps.saturating_mul(every), unit, conditions.month_end)?;
        let due_on = working_day(nominal, last_due, conditions.non_working_days, calendar)?;
        let accrues_until = if conditions.interest_follows_moved_date { due_on } else { nominal };
        dates.push(DueDate { accrues_until, due_on });
        last_due = due_on;
    }
    Ok(dates)
}

/// Where a due date moves, always after the one before it: two installments never share a date.
fn working_day(
    nominal: NaiveDate,
    last_due: NaiveDate,
    choice: NonWorkingDays,
    calendar: &Calendar,
) -> Result<NaiveDate, FoldError> {
    let moved = match choice {
        NonWorkingDays::Keep => return Ok(nominal),
        NonWorkingDays::Next => calendar.working_day_from(nominal),
        NonWorkingDays::Previous => calendar.working_day_until(nominal),
    };
    let moved = moved.unwrap_or(nominal);
    if moved > last_due {
        return Ok(moved);
    }
    let next = last_due.checked_add_days(Days::new(1)).ok_or(FoldError::DateOverflow)?;
    Ok(calendar.working_day_from(next).unwrap_or(next))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use chrono::Weekday;

    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn due(
        start: &str,
        count: u32,
        every: u32,
        unit: PeriodUnit,
        conditions: &Conditions,
        calendar: &Calendar,
    ) -> Vec<String> {
        let dates = due_dates(on(start), None, count, every, unit, conditions, calendar).unwrap();
        dates.iter().map(|date| date.due_on.to_string()).collect()
    }

    #[test]
    fn months_are_counted_from_the_seed() {
        let (every_day, clamp) = (Calendar::every_day(), Conditions::default());
        let found = due("2024-01-31", 3, 1, PeriodUnit::Month, &clamp, &every_day);
        assert_eq!(found, ["2024-02-29", "2024-03-31", "2024-04-30"]);
        let roll = Conditions { month_end: MonthEnd::NextMonth, ..Conditions::default() };
        let found = due("2023-01-31", 3, 1, PeriodUnit::Month, &roll, &every_day);
        assert_eq!(found, ["2023-03-01", "2023-03-31", "2023-05-01"]);
    }

    #[test]
    fn weeks_days_and_quarters_follow_from_every() {
        let (every_day, plain) = (Calendar::every_day(), Conditions::default());
        assert_eq!(due("2024-02-20", 2, 2, PeriodUnit::Week, &plain, &every_day), ["2024-03-05", "2024-03-19"]);
        assert_eq!(due("2024-02-20", 2, 15, PeriodUnit::Day, &plain, &every_day), ["2024-03-06", "2024-03-21"]);
        assert_eq!(due("2023-11-30", 2, 3, PeriodUnit::Month, &plain, &every_day), ["2024-02-29", "2024-05-30"]);
    }

    #[test]
    fn a_due_date_off_work_moves_and_interest_follows_only_if_agreed() {
        let calendar = Calendar::new([Weekday::Sun], [on("2024-03-04")]);
        let next = Conditions { non_working_days: NonWorkingDays::Next, ..Conditions::default() };
        let moved = due_dates(on("2024-02-03"), None, 1, 1, PeriodUnit::Month, &next, &calendar).unwrap();
        assert_eq!(moved, [DueDate { accrues_until: on("2024-03-03"), due_on: on("2024-03-05") }]);
        let follows = Conditions { interest_follows_moved_date: true, ..next.clone() };
        let moved = due_dates(on("2024-02-03"), None, 1, 1, PeriodUnit::Month, &follows, &calendar).unwrap();
        assert_eq!(moved, [DueDate { accrues_until: on("2024-03-05"), due_on: on("2024-03-05") }]);
        let back = Conditions { non_working_days: NonWorkingDays::Previous, ..next };
        assert_eq!(due("2024-02-03", 1, 1, PeriodUnit::Month, &back, &calendar), ["2024-03-02"]);
    }

    #[test]
    fn two_installments_never_share_a_date() {
        let calendar = Calendar::new([Weekday::Sat, Weekday::Sun], [on("2024-03-04")]);
        let next = Conditions { non_working_days: NonWorkingDays::Next, ..Conditions::default() };
        let found = due("2024-03-01", 4, 1, PeriodUnit::Day, &next, &calendar);
        assert_eq!(found, ["2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08"]);
    }
}
