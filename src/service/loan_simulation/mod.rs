//! What would become of a loan: its history with events more that nobody recorded. An imagined event passes the same
//! pipeline as a real one up to the point where it would be written; nothing here is written, and nothing can be.

mod new_loan;

use chrono::NaiveDate;
use lending::calendar::Calendar;
use lending::disclosure::{CostDisclosure, DisclosureRule};
use lending::ledger::Entry;
use lending::loan::posting::{accrual, difference};
use lending::loan::{
    Approval, FoldError, Lifecycle, Loan, LoanState, LoanTerms, Portions, Transaction, TransactionKind,
};
use uuid::Uuid;

pub use new_loan::SimulateLoan;

use super::error::ServiceError;
use super::loan_books::{Books, Change, What};
use super::loan_disclosure::{NoDisclosure, disclose};
use super::loan_views::{LoanView, RecordedTransaction, unfoldable};
use super::problem::{Problem, ProblemCode};

/// The most events of one simulation: each takes folds of its own.
pub const MOST_EVENTS: usize = 50;

/// An imagined event with its value date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImaginedEvent {
    /// The value date.
    pub on: NaiveDate,
    /// What would happen.
    pub what: What,
}

/// A loan as it would be.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The loan on the last day looked at, without the imagined events.
    pub before: LoanState,
    /// The loan on that day with them.
    pub after: LoanState,
    /// What the journal would take in, in the order it would be booked.
    pub journal: Vec<ImaginedEntry>,
    /// Why an event was refused. The events before it count, it and those after it do not.
    pub problems: Vec<Problem>,
    terms: LoanTerms,
    transactions: Vec<Transaction>,
    calendar: Calendar,
}

/// An entry that would be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImaginedEntry {
    /// The kind of transaction it is of; `None` for income that would be accrued.
    pub kind: Option<TransactionKind>,
    /// The day it would be booked on.
    pub on: NaiveDate,
    /// It takes an earlier entry back.
    pub mirrors: bool,
    /// What it books.
    pub entry: Entry,
}

impl Simulation {
    /// What all installments ask for.
    ///
    /// # Errors
    /// [`FoldError::Overflow`].
    pub fn asked(&self) -> Result<Portions, FoldError> {
        self.after.installments.iter().try_fold(Portions::ZERO, |sum, row| sum.plus(&row.due))
    }

    /// The cost of the loan by a rule, as it would have been agreed; `None` when nothing would be paid out.
    ///
    /// # Errors
    /// [`NoDisclosure`].
    pub fn disclose(&self, rule: DisclosureRule) -> Result<Option<CostDisclosure>, NoDisclosure> {
        disclose(&self.terms, &self.transactions, &self.calendar, rule)
    }
}

/// What a loan would be after these events, given in the order in which they would be recorded. They may lie in the
/// future. A pending loan counts as approved for what was applied for.
///
/// # Errors
/// [`ServiceError::Rejected`] for too many events; [`ServiceError::Internal`] when the recorded history makes no loan.
pub fn simulate(view: &LoanView, events: &[ImaginedEvent]) -> Result<Simulation, ServiceError> {
    if events.len() > MOST_EVENTS {
        let message = format!("Send at most {MOST_EVENTS} events.");
        return Err(Problem::new(ProblemCode::NumberOutOfRange, &["events"], message).into());
    }
    play(view, events, |place| vec!["events".to_owned(), place.to_string()])
}

/// Plays events on a loan; `path` says where in the input the one with a number stands.
fn play(
    view: &LoanView,
    events: &[ImaginedEvent],
    path: impl Fn(usize) -> Vec<String>,
) -> Result<Simulation, ServiceError> {
    let mut books = open(view);
    let recorded = RecordedTransaction::history(&books.history);
    let mut problems = Vec::new();
    for (place, event) in events.iter().enumerate() {
        match take(&mut books, event) {
            Ok(()) => {}
            Err(ServiceError::Rejected(refusals)) => {
                problems = refusals.into_iter().map(|refusal| moved(refusal, &path(place))).collect();
                break;
            }
            Err(other) => return Err(other),
        }
    }
    let before = Loan::fold(&books.loan.terms, &recorded, &books.calendar, books.today).map_err(unfoldable)?;
    let transactions = RecordedTransaction::history(&books.history);
    let closed = books.branch.closed_through;
    let journal = journal(&before, &books.state, &transactions, closed).map_err(unfoldable)?;
    let (terms, calendar, after) = (books.loan.terms, books.calendar, books.state);
    Ok(Simulation { before, after, journal, problems, terms, transactions, calendar })
}

/// The books of a loan as it is seen, as if they had been opened to record something.
fn open(view: &LoanView) -> Books {
    let mut loan = view.record.clone();
    if let Lifecycle::Pending { application } = &loan.state {
        let approval =
            Approval { on: application.applied_on, by: application.applied_by.clone(), amount: application.amount };
        loan.state = Lifecycle::Approved { application: application.clone(), approval };
    }
    Books {
        loan,
        branch: view.branch.clone(),
        calendar: view.calendar.clone(),
        history: view.until_day().cloned().collect(),
        today: view.as_of,
        state: view.state.clone(),
    }
}

/// Takes an event in as if it were recorded, or leaves the books as they are.
fn take(books: &mut Books, event: &ImaginedEvent) -> Result<(), ServiceError> {
    let (today, state) = (books.today, books.state.clone());
    if event.on > today {
        let transactions = RecordedTransaction::history(&books.history);
        books.state = Loan::fold(&books.loan.terms, &transactions, &books.calendar, event.on)?;
        books.today = event.on;
    }
    match books.decide(None, &event.what, event.on) {
        Ok(change) => {
            apply(books, change);
            Ok(())
        }
        Err(refusal) => {
            (books.today, books.state) = (today, state);
            Err(refusal)
        }
    }
}

fn apply(books: &mut Books, change: Change) {
    if let Some(transaction) = change.added {
        books.history.push(RecordedTransaction {
            id: Uuid::nil(),
            transaction,
            recorded_at: books.loan.updated_at,
            recorded_by: String::new(),
            external_ref: None,
            reversal: None,
        });
    }
    if let Some((sequence, _)) = change.reversed {
        for one in books.history.iter_mut().filter(|one| one.transaction.sequence == sequence) {
            one.transaction.reversed = true;
        }
    }
    books.loan.state = books.loan.state.clone().settled(&change.after, "");
    books.state = change.after;
}

fn journal(
    before: &LoanState,
    after: &LoanState,
    transactions: &[Transaction],
    closed_through: Option<NaiveDate>,
) -> Result<Vec<ImaginedEntry>, FoldError> {
    let mut entries = Vec::new();
    for rebooking in difference(before, after).rebooked {
        let Some(transaction) = transactions.iter().find(|one| one.sequence == rebooking.sequence) else { continue };
        let kind = Some(transaction.event.kind());
        // What was booked before is taken back, and booked anew, on the day of the change.
        let on = if rebooking.mirror.is_none() { transaction.on } else { after.as_of };
        entries.extend(rebooking.mirror.map(|entry| ImaginedEntry { kind, on, mirrors: true, entry }));
        entries.extend(rebooking.post.map(|entry| ImaginedEntry { kind, on, mirrors: false, entry }));
    }
    let booked = before.earned(closed_through.unwrap_or(NaiveDate::MIN))?;
    let income = accrual(after, &booked, closed_through)?;
    if !income.is_empty() {
        entries.push(ImaginedEntry { kind: None, on: after.as_of, mirrors: false, entry: income });
    }
    Ok(entries)
}

/// A problem of a mutation's input, said of the event that stands at a path.
fn moved(mut problem: Problem, path: &[String]) -> Problem {
    let below = problem.path.into_iter().skip_while(|part| part == "input");
    let below = below.filter(|part| part != "loanId");
    problem.path = path.iter().cloned().chain(below).collect();
    problem
}
