//! Loans with their histories, folded to a day: what every query about balances, schedules and transactions reads. A
//! view is worked out afresh from what was recorded; it reads no projection and writes nothing.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use lending::calendar::Calendar;
use lending::loan::payoff::PayoffQuote;
use lending::loan::{Effect, Event, FoldError, Installment, Lifecycle, Loan, LoanState, Standing, Transaction};
use uuid::Uuid;

use super::error::ServiceError;
use super::loans::{LoanKey, LoanRecord};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::StoreError;
use crate::store::branches::{BranchField, BranchRecord};
use crate::store::find::{self, Lock};
use crate::store::loans as store;
use crate::store::scope::Scope;

/// A loan with its history as known at a moment, folded to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanView {
    /// The loan. Its lifecycle is the one of the day when a day or a moment was asked for, else the stored one.
    pub record: LoanRecord,
    /// Its transactions in the order of (value date, sequence), reversed ones included.
    pub history: Vec<RecordedTransaction>,
    /// The days its branch works.
    pub calendar: Calendar,
    /// The day.
    pub as_of: NaiveDate,
    /// The last business date its branch has closed.
    pub closed_through: Option<NaiveDate>,
    /// The loan on that day.
    pub state: LoanState,
}

/// A transaction with who recorded it, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTransaction {
    /// The id.
    pub id: Uuid,
    /// What happened.
    pub transaction: Transaction,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The subject of whoever recorded it.
    pub recorded_by: String,
    /// The id in another system.
    pub external_ref: Option<String>,
    /// How it was taken back, if it was.
    pub reversed: Option<RecordedReversal>,
}

/// That a transaction was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedReversal {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The subject of whoever recorded it.
    pub by: String,
    /// The business date of the reversal.
    pub on: NaiveDate,
    /// Why, if a reason was given.
    pub reason: Option<String>,
}

/// What a loan's branch says about days.
#[derive(Debug, Clone)]
pub(super) struct BranchDays {
    pub calendar: Calendar,
    pub today: NaiveDate,
    pub closed_through: Option<NaiveDate>,
}

impl LoanView {
    /// What the fold knows of the history.
    pub fn transactions(&self) -> Vec<Transaction> {
        plain(&self.history)
    }

    /// What a transaction did; `None` when it was reversed or counts from a later day.
    pub fn effect(&self, recorded: &RecordedTransaction) -> Option<&Effect> {
        self.state.effects.iter().find(|effect| effect.sequence == recorded.transaction.sequence)
    }

    /// The transactions that were there by the day: dated until then, or counting from before it.
    pub fn until_day(&self) -> impl Iterator<Item = &RecordedTransaction> {
        self.history.iter().filter(|one| one.transaction.on <= self.as_of || self.effect(one).is_some())
    }

    /// The id of the transaction with this place in the history.
    pub fn transaction_id(&self, sequence: lending::loan::Sequence) -> Option<Uuid> {
        self.history.iter().find(|one| one.transaction.sequence == sequence).map(|one| one.id)
    }

    /// The schedule: the loan's own, or before its disbursement the one to be expected if it were paid out in full on
    /// the day of its approval, or of its application while it is not approved. Empty for a rejected or withdrawn loan,
    /// and where no schedule can be worked out.
    pub fn schedule(&self) -> Vec<Installment> {
        if self.state.standing != Standing::NotDisbursed {
            return self.state.installments.clone();
        }
        let Some(expected) = self.expected_disbursement() else { return Vec::new() };
        let on = expected.on;
        match Loan::fold(&self.record.terms, &[expected], &self.calendar, on) {
            Ok(state) => state.installments,
            Err(cause) => {
                tracing::warn!(loan = %self.record.id, %cause, "no schedule can be expected of a loan");
                Vec::new()
            }
        }
    }

    /// The disbursement of a loan that was not paid out yet, as it is expected.
    pub fn expected_disbursement(&self) -> Option<Transaction> {
        let (on, amount) = match &self.record.state {
            Lifecycle::Pending { application } => (application.applied_on, application.amount),
            Lifecycle::Approved { approval, .. } => (approval.on, approval.amount),
            _ => return None,
        };
        Some(Transaction { sequence: 1, on, event: Event::Disbursement { amount: amount.minor() }, reversed: false })
    }

    /// What it takes to be rid of the loan on a day, if nothing else happens until then.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when the history makes no loan.
    pub fn payoff(&self, on: NaiveDate) -> Result<PayoffQuote, ServiceError> {
        Loan::payoff(&self.record.terms, &self.transactions(), &self.calendar, on).map_err(unfoldable)
    }
}

impl Services {
    /// One loan, if it exists for the caller, on a day (the branch's business date by default) and as the books knew it
    /// at a moment: transactions and reversals recorded later are left out. `None` too for a loan that was not applied
    /// for by then.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan_view(
        &self,
        actor: &Actor,
        key: &LoanKey,
        as_of: Option<NaiveDate>,
        known_at: Option<DateTime<Utc>>,
    ) -> Result<Option<LoanView>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let found = store::find(self.database.reader(), &scope, key, Lock::None).await?;
        let Some(record) = found.filter(|record| known_at.is_none_or(|moment| record.created_at <= moment)) else {
            return Ok(None);
        };
        let Some(mut view) = self.views(vec![record], as_of, known_at).await?.pop() else { return Ok(None) };
        if as_of.is_some() || known_at.is_some() {
            let Some(lifecycle) = lifecycle_on(&view) else { return Ok(None) };
            view.record.state = lifecycle;
        }
        Ok(Some(view))
    }

    /// Views of loans the caller has found, in their order, each on its branch's business date. One statement for all
    /// histories, one for all branches.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan_views(&self, actor: &Actor, records: Vec<LoanRecord>) -> Result<Vec<LoanView>, ServiceError> {
        self.authorize(actor, Action::ReadLoans)?;
        self.views(records, None, None).await
    }

    async fn views(
        &self,
        records: Vec<LoanRecord>,
        as_of: Option<NaiveDate>,
        known_at: Option<DateTime<Utc>>,
    ) -> Result<Vec<LoanView>, ServiceError> {
        let loans: Vec<Uuid> = records.iter().map(|record| record.id).collect();
        let branches: Vec<Uuid> = records.iter().map(|record| record.branch_id).collect();
        let days = self.days_of_branches(branches).await?;
        let mut histories = self.recorded_histories(&loans).await?;
        records
            .into_iter()
            .map(|record| {
                let days = days
                    .get(&record.branch_id)
                    .ok_or_else(|| StoreError::Corrupt("a loan without a branch".to_owned()))?;
                let history = histories.remove(&record.id).unwrap_or_default();
                view(record, known_by(history, known_at), days, as_of.unwrap_or(days.today)).map_err(unfoldable)
            })
            .collect()
    }

    /// The days of branches by id, in one statement.
    pub(super) async fn days_of_branches(
        &self,
        mut ids: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, BranchDays>, ServiceError> {
        ids.sort_unstable();
        ids.dedup();
        let now = self.now();
        let scope = Scope::All;
        let rows: Vec<BranchRecord> =
            find::by_ids::<BranchField, _>(self.database.reader(), &scope, &ids).await?;
        Ok(rows.into_iter().map(|branch| (branch.id, days_of(&branch, now))).collect())
    }

    /// The histories of loans by id, each in the order of sequence, in one statement.
    #[allow(clippy::unused_async, clippy::unnecessary_wraps)] // until the store of transactions is there
    async fn recorded_histories(
        &self,
        _loans: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<RecordedTransaction>>, ServiceError> {
        Ok(HashMap::new())
    }
}

fn days_of(branch: &BranchRecord, now: DateTime<Utc>) -> BranchDays {
    BranchDays { calendar: Calendar::every_day(), today: business_date(branch, now), closed_through: None }
}

/// What the books knew of a history at a moment.
fn known_by(mut history: Vec<RecordedTransaction>, known_at: Option<DateTime<Utc>>) -> Vec<RecordedTransaction> {
    if let Some(moment) = known_at {
        history.retain(|one| one.recorded_at <= moment);
        for one in &mut history {
            one.reversed = one.reversed.take().filter(|reversal| reversal.at <= moment);
            one.transaction.reversed = one.reversed.is_some();
        }
    }
    history
}

fn view(
    record: LoanRecord,
    mut history: Vec<RecordedTransaction>,
    days: &BranchDays,
    as_of: NaiveDate,
) -> Result<LoanView, FoldError> {
    history.sort_by_key(|one| (one.transaction.on, one.transaction.sequence));
    let state = Loan::fold(&record.terms, &plain(&history), &days.calendar, as_of)?;
    let calendar = days.calendar.clone();
    Ok(LoanView { record, history, calendar, as_of, closed_through: days.closed_through, state })
}

fn plain(history: &[RecordedTransaction]) -> Vec<Transaction> {
    history.iter().map(|one| one.transaction.clone()).collect()
}

/// The lifecycle on the view's day; `None` before the application. The days of the application, the approval and the
/// decision are known, when they were recorded is not.
fn lifecycle_on(view: &LoanView) -> Option<Lifecycle> {
    let (lifecycle, day) = (&view.record.state, view.as_of);
    let application = lifecycle.application().clone();
    if application.applied_on > day {
        return None;
    }
    match lifecycle {
        Lifecycle::Rejected { rejection: decision, .. } | Lifecycle::Withdrawn { withdrawal: decision, .. }
            if decision.on <= day =>
        {
            return Some(lifecycle.clone());
        }
        _ => {}
    }
    let Some(approval) = lifecycle.approval().filter(|approval| approval.on <= day).cloned() else {
        return Some(Lifecycle::Pending { application });
    };
    let paid_out = view.history.iter().find(|one| matches!(one.transaction.event, Event::Disbursement { .. }));
    let by = paid_out.map_or("", |one| one.recorded_by.as_str());
    Some(Lifecycle::Approved { application, approval }.settled(&view.state, by))
}

/// A stored history that makes no loan: it was admitted once, so this is a defect.
pub(super) fn unfoldable(cause: FoldError) -> ServiceError {
    ServiceError::Internal(StoreError::Corrupt(format!("a history that makes no loan: {cause}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
