//! Journal entries in the API: double entry, never changed, taken back by a mirror.

use async_graphql::{Context, ID, Object, Result};
use lending::money::Money;
use uuid::Uuid;

use super::id::id;
use super::ledger::{JournalEntryKind, JournalLine};
use super::scalars::{Date, DateTime};
use crate::graphql::request::request;
use crate::ids::Kind;
use crate::service::loan_journal::{Booking, EntryKind};

/// A journal entry. Its debits and credits are equal, and it is never changed.
#[derive(Clone)]
pub struct JournalEntry {
    booking: Booking,
}

impl From<Booking> for JournalEntry {
    fn from(booking: Booking) -> Self {
        Self { booking }
    }
}

impl JournalEntry {
    /// Its id in the database.
    pub fn uuid(&self) -> Uuid {
        self.booking.entry.id
    }
}

/// A journal entry. Its debits and credits are equal, and it is never changed.
#[Object]
impl JournalEntry {
    /// The id, such as "entry_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::JournalEntry, self.booking.entry.id)
    }

    /// What it is for.
    async fn kind(&self) -> JournalEntryKind {
        match self.booking.entry.kind {
            EntryKind::Transaction(kind) => Some(kind).into(),
            EntryKind::Accrual => JournalEntryKind::Accrual,
        }
    }

    /// The business date it counts from.
    async fn on(&self) -> Date {
        Date(self.booking.entry.booked_on)
    }

    /// When it was booked.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.booking.entry.recorded_at)
    }

    /// The subject of whoever brought it about.
    async fn recorded_by(&self) -> &str {
        &self.booking.entry.recorded_by
    }

    /// The loan's transaction it belongs to, such as "loantx_01k…"; null for an accrual.
    async fn transaction_id(&self) -> Option<ID> {
        self.booking.entry.transaction_id.map(|uuid| id(Kind::LoanTransaction, uuid))
    }

    /// The id of the entry it is the mirror of: what it takes back. An entry is taken back once.
    async fn reverses(&self) -> Option<ID> {
        self.booking.entry.reverses_id.map(|uuid| id(Kind::JournalEntry, uuid))
    }

    /// A remark.
    async fn memo(&self) -> Option<&str> {
        self.booking.entry.memo.as_deref()
    }

    /// Its lines.
    async fn lines(&self) -> Vec<JournalLine> {
        let currency = self.booking.entry.currency;
        let line = |posting: &lending::ledger::Posting| JournalLine {
            account: posting.account.into(),
            side: posting.side.into(),
            amount: Money::new(posting.amount, currency).into(),
        };
        self.booking.lines.iter().map(|of| line(&of.posting)).collect()
    }
}

/// What a connection of a loan's journal entries has beside its page.
pub struct JournalEntryConnectionFields {
    loan: Uuid,
}

impl JournalEntryConnectionFields {
    /// The further fields of the connection of a loan.
    #[must_use]
    pub const fn new(loan: Uuid) -> Self {
        Self { loan }
    }
}

/// What a connection of a loan's journal entries has beside its page.
#[Object]
impl JournalEntryConnectionFields {
    /// How many there are, on all pages together. Counting stops at 10,001, which stands for "more than 10,000".
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        let request = request(context)?;
        let count = request.services.count_journal_of_loan(request.actor, self.loan).await?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
