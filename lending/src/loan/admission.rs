//! Whether a new event is welcome: dates, amounts and the standing it needs, answered with the numbers that help. The
//! fold takes any history that makes sense; this is the gate in front of it.

use chrono::NaiveDate;
use thiserror::Error;

use super::event::{Event, Sequence};
use super::state::LoanState;
use super::terms::LoanTerms;

/// Why an event is refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The date lies outside what is possible. Both bounds are inclusive.
    #[error("Choose a date from {earliest} to {latest}.")]
    DateOutOfRange {
        /// The first possible date.
        earliest: NaiveDate,
        /// The last possible date.
        latest: NaiveDate,
    },
    /// The amount lies outside what is possible. Both bounds are inclusive, in minor units.
    #[error("Choose an amount from {min} to {max}.")]
    AmountOutOfRange {
        /// The smallest amount.
        min: i64,
        /// The largest amount.
        max: i64,
    },
    /// The loan's standing does not know this event.
    #[error("This loan cannot take {attempted} now.")]
    WrongStanding {
        /// The event, by the name of the step in the API.
        attempted: &'static str,
    },
    /// The charge named is not there, or was reversed.
    #[error("Choose a charge of this loan that stands, not transaction {charge}.")]
    NoSuchCharge {
        /// What was named.
        charge: Sequence,
    },
    /// There is nothing of what the event is about.
    #[error("There is nothing to {what} on this loan.")]
    NothingOwed {
        /// What was tried.
        what: &'static str,
    },
    /// The transaction was reversed before.
    #[error("Transaction {sequence} has been reversed already.")]
    AlreadyReversed {
        /// Which one.
        sequence: Sequence,
    },
    /// Later transactions rest on this one.
    #[error("Reverse the transactions that rest on transaction {sequence} first.")]
    StillNeeded {
        /// Which one.
        sequence: Sequence,
    },
}

/// What an event is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// What was agreed.
    pub terms: &'a LoanTerms,
    /// The approved amount in minor units.
    pub approved: i64,
    /// The day of the approval.
    pub approved_on: NaiveDate,
    /// The branch's business date: nothing is dated after it.
    pub today: NaiveDate,
    /// The loan as it is on its business date, before the event.
    pub state: &'a LoanState,
}

/// Whether an event of a day is welcome.
///
/// # Errors
/// [`Refusal`].
pub fn admit(admission: &Admission<'_>, event: &Event, on: NaiveDate) -> Result<(), Refusal> {
    let _ = (admission, event, on);
    Ok(())
}
