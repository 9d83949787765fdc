//! One installment in the making: its dates, what it aims at, what was paid of it, and what follows from that. It
//! does arithmetic on itself only; what other rows hand it comes in as arguments.

use chrono::NaiveDate;

use super::rates::Period;
use crate::loan::{FoldError, InterestLine, PeriodUnit};

/// What a row aims at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// This total; the principal is what interest leaves of it.
    Level(i64),
    /// This principal; interest comes on top.
    Principal(i64),
}

impl Target {
    /// The amount aimed at.
    pub(crate) const fn amount(self) -> i64 {
        match self {
            Self::Level(amount) | Self::Principal(amount) => amount,
        }
    }

    pub(crate) fn plus(self, more: i64) -> Result<Self, FoldError> {
        let amount = self.amount().checked_add(more).ok_or(FoldError::Overflow)?;
        Ok(match self {
            Self::Level(_) => Self::Level(amount),
            Self::Principal(_) => Self::Principal(amount),
        })
    }
}

/// One installment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a grace of its own that the terms name")]
pub(crate) struct Row {
    pub number: u32,
    /// The first day that bears interest.
    pub from: NaiveDate,
    /// The day after the last.
    pub until: NaiveDate,
    pub due_on: NaiveDate,
    /// How many units it nominally lasts.
    pub every: u32,
    pub unit: PeriodUnit,
    pub target: Target,
    /// What it aimed at before payments changed it.
    pub original: i64,
    /// Fixed interest of flat loans.
    pub flat_interest: Option<i64>,
    pub interest_free: bool,
    /// Its interest falls due later.
    pub interest_grace: bool,
    pub principal_grace: bool,
    /// Principal owed again: a refund that lost its cover.
    pub credited: i64,
    pub paid_principal: i64,
    pub paid_interest: i64,
    /// Paid or waived without the schedule having been told, because it does not depend on it: no new agreement may
    /// ask for less.
    pub settled_principal: i64,
    pub settled_interest: i64,
    /// Interest of later rows, all paid ahead, that shows here.
    pub moved_here: i64,
    /// Its own interest shows in an earlier row.
    pub moved_away: bool,
    // What follows; written by `Model::recompute`.
    pub interest: i64,
    pub principal: i64,
    /// Interest there was no room for; the next row's.
    pub unrecognized: i64,
    pub balance_after: i64,
    pub lines: Vec<InterestLine>,
    /// Interest deferred into it.
    pub deferred: i64,
}

impl Row {
    /// Its days and what they nominally are.
    pub(crate) const fn period(&self) -> Period {
        Period { from: self.from, until: self.until, every: self.every, unit: self.unit }
    }

    /// What it asks for in all, given its interest.
    pub(crate) fn total(&self) -> Result<i64, FoldError> {
        let base = match self.target {
            Target::Level(total) => return add(total, self.beside_target()?),
            Target::Principal(principal) => add(principal, self.interest)?,
        };
        add(base, self.credited)
    }

    /// What it asks for beside the total it aims at.
    pub(crate) fn beside_target(&self) -> Result<i64, FoldError> {
        add(add(self.moved_here, self.deferred)?, self.credited)
    }

    pub(crate) fn paid(&self) -> Result<i64, FoldError> {
        add(self.paid_principal, self.paid_interest)
    }

    /// The least it can ask for.
    pub(crate) fn floor(&self) -> Result<i64, FoldError> {
        Ok(self.paid()?.max(add(self.settled_principal, self.settled_interest)?))
    }

    pub(crate) fn is_fully_paid(&self) -> Result<bool, FoldError> {
        Ok(self.total()? == self.paid()?)
    }

    /// Divides what it aims at into interest and principal, given the interest its days came to. The last row shows
    /// all of its interest, because no row comes after it.
    pub(crate) fn divide(&mut self, calculated: i64, is_last: bool) -> Result<(), FoldError> {
        match self.target {
            Target::Level(_) => {
                let total = self.total()?;
                let room = sub(total, calculated)?.max(0);
                let shown = if self.interest_grace {
                    0
                } else if self.paid_principal > room {
                    self.paid_interest
                } else if is_last {
                    calculated
                } else {
                    calculated.min(total.max(0))
                };
                self.interest = shown.max(self.paid_interest);
                let taken = if self.interest_grace { calculated.max(self.interest) } else { self.interest };
                self.principal = sub(total, taken)?.max(0).max(self.paid_principal);
            }
            Target::Principal(principal) => {
                let shown = if self.interest_grace { 0 } else { calculated };
                self.interest = shown.max(self.paid_interest);
                self.principal = add(principal, self.credited)?.max(self.paid_principal).max(0);
            }
        }
        self.interest = self.interest.max(self.settled_interest);
        self.principal = self.principal.max(self.settled_principal);
        self.unrecognized = sub(calculated, self.interest)?.max(0);
        Ok(())
    }

    /// What a row of a loan asks for that is paid off: what was paid of it.
    pub(crate) fn close(&mut self) {
        self.interest = self.paid_interest.max(self.settled_interest);
        self.principal = self.paid_principal.max(self.settled_principal);
        self.unrecognized = 0;
    }

    pub(crate) fn outstanding_principal(&self) -> Result<i64, FoldError> {
        Ok(sub(self.principal, self.paid_principal)?.max(0))
    }
}

pub(crate) fn add(left: i64, right: i64) -> Result<i64, FoldError> {
    left.checked_add(right).ok_or(FoldError::Overflow)
}

pub(crate) fn sub(left: i64, right: i64) -> Result<i64, FoldError> {
    left.checked_sub(right).ok_or(FoldError::Overflow)
}

pub(crate) fn sum(mut amounts: impl Iterator<Item = i64>) -> Result<i64, FoldError> {
    amounts.try_fold(0, add)
}
