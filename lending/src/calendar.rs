//! The days a branch works: weekly rest days and holidays. It answers questions about days and never moves a due date
//! by itself; which way a due date moves is the loan's choice.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// After so many non-working days in a row a calendar is taken to have no working day at all.
const LONGEST_CLOSURE: u64 = 366;

/// The working days of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    rest_days: Vec<Weekday>,
    holidays: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// Every day is a working day.
    pub fn every_day() -> Self {
        Self::default()
    }

    /// A calendar with these weekly rest days and holidays.
    pub fn new(rest_days: impl IntoIterator<Item = Weekday>, holidays: impl IntoIterator<Item = NaiveDate>) -> Self {
        Self { rest_days: rest_days.into_iter().collect(), holidays: holidays.into_iter().collect() }
    }

    /// Whether the branch works on this day.
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        !self.rest_days.contains(&date.weekday()) && !self.holidays.contains(&date)
    }

    /// This day, or else the next one the branch works on; `None` when there is none within a year.
    pub fn working_day_from(&self, date: NaiveDate) -> Option<NaiveDate> {
        (0..LONGEST_CLOSURE)
            .filter_map(|days| date.checked_add_days(Days::new(days)))
            .find(|day| self.is_working_day(*day))
    }

    /// This day, or else the last one before it that the branch works on; `None` when there is none within a year.
    pub fn working_day_until(&self, date: NaiveDate) -> Option<NaiveDate> {
        (0..LONGEST_CLOSURE)
            .filter_map(|days| date.checked_sub_days(Days::new(days)))
            .find(|day| self.is_working_day(*day))
    }
}
