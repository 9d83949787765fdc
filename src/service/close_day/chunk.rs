//! One chunk of a branch's day: lock → fold those that must be → accrue all others in SQL → commit. The branch's date is
//! not its business.

use uuid::Uuid;

use super::{BranchDay, ById, Work};
use crate::service::loan_books::day::{self, ClosedLoan, Day, END_OF_DAY, StoredBooks};
use crate::service::{ServiceError, Services};
use crate::store::close_day::{self as store, AccrualHead, Place};
use crate::store::database::Transaction;
use crate::store::loan_projection::{self, Rewrite};
use crate::store::loans::{self, LoanField, LoanRecord};
use crate::store::scope::Scope;
use crate::store::{find, journal, loan_history};

/// Histories of so many loans are held in memory at once.
const FOLDED_AT_ONCE: usize = 500;

/// What a chunk came to.
pub(super) struct Done {
    pub work: Work,
    /// The last loan of it; `None` when there was none.
    pub last: Option<Uuid>,
    /// There were as many loans as are taken at once, so that there may be more.
    pub is_full: bool,
}

impl Services {
    /// Closes a day for the next loans of a branch, as many as are taken at once.
    pub(super) async fn close_chunk(&self, day: &BranchDay<'_>, place: &Place) -> Result<Done, ServiceError> {
        let now = self.now();
        let BranchDay { branch, calendar, size, .. } = *day;
        let day = Day { branch, calendar, on: place.on, now, ids: &*self.ids };
        let day = &day;
        self.database
            .write(|transaction| async move {
                let claimed = store::claim(&*transaction, place, size).await?;
                let Some(last) = claimed.last else {
                    return Ok(Done { work: Work::default(), last: None, is_full: false });
                };
                let mut work = fold(&transaction, day, &claimed.to_fold).await?;
                let head = AccrualHead { id: self.ids.next(now), recorded_at: now, recorded_by: END_OF_DAY.to_owned() };
                let accrued = store::accrue(&*transaction, place, &claimed, &head).await?;
                work.loans = work.folded.saturating_add(accrued);
                Ok(Done { work, last: Some(last), is_full: claimed.count >= u64::from(size) })
            })
            .await
    }
}

/// Folds loans to the day and writes what that makes of them, many at a time.
async fn fold(transaction: &Transaction, day: &Day<'_>, ids: &[Uuid]) -> Result<Work, ServiceError> {
    let mut work = Work::default();
    for some in ids.chunks(FOLDED_AT_ONCE) {
        let mut closed = Vec::with_capacity(some.len());
        for stored in load(transaction, some).await? {
            closed.push(day::close(stored, day)?);
        }
        work.add(counted(&closed));
        write(transaction, &closed).await?;
    }
    Ok(work)
}

async fn load(transaction: &Transaction, ids: &[Uuid]) -> Result<Vec<StoredBooks>, ServiceError> {
    let connection = &**transaction;
    let mut records = find::by_ids::<LoanField, LoanRecord>(connection, &Scope::All, ids).await?;
    records.sort_by_key(|record| record.id);
    let mut histories: ById<_> = loan_history::of_loans(connection, ids).await?;
    let mut splits: ById<_> = loan_projection::splits(connection, ids).await?;
    let mut rows: ById<_> = loan_projection::installments(connection, ids).await?;
    let with_books = |loan: LoanRecord| StoredBooks {
        history: histories.remove(&loan.id).unwrap_or_default(),
        splits: splits.remove(&loan.id).unwrap_or_default(),
        rows: rows.remove(&loan.id).unwrap_or_default(),
        loan,
    };
    Ok(records.into_iter().map(with_books).collect())
}

fn counted(closed: &[ClosedLoan]) -> Work {
    let mut work = Work::default();
    for one in closed {
        work.add(Work {
            loans: 0,
            folded: 1,
            charged: u64::try_from(one.added.len()).unwrap_or(u64::MAX),
            defaulted: u64::from(one.is_newly_defaulted()),
            cured: u64::from(one.is_cured()),
        });
    }
    work
}

async fn write(transaction: &Transaction, closed: &[ClosedLoan]) -> Result<(), ServiceError> {
    let connection = &**transaction;
    let added = closed.iter().flat_map(|one| one.added.iter().map(|stored| (one.loan.id, stored.clone())));
    loan_history::append(connection, &added.collect::<Vec<_>>()).await?;
    let entries: Vec<_> = closed.iter().flat_map(|one| one.entries.iter().cloned()).collect();
    journal::book(connection, &entries).await?;
    let splits =
        closed.iter().map(|one| Rewrite { loan_id: one.loan.id, stored: &one.before.splits, now: &one.splits });
    loan_projection::rewrite_splits(connection, &splits.collect::<Vec<_>>()).await?;
    let rows = closed.iter().map(|one| Rewrite { loan_id: one.loan.id, stored: &one.before.rows, now: &one.rows });
    loan_projection::rewrite_installments(connection, &rows.collect::<Vec<_>>()).await?;
    let loans: Vec<LoanRecord> = closed.iter().map(|one| one.loan.clone()).collect();
    loans::update_day(connection, &loans).await?;
    Ok(())
}
