//! What is late, and since when. Everything is derived from the oldest unpaid due date, so that it is right at every
//! moment without any job having run; nothing here decides what becomes of a late loan.

use chrono::NaiveDate;

use super::error::FoldError;
use super::portions::Portions;
use super::state::{Installment, LoanState};

/// A range of days past due; the last one of a list is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    /// The fewest days past due.
    pub from: u32,
    /// The most; `None` for the open end.
    pub to: Option<u32>,
}

impl Bucket {
    /// The bucket of so many days past due, by ascending upper bounds.
    pub fn of(days_past_due: u32, upper_bounds: &[u32]) -> Self {
        let mut from = 0;
        for upper in upper_bounds {
            if days_past_due <= *upper {
                return Self { from, to: Some(*upper) };
            }
            from = upper.saturating_add(1);
        }
        Self { from, to: None }
    }
}

/// Whole days from a due date to a day; 0 on the due date and before it.
pub fn days_past_due(oldest_unpaid_due_on: NaiveDate, on: NaiveDate) -> u32 {
    u32::try_from(on.signed_duration_since(oldest_unpaid_due_on).num_days()).unwrap_or(0)
}

impl LoanState {
    /// What is left of all installments together.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn outstanding(&self) -> Result<Portions, FoldError> {
        self.sum(|_| true)
    }

    /// What is left of the installments that were due before `as_of`.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn overdue(&self) -> Result<Portions, FoldError> {
        self.sum(|row| row.due_on < self.as_of)
    }

    /// The due date of the oldest installment with anything left of it.
    pub fn oldest_unpaid_due_on(&self) -> Option<NaiveDate> {
        self.installments.iter().filter(|row| is_open(row)).map(|row| row.due_on).min()
    }

    /// Days past due on `as_of`: days since the due date of the oldest installment with anything left of it.
    pub fn days_past_due(&self) -> u32 {
        self.oldest_unpaid_due_on().map_or(0, |due_on| days_past_due(due_on, self.as_of))
    }

    /// The next due date, on `as_of` or later, of an installment with anything left of it.
    pub fn next_due_on(&self) -> Option<NaiveDate> {
        let open = self.installments.iter().filter(|row| is_open(row));
        open.map(|row| row.due_on).filter(|due_on| *due_on >= self.as_of).min()
    }

    /// The due date of the last installment.
    pub fn matures_on(&self) -> Option<NaiveDate> {
        self.installments.iter().map(|row| row.due_on).max()
    }

    fn sum(&self, wanted: impl Fn(&Installment) -> bool) -> Result<Portions, FoldError> {
        self.installments
            .iter()
            .filter(|row| wanted(row))
            .try_fold(Portions::ZERO, |sum, row| sum.plus(&row.outstanding()?))
    }
}

fn is_open(row: &Installment) -> bool {
    row.outstanding().is_ok_and(|left| !left.is_zero())
}
