//! Why a history of transactions cannot be folded. Whether a new event is welcome is asked of
//! [`admit`](super::admission::admit) first; what is here can only follow from a history that was never admitted, or
//! from amounts at the limits of what can be kept.

use chrono::NaiveDate;
use thiserror::Error;

use super::event::Sequence;

/// A history that makes no loan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FoldError {
    /// A sum does not fit in 64 bits of minor units.
    #[error("The amounts of this loan are too large to keep; use smaller ones.")]
    Overflow,
    /// A date lies beyond what the calendar knows.
    #[error("The dates of this loan lie too far away; use nearer ones.")]
    DateOverflow,
    /// Something other than a disbursement comes first.
    #[error("Transaction {sequence} of {on} comes before the first disbursement; disburse first.")]
    NothingDisbursed {
        /// The transaction.
        sequence: Sequence,
        /// Its date.
        on: NaiveDate,
    },
    /// An amount that is nothing or less.
    #[error("Transaction {sequence} has no amount above nothing; send one.")]
    AmountNotPositive {
        /// The transaction.
        sequence: Sequence,
    },
    /// A transaction names one that is not there, or is not a charge, or was reversed.
    #[error("Transaction {sequence} is about the charge {charge}, which does not stand; choose another.")]
    NoSuchCharge {
        /// The transaction.
        sequence: Sequence,
        /// What it names.
        charge: Sequence,
    },
    /// A new agreement without an installment left to apply to.
    #[error("No installment falls due on {from} or later; choose an earlier day.")]
    NothingToReschedule {
        /// The day.
        from: NaiveDate,
    },
    /// More installments than any loan may have.
    #[error("A loan has at most {max} installments.")]
    TooManyInstallments {
        /// The most.
        max: u32,
    },
    /// The money was paid out on the first due date or later.
    #[error("The first installment falls due on {first_due_on}; choose a day before it.")]
    FirstDuePassed {
        /// That due date.
        first_due_on: NaiveDate,
    },
    /// The terms contradict themselves.
    #[error("The terms of this loan make no schedule; mend {field}.")]
    ImpossibleTerms {
        /// What to mend.
        field: &'static str,
    },
}
