//! Refreshing late loans whose interest follows the balance: on a new day their balances, dates and installments are
//! worked out anew and written down, so that reports need not fold them. Their books stay: no transaction, no journal
//! entry, no status, no version. What is not refreshed yet, a report folds as ever.

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::loan::Loan;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::service::list::Filter;
use crate::service::loan_views::Offices;
use crate::service::{ServiceError, Services};
use crate::store::database::Transaction;
use crate::store::loan_history::{self, StoredTransaction};
use crate::store::loan_projection::{self, Rewrite};
use crate::store::loans;
use crate::store::portfolio::{self as store, Choice, Part};
use crate::store::scope::Scope;

/// Loans looked for at a time.
const FOUND_AT_ONCE: u64 = 1_000;

/// Loans refreshed in one transaction: a moment's work, so that nobody else who writes waits for long.
const WRITTEN_AT_ONCE: usize = 20;

/// How much of the time is left to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// None: it is waited for.
    Steady,
    /// Half of it, because requests are answered meanwhile.
    Yielding,
}

impl Services {
    /// Refreshes the loans of every branch for its business date, until there is no more or it is told to stop; tells how
    /// many. Several may do so at once: each passes over what another is at.
    ///
    /// # Errors
    /// Whatever the database answers; what was refreshed until then stays.
    pub async fn refresh_portfolio(&self, pace: Pace, stop: &CancellationToken) -> Result<u64, ServiceError> {
        let mut refreshed: u64 = 0;
        for (day, zones) in self.zones().await? {
            let filter = Filter::InTimeZones(zones);
            let choice = Choice { scope: &Scope::All, filter: &filter, part: Part::Stale(day) };
            let mut after: Option<Uuid> = None;
            loop {
                let found = store::ids(self.database.reader(), choice, after, FOUND_AT_ONCE).await?;
                let Some((last, _)) = found.last() else { break };
                after = Some(*last);
                let offices = self.branches_with_calendars(found.iter().map(|(_, branch)| *branch).collect()).await?;
                let ids: Vec<Uuid> = found.iter().map(|(id, _)| *id).collect();
                for some in ids.chunks(WRITTEN_AT_ONCE) {
                    if stop.is_cancelled() {
                        return Ok(refreshed);
                    }
                    refreshed = refreshed.saturating_add(self.refresh(some, day, &offices, pace).await?);
                }
            }
        }
        Ok(refreshed)
    }

    async fn refresh(&self, ids: &[Uuid], day: NaiveDate, offices: &Offices, pace: Pace) -> Result<u64, ServiceError> {
        let since = Instant::now();
        let write = |transaction: Transaction| async move { refresh(&transaction, ids, day, offices).await };
        let refreshed = self.database.write(write).await?;
        if pace == Pace::Yielding {
            tokio::time::sleep(since.elapsed()).await;
        }
        Ok(refreshed)
    }
}

/// Refreshes those of these loans that are stale still, and tells how many.
async fn refresh(
    transaction: &Transaction,
    ids: &[Uuid],
    day: NaiveDate,
    offices: &Offices,
) -> Result<u64, ServiceError> {
    let connection = &**transaction;
    let mut loans = store::lock_stale(connection, ids, day).await?;
    let ids: Vec<Uuid> = loans.iter().map(|loan| loan.id).collect();
    let mut histories = loan_history::of_loans(connection, &ids).await?;
    let mut stored = loan_projection::installments(connection, &ids).await?;
    let every_day = Calendar::default();
    let mut rows = Vec::with_capacity(loans.len());
    for loan in &mut loans {
        let history = StoredTransaction::history(&histories.remove(&loan.id).unwrap_or_default());
        let calendar = offices.get(&loan.branch_id).map_or(&every_day, |(_, calendar)| calendar);
        let state = Loan::fold(&loan.terms, &history, calendar, day)?;
        loan.projection = loan.projection.refreshed(&state)?;
        rows.push((loan.id, stored.remove(&loan.id).unwrap_or_default(), state.installments));
        // Folding is work without a pause.
        tokio::task::yield_now().await;
    }
    let rewrites = rows.iter().map(|(loan_id, stored, now)| Rewrite { loan_id: *loan_id, stored, now });
    loan_projection::rewrite_installments(connection, &rewrites.collect::<Vec<_>>()).await?;
    loans::update_balances(connection, &loans).await?;
    Ok(u64::try_from(loans.len()).unwrap_or(u64::MAX))
}
