//! Charges of the terms as callers send them: an amount of money or a share in percent, exactly one of the two.

use lending::loan::{ChargeAmount, ChargeTerms, ChargeTiming, LateCharge};
use lending::money::{Currency, Money};
use lending::rate::Rate;
use serde::Serialize;

use super::{MOST_DAYS, MOST_ENTRIES};
use crate::service::check::{AmountInput, Check};
use crate::service::problem::{Detail, Problem, ProblemCode};

const NAME_LENGTH: usize = 100;

/// A charge that every loan bears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChargeInput {
    /// What the borrower reads.
    pub name: String,
    /// When it falls due.
    pub timing: ChargeTiming,
    /// How much it is, unless it is a share.
    pub amount: Option<AmountInput>,
    /// How many percent of what it is on.
    pub share: Option<String>,
}

/// The charge for being late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LateChargeInput {
    /// How much it is, unless it is a share.
    pub amount: Option<AmountInput>,
    /// How many percent of what is overdue.
    pub share: Option<String>,
    /// Days past due before it is made; none when missing.
    pub grace_days: Option<i32>,
    /// The most it may be.
    pub cap: Option<AmountInput>,
}

/// The charges that can be read; the others are noted below `path`.
pub(super) fn read(check: &mut Check, path: &[&str], given: &[ChargeInput], currency: Currency) -> Vec<ChargeTerms> {
    if !check.at_most(path, given.len(), MOST_ENTRIES) {
        return Vec::new();
    }
    let read = |(index, charge): (usize, &ChargeInput)| {
        let index = index.to_string();
        charge.read(check, &[path, &[index.as_str()]].concat(), currency)
    };
    given.iter().enumerate().filter_map(read).collect()
}

impl ChargeInput {
    fn read(&self, check: &mut Check, path: &[&str], currency: Currency) -> Option<ChargeTerms> {
        let name = check.text(&[path, &["name"]].concat(), &self.name, NAME_LENGTH);
        let amount = charge_amount(check, path, self.amount.as_ref(), self.share.as_deref(), currency);
        Some(ChargeTerms { name: name?, timing: self.timing, amount: amount? })
    }
}

impl LateChargeInput {
    pub(super) fn read(&self, check: &mut Check, path: &[&str], currency: Currency) -> Option<LateCharge> {
        let amount = charge_amount(check, path, self.amount.as_ref(), self.share.as_deref(), currency);
        let grace_days =
            check.count(&[path, &["graceDays"]].concat(), self.grace_days.unwrap_or_default(), 0, MOST_DAYS);
        let cap = match &self.cap {
            Some(cap) => Some(positive_money(check, &[path, &["cap"]].concat(), cap, currency)?),
            None => None,
        };
        Some(LateCharge { amount: amount?, grace_days: grace_days?, cap })
    }
}

fn charge_amount(
    check: &mut Check,
    path: &[&str],
    amount: Option<&AmountInput>,
    share: Option<&str>,
    currency: Currency,
) -> Option<ChargeAmount> {
    match (amount, share) {
        (Some(amount), None) => {
            positive_money(check, &[path, &["amount"]].concat(), amount, currency).map(ChargeAmount::Flat)
        }
        (None, Some(share)) => positive_share(check, &[path, &["share"]].concat(), share).map(ChargeAmount::Share),
        (Some(_), Some(_)) => {
            let message = "Send an amount or a share, not both.";
            check.note(Problem::new(ProblemCode::Contradiction, &[path, &["share"]].concat(), message));
            None
        }
        (None, None) => {
            let message = "Send an amount, or a share in percent.";
            check.note(Problem::new(ProblemCode::Required, &[path, &["amount"]].concat(), message));
            None
        }
    }
}

fn positive_money(check: &mut Check, path: &[&str], given: &AmountInput, currency: Currency) -> Option<i64> {
    let money = check.money_in(path, given, currency)?;
    if money.minor() > 0 {
        return Some(money.minor());
    }
    let min = Money::smallest(currency);
    check.note(
        Problem::new(ProblemCode::AmountOutOfRange, &[path, &["amount"]].concat(), format!("Send {min} or more."))
            .with(Detail::Amount { min: Some(min), max: None }),
    );
    None
}

fn positive_share(check: &mut Check, path: &[&str], percent: &str) -> Option<i64> {
    let share = check.rate(path, percent)?;
    if share > Rate::ZERO && share <= Rate::HUNDRED_PERCENT {
        return Some(share.ppm());
    }
    let message = format!("Send a share above 0 %, up to {}.", Rate::HUNDRED_PERCENT);
    check.note(Problem::new(ProblemCode::RateOutOfRange, path, message));
    None
}
