//! The rows of a schedule, and how their interest came about.

use async_graphql::{Object, Result};
use lending::loan::Portions;
use lending::loan::state;
use lending::money::Currency;

use super::balances::{Balances, money};
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::{Date, Decimal};
use crate::service::ServiceError;

/// Decimals of a minor unit in which interest is worked out before a row is rounded.
const EXACT_DECIMALS: u32 = 6;

/// One row of a schedule.
pub struct Installment {
    row: state::Installment,
    currency: Currency,
}

impl Installment {
    /// Rows in their order.
    pub fn all(rows: Vec<state::Installment>, currency: Currency) -> Vec<Self> {
        rows.into_iter().map(|row| Self { row, currency }).collect()
    }

    fn money(&self, minor: i64) -> Money {
        money(minor, self.currency)
    }

    fn balances(&self, portions: &Portions) -> Result<Balances> {
        Balances::of(portions, self.currency)
    }
}

/// One row of a schedule.
#[Object]
impl Installment {
    /// Its place: 1, 2, 3, … Charges that fall due after the last agreed one have a row of their own.
    fn number(&self) -> u32 {
        self.row.number
    }

    /// The day its period starts.
    fn starts_on(&self) -> Date {
        Date(self.row.starts_on)
    }

    /// The day it is due.
    fn due_on(&self) -> Date {
        Date(self.row.due_on)
    }

    /// The principal it asks for, paid or not.
    fn principal(&self) -> Money {
        self.money(self.row.due.principal)
    }

    /// The interest it asks for, paid or not.
    fn interest(&self) -> Money {
        self.money(self.row.due.interest)
    }

    /// The fees it asks for, paid or not.
    fn fees(&self) -> Money {
        self.money(self.row.due.fees)
    }

    /// The penalties it asks for, paid or not.
    fn penalties(&self) -> Money {
        self.money(self.row.due.penalties)
    }

    /// All it asks for.
    fn total(&self) -> Result<Money> {
        Ok(self.money(self.row.due.total().map_err(ServiceError::from)?))
    }

    /// What was paid of it.
    fn paid(&self) -> Result<Balances> {
        self.balances(&self.row.paid)
    }

    /// How much was paid before it was due.
    fn paid_in_advance(&self) -> Money {
        self.money(self.row.paid_in_advance)
    }

    /// How much was paid after it was due.
    fn paid_late(&self) -> Money {
        self.money(self.row.paid_late)
    }

    /// What was waived of it.
    fn waived(&self) -> Result<Balances> {
        self.balances(&self.row.waived)
    }

    /// What was written off of it.
    fn written_off(&self) -> Result<Balances> {
        self.balances(&self.row.written_off)
    }

    /// What is left of it.
    fn outstanding(&self) -> Result<Balances> {
        self.balances(&self.row.outstanding().map_err(ServiceError::from)?)
    }

    /// The principal that the schedule leaves after it.
    fn principal_balance_after(&self) -> Money {
        self.money(self.row.principal_balance_after)
    }

    /// The day nothing of it was left; null while something is.
    fn settled_on(&self) -> Option<Date> {
        self.row.settled_on.map(Date)
    }
}

/// How the interest of a row, or of a part of it, came about: days × balance × rate.
pub struct InterestLine {
    line: state::InterestLine,
    currency: Currency,
}

impl InterestLine {
    /// Lines in their order.
    pub fn all(lines: &[state::InterestLine], currency: Currency) -> Vec<Self> {
        lines.iter().map(|line| Self { line: *line, currency }).collect()
    }
}

/// How the interest of a row, or of a part of it, came about: days × balance × rate.
#[Object]
impl InterestLine {
    /// The number of the row it is part of.
    fn installment(&self) -> u32 {
        self.line.installment
    }

    /// The first day.
    fn starts_on(&self) -> Date {
        Date(self.line.from)
    }

    /// The day after the last.
    fn ends_on(&self) -> Date {
        Date(self.line.until)
    }

    /// The calendar days between the two. The loan's day count decides what part of a year they are.
    fn days(&self) -> i64 {
        self.line.days
    }

    /// The balance that bore interest.
    fn balance(&self) -> Money {
        money(self.line.balance, self.currency)
    }

    /// The annual rate in percent.
    fn annual_rate(&self) -> Decimal {
        Decimal(self.line.annual_rate.to_percent_string())
    }

    /// The interest before the row was rounded, in major units of the currency with six decimals more than it has.
    fn exact_interest(&self) -> Decimal {
        let decimals = self.currency.exponent().saturating_add(EXACT_DECIMALS);
        Decimal(exact(self.line.micro_interest, decimals))
    }
}

/// A whole number scaled down by a power of ten, as a decimal: 1234567 by 6 is "1.234567".
fn exact(value: i128, decimals: u32) -> String {
    let scale = 10_u128.saturating_pow(decimals);
    let width = usize::try_from(decimals).unwrap_or_default();
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs();
    format!("{sign}{}.{:0width$}", digits / scale, digits % scale)
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn exact_interest_keeps_every_digit() {
        assert_eq!(exact(1_234_567, 6), "1.234567");
        assert_eq!(exact(83_333_333_333, 8), "833.33333333");
        assert_eq!(exact(-5, 6), "-0.000005");
        assert_eq!(exact(0, 9), "0.000000000");
    }
}
