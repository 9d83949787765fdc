//! A loan at the end of a business day, for the loans whose day cannot be told from what is stored of them: folded to
//! the day, charged for being late, its income accrued. Everything is worked out here and nothing is written, so that
//! many loans can be written at once.

use chrono::{DateTime, NaiveDate, Utc};
use lending::calendar::Calendar;
use lending::loan::lateness::late_charges;
use lending::loan::posting::difference;
use lending::loan::{ChargeKind, Event, Installment, Lifecycle, Loan, LoanStatus, Transaction as LoanTransaction};

use super::write::{Outcome, Stamp, StandingEntries, take};
use super::{Books, Change, fold};
use crate::ids::IdSource;
use crate::service::ServiceError;
use crate::store::branches::BranchRecord;
use crate::store::journal::{Booking, EntryKind};
use crate::store::loan_history::{self, StoredTransaction};
use crate::store::loan_projection::Split;
use crate::store::loans::LoanRecord;

/// Who records what the end of a day brings about.
pub(in crate::service) const END_OF_DAY: &str = "end-of-day";

/// A loan as it is stored.
pub(in crate::service) struct StoredBooks {
    pub loan: LoanRecord,
    pub history: Vec<StoredTransaction>,
    pub splits: Vec<Split>,
    pub rows: Vec<Installment>,
}

/// A day of a branch.
pub(in crate::service) struct Day<'a> {
    pub branch: &'a BranchRecord,
    pub calendar: &'a Calendar,
    pub on: NaiveDate,
    pub now: DateTime<Utc>,
    pub ids: &'a dyn IdSource,
}

/// What is to be written of a loan's day.
pub(in crate::service) struct ClosedLoan {
    pub before: StoredBooks,
    pub loan: LoanRecord,
    /// The late charges.
    pub added: Vec<StoredTransaction>,
    pub entries: Vec<Booking>,
    pub splits: Vec<Split>,
    pub rows: Vec<Installment>,
}

impl ClosedLoan {
    /// It counts as defaulted from this day's accounts on.
    pub(in crate::service) fn is_newly_defaulted(&self) -> bool {
        self.turned_to(LoanStatus::Defaulted)
    }

    /// It no longer counts as defaulted.
    pub(in crate::service) fn is_cured(&self) -> bool {
        self.before.loan.state.status() == LoanStatus::Defaulted && self.turned_to(LoanStatus::Disbursed)
    }

    fn turned_to(&self, status: LoanStatus) -> bool {
        self.loan.state.status() == status && self.before.loan.state.status() != status
    }
}

/// Works out a loan's day. What is known of later days stays: of a day that was missed, the loan is folded to the day
/// its projection is of, and only what is late and what is earned are told as of the day itself.
///
/// # Errors
/// [`ServiceError`] when the history makes no loan any more.
pub(in crate::service) fn close(stored: StoredBooks, day: &Day<'_>) -> Result<ClosedLoan, ServiceError> {
    let mut books = open(&stored, day)?;
    let added = charges(&books, day)?;
    let mut changed = StoredTransaction::history(&books.history);
    changed.extend(added.iter().map(|one| one.transaction.clone()));
    let after = fold(&books.loan, &changed, day.calendar, books.today)?;
    let change = Change { added: None, reversed: None, difference: difference(&books.state, &after), after };
    books.history.extend(added.iter().cloned());
    books.loan.projection.accrued_through = books.loan.projection.accrued_through.max(Some(day.on));
    let stamp = Stamp { by: END_OF_DAY, now: day.now, id: day.ids.next(day.now), reference: None, ids: day.ids };
    let mut standing: StandingEntries =
        stored.splits.iter().map(|split| (split.transaction_id, split.journal_entry_id)).collect();
    let Outcome { mut entries, splits } = take(&mut books, &change, &stamp, &mut standing)?;
    for booking in entries.iter_mut().filter(|booking| booking.entry.kind == EntryKind::Accrual) {
        booking.entry.booked_on = day.on;
    }
    let rows = books.state.installments.clone();
    Ok(ClosedLoan { loan: books.loan, before: stored, added, entries, splits, rows })
}

fn open(stored: &StoredBooks, day: &Day<'_>) -> Result<Books, ServiceError> {
    let today = stored.loan.projection.day(day.on);
    let state = fold(&stored.loan, &StoredTransaction::history(&stored.history), day.calendar, today)?;
    Ok(Books {
        loan: stored.loan.clone(),
        branch: day.branch.clone(),
        calendar: day.calendar.clone(),
        history: stored.history.clone(),
        today,
        state,
    })
}

/// The late charges of the day as transactions. Of a loan that has ended since there are none.
fn charges(books: &Books, day: &Day<'_>) -> Result<Vec<StoredTransaction>, ServiceError> {
    if !matches!(books.loan.state, Lifecycle::Disbursed { .. } | Lifecycle::Defaulted { .. }) {
        return Ok(Vec::new());
    }
    let history = StoredTransaction::history(&books.history);
    let state = Loan::fold(&books.loan.terms, &history, day.calendar, day.on)?;
    let due = late_charges(&state, &books.loan.terms, &history, day.on)?;
    let first = loan_history::next_sequence(&books.history);
    let made = due.into_iter().zip(first..).map(|(due, sequence)| StoredTransaction {
        id: day.ids.next(day.now),
        transaction: LoanTransaction {
            sequence,
            on: day.on,
            event: Event::Charge {
                amount: due.amount,
                charge: ChargeKind::Penalty,
                due_on: day.on,
                late_for: Some(due.installment),
            },
            reversed: false,
        },
        recorded_at: day.now,
        recorded_by: END_OF_DAY.to_owned(),
        external_ref: None,
        reversal: None,
    });
    Ok(made.collect())
}
