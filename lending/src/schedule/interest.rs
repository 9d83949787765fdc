//! The stretches of one row, each of one balance and one rate, and the interest they come to. Rounding is per row
//! where payments go by rules, and per stretch where installments are settled one after the other: that is how each
//! kind of loan is kept by the systems that have it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

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

/// The fraction of a balance that the days `[from, until)` of a row cost.
type Fractions = HashMap<(u32, NaiveDate, NaiveDate), Decimal>;

/// What the interest of any row depends on.
#[derive(Debug, Clone)]
pub(crate) struct Tariff {
    pub day_count: DayCount,
    pub rounding: Rounding,
    /// The rate from a day on, ascending; the first applies from the beginning.
    pub rates: Vec<(NaiveDate, Rate)>,
    /// Whether each stretch is written down; only the last run through the rows needs it.
    pub with_lines: bool,
    /// Fractions worked out before. The rows are run through hundreds of times for the same days, and dividing at 28
    /// digits is what that costs most. Copies of a loan share it; new rates or dates start a new one.
    known: Rc<RefCell<Fractions>>,
}

impl Tariff {
    pub(crate) fn new(day_count: DayCount, rounding: Rounding, rate: Rate) -> Self {
        let rates = vec![(NaiveDate::MIN, rate)];
        Self { day_count, rounding, rates, with_lines: false, known: Rc::default() }
    }

    /// Forgets what was worked out, because rates or dates of rows have changed.
    pub(crate) fn forget(&mut self) {
        self.known = Rc::default();
    }

    fn fraction_of(
        &self,
        installment: u32,
        period: Period,
        from: NaiveDate,
        until: NaiveDate,
    ) -> Result<Decimal, FoldError> {
        let key = (installment, from, until);
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(*known);
        }
        let years = year_fraction(self.day_count, period, from, until)?;
        let fraction = of_rate(self.rate_on(from), years)?;
        self.known.borrow_mut().insert(key, fraction);
        Ok(fraction)
    }

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
        for cut in tariff.cuts(from, until).chain([until]) {
            let fraction = tariff.fraction_of(installment, period, start, cut)?;
            let exact = Decimal::from(balance).checked_mul(fraction).ok_or(FoldError::Overflow)?;
            match tariff.rounding {
                Rounding::PerRow => self.exact = self.exact.checked_add(exact).ok_or(FoldError::Overflow)?,
                Rounding::PerStretch => self.rounded = add(self.rounded, to_minor(exact)?)?,
            }
            let begins = std::mem::replace(&mut start, cut);
            if !tariff.with_lines {
                continue;
            }
            let micro = exact.checked_mul(Decimal::from(1_000_000)).and_then(|micro| micro.round().to_i128());
            self.lines.push(InterestLine {
                installment,
                from: begins,
                until: cut,
                days: days(begins, cut),
                balance,
                annual_rate: tariff.rate_on(begins),
                micro_interest: micro.ok_or(FoldError::Overflow)?,
            });
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
