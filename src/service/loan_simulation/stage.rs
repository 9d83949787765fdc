//! Playing imagined events on a loan, one after the other, and comparing what comes of it with the loan without them.

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::loan::admission::{Admission, Refusal, admit, admit_reversal};
use lending::loan::posting::{self, difference};
use lending::loan::{FoldError, Lifecycle, Loan, LoanState, LoanStatus, LoanTerms, Sequence, Transaction};
use lending::money::{Currency, Money};
use uuid::Uuid;

use super::input::{ImaginedEvent, Reading, Step};
use super::{ImaginedEntry, MOST_EVENTS, Simulation};
use crate::service::check::Check;
use crate::service::error::ServiceError;
use crate::service::loan_views::{LoanView, unfoldable};
use crate::service::problem::{Detail, Problem, ProblemCode};

/// A loan that imagined events are played on.
pub(super) struct Stage {
    pub terms: LoanTerms,
    pub status: LoanStatus,
    pub transactions: Vec<Transaction>,
    pub ids: Vec<(Uuid, Sequence)>,
    pub calendar: Calendar,
    pub approved: Money,
    pub approved_on: NaiveDate,
    /// The day the loan is looked at, unless an event lies after it.
    pub day: NaiveDate,
    pub closed_through: Option<NaiveDate>,
    /// Where in the input the events are.
    pub path: Vec<&'static str>,
}

impl Stage {
    pub(super) fn of_loan(view: &LoanView) -> Self {
        let lifecycle = &view.record.state;
        let application = lifecycle.application();
        let (approved, approved_on) = match lifecycle.approval() {
            Some(approval) => (approval.amount, approval.on),
            None => (application.amount, application.applied_on),
        };
        Self {
            terms: view.record.terms.clone(),
            status: match lifecycle {
                Lifecycle::Pending { .. } => LoanStatus::Approved,
                other => other.status(),
            },
            transactions: view.transactions(),
            ids: view.history.iter().map(|one| (one.id, one.transaction.sequence)).collect(),
            calendar: view.calendar.clone(),
            approved,
            approved_on,
            day: view.as_of,
            closed_through: view.closed_through,
            path: vec!["events"],
        }
    }

    /// Plays the events and looks at what came of them.
    pub(super) fn play(mut self, events: &[ImaginedEvent]) -> Result<Simulation, ServiceError> {
        if events.len() > MOST_EVENTS {
            let message = format!("Send at most {MOST_EVENTS} events.");
            return Err(Problem::new(ProblemCode::NumberOutOfRange, &self.path, message).into());
        }
        let recorded = self.transactions.clone();
        let mut problems = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let day = self.day.max(event.on);
            let state = self.fold(&self.transactions, day).map_err(unfoldable)?;
            match self.take(&state, event, place) {
                Ok(changed) => (self.transactions, self.day) = (changed, day),
                Err(ServiceError::Rejected(refusals)) => {
                    problems = refusals;
                    break;
                }
                Err(other) => return Err(other),
            }
        }
        let before = self.fold(&recorded, self.day).map_err(unfoldable)?;
        let after = self.fold(&self.transactions, self.day).map_err(unfoldable)?;
        let journal = self.journal(&before, &after).map_err(unfoldable)?;
        let Self { terms, transactions, calendar, .. } = self;
        Ok(Simulation { before, after, journal, problems, terms, transactions, calendar })
    }

    fn fold(&self, transactions: &[Transaction], day: NaiveDate) -> Result<LoanState, FoldError> {
        Loan::fold(&self.terms, transactions, &self.calendar, day)
    }

    /// The history with one event more, or why not.
    fn take(&self, state: &LoanState, event: &ImaginedEvent, place: usize) -> Result<Vec<Transaction>, ServiceError> {
        let place = place.to_string();
        let path: Vec<&str> = self.path.iter().copied().chain([place.as_str()]).collect();
        if matches!(self.status, LoanStatus::Rejected | LoanStatus::Withdrawn) {
            let message = format!("A loan that is {} takes no events.", self.status);
            return Err(Problem::new(ProblemCode::InvalidTransition, &path, message).into());
        }
        let mut check = Check::default();
        let undisbursed = self.approved.minor().saturating_sub(state.disbursed);
        let reading = Reading { state, undisbursed, ids: &self.ids, path: &path };
        let step = reading.read(&mut check, event).map_err(unfoldable)?;
        check.finish()?;
        let refused = |refusal| ServiceError::from(problem(&refusal, &path, self.approved.currency()));
        let mut changed = self.transactions.clone();
        match step.ok_or(ServiceError::BadInput)? {
            Step::Add(added) => {
                let admission = Admission {
                    approved: self.approved.minor(),
                    approved_on: self.approved_on,
                    today: state.as_of,
                    closed_through: self.closed_through,
                    state,
                };
                admit(&admission, &added, event.on).map_err(refused)?;
                let last = changed.iter().map(|one| one.sequence).max().unwrap_or(0);
                let sequence = last.checked_add(1).ok_or_else(|| unfoldable(FoldError::Overflow))?;
                changed.push(Transaction { sequence, on: event.on, event: added, reversed: false });
            }
            Step::Reverse(sequence) => {
                admit_reversal(&changed, sequence).map_err(refused)?;
                for one in changed.iter_mut().filter(|one| one.sequence == sequence) {
                    one.reversed = true;
                }
            }
        }
        // What passes the gate can still make no loan: amounts at the limits, a day without installments after it.
        match self.fold(&changed, state.as_of) {
            Ok(_) => Ok(changed),
            Err(cause) => Err(Problem::new(ProblemCode::InvalidFormat, &path, cause.to_string()).into()),
        }
    }

    fn journal(&self, before: &LoanState, after: &LoanState) -> Result<Vec<ImaginedEntry>, FoldError> {
        let found = |sequence| self.transactions.iter().find(|one: &&Transaction| one.sequence == sequence);
        let mut entries = Vec::new();
        for rebooking in difference(before, after).rebooked {
            let Some(transaction) = found(rebooking.sequence) else { continue };
            let kind = Some(transaction.event.kind());
            let is_new = rebooking.mirror.is_none();
            let on = if is_new { transaction.on } else { after.as_of };
            entries.extend(rebooking.mirror.map(|entry| ImaginedEntry { kind, on, mirrors: true, entry }));
            entries.extend(rebooking.post.map(|entry| ImaginedEntry { kind, on, mirrors: false, entry }));
        }
        let through = self.closed_through;
        let booked = before.earned(through.unwrap_or(NaiveDate::MIN))?;
        let accrual = posting::accrual(after, &booked, through)?;
        if !accrual.is_empty() {
            entries.push(ImaginedEntry { kind: None, on: after.as_of, mirrors: false, entry: accrual });
        }
        Ok(entries)
    }
}

/// A refusal with the numbers that help. What is open above is said without its bound.
fn problem(refusal: &Refusal, path: &[&str], currency: Currency) -> Problem {
    let at = |field: &'static str| path.iter().copied().chain([field]).collect::<Vec<_>>();
    let money = |minor| Money::new(minor, currency);
    match refusal {
        Refusal::DateOutOfRange { earliest, latest } => {
            let latest = (*latest != NaiveDate::MAX).then_some(*latest);
            let message = match latest {
                Some(latest) => format!("Choose a date from {earliest} to {latest}."),
                None => format!("Choose a date from {earliest} on."),
            };
            Problem::new(ProblemCode::DateOutOfRange, &at("on"), message)
                .with(Detail::Date { earliest: Some(*earliest), latest })
        }
        Refusal::AmountOutOfRange { min, max } => {
            let max = (*max != i64::MAX).then(|| money(*max));
            let message = match max {
                Some(max) => format!("Choose an amount from {} to {max}.", money(*min)),
                None => format!("Choose an amount of {} or more.", money(*min)),
            };
            Problem::new(ProblemCode::AmountOutOfRange, &at("amount"), message)
                .with(Detail::Amount { min: Some(money(*min)), max })
        }
        Refusal::NoSuchCharge { .. } => Problem::not_found(&at("chargeId"), "charge of this loan"),
        Refusal::WrongStanding { .. }
        | Refusal::NothingOwed { .. }
        | Refusal::AlreadyReversed { .. }
        | Refusal::StillNeeded { .. } => Problem::new(ProblemCode::InvalidTransition, path, refusal.to_string()),
    }
}
