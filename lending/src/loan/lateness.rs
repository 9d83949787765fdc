//! The charges for being late that a day calls for: each installment bears one, once its grace is over. Pure and
//! forgetful: what was charged before is read from the history, and nothing is charged here.

use chrono::NaiveDate;

use super::charges::LateCharge;
use super::error::FoldError;
use super::event::{Event, Transaction};
use super::fold::amount_of;
use super::state::{Installment, LoanState, Standing};
use super::terms::LoanTerms;
use crate::schedule::rates::days;

/// A charge for being late that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateChargeDue {
    /// The installment it is for.
    pub installment: u32,
    /// How much, more than nothing, in minor units.
    pub amount: i64,
}

/// The late charges a loan is to bear on a day, in the order of the installments, given its state on that day and its
/// whole history. An installment is charged when it is more than the grace days past due and has principal, interest or
/// fees left: a penalty bears no penalty. It is charged once: a late charge that was reversed is not made again. A loan
/// that is off the books, repaid or given up is not charged.
///
/// # Errors
/// [`FoldError::Overflow`].
pub fn late_charges(
    state: &LoanState,
    terms: &LoanTerms,
    transactions: &[Transaction],
    on: NaiveDate,
) -> Result<Vec<LateChargeDue>, FoldError> {
    let Some(late) = &terms.conditions.late_charge else { return Ok(Vec::new()) };
    let runs = matches!(state.standing, Standing::Active | Standing::Defaulted { .. });
    if !runs || state.charged_off_on.is_some() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for row in state.installments.iter().filter(|row| days(row.due_on, on) > i64::from(late.grace_days)) {
        if was_charged(transactions, row.number) {
            continue;
        }
        let amount = amount(late, row)?;
        if amount > 0 {
            found.push(LateChargeDue { installment: row.number, amount });
        }
    }
    Ok(found)
}

fn was_charged(transactions: &[Transaction], installment: u32) -> bool {
    let charges =
        |one: &Transaction| matches!(one.event, Event::Charge { late_for: Some(number), .. } if number == installment);
    transactions.iter().any(charges)
}

/// What the charge comes to for an installment; nothing when nothing but penalties is left of it.
fn amount(late: &LateCharge, row: &Installment) -> Result<i64, FoldError> {
    let left = row.outstanding()?;
    let base = left.total()?.checked_sub(left.penalties).ok_or(FoldError::Overflow)?;
    if base <= 0 {
        return Ok(0);
    }
    let full = amount_of(late.amount, base)?;
    Ok(late.cap.map_or(full, |cap| full.min(cap)))
}
