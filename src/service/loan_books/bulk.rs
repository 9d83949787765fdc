//! Loans with their whole history at once, for data that is made up or brought along: the books come out as if every
//! transaction had been recorded on its own day by the pipeline beside this, which does the working out here too. It
//! judges the history as that would, and asks nobody for permission.

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::loan::Installment;

use super::write::{Outcome, Stamp, StandingEntries, take};
use super::{Books, fold};
use crate::ids::IdSource;
use crate::service::ServiceError;
use crate::store::StoreError;
use crate::store::branches::BranchRecord;
use crate::store::database::Transaction;
use crate::store::journal::{self, Booking};
use crate::store::loan_history::{self, StoredTransaction};
use crate::store::loan_projection::{self, Split};
use crate::store::loans::{self, LoanRecord};

/// A loan with everything that is to be stored of its books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeLoan {
    /// The loan as it is at the end.
    pub loan: LoanRecord,
    /// Its transactions.
    pub history: Vec<StoredTransaction>,
    /// Its installments.
    pub installments: Vec<Installment>,
    /// What its transactions did.
    pub splits: Vec<Split>,
    /// Its journal.
    pub bookings: Vec<Booking>,
}

/// Works out the books of a loan, as decided so far and without transactions, with a history in the order of both the
/// value dates and the sequences, none of it reversed: each transaction booked on its value date, the projection of
/// `as_of`. The journal entries get the ids. A loan without a history comes back as it is.
///
/// # Errors
/// [`ServiceError::Internal`] when the loan would not have taken a transaction on its day.
pub fn make(
    loan: LoanRecord,
    branch: BranchRecord,
    calendar: Calendar,
    history: Vec<StoredTransaction>,
    as_of: NaiveDate,
    ids: &dyn IdSource,
) -> Result<MadeLoan, ServiceError> {
    let mut made =
        MadeLoan { loan, history: Vec::new(), installments: Vec::new(), splits: Vec::new(), bookings: Vec::new() };
    if history.is_empty() {
        return Ok(made);
    }
    let state = fold(&made.loan, &[], &calendar, as_of)?;
    let mut books = Books { loan: made.loan, branch, calendar, history: Vec::new(), today: as_of, state };
    let mut standing = StandingEntries::new();
    for stored in history {
        let Outcome { entries, splits } = record(&mut books, stored, ids, &mut standing)?;
        made.bookings.extend(entries);
        made.splits = splits;
    }
    let by = books.history.last().map(|stored| stored.recorded_by.clone()).unwrap_or_default();
    let after = fold(&books.loan, &StoredTransaction::history(&books.history), &books.calendar, as_of)?;
    let accrued = books.loan.projection.accrued;
    books.settle(after, accrued, &by)?;
    Ok(MadeLoan { loan: books.loan, history: books.history, installments: books.state.installments, ..made })
}

/// Records one transaction on its own day.
fn record(
    books: &mut Books,
    stored: StoredTransaction,
    ids: &dyn IdSource,
    standing: &mut StandingEntries,
) -> Result<Outcome, ServiceError> {
    let (on, event) = (stored.transaction.on, stored.transaction.event.clone());
    books.today = on;
    books.admit(&event, on).map_err(|refusal| refused(&stored, &refusal))?;
    let change = books.changed(Some((event, on)), None)?;
    let (by, now) = (stored.recorded_by.clone(), stored.recorded_at);
    let stamp = Stamp { by: &by, now, id: stored.id, reference: stored.external_ref.clone(), ids };
    if change.added.as_ref() != Some(&stored.transaction) {
        return Err(refused(&stored, &"it is not the next of its loan"));
    }
    books.history.push(stored);
    take(books, &change, &stamp, standing)
}

fn refused(stored: &StoredTransaction, why: &dyn std::fmt::Display) -> ServiceError {
    StoreError::Corrupt(format!("transaction {} of a made loan: {why}", stored.id)).into()
}

/// Adds loans with their books, in few statements.
///
/// # Errors
/// [`StoreError::Duplicate`] when an id, a number or an external reference is taken; otherwise whatever the database
/// answers.
pub async fn insert_many(transaction: &Transaction, all: &[MadeLoan]) -> Result<(), StoreError> {
    let records: Vec<LoanRecord> = all.iter().map(|made| made.loan.clone()).collect();
    loans::insert(&**transaction, &records).await?;
    let history = all.iter().flat_map(|made| made.history.iter().map(|stored| (made.loan.id, stored.clone())));
    loan_history::append(&**transaction, &history.collect::<Vec<_>>()).await?;
    let bookings: Vec<Booking> = all.iter().flat_map(|made| made.bookings.iter().cloned()).collect();
    journal::book(&**transaction, &bookings).await?;
    let splits = all.iter().flat_map(|made| made.splits.iter().map(|split| (made.loan.id, split)));
    loan_projection::insert_splits(&**transaction, splits).await?;
    let rows = all.iter().flat_map(|made| made.installments.iter().map(|row| (made.loan.id, row)));
    loan_projection::insert_installments(&**transaction, rows).await
}
