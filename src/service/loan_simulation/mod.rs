//! What would become of a loan: its history with events more that nobody recorded. An imagined event passes the same
//! gate as a real one, against the loan as it is before it; nothing here is written, and nothing can be.

mod input;
mod new_loan;
mod stage;

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::disclosure::{CostDisclosure, DisclosureRule};
use lending::ledger::Entry;
use lending::loan::{FoldError, LoanState, LoanTerms, Portions, Transaction, TransactionKind};

pub use input::{Imagined, ImaginedEvent};
pub use new_loan::SimulateLoan;

use super::error::ServiceError;
use super::loan_disclosure::{NoDisclosure, disclose};
use super::loan_views::LoanView;
use super::problem::Problem;
use stage::Stage;

/// The most events of one simulation: each is a fold of its own.
pub const MOST_EVENTS: usize = 50;

/// A loan as it would be.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The loan on the last day looked at without the imagined events.
    pub before: LoanState,
    /// The loan on that day with them.
    pub after: LoanState,
    /// What the journal would take in, in the order it would be booked.
    pub journal: Vec<ImaginedEntry>,
    /// Why an event was refused. The events before it count, it and those after it do not.
    pub problems: Vec<Problem>,
    terms: LoanTerms,
    transactions: Vec<Transaction>,
    calendar: Calendar,
}

/// An entry that would be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImaginedEntry {
    /// The kind of transaction it is of; `None` for income that would be accrued.
    pub kind: Option<TransactionKind>,
    /// The day it would be booked on.
    pub on: NaiveDate,
    /// It takes an earlier entry back.
    pub mirrors: bool,
    /// What it books.
    pub entry: Entry,
}

impl Simulation {
    /// What all installments ask for.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn asked(&self) -> Result<Portions, FoldError> {
        self.after.installments.iter().try_fold(Portions::ZERO, |sum, row| sum.plus(&row.due))
    }

    /// The cost of the loan by a rule, as it would have been agreed; `None` when nothing would be paid out.
    ///
    /// # Errors
    /// [`NoDisclosure`].
    pub fn disclose(&self, rule: DisclosureRule) -> Result<Option<CostDisclosure>, NoDisclosure> {
        disclose(&self.terms, &self.transactions, &self.calendar, rule)
    }
}

/// What a loan would be after these events, given in the order in which they would be recorded. They may lie in the
/// future. A pending loan counts as approved for what was applied for.
///
/// # Errors
/// [`ServiceError::Rejected`] for too many events; [`ServiceError::Internal`] when the recorded history makes no loan.
pub fn simulate(view: &LoanView, events: &[ImaginedEvent]) -> Result<Simulation, ServiceError> {
    Stage::of_loan(view).play(events)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
