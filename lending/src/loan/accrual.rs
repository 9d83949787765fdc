//! Income that has been earned by a day. It is a function of the state, so that what is booked can always be compared
//! with it; the ledger books the difference.

use chrono::NaiveDate;

use super::error::FoldError;
use super::portions::Portions;
use super::state::{Installment, LoanState};
use crate::rounding::share;
use crate::schedule::rates::days;

impl LoanState {
    /// Interest, fees and penalties earned by the end of a day's accounts, in minor units; principal is always 0.
    /// An installment that is due is earned in full; the running one's interest by days, half to even; and never less
    /// than what was paid or waived of it. A loan off the books earns nothing more.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn earned(&self, on: NaiveDate) -> Result<Portions, FoldError> {
        if let Some(stopped) = self.accrual_stopped {
            return Ok(stopped);
        }
        self.installments.iter().try_fold(Portions::ZERO, |sum, row| sum.plus(&earned_of(row, on)?))
    }
}

fn earned_of(row: &Installment, on: NaiveDate) -> Result<Portions, FoldError> {
    let settled = row.paid.plus(&row.waived)?;
    let by_date = if row.due_on <= on {
        row.due
    } else {
        let (covered, length) = (days(row.starts_on, on).max(0), days(row.starts_on, row.due_on).max(1));
        Portions { interest: share(row.due.interest, covered.min(length), length)?, ..Portions::ZERO }
    };
    Ok(Portions {
        principal: 0,
        interest: by_date.interest.max(settled.interest),
        fees: by_date.fees.max(settled.fees),
        penalties: by_date.penalties.max(settled.penalties),
    })
}
