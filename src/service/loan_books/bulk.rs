//! Loans with their whole history at once, for data that is made up or brought along: the books come out as if every
//! transaction had been recorded on its own day by the pipeline beside this. It judges no history and asks nobody for
//! permission.

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::ledger::{Account, Entry, Side};
use lending::loan::conditions::Component;
use lending::loan::{Event, FoldError, Installment, Portions, posting};

use super::journal::{About, booking};
use super::write::Stamp;
use super::{fold, settle};
use crate::ids::IdSource;
use crate::service::ServiceError;
use crate::store::StoreError;
use crate::store::database::Transaction;
use crate::store::journal::{self, Booking, EntryKind};
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
/// value dates and the sequences, none of it reversed: each transaction booked on its value date and followed by the
/// accrual of the income it settles, the projection of `as_of`. The journal entries get the ids. A loan without a history
/// comes back as it is.
///
/// The history is folded once and not once per transaction: one after the other nothing is ever split anew. Whether
/// the loan would have admitted each of them is not asked.
///
/// # Errors
/// [`ServiceError::Internal`] for a history that is out of order or that cannot be folded.
pub fn make(
    loan: LoanRecord,
    calendar: &Calendar,
    history: Vec<StoredTransaction>,
    as_of: NaiveDate,
    ids: &dyn IdSource,
) -> Result<MadeLoan, ServiceError> {
    let mut made = MadeLoan { loan, history, installments: Vec::new(), splits: Vec::new(), bookings: Vec::new() };
    let Some(last) = made.history.last() else { return Ok(made) };
    let (by, at) = (last.recorded_by.clone(), last.recorded_at);
    check_order(&made.history, as_of)?;
    let after = fold(&made.loan, &StoredTransaction::history(&made.history), calendar, as_of)?;
    let mut accrued = Portions::ZERO;
    for (stored, effect) in made.history.iter().zip(&after.effects) {
        let stamp = Stamp { by: &stored.recorded_by, now: stored.recorded_at, id: stored.id, reference: None, ids };
        let on = stored.transaction.on;
        let mut standing = None;
        if !effect.entry.is_empty() {
            let kind = EntryKind::Transaction(effect.kind);
            let about = About { kind, transaction: Some(stored.id), reverses: None };
            let entry = booking(&made.loan, &stamp, about, &effect.entry, on);
            standing = Some(entry.entry.id);
            made.bookings.push(entry);
        }
        let settled = settled_by(&effect.entry)?;
        accrued = accrued.plus(&settled)?;
        let entry = accrual(&settled)?;
        if !entry.is_empty() {
            let about = About { kind: EntryKind::Accrual, transaction: None, reverses: None };
            made.bookings.push(booking(&made.loan, &stamp, about, &entry, on));
        }
        made.splits.push(Split::of(effect, stored.id, standing));
    }
    if !posting::accrual(&after, &accrued, None)?.is_empty() {
        return Err(unfit(&made.loan, "its transactions do not settle the income it earned"));
    }
    made.loan.version += i64::try_from(made.history.len()).unwrap_or(i64::MAX);
    made.loan.updated_at = at;
    settle(&mut made.loan, &after, accrued, &by)?;
    made.installments = after.installments;
    Ok(made)
}

/// Each receivable of income with its income.
const INCOME: [(Component, Account, Account); 3] = [
    (Component::Interest, Account::InterestReceivable, Account::InterestIncome),
    (Component::Fee, Account::FeesReceivable, Account::FeeIncome),
    (Component::Penalty, Account::PenaltiesReceivable, Account::PenaltyIncome),
];

/// The income that an entry takes out of the receivables, and that must have been put there before.
fn settled_by(entry: &Entry) -> Result<Portions, FoldError> {
    let credits = entry.postings().iter().filter(|posting| posting.side == Side::Credit);
    let settled = credits.filter_map(|posting| {
        let found = INCOME.iter().find(|(_, receivable, _)| *receivable == posting.account);
        found.map(|(component, ..)| Portions::only(*component, posting.amount))
    });
    settled.into_iter().try_fold(Portions::ZERO, |sum, one| sum.plus(&one))
}

/// The entry that accrues so much income.
fn accrual(income: &Portions) -> Result<Entry, FoldError> {
    let lines = INCOME.iter().flat_map(|(component, receivable, account)| {
        let amount = income.of(*component);
        [(*receivable, Side::Debit, amount), (*account, Side::Credit, amount)]
    });
    Entry::new(lines).map_err(|_| FoldError::Overflow)
}

/// The fold takes transactions in the order of their value dates; only if that is theirs, its effects are in it too.
fn check_order(history: &[StoredTransaction], as_of: NaiveDate) -> Result<(), ServiceError> {
    let mut earliest = NaiveDate::MIN;
    for (stored, sequence) in history.iter().zip(1..) {
        let transaction = &stored.transaction;
        let charged_before = matches!(transaction.event, Event::Charge { due_on, .. } if due_on < transaction.on);
        let fits = transaction.sequence == sequence && (earliest..=as_of).contains(&transaction.on);
        if !fits || transaction.reversed || charged_before {
            let message = format!("transaction {} is not the next of a made loan", stored.id);
            return Err(StoreError::Corrupt(message).into());
        }
        earliest = transaction.on;
    }
    Ok(())
}

fn unfit(loan: &LoanRecord, why: &str) -> ServiceError {
    StoreError::Corrupt(format!("made loan {}: {why}", loan.id)).into()
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
pub(in crate::service) mod tests;
