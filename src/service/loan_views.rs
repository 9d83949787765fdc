//! Loans with their histories, folded to a day: what every query about balances, schedules and transactions reads. A
//! view is worked out afresh from what was recorded; it reads no projection and writes nothing.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use lending::calendar::Calendar;
use lending::loan::payoff::PayoffQuote;
use lending::loan::{Effect, Event, FoldError, Installment, Lifecycle, Loan, LoanState, Standing, Transaction};
use uuid::Uuid;

use super::error::ServiceError;
use super::loan_books::Recorded;
use super::loans::{LoanField, LoanKey, LoanRecord};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::StoreError;
use crate::store::branches::{BranchField, BranchRecord};
use crate::store::calendars;
use crate::store::find::{self, Lock};
use crate::store::loan_history;
use crate::store::loans as store;
use crate::store::scope::Scope;

/// A transaction with who recorded it and when, and how it was taken back.
pub use crate::store::loan_history::{Reversal as RecordedReversal, StoredTransaction as RecordedTransaction};

/// A loan with its history as known at a moment, folded to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanView {
    /// The loan. Its lifecycle is the one of the day when a day or a moment was asked for, else the stored one.
    pub record: LoanRecord,
    /// The branch that lends.
    pub branch: BranchRecord,
    /// Its transactions in the order of (value date, sequence), reversed ones included.
    pub history: Vec<RecordedTransaction>,
    /// The days its branch works.
    pub calendar: Calendar,
    /// The day.
    pub as_of: NaiveDate,
    /// The loan on that day.
    pub state: LoanState,
}

impl LoanView {
    /// What the fold knows of the history.
    pub fn transactions(&self) -> Vec<Transaction> {
        RecordedTransaction::history(&self.history)
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

/// Branches by id, each with the days it works.
pub(super) type Offices = HashMap<Uuid, (BranchRecord, Calendar)>;

impl Services {
    /// One loan, if it exists for the caller, on a day (the day of its books by default) and as the books knew it
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

    /// Views of loans the caller has found, in their order, each on the day of its books. One statement for all
    /// histories, one for all branches.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan_views(&self, actor: &Actor, records: Vec<LoanRecord>) -> Result<Vec<LoanView>, ServiceError> {
        self.authorize(actor, Action::ReadLoans)?;
        self.views(records, None, None).await
    }

    /// The view of a loan that was just written: the one its recording has folded, so that nothing is read twice.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn view_of_recorded(&self, actor: &Actor, recorded: &mut Recorded) -> Result<LoanView, ServiceError> {
        self.authorize(actor, Action::ReadLoans)?;
        match recorded.view.take() {
            Some(view) => Ok(*view),
            None => self.views(vec![recorded.loan.clone()], None, None).await?.pop().ok_or(ServiceError::BadInput),
        }
    }

    /// Views of the loans that these transactions belong to, as far as they exist for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan_views_of_transactions(
        &self,
        actor: &Actor,
        transactions: &[Uuid],
    ) -> Result<Vec<LoanView>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let reader = self.database.reader();
        let loans = loan_history::loans_of(reader, transactions).await?;
        let records = find::by_ids::<LoanField, LoanRecord>(reader, &scope, &loans).await?;
        self.views(records, None, None).await
    }

    pub(super) async fn views(
        &self,
        records: Vec<LoanRecord>,
        as_of: Option<NaiveDate>,
        known_at: Option<DateTime<Utc>>,
    ) -> Result<Vec<LoanView>, ServiceError> {
        let loans: Vec<Uuid> = records.iter().map(|record| record.id).collect();
        let branches = self.branches_with_calendars(records.iter().map(|record| record.branch_id).collect()).await?;
        let mut histories = loan_history::of_loans(self.database.reader(), &loans).await?;
        let now = self.now();
        records
            .into_iter()
            .map(|record| {
                let (branch, calendar) = branches
                    .get(&record.branch_id)
                    .cloned()
                    .ok_or_else(|| StoreError::Corrupt("a loan without a branch".to_owned()))?;
                let day = as_of.unwrap_or_else(|| record.projection.day(business_date(&branch, now)));
                let mut history = known_by(histories.remove(&record.id).unwrap_or_default(), known_at);
                history.sort_by_key(|one| (one.transaction.on, one.transaction.sequence));
                let transactions = RecordedTransaction::history(&history);
                let state = Loan::fold(&record.terms, &transactions, &calendar, day).map_err(unfoldable)?;
                Ok(LoanView { record, branch, history, calendar, as_of: day, state })
            })
            .collect()
    }

    /// Branches by id, each with the days it works: one statement for the branches, one for their holidays.
    pub(super) async fn branches_with_calendars(&self, mut ids: Vec<Uuid>) -> Result<Offices, ServiceError> {
        ids.sort_unstable();
        ids.dedup();
        let reader = self.database.reader();
        let branches: Vec<BranchRecord> = find::by_ids::<BranchField, _>(reader, &Scope::All, &ids).await?;
        let mut calendars = calendars::of_branches(reader, &branches).await?;
        let with = |branch: BranchRecord| {
            let calendar = calendars.remove(&branch.id).unwrap_or_default();
            (branch.id, (branch, calendar))
        };
        Ok(branches.into_iter().map(with).collect())
    }
}

/// What the books knew of a history at a moment.
fn known_by(mut history: Vec<RecordedTransaction>, known_at: Option<DateTime<Utc>>) -> Vec<RecordedTransaction> {
    if let Some(moment) = known_at {
        history.retain(|one| one.recorded_at <= moment);
        for one in &mut history {
            one.reversal = one.reversal.take().filter(|reversal| reversal.reversed_at <= moment);
            one.transaction.reversed = one.reversal.is_some();
        }
    }
    history
}

/// The lifecycle on the view's day; `None` before the application. The days of the application, the approval and the
/// decision are known, when they were recorded is not.
pub(super) fn lifecycle_on(view: &LoanView) -> Option<Lifecycle> {
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
