//! The stretches of one row, each of one balance and one rate, and the interest they come to. Rounding is per row
//! where payments go by rules, and per stretch where installments are settled one after the other: that is how each
//! kind of loan is kept by the systems that have it.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::rates::{Period, days, of_rate, year_fraction};
use super::row::add;
use crate::loan::conditions::DayCount;
use crate::loan::{FoldError, InterestLine};
use crate::rate::Rate;
use crate::rounding::to_minor;

/// Where a row's exact interest becomes minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Once, for the whole row.
    PerRow,
    /// For each stretch.
    PerStretch,
}

/// What the interest of any row depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tariff {
    pub day_count: DayCount,
    pub rounding: Rounding,
    /// The rate from a day on, ascending; the first applies from the beginning.
    pub rates: Vec<(NaiveDate, Rate)>,
}

impl Tariff {
    /// The rate of a day.
    pub(crate) fn rate_on(&self, date: NaiveDate) -> Rate {
        let in_force = self.rates.iter().rev().find(|(from, _)| *from <= date);
        in_force.or_else(|| self.rates.first()).map_or(Rate::ZERO, |(_, rate)| *rate)
    }

    /// The fraction of a balance that a period costs at the rates that apply in it.
    pub(crate) fn fraction(&self, period: Period) -> Result<Decimal, FoldError> {
        let mut sum = Decimal::ZERO;
        let mut start = period.from;
        for cut in self.cuts(period.from, period.until).chain([period.until]) {
            let years = year_fraction(self.day_count, period, start, cut)?;
            sum = sum.checked_add(of_rate(self.rate_on(start), years)?).ok_or(FoldError::Overflow)?;
            start = cut;
        }
        Ok(sum)
    }

    fn cuts(&self, from: NaiveDate, until: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        self.rates.iter().map(|(date, _)| *date).filter(move |date| from < *date && *date < until)
    }
}

/// The interest of one row.
#[derive(Debug, Default)]
pub(crate) struct RowInterest {
    exact: Decimal,
    rounded: i64,
    pub lines: Vec<InterestLine>,
}

impl RowInterest {
    /// Adds the stretch `[from, until)` of one balance, cut where the rate changes.
    pub(crate) fn stretch(
        &mut self,
        tariff: &Tariff,
        installment: u32,
        period: Period,
        (from, until): (NaiveDate, NaiveDate),
        balance: i64,
    ) -> Result<(), FoldError> {
        if from >= until || balance <= 0 {
            return Ok(());
        }
        let mut start = from;
        for cut in tariff.cuts(from, until).chain([until]).collect::<Vec<_>>() {
            let annual_rate = tariff.rate_on(start);
            let years = year_fraction(tariff.day_count, period, start, cut)?;
            let fraction = of_rate(annual_rate, years)?;
            let exact = Decimal::from(balance).checked_mul(fraction).ok_or(FoldError::Overflow)?;
            self.exact = self.exact.checked_add(exact).ok_or(FoldError::Overflow)?;
            self.rounded = add(self.rounded, to_minor(exact)?)?;
            let micro = exact.checked_mul(Decimal::from(1_000_000)).and_then(|micro| micro.round().to_i128());
            self.lines.push(InterestLine {
                installment,
                from: start,
                until: cut,
                days: days(start, cut),
                balance,
                annual_rate,
                micro_interest: micro.ok_or(FoldError::Overflow)?,
            });
            start = cut;
        }
        Ok(())
    }

    /// The interest in minor units.
    pub(crate) fn total(&self, rounding: Rounding) -> Result<i64, FoldError> {
        match rounding {
            Rounding::PerRow => to_minor(self.exact),
            Rounding::PerStretch => Ok(self.rounded),
        }
    }
}
