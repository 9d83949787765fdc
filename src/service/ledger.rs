//! The books as the back office reads them: the trial balance, the chart of accounts, the journal. Nothing is booked from
//! here.

use std::collections::HashMap;

use chrono::NaiveDate;
use lending::ledger::AccountKind;
use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::list::{COUNT_CAP, Filter, Page, PageRequest, SortKey, in_order};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::branches::{self, BranchKey};
use crate::store::find::{self, Lock};
use crate::store::ledger as store;
use crate::store::{StoreError, journal, page};

pub use crate::store::journal::{EntryField, EntryKind, EntryRecord, LineRecord};
pub use crate::store::ledger::AccountTotal;

/// What stands in the accounts at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBalance {
    /// The day.
    pub as_of: NaiveDate,
    /// Every account that something was booked to, by currency.
    pub rows: Vec<AccountTotal>,
}

/// What all accounts of a currency come to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerTotal {
    /// The currency.
    pub currency: lending::money::Currency,
    /// All debits in minor units.
    pub debits: i64,
    /// All credits.
    pub credits: i64,
}

impl TrialBalance {
    /// The sums of each currency, in the order of the codes.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when a sum does not fit.
    pub fn totals(&self) -> Result<Vec<LedgerTotal>, ServiceError> {
        let mut totals: Vec<LedgerTotal> = Vec::new();
        for row in &self.rows {
            let (debits, credits) = match totals.last().filter(|total| total.currency == row.currency) {
                Some(total) => (total.debits, total.credits),
                None => {
                    totals.push(LedgerTotal { currency: row.currency, debits: 0, credits: 0 });
                    (0, 0)
                }
            };
            if let Some(total) = totals.last_mut() {
                total.debits = debits.checked_add(row.debits).ok_or_else(too_large)?;
                total.credits = credits.checked_add(row.credits).ok_or_else(too_large)?;
            }
        }
        Ok(totals)
    }
}

fn too_large() -> ServiceError {
    ServiceError::Internal(StoreError::Corrupt("a sum that is too large to keep".to_owned()))
}

/// What stands in an account on its own side: debits less credits of assets and expenses, credits less debits of
/// liabilities and income.
///
/// # Errors
/// [`ServiceError::Internal`] when it does not fit.
pub fn balance(total: &AccountTotal) -> Result<i64, ServiceError> {
    let (own, other) = match total.account.kind() {
        AccountKind::Asset | AccountKind::Expense => (total.debits, total.credits),
        AccountKind::Liability | AccountKind::Income => (total.credits, total.debits),
    };
    own.checked_sub(other).ok_or_else(too_large)
}

impl Services {
    /// What was booked by the end of a day, everything if none is named, at a branch with those below it or at all the
    /// caller works for. `None` when there is no such branch for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn trial_balance(
        &self,
        actor: &Actor,
        branch: Option<Uuid>,
        as_of: Option<NaiveDate>,
    ) -> Result<Option<TrialBalance>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLedger)?;
        let reader = self.database.reader();
        let (filter, today) = match branch {
            None => (Filter::default(), self.latest_date().await?),
            Some(id) => {
                let found = branches::find(reader, &scope, &BranchKey::Id(id), Lock::None).await?;
                let Some(branch) = found else { return Ok(None) };
                (Filter::<EntryField>::UnderBranches(vec![id]), self.business_date(&branch))
            }
        };
        let rows = store::totals(reader, &scope, &filter, as_of).await?;
        Ok(Some(TrialBalance { as_of: as_of.unwrap_or(today), rows }))
    }

    /// Part of the journal, without lines.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn journal_entries(
        &self,
        actor: &Actor,
        filter: &Filter<EntryField>,
        order: &[SortKey<EntryField>],
        request: &PageRequest,
    ) -> Result<Page<EntryRecord>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLedger)?;
        Ok(page::page(self.database.reader(), &scope, filter, order, request).await?)
    }

    /// How many entries match, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_journal_entries(&self, actor: &Actor, filter: &Filter<EntryField>) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLedger)?;
        Ok(page::count(self.database.reader(), &scope, filter, COUNT_CAP).await?)
    }

    /// Entries in the order of the ids; `None` where none exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn journal_entries_by_id(
        &self,
        actor: &Actor,
        ids: &[Uuid],
    ) -> Result<Vec<Option<EntryRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLedger)?;
        let rows = find::by_ids::<EntryField, EntryRecord>(self.database.reader(), &scope, ids).await?;
        Ok(in_order(ids, rows, |row| row.id))
    }

    /// The lines of entries the caller has found, in their order.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn journal_lines(
        &self,
        actor: &Actor,
        entries: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<LineRecord>>, ServiceError> {
        self.authorize(actor, Action::ReadLedger)?;
        Ok(journal::lines(self.database.reader(), entries).await?)
    }
}
