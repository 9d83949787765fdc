//! What the journal has about a loan. Entries are read with their lines; nothing here books.

use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::list::{COUNT_CAP, Filter, Page, PageRequest, Scalar, Test};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::journal::{self, EntryField, EntryRecord};
use crate::store::{find, page};

pub use crate::store::journal::{Booking, EntryKind};

impl Services {
    /// A page of a loan's journal entries in the order of booking. The caller has found the loan.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn journal_of_loan(
        &self,
        actor: &Actor,
        loan: Uuid,
        request: &PageRequest,
    ) -> Result<Page<Booking>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLedger)?;
        let page = journal::of_loan(self.database.reader(), &scope, loan, request).await?;
        let (cursors, entries): (Vec<_>, Vec<_>) = page.rows.into_iter().unzip();
        let bookings = self.with_lines(entries).await?;
        let rows = cursors.into_iter().zip(bookings).collect();
        Ok(Page { rows, has_previous: page.has_previous, has_next: page.has_next })
    }

    /// How many journal entries a loan has, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_journal_of_loan(&self, actor: &Actor, loan: Uuid) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLedger)?;
        let filter = Filter::Field(EntryField::Loan, Test::Is(Scalar::Id(loan)));
        Ok(page::count(self.database.reader(), &scope, &filter, COUNT_CAP).await?)
    }

    /// The journal entries with these ids, as far as they exist for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn journal_entries_by_id(&self, actor: &Actor, ids: &[Uuid]) -> Result<Vec<Booking>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLedger)?;
        let entries = find::by_ids::<EntryField, EntryRecord>(self.database.reader(), &scope, ids).await?;
        self.with_lines(entries).await
    }

    async fn with_lines(&self, entries: Vec<EntryRecord>) -> Result<Vec<Booking>, ServiceError> {
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let mut lines = journal::lines(self.database.reader(), &ids).await?;
        let booking = |entry: EntryRecord| Booking { lines: lines.remove(&entry.id).unwrap_or_default(), entry };
        Ok(entries.into_iter().map(booking).collect())
    }
}
