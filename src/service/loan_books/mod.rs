//! The books of a loan: every change of its history goes through one pipeline, whatever it is. Authorise → claim the
//! key → load and lock the loan with its history → let `lending` admit the event and fold before and after → write the
//! transaction, the projection, the journal and the loan, all at once. Nothing is written until everything is decided.

pub(super) mod bulk;
pub(super) mod day;
mod input;
mod journal;
mod write;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use lending::calendar::Calendar;
use lending::loan::admission::{self, Admission, Refusal};
use lending::loan::posting::{Difference, Replayed, difference};
use lending::loan::{
    Begun, Event, Installment, Lifecycle, Loan, LoanState, Portions, Sequence, Transaction as LoanTransaction,
};
use lending::money::{Currency, Money};
use uuid::Uuid;

pub use input::{Record, What};

use super::Services;
use super::audit::{About, Asked, Planned, Request, Shared, Written};
use super::error::ServiceError;
use super::idempotency::{self, Opened};
use super::problem::{Detail, Problem, ProblemCode};
use crate::auth::Actor;
use crate::ids::Kind;
use crate::service::loan_views::LoanView;
use crate::store::batch::Batch;
use crate::store::borrowers::{self, BorrowerKey};
use crate::store::branches::BranchRecord;
use crate::store::database::Transaction;
use crate::store::find::Lock;
use crate::store::loan_balances::LoanProjection;
use crate::store::loan_books::{self, Foundation};
use crate::store::loan_history::{self, StoredTransaction};
use crate::store::loan_projection::Split;
use crate::store::loans::{self, LoanKey, LoanRecord};
use crate::store::scope::Scope;
use input::HistoryChange;

/// What came of recording something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The loan as it now is.
    pub loan: LoanRecord,
    /// The same with its history, as it was folded to decide; `None` for a repetition, which folds nothing.
    pub view: Option<Box<LoanView>>,
    /// The transaction that was recorded, or that was reversed.
    pub transaction: Uuid,
    /// How much it was of; `None` where it had no amount, and for a repetition.
    pub amount: Option<Money>,
    /// Which earlier transactions changed, and how.
    pub replay: Vec<ReplayedTransaction>,
    /// It had been recorded before, under the same key.
    pub replayed: bool,
}

/// An earlier transaction that is split differently now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedTransaction {
    /// The transaction.
    pub transaction: Uuid,
    /// Its splits.
    pub change: Replayed,
}

/// A loan, locked, with everything its future depends on.
pub(super) struct Books {
    pub loan: LoanRecord,
    pub branch: BranchRecord,
    pub calendar: Calendar,
    pub history: Vec<StoredTransaction>,
    /// The day of the books on the branch's business date.
    pub today: NaiveDate,
    /// The loan as it is on that day.
    pub state: LoanState,
}

/// What is stored of what a loan's history comes to.
struct Stored {
    splits: Vec<Split>,
    installments: Vec<Installment>,
}

/// A decided change, not written yet.
pub(super) struct Change {
    pub added: Option<LoanTransaction>,
    pub reversed: Option<(Sequence, Option<String>)>,
    pub after: LoanState,
    pub difference: Difference,
}

impl Services {
    /// Records something on a loan, once per idempotency key.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when the loan does not take it; [`ServiceError::Forbidden`].
    pub async fn record(&self, actor: &Actor, input: &Record) -> Result<Recorded, ServiceError> {
        let about = About::of(input.what.operation(), Kind::Loan, input.loan);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, input.what.action())?;
            let request = Request::under(&input.idempotency_key, trail, scope, input)?;
            // A reference that is taken already would undo what the others did.
            if input.external_ref.is_some() {
                return request.alone(request.asked()).await;
            }
            self.together.records.carry_out(&request).await
        })
        .await
    }

    /// Decides what is asked for on a loan that is locked, and what is to be written.
    fn recorded(
        &self,
        asked: &Asked<Record>,
        loan: LoanRecord,
        foundation: Foundation,
    ) -> Result<(Recorded, Batch), ServiceError> {
        let Asked { actor, claim, id, input, .. } = asked;
        if input.expected_version.is_some_and(|expected| expected != loan.version) {
            return Err(Problem::version_conflict(loan.version).into());
        }
        if self.rules.disbursement_maker_checker && matches!(input.what, What::Disburse { .. }) {
            let apart = loan.state.check_disburser(&actor.subject);
            apart.map_err(|error| super::loans::step_problem(&error, false, "on", "amount"))?;
        }
        let now = claim.created_at;
        let reference = input::external_ref(input)?;
        let (mut books, stored, change) = decided(loan, foundation, input, now)?;
        let stamp = write::Stamp { by: &actor.subject, now, id: *id, reference, ids: &*self.ids };
        let mut batch = Batch::default();
        let recorded = write::change(&mut batch, &mut books, &stored, &change, &stamp)?;
        Ok((Recorded { view: Some(Box::new(books.into_view())), ..recorded }, batch))
    }
}

impl Shared<Record> for Request<'_, Record> {
    type Outcome = Recorded;

    fn row(input: &Record) -> Option<Uuid> {
        Some(input.loan)
    }

    async fn alone(&self, asked: Asked<Record>) -> Result<Written<Recorded>, ServiceError> {
        let Self { services, scope, .. } = self;
        let asked = &asked;
        let Asked { claim, input, .. } = asked;
        self.trail
            .write_together(|transaction| async move {
                let claimed = loan_books::claim_and_lock(&*transaction, claim, scope, input.loan).await?;
                let loan = match idempotency::opened(claim, claimed)? {
                    Opened::First(found) => found,
                    Opened::Repetition(id) => {
                        return Ok((repeated(&transaction, scope, input, id).await?, Batch::default()));
                    }
                };
                let loan = loan.ok_or_else(|| Problem::not_found(&["input", "loanId"], "loan"))?;
                let foundation = loan_books::of_locked_loan(&*transaction, &loan).await?;
                refuse_erased_borrower(&transaction, &loan).await?;
                services.recorded(asked, loan, foundation)
            })
            .await
            .map_err(|error| super::branches::taken(error, &["input", "externalRef"]))
    }

    /// Those whose loans nobody else has locked.
    async fn all(
        &self,
        transaction: &Transaction,
        asked: &[&Asked<Record>],
    ) -> Result<Vec<Planned<Recorded>>, ServiceError> {
        let ids: Vec<Uuid> = asked.iter().map(|one| one.input.loan).collect();
        let mut loans = loan_books::lock_free(&**transaction, &self.scope, &ids).await?;
        // Whether a borrower was erased would have to be looked up.
        loans.retain(|loan| !has_ended(loan));
        let ids: Vec<Uuid> = loans.iter().map(|loan| loan.id).collect();
        let mut foundations = loan_books::of_locked_loans(&**transaction, &ids).await?;
        let mut loans: HashMap<Uuid, LoanRecord> = loans.into_iter().map(|loan| (loan.id, loan)).collect();
        let mut decided = Vec::with_capacity(loans.len());
        for one in asked {
            let id = &one.input.loan;
            let Some((loan, foundation)) = loans.remove(id).zip(foundations.remove(id)) else { continue };
            if let Ok((outcome, batch)) = self.services.recorded(one, loan, foundation) {
                decided.push(Planned { id: one.id, outcome, batch });
            }
        }
        Ok(decided)
    }
}

/// What a repetition is answered with: the loan as it now is, and the transaction of the first time. What the caller
/// may not see any more is not shown.
async fn repeated(
    transaction: &Transaction,
    scope: &Scope,
    input: &Record,
    id: Uuid,
) -> Result<Recorded, ServiceError> {
    let loan = loans::find(&**transaction, scope, &LoanKey::Id(input.loan), Lock::None).await?;
    let loan = loan.ok_or_else(|| Problem::not_found(&["input", "loanId"], "loan"))?;
    let transaction = match &input.what {
        What::Reverse { transaction, .. } => *transaction,
        _ => id,
    };
    Ok(Recorded { loan, view: None, transaction, amount: None, replay: Vec::new(), replayed: true })
}

/// Opens the books of a loan, and decides what is to be recorded.
fn decided(
    loan: LoanRecord,
    foundation: Foundation,
    input: &Record,
    now: DateTime<Utc>,
) -> Result<(Books, Stored, Change), ServiceError> {
    let Foundation { branch, calendar, history, splits, installments } = foundation;
    let today = loan.projection.day(super::business_date(&branch, now));
    let (terms, days) = (loan.terms.clone(), calendar.clone());
    let begun = Loan::begin(&terms, &StoredTransaction::history(&history), &days, today)?;
    let books = Books { loan, branch, calendar, history, today, state: begun.state()? };
    let change = books.decide(Some(&begun), &input.what, input.on.unwrap_or(today))?;
    Ok((books, Stored { splits, installments }, change))
}

/// Nothing more is recorded on the loans of a borrower whose person was erased. They have all ended, so other loans
/// need not be asked about.
async fn refuse_erased_borrower(transaction: &Transaction, loan: &LoanRecord) -> Result<(), ServiceError> {
    if !has_ended(loan) {
        return Ok(());
    }
    let key = BorrowerKey::Id(loan.borrower_id);
    let borrower = borrowers::find(&**transaction, &Scope::All, &key, Lock::None).await?;
    match borrower.and_then(|borrower| borrower.erased_at) {
        Some(_) => Err(Problem::borrower_erased(&["input", "loanId"]).into()),
        None => Ok(()),
    }
}

fn has_ended(loan: &LoanRecord) -> bool {
    matches!(loan.state, Lifecycle::Repaid { .. } | Lifecycle::WrittenOff { .. })
}

impl Books {
    /// What a query would read of the loan.
    fn into_view(self) -> LoanView {
        let Self { loan: record, branch, calendar, mut history, today: as_of, state } = self;
        history.sort_by_key(|one| (one.transaction.on, one.transaction.sequence));
        LoanView { record, branch, history, calendar, as_of, state }
    }

    pub(super) const fn currency(&self) -> Currency {
        self.loan.terms.principal.currency()
    }

    /// The approved amount in minor units; nothing before the approval.
    pub(super) fn approved(&self) -> i64 {
        self.loan.state.approval().map_or(0, |approval| approval.amount.minor())
    }

    /// The place of a transaction of this loan in its history.
    pub(super) fn sequence_of(&self, id: Uuid, field: &str) -> Result<Sequence, ServiceError> {
        let found = self.history.iter().find(|stored| stored.id == id);
        let found = found.ok_or_else(|| Problem::not_found(&["input", field], "transaction of this loan"))?;
        Ok(found.transaction.sequence)
    }

    /// The one disbursement that stands while nothing else does.
    pub(super) fn only_disbursement(&self) -> Result<Sequence, ServiceError> {
        let standing: Vec<&LoanTransaction> =
            self.history.iter().map(|stored| &stored.transaction).filter(|one| !one.reversed).collect();
        match standing.as_slice() {
            [only] => Ok(only.sequence),
            _ => Err(Problem::new(
                ProblemCode::StillNeeded,
                &["input", "loanId"],
                "Other transactions rest on this disbursement; reverse them first.",
            )
            .into()),
        }
    }

    /// A transaction that could be reversed. Of a loan that was not paid out nothing stands that could.
    pub(super) fn reversible(&self, id: Uuid) -> Result<Sequence, ServiceError> {
        let found = self.history.iter().find(|stored| stored.id == id);
        match (found, &self.loan.state) {
            (None, Lifecycle::Approved { .. }) => Err(self.wrong_status("REVERSE").into()),
            _ => self.sequence_of(id, "transactionId"),
        }
    }

    /// The steps that the loan's status knows.
    fn allowed(&self) -> Vec<&'static str> {
        admission::allowed_now(self.loan.state.status(), self.state.charged_off_on.is_some())
    }

    /// The loan's status does not know this step.
    pub(super) fn wrong_status(&self, attempted: &'static str) -> Problem {
        let from = self.loan.state.status();
        let charged_off = self.state.charged_off_on.is_some();
        let allowed = self.allowed();
        let now = match allowed.as_slice() {
            [] => "it is closed".to_owned(),
            names => format!("choose one of {}", names.join(", ")),
        };
        let off = if charged_off { " and charged off" } else { "" };
        let message = format!("A loan that is {from}{off} cannot take the step {attempted} now; {now}.");
        Problem::new(ProblemCode::InvalidTransition, &["input", "loanId"], message).with(Detail::Step {
            from,
            attempted,
            allowed,
        })
    }

    /// Decides a change: whether the loan takes it, and what it makes of the loan. The fold of the loan as it is, where there
    /// is one, goes on from where it is.
    pub(super) fn decide(&self, begun: Option<&Begun<'_>>, what: &What, on: NaiveDate) -> Result<Change, ServiceError> {
        // What was reversed can be told to have been, whatever the loan is now.
        let known = matches!(what, What::Reverse { .. }) && self.takes_transactions();
        if !known && !self.allowed().contains(&what.attempted()) {
            return Err(self.wrong_status(what.attempted()).into());
        }
        match input::read(self, what, on)? {
            HistoryChange::Add(event) => {
                self.admit(&event, on).map_err(|refusal| input::refused(self, &refusal))?;
                self.changed(begun, Some((event, on)), None)
            }
            HistoryChange::Reverse { sequence, reason } => {
                admission::admit_reversal(&StoredTransaction::history(&self.history), sequence)
                    .map_err(|refusal| input::refused(self, &refusal))?;
                self.changed(begun, None, Some((sequence, reason)))
            }
        }
    }

    /// Whether the loan takes an event of a day.
    pub(super) fn admit(&self, event: &Event, on: NaiveDate) -> Result<(), Refusal> {
        let approval = self.loan.state.approval().filter(|_| self.takes_transactions());
        let approval = approval.ok_or(Refusal::WrongStanding { attempted: admission::step_name(event) })?;
        let admission = Admission {
            approved: approval.amount.minor(),
            approved_on: approval.on,
            today: self.today,
            closed_through: self.branch.closed_through,
            state: &self.state,
        };
        admission::admit(&admission, event, on)
    }

    /// What one event more, or one transaction less, makes of the loan.
    pub(super) fn changed(
        &self,
        begun: Option<&Begun<'_>>,
        added: Option<(Event, NaiveDate)>,
        reversed: Option<(Sequence, Option<String>)>,
    ) -> Result<Change, ServiceError> {
        let sequence = loan_history::next_sequence(&self.history);
        let added = added.map(|(event, on)| LoanTransaction { sequence, on, event, reversed: false });
        let continued = match (begun, &added, &reversed) {
            (Some(begun), Some(added), None) => begun.with(added)?,
            _ => None,
        };
        let after = match continued {
            Some(after) => after,
            None => self.folded_anew(added.as_ref(), reversed.as_ref().map(|(sequence, _)| *sequence))?,
        };
        let difference = difference(&self.state, &after);
        Ok(Change { added, reversed, after, difference })
    }

    fn folded_anew(
        &self,
        added: Option<&LoanTransaction>,
        reversed: Option<Sequence>,
    ) -> Result<LoanState, ServiceError> {
        let mut changed = StoredTransaction::history(&self.history);
        changed.extend(added.cloned());
        for transaction in &mut changed {
            transaction.reversed |= reversed == Some(transaction.sequence);
        }
        fold(&self.loan, &changed, &self.calendar, self.today)
    }

    fn takes_transactions(&self) -> bool {
        !matches!(self.loan.state, Lifecycle::Pending { .. } | Lifecycle::Rejected { .. } | Lifecycle::Withdrawn { .. })
    }
}

/// The loan on a day.
pub(super) fn fold(
    loan: &LoanRecord,
    transactions: &[LoanTransaction],
    calendar: &Calendar,
    as_of: NaiveDate,
) -> Result<LoanState, ServiceError> {
    Ok(Loan::fold(&loan.terms, transactions, calendar, as_of)?)
}

/// Makes a loan what its fold says, with the income that has been booked once all is written.
pub(super) fn settle(
    loan: &mut LoanRecord,
    after: &LoanState,
    accrued: Portions,
    by: &str,
) -> Result<(), ServiceError> {
    loan.projection = LoanProjection::of(after, accrued, loan.projection.accrued_through)?;
    loan.state = loan.state.clone().settled(after, by);
    Ok(())
}
