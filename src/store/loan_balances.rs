//! The part of a loan's row that its transactions come to: balances and the dates that decide how late it is. It is a
//! projection; nothing may be decided from it that the fold would not decide alike.

use chrono::NaiveDate;
use lending::loan::{FoldError, LoanState, Portions};

use super::entity::loan;

/// What a loan's transactions come to on the day its books were last written, in minor units of the loan's currency.
/// All zero and without dates before the first disbursement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoanProjection {
    /// Everything paid out, gross: all tranches.
    pub disbursed: i64,
    /// What is left of all installments.
    pub outstanding: Portions,
    /// What the borrower paid too much and has not got back.
    pub credit: i64,
    /// Money that came in after the write-off.
    pub recovered: i64,
    /// Income the journal has accrued so far; principal is always 0.
    pub accrued: Portions,
    /// The due date of the oldest installment with anything left of it; days past due follow from it.
    pub oldest_unpaid_due_on: Option<NaiveDate>,
    /// The next due date, on the day of the projection or later, of an installment with anything left of it.
    pub next_due_on: Option<NaiveDate>,
    /// The due date of the last installment.
    pub matures_on: Option<NaiveDate>,
    /// The day it was taken off the books.
    pub charged_off_on: Option<NaiveDate>,
    /// The last day the accrued income is of.
    pub accrued_through: Option<NaiveDate>,
    /// The day the books were last written for: all this is as of it, unless it was refreshed since.
    pub projected_on: Option<NaiveDate>,
    /// The day the balances, the dates and the installments were last worked out for. It is before the day of the books
    /// where a day that was closed changed nothing of them, and after it where only they were worked out anew.
    pub refreshed_on: Option<NaiveDate>,
}

impl LoanProjection {
    /// The projection of a loan's state, with the income the journal will have accrued once it is written.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn of(state: &LoanState, accrued: Portions, accrued_through: Option<NaiveDate>) -> Result<Self, FoldError> {
        Ok(Self {
            disbursed: state.disbursed,
            outstanding: state.outstanding()?,
            credit: state.credit,
            recovered: state.recovered,
            accrued,
            oldest_unpaid_due_on: state.oldest_unpaid_due_on(),
            next_due_on: state.next_due_on(),
            matures_on: state.matures_on(),
            charged_off_on: state.charged_off_on,
            accrued_through,
            projected_on: Some(state.as_of),
            refreshed_on: Some(state.as_of),
        })
    }

    /// The same for another day, of which nothing is booked: what the journal holds, and the day it was written for,
    /// stay.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn refreshed(&self, state: &LoanState) -> Result<Self, FoldError> {
        Ok(Self { projected_on: self.projected_on, ..Self::of(state, self.accrued, self.accrued_through)? })
    }

    /// The day of the books on a business date. They know of no day before the one they were last written for, also where
    /// a clock or a branch's time zone was set back: what was recorded until then stands.
    #[must_use]
    pub fn day(&self, business_date: NaiveDate) -> NaiveDate {
        self.projected_on.map_or(business_date, |projected| projected.max(business_date))
    }

    /// The day the balances, the dates and the installments are right for.
    #[must_use]
    pub fn right_on(&self) -> Option<NaiveDate> {
        self.projected_on.max(self.refreshed_on)
    }
}

impl From<&loan::Model> for LoanProjection {
    fn from(row: &loan::Model) -> Self {
        Self {
            disbursed: row.disbursed_total_minor,
            outstanding: Portions {
                principal: row.outstanding_principal_minor,
                interest: row.outstanding_interest_minor,
                fees: row.outstanding_fees_minor,
                penalties: row.outstanding_penalties_minor,
            },
            credit: row.credit_minor,
            recovered: row.recovered_minor,
            accrued: Portions {
                principal: 0,
                interest: row.accrued_interest_minor,
                fees: row.accrued_fees_minor,
                penalties: row.accrued_penalties_minor,
            },
            oldest_unpaid_due_on: row.oldest_unpaid_due_on,
            next_due_on: row.next_due_on,
            matures_on: row.matures_on,
            charged_off_on: row.charged_off_on,
            accrued_through: row.accrued_through,
            projected_on: row.projected_on,
            refreshed_on: row.refreshed_on,
        }
    }
}
