//! What it takes to be rid of a loan on a day, as [`Loan::payoff`](super::Loan::payoff) answers it. Only data.

use chrono::NaiveDate;

/// What paying off on a day costs, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoffQuote {
    /// The day.
    pub on: NaiveDate,
    /// Principal that is owed.
    pub principal: i64,
    /// Interest to the day, or to the end of the period, as the terms say.
    pub interest: i64,
    /// Fees that are due, and the early-closure fee.
    pub fees: i64,
    /// Penalties that are due.
    pub penalties: i64,
    /// The borrower's credit, which lowers the total.
    pub credit: i64,
    /// All of it.
    pub total: i64,
}
