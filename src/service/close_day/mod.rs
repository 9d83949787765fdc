//! Closing business days. A branch's day is closed chunk by chunk: each chunk is one transaction that accrues the loans'
//! income, charges those that are late, marks those in default, and leaves `accrued_through` behind as the mark that
//! they are done; when none is left, the branch's own date moves. Whatever stops it, running it again goes on where it was
//! and books nothing twice.

mod chunk;
mod trail;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{Months, NaiveDate};
use lending::calendar::Calendar;
use lending::money::Currency;
use tokio::time::Instant;
use uuid::Uuid;

use super::check::Check;
use super::error::ServiceError;
use super::idempotency::{self, Turn};
use super::problem::{Detail, Problem, ProblemCode};
use super::tally::EndOfDayRun;
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::branches::{self, BranchKey, BranchRecord};
use crate::store::find::Lock;
use crate::store::scope::Scope;
use crate::store::{calendars, close_day as store};

use trail::DayTrail;

/// How many loans a chunk has when nothing else is asked for.
pub const CHUNK: u32 = 10_000;
/// How far back the first day of a branch may lie.
const MONTHS_BACK: Months = Months::new(120);

/// Business days to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseDay {
    /// The branch at the top; all the caller works for when missing.
    pub branch: Option<BranchKey>,
    /// The last day to close; each branch's business date when missing.
    pub on: Option<NaiveDate>,
    /// How many loans to take at once, 1 at least.
    pub chunk: u32,
    /// The caller's key: the same key is refused for other days or branches.
    pub idempotency_key: Option<String>,
}

/// What closing days came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClosedDays {
    /// The branches, by their codes, in their order.
    pub branches: Vec<ClosedBranch>,
    /// The same was asked for before, under the same key.
    pub replayed: bool,
}

/// What closing days came to at one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedBranch {
    /// The branch as it now is.
    pub branch: BranchRecord,
    /// How many days were closed.
    pub days: u32,
    /// What was done.
    pub work: Work,
    /// Running loans without a projection, which were passed over.
    pub passed_over: u64,
}

/// What was done to loans, summed over days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Loans whose day was closed.
    pub loans: u64,
    /// Those of them that had to be folded.
    pub folded: u64,
    /// Late charges made.
    pub charged: u64,
    /// Loans that count as defaulted now.
    pub defaulted: u64,
    /// Loans that no longer do.
    pub cured: u64,
}

impl Work {
    fn add(&mut self, other: Self) {
        self.loans = self.loans.saturating_add(other.loans);
        self.folded = self.folded.saturating_add(other.folded);
        self.charged = self.charged.saturating_add(other.charged);
        self.defaulted = self.defaulted.saturating_add(other.defaulted);
        self.cured = self.cured.saturating_add(other.cured);
    }
}

impl Services {
    /// Closes the business days of branches that are not closed yet, up to a day: every one after the last that was
    /// closed, or the day alone where none was. Days that are closed are left alone.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] for a branch that does not exist for the caller and a day that has not come;
    /// [`ServiceError::Forbidden`]. What was closed until then stays closed.
    pub async fn close_days(&self, actor: &Actor, input: &CloseDay) -> Result<ClosedDays, ServiceError> {
        self.close_days_as("closeBusinessDay", actor, input).await
    }

    /// The same for the command, by whose name it is on the trail.
    ///
    /// # Errors
    /// Those of [`Services::close_days`].
    pub async fn close_days_by_command(&self, actor: &Actor, input: &CloseDay) -> Result<ClosedDays, ServiceError> {
        let closed = self.close_days_as("close-day", actor, input).await?;
        self.refresh_portfolio_at_end_of_day().await;
        Ok(closed)
    }

    async fn close_days_as(
        &self,
        operation: &'static str,
        actor: &Actor,
        input: &CloseDay,
    ) -> Result<ClosedDays, ServiceError> {
        let trail = DayTrail::new(actor, operation, input);
        let started = Instant::now();
        match self.close_days_on(&trail, input).await {
            Ok(closed) => {
                self.note_run(&closed, started.elapsed());
                let branches = closed.branches.iter().map(|closed| (closed.branch.id, closed.branch.code.clone()));
                self.seal_at_end_of_day(&branches.collect::<Vec<_>>()).await;
                self.tidy_portfolio_at_end_of_day().await;
                Ok(closed)
            }
            Err(error) => Err(self.refused(actor, &trail.about, error).await),
        }
    }

    fn note_run(&self, closed: &ClosedDays, took: Duration) {
        if closed.replayed {
            self.tally.replayed();
        }
        let loans = closed.branches.iter().fold(0_u64, |sum, branch| sum.saturating_add(branch.work.loans));
        self.tally.closed_days(EndOfDayRun { loans, took, ended_at: self.now() });
    }

    async fn close_days_on(&self, trail: &DayTrail<'_>, input: &CloseDay) -> Result<ClosedDays, ServiceError> {
        let actor = trail.actor;
        let scope = self.authorize(actor, Action::CloseBusinessDay)?;
        let top = match &input.branch {
            Some(key) => {
                let found = branches::find(self.database.reader(), &scope, key, Lock::None).await?;
                Some(found.ok_or_else(|| Problem::not_found(&["input", "branchId"], "branch"))?)
            }
            None => None,
        };
        let below = top.as_ref().map_or(scope, |top| Scope::Branches(vec![top.code.clone()]));
        let branches = branches::all(self.database.reader(), &below).await?;
        for branch in &branches {
            self.check_day(branch, input.on)?;
        }
        let replayed = self.claim_key(actor, input, top.as_ref()).await?;
        let mut calendars = calendars::of_branches(self.database.reader(), &branches).await?;
        let mut closed = ClosedDays { branches: Vec::with_capacity(branches.len()), replayed };
        for branch in branches {
            let calendar = calendars.remove(&branch.id).unwrap_or_default();
            closed.branches.push(self.close_branch_days(trail, branch, &calendar, input, replayed).await?);
        }
        if closed.branches.is_empty() {
            self.note_nothing_closed(trail, None, replayed).await?;
        }
        Ok(closed)
    }

    fn check_day(&self, branch: &BranchRecord, on: Option<NaiveDate>) -> Result<(), ServiceError> {
        let latest = business_date(branch, self.now());
        // Every day after the first is closed too: a first one that was mistyped would take forever to catch up with.
        let earliest = latest.checked_sub_months(MONTHS_BACK).filter(|_| branch.closed_through.is_none());
        if on.is_none_or(|on| on <= latest && earliest.is_none_or(|earliest| on >= earliest)) {
            return Ok(());
        }
        let until = format!("{latest}, the business date of branch {}.", branch.code);
        let message = match earliest {
            Some(earliest) => format!("Choose a day from {earliest} to {until}"),
            None => format!("Choose a day until {until}"),
        };
        Err(Problem::new(ProblemCode::DateOutOfRange, &["input", "on"], message)
            .with(Detail::Date { earliest, latest: Some(latest) })
            .into())
    }

    /// Whether the caller's key was used for the same before. Closing days repeats nothing by itself; the key only tells
    /// a repetition from a mistake.
    async fn claim_key(
        &self,
        actor: &Actor,
        input: &CloseDay,
        top: Option<&BranchRecord>,
    ) -> Result<bool, ServiceError> {
        let Some(key) = &input.idempotency_key else { return Ok(false) };
        let mut check = Check::default();
        let key = check.idempotency_key(&["input", "idempotencyKey"], key);
        check.finish()?;
        let key = &key.ok_or(ServiceError::BadInput)?;
        let id = top.map_or(Uuid::nil(), |top| top.id);
        let fingerprint = &idempotency::fingerprint(&(id, input.on));
        let now = self.now();
        self.database
            .write(|transaction| async move {
                let turn =
                    idempotency::claim(&transaction, actor, "closeBusinessDay", key, fingerprint, id, now).await?;
                Ok(matches!(turn, Turn::Repetition(_)))
            })
            .await
    }

    async fn close_branch_days(
        &self,
        trail: &DayTrail<'_>,
        mut branch: BranchRecord,
        calendar: &Calendar,
        input: &CloseDay,
        replayed: bool,
    ) -> Result<ClosedBranch, ServiceError> {
        let until = input.on.unwrap_or_else(|| business_date(&branch, self.now()));
        let passed_over = store::without_projection(self.database.reader(), branch.id).await?;
        let mut closed = ClosedBranch { branch: branch.clone(), days: 0, work: Work::default(), passed_over };
        let mut is_noted = false;
        while let Some(day) = next_day(&branch, until) {
            let day_of_branch = BranchDay { branch: &branch, calendar, on: day, size: input.chunk.max(1) };
            let done = self.close_one_day(trail, &day_of_branch).await?;
            closed.work.add(done.work);
            is_noted |= done.is_noted;
            closed.days = closed.days.saturating_add(1);
            branch.closed_through = Some(day);
        }
        if !is_noted {
            self.note_nothing_closed(trail, Some(branch.id), replayed).await?;
        }
        closed.branch = branch;
        Ok(closed)
    }

    /// Closes a day of a branch. Several may do so at once: whoever finds nothing left of it closes the branch's date.
    async fn close_one_day(&self, trail: &DayTrail<'_>, day: &BranchDay<'_>) -> Result<DayDone, ServiceError> {
        let mut work = Work::default();
        loop {
            for currency in store::currencies(self.database.reader(), day.branch.id).await? {
                work.add(self.work_through(day, currency).await?);
            }
            if let Some(is_noted) = self.close_date(trail, day, work).await? {
                return Ok(DayDone { work, is_noted });
            }
            // Others hold what is left; they will have committed soon, or left it to this worker.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Takes chunk after chunk of a day until there is none that nobody holds. Where several can write and the first
    /// chunk is a full one, a second worker takes every other chunk.
    async fn work_through(&self, day: &BranchDay<'_>, currency: Currency) -> Result<Work, ServiceError> {
        let start = day.start(currency);
        let first = self.close_chunk(day, &start).await?;
        let mut work = first.work;
        let Some(last) = first.last.filter(|_| first.is_full) else { return Ok(work) };
        let rest = store::Place { after: last, ..start };
        if self.database.has_many_writers() {
            let (one, other) = tokio::try_join!(self.pass(day, rest), self.pass(day, rest))?;
            work.add(one);
            work.add(other);
        } else {
            work.add(self.pass(day, rest).await?);
        }
        Ok(work)
    }

    /// Takes chunk after chunk from a place on.
    async fn pass(&self, day: &BranchDay<'_>, mut place: store::Place) -> Result<Work, ServiceError> {
        let mut work = Work::default();
        loop {
            let done = self.close_chunk(day, &place).await?;
            work.add(done.work);
            match done.last {
                Some(last) if done.is_full => place.after = last,
                _ => return Ok(work),
            }
        }
    }

    /// Moves the branch's date if no loan is left to be closed, and says whether it was this that moved it; `None` when
    /// one is left.
    async fn close_date(
        &self,
        trail: &DayTrail<'_>,
        day: &BranchDay<'_>,
        work: Work,
    ) -> Result<Option<bool>, ServiceError> {
        self.database
            .write(|transaction| async move {
                if store::is_any_left(&*transaction, day.branch.id, day.on).await? {
                    return Ok(None);
                }
                Ok(Some(self.move_date(&transaction, trail, day.branch.id, day.on, work).await?))
            })
            .await
    }
}

/// What closing one day of a branch came to.
struct DayDone {
    work: Work,
    /// The day's event was written here, and not by another who closed the same day.
    is_noted: bool,
}

/// A day of a branch, and how many loans to take at once.
struct BranchDay<'a> {
    branch: &'a BranchRecord,
    calendar: &'a Calendar,
    on: NaiveDate,
    size: u32,
}

impl BranchDay<'_> {
    fn start(&self, currency: Currency) -> store::Place {
        store::Place { branch_id: self.branch.id, on: self.on, currency, after: Uuid::nil() }
    }
}

/// The next day of a branch to close.
fn next_day(branch: &BranchRecord, until: NaiveDate) -> Option<NaiveDate> {
    let next = branch.closed_through.map_or(Some(until), |closed| closed.succ_opt())?;
    (next <= until).then_some(next)
}

/// Loans by id, which a chunk's statements answer in any order.
type ById<T> = HashMap<Uuid, T>;
