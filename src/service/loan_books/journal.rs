//! Entries of `lending` as rows of the journal: who booked them, for what, on which day, and which entry they take back.

use chrono::NaiveDate;
use lending::ledger::Entry;
use uuid::Uuid;

use super::write::Stamp;
use crate::store::journal::{Booking, EntryKind, EntryRecord};
use crate::store::loans::LoanRecord;

/// What an entry is about.
pub(super) struct About {
    pub kind: EntryKind,
    pub transaction: Option<Uuid>,
    pub reverses: Option<Uuid>,
}

/// An entry on the books of a loan, on a business date.
pub(super) fn booking(loan: &LoanRecord, stamp: &Stamp<'_>, about: About, entry: &Entry, on: NaiveDate) -> Booking {
    let record = EntryRecord {
        id: stamp.ids.next(stamp.now),
        branch_id: loan.branch_id,
        loan_id: Some(loan.id),
        transaction_id: about.transaction,
        kind: about.kind,
        booked_on: on,
        recorded_at: stamp.now,
        recorded_by: stamp.by.to_owned(),
        currency: loan.terms.principal.currency(),
        reverses_id: about.reverses,
        memo: None,
    };
    Booking::of_loan(record, entry)
}
