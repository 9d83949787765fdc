//! Writing a decided change: the transaction or its reversal, the projection by difference, the journal, the loan. It
//! decides nothing; by the time it runs nothing can be refused any more.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use lending::ledger::Entry;
use lending::loan::posting::{self, Rebooking};
use lending::loan::{Portions, Sequence};
use lending::money::Money;
use uuid::Uuid;

use super::journal::{About, booking};
use super::{Books, Change, Recorded, ReplayedTransaction, Stored, settle};
use crate::ids::IdSource;
use crate::service::ServiceError;
use crate::store::batch::Batch;
use crate::store::journal::{self, Booking, EntryKind};
use crate::store::loan_history::{self, Reversal, StoredTransaction};
use crate::store::loan_projection::{self, Split};
use crate::store::loans;

/// Who writes, when, and under which ids.
pub(super) struct Stamp<'a> {
    /// The subject of who writes.
    pub by: &'a str,
    pub now: DateTime<Utc>,
    /// The id of a new transaction.
    pub id: Uuid,
    /// The new transaction's id in another system.
    pub reference: Option<String>,
    pub ids: &'a dyn IdSource,
}

/// Writes a change of a loan's history into a batch, given what is stored of what its history came to.
pub(super) fn change(
    batch: &mut Batch,
    books: &mut Books,
    stored: &Stored,
    change: &Change,
    stamp: &Stamp<'_>,
) -> Result<Recorded, ServiceError> {
    let recorded = history(batch, books, change, stamp)?;
    let replay = replayed(books, change);
    project(batch, books, stored, change, stamp)?;
    let amount = change.added.as_ref().and_then(|added| added.event.amount());
    Ok(Recorded {
        loan: books.loan.clone(),
        view: None,
        transaction: recorded,
        amount: amount.map(|minor| Money::new(minor, books.currency())),
        replay,
        replayed: false,
    })
}

/// Adds the new transaction or takes one back; answers with its id.
fn history(batch: &mut Batch, books: &mut Books, change: &Change, stamp: &Stamp<'_>) -> Result<Uuid, ServiceError> {
    let mut recorded = stamp.id;
    if let Some(added) = &change.added {
        let stored = StoredTransaction {
            id: stamp.id,
            transaction: added.clone(),
            recorded_at: stamp.now,
            recorded_by: stamp.by.to_owned(),
            external_ref: stamp.reference.clone(),
            reversal: None,
        };
        loan_history::add(batch, books.loan.id, &stored)?;
        books.history.push(stored);
    }
    if let Some((sequence, reason)) = &change.reversed {
        let reversal = Reversal {
            on: books.today,
            reversed_at: stamp.now,
            reversed_by: stamp.by.to_owned(),
            reason: reason.clone(),
        };
        if let Some(stored) = books.history.iter_mut().find(|stored| stored.transaction.sequence == *sequence) {
            recorded = stored.id;
            loan_history::reverse(batch, books.loan.id, stored.id, &reversal)?;
            stored.transaction.reversed = true;
            stored.reversal = Some(reversal);
        }
    }
    Ok(recorded)
}

fn replayed(books: &Books, change: &Change) -> Vec<ReplayedTransaction> {
    let ids = ids_of(books);
    let of = |change: &posting::Replayed| {
        ids.get(&change.sequence).map(|id| ReplayedTransaction { transaction: *id, change: change.clone() })
    };
    change.difference.replayed.iter().filter_map(of).collect()
}

pub(super) fn ids_of(books: &Books) -> HashMap<Sequence, Uuid> {
    books.history.iter().map(|stored| (stored.transaction.sequence, stored.id)).collect()
}

/// Rewrites the projection, the journal and the loan for a state that has been decided.
fn project(
    batch: &mut Batch,
    books: &mut Books,
    stored: &Stored,
    change: &Change,
    stamp: &Stamp<'_>,
) -> Result<(), ServiceError> {
    let id = books.loan.id;
    let mut standing: StandingEntries =
        stored.splits.iter().map(|split| (split.transaction_id, split.journal_entry_id)).collect();
    let Outcome { entries, splits } = take(books, change, stamp, &mut standing)?;
    journal::add(batch, &entries)?;
    loan_projection::change_splits(batch, id, &stored.splits, &splits);
    loan_projection::change_installments(batch, id, &stored.installments, &change.after.installments);
    loans::settle(batch, &books.loan)?;
    Ok(())
}

/// The journal entry that stands for each transaction now.
pub(super) type StandingEntries = HashMap<Uuid, Option<Uuid>>;

/// What a change adds to the journal, and what the transactions then come to.
pub(super) struct Outcome {
    pub entries: Vec<Booking>,
    pub splits: Vec<Split>,
}

/// Takes a change into the books, whose history has it already, and works out what is to be written of it. Nothing is
/// written here.
pub(super) fn take(
    books: &mut Books,
    change: &Change,
    stamp: &Stamp<'_>,
    standing: &mut StandingEntries,
) -> Result<Outcome, ServiceError> {
    let ids = ids_of(books);
    let mut entries = Vec::new();
    for rebooking in &change.difference.rebooked {
        rebook(books, stamp, rebooking, &ids, standing, &mut entries)?;
    }
    let (accrued, entry) = accrue(books, change)?;
    if !entry.is_empty() {
        let about = About { kind: EntryKind::Accrual, transaction: None, reverses: None };
        entries.push(booking(&books.loan, stamp, about, &entry, books.today));
    }
    let splits = change.after.effects.iter().filter_map(|effect| {
        let id = *ids.get(&effect.sequence)?;
        Some(Split::of(effect, id, standing.get(&id).copied().flatten()))
    });
    let splits = splits.collect();
    settle(&mut books.loan, &change.after, accrued, stamp.by)?;
    books.state = change.after.clone();
    books.loan.version += 1;
    books.loan.updated_at = stamp.now;
    Ok(Outcome { entries, splits })
}

/// The entries that take back and post anew what a transaction books.
fn rebook(
    books: &Books,
    stamp: &Stamp<'_>,
    rebooking: &Rebooking,
    ids: &HashMap<Sequence, Uuid>,
    standing: &mut StandingEntries,
    entries: &mut Vec<Booking>,
) -> Result<(), ServiceError> {
    let Some(id) = ids.get(&rebooking.sequence) else { return Ok(()) };
    let kind = books
        .history
        .iter()
        .find(|stored| stored.id == *id)
        .map_or(EntryKind::Accrual, |stored| EntryKind::Transaction(stored.transaction.event.kind()));
    if let Some(mirror) = &rebooking.mirror {
        let reverses = standing.get(id).copied().flatten();
        let about = About { kind, transaction: Some(*id), reverses };
        entries.push(booking(&books.loan, stamp, about, mirror, books.today));
        standing.insert(*id, None);
    }
    if let Some(post) = &rebooking.post {
        let on = booked_on(books, rebooking, *id);
        let about = About { kind, transaction: Some(*id), reverses: None };
        let entry = booking(&books.loan, stamp, about, post, on);
        standing.insert(*id, Some(entry.entry.id));
        entries.push(entry);
    }
    Ok(())
}

/// A new transaction is booked on its value date, unless that day's accounts are closed; what is posted anew is booked
/// on the business date.
fn booked_on(books: &Books, rebooking: &Rebooking, id: Uuid) -> NaiveDate {
    if rebooking.mirror.is_some() {
        return books.today;
    }
    let value_date = books.history.iter().find(|stored| stored.id == id).map(|stored| stored.transaction.on);
    let open_from = books.branch.closed_through.and_then(|closed| closed.succ_opt());
    let on = value_date.unwrap_or(books.today);
    open_from.map_or(on, |open_from| on.max(open_from)).min(books.today)
}

/// The income that is to be booked in all, and the entry for what is missing of it.
fn accrue(books: &Books, change: &Change) -> Result<(Portions, Entry), ServiceError> {
    let booked = books.loan.projection.accrued;
    let through = books.loan.projection.accrued_through;
    let entry = posting::accrual(&change.after, &booked, through)?;
    let earned = change.after.earned(through.unwrap_or(NaiveDate::MIN))?;
    Ok((earned, entry))
}
