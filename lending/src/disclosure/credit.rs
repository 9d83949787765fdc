//! The cash flows of a credit, checked and put in order: what every rule starts from. Nothing here discounts.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{CashFlow, Direction, DisclosureError};
use crate::money::{Currency, Money};

/// An amount in minor units on a day, more than nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dated {
    pub(super) on: NaiveDate,
    pub(super) minor: i64,
}

/// A credit that has a rate: money goes out first, comes back later, and at least as much comes back. One entry a day.
#[derive(Debug)]
pub(super) struct Credit {
    pub(super) start: NaiveDate,
    pub(super) advances: Vec<Dated>,
    pub(super) payments: Vec<Dated>,
    pub(super) amount_financed: Money,
    pub(super) total_of_payments: Money,
    pub(super) finance_charge: Money,
}

impl Credit {
    /// Reads flows in the order of their dates. What the borrower pays on the day of the first advance lowers that
    /// advance: it is a charge kept from the proceeds or paid out of them.
    pub(super) fn read(flows: &[CashFlow]) -> Result<Self, DisclosureError> {
        let first = flows.first().ok_or(DisclosureError::NoAdvances)?;
        let currency = first.amount.currency();
        check_each(flows, currency)?;
        let start =
            flows.iter().find(|flow| flow.direction == Direction::Advance).ok_or(DisclosureError::NoAdvances)?.on;
        if first.on < start {
            return Err(DisclosureError::PaymentBeforeAdvance { payment_on: first.on, first_advance_on: start });
        }

        let mut advances = by_day(flows, Direction::Advance)?;
        let mut payments = by_day(flows, Direction::Payment)?;
        if let Some(at_start) = payments.remove(&start) {
            let advanced = advances.entry(start).or_default();
            *advanced = advanced.checked_sub(at_start).ok_or(DisclosureError::Overflow)?;
            if *advanced <= 0 {
                return Err(DisclosureError::NothingAdvanced);
            }
        }
        if payments.is_empty() {
            return Err(DisclosureError::NoPayments);
        }
        check_one_rate(&advances, &payments)?;

        let amount_financed = total(&advances, currency)?;
        let total_of_payments = total(&payments, currency)?;
        let finance_charge = total_of_payments.checked_sub(amount_financed).map_err(|_| DisclosureError::Overflow)?;
        if finance_charge.is_negative() {
            return Err(DisclosureError::PaymentsBelowAdvances { amount_financed, total_of_payments });
        }
        Ok(Self {
            start,
            advances: dated(&advances),
            payments: dated(&payments),
            amount_financed,
            total_of_payments,
            finance_charge,
        })
    }

    /// The days on which something is advanced.
    pub(super) fn advance_days(&self) -> Vec<NaiveDate> {
        self.advances.iter().map(|advance| advance.on).collect()
    }

    /// The days on which something is paid, all after the start.
    pub(super) fn payment_days(&self) -> Vec<NaiveDate> {
        self.payments.iter().map(|payment| payment.on).collect()
    }
}

fn check_each(flows: &[CashFlow], currency: Currency) -> Result<(), DisclosureError> {
    for flow in flows {
        if flow.amount.currency() != currency {
            return Err(DisclosureError::CurrencyMismatch { expected: currency, given: flow.amount.currency() });
        }
        if !flow.amount.is_positive() {
            return Err(DisclosureError::AmountNotPositive { on: flow.on });
        }
    }
    match flows.windows(2).find_map(|pair| match pair {
        [earlier, later] if later.on < earlier.on => Some(later.on),
        _ => None,
    }) {
        Some(on) => Err(DisclosureError::DatesOutOfOrder { on }),
        None => Ok(()),
    }
}

type ByDay = BTreeMap<NaiveDate, i64>;

fn by_day(flows: &[CashFlow], direction: Direction) -> Result<ByDay, DisclosureError> {
    let mut days = ByDay::new();
    for flow in flows.iter().filter(|flow| flow.direction == direction) {
        let day = days.entry(flow.on).or_default();
        *day = day.checked_add(flow.amount.minor()).ok_or(DisclosureError::Overflow)?;
    }
    Ok(days)
}

fn dated(days: &ByDay) -> Vec<Dated> {
    days.iter().map(|(&on, &minor)| Dated { on, minor }).collect()
}

fn total(days: &ByDay, currency: Currency) -> Result<Money, DisclosureError> {
    let sum = days.values().try_fold(0_i64, |sum, &minor| sum.checked_add(minor)).ok_or(DisclosureError::Overflow)?;
    Ok(Money::new(sum, currency))
}

/// When the borrower has paid more than was advanced so far and is then advanced more, several rates can solve the
/// equation. When the running balance changes sides at most once, one does (Norstrøm's criterion for a single
/// internal rate of return).
fn check_one_rate(advances: &ByDay, payments: &ByDay) -> Result<(), DisclosureError> {
    let mut days: BTreeMap<NaiveDate, i128> = BTreeMap::new();
    for (&on, &minor) in payments {
        *days.entry(on).or_default() += i128::from(minor);
    }
    for (&on, &minor) in advances {
        *days.entry(on).or_default() -= i128::from(minor);
    }
    let (mut balance, mut overpaid) = (0_i128, false);
    for (on, change) in days {
        balance += change;
        if overpaid && balance < 0 {
            return Err(DisclosureError::SeveralRates { advanced_on: on });
        }
        overpaid = overpaid || balance > 0;
    }
    Ok(())
}
