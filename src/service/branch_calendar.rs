//! The days a branch works: its weekly rest days and its holidays. A change is only that of the calendar: no loan is
//! touched by it, and a loan's due dates are moved by the calendar of the day something is next worked out for it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{NaiveDate, Weekday};
use uuid::Uuid;

use super::Services;
use super::audit::About;
use super::check::Check;
use super::error::ServiceError;
use super::problem::{Problem, ProblemCode};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::branches::{self, BranchKey, BranchRecord};
use crate::store::calendars as store;
use crate::store::database::Transaction;
use crate::store::find::Lock;
use crate::store::scope::Scope;

pub use crate::store::calendars::Holiday;

const NAME_LENGTH: usize = 200;

/// What becomes of a branch's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarChange {
    /// These days of the week are its rest days, and no others.
    RestDays(Vec<Weekday>),
    /// These days are holidays too; one that is a holiday already gets its new name.
    AddHolidays(Vec<Holiday>),
    /// These days are no holidays any more; those that were none stay as they are.
    RemoveHolidays(Vec<NaiveDate>),
}

impl CalendarChange {
    /// The mutation's name.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::RestDays(_) => "setBranchRestDays",
            Self::AddHolidays(_) => "addBranchHolidays",
            Self::RemoveHolidays(_) => "removeBranchHolidays",
        }
    }
}

/// A change of a branch's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCalendar {
    /// Which branch.
    pub branch: Uuid,
    /// What becomes of it.
    pub change: CalendarChange,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

impl Services {
    /// The holidays of branches the caller has found, first to last.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn holidays(
        &self,
        actor: &Actor,
        branches: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<Holiday>>, ServiceError> {
        self.authorize(actor, Action::ReadBranches)?;
        Ok(store::holidays_of(self.database.reader(), branches).await?)
    }

    /// Changes a branch's calendar.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with every problem of the input; [`ServiceError::Forbidden`].
    pub async fn change_calendar(&self, actor: &Actor, input: &ChangeCalendar) -> Result<BranchRecord, ServiceError> {
        let about = About::of(input.change.operation(), Kind::Branch, input.branch);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::ChangeCalendar)?;
            let change = read(&input.change)?;
            let (now, scope, change) = (self.now(), &scope, &change);
            trail
                .write(|transaction| async move {
                    let mut record = find(&transaction, scope, input).await?;
                    match change {
                        CalendarChange::RestDays(days) => record.rest_days.clone_from(days),
                        CalendarChange::AddHolidays(holidays) => {
                            store::put_holidays(&*transaction, record.id, holidays).await?;
                        }
                        CalendarChange::RemoveHolidays(days) => {
                            store::remove_holidays(&*transaction, record.id, days).await?;
                        }
                    }
                    record.version += 1;
                    record.updated_at = now;
                    branches::update(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
        })
        .await
    }
}

async fn find(transaction: &Transaction, scope: &Scope, input: &ChangeCalendar) -> Result<BranchRecord, ServiceError> {
    let found = branches::find(&**transaction, scope, &BranchKey::Id(input.branch), Lock::ForUpdate).await?;
    let record = found.ok_or_else(|| Problem::not_found(&["input", "branchId"], "branch"))?;
    Problem::expect_version(input.expected_version, record.version)?;
    Ok(record)
}

fn read(change: &CalendarChange) -> Result<CalendarChange, ServiceError> {
    let mut check = Check::default();
    let read = match change {
        CalendarChange::RestDays(days) => {
            let chosen: HashSet<Weekday> = days.iter().copied().collect();
            if chosen.len() > 6 {
                let message = "Leave at least one day of the week to work on.";
                check.note(Problem::new(ProblemCode::InvalidFormat, &["input", "restDays"], message));
            }
            // In the order of the week, each once: as they will be read back.
            let mut chosen: Vec<Weekday> = chosen.into_iter().collect();
            chosen.sort_by_key(Weekday::num_days_from_monday);
            CalendarChange::RestDays(chosen)
        }
        CalendarChange::AddHolidays(holidays) => {
            required(&mut check, holidays.is_empty(), "holidays");
            let mut days = BTreeMap::new();
            for (holiday, place) in holidays.iter().zip(0_usize..) {
                let place = place.to_string();
                let path = ["input", "holidays", &place, "name"];
                if let Some(name) = check.text(&path, &holiday.name, NAME_LENGTH) {
                    days.insert(holiday.on, name);
                }
            }
            CalendarChange::AddHolidays(days.into_iter().map(|(on, name)| Holiday { on, name }).collect())
        }
        CalendarChange::RemoveHolidays(days) => {
            required(&mut check, days.is_empty(), "days");
            CalendarChange::RemoveHolidays(days.clone())
        }
    };
    check.finish()?;
    Ok(read)
}

fn required(check: &mut Check, missing: bool, field: &str) {
    if missing {
        check.note(Problem::new(ProblemCode::Required, &["input", field], "Name at least one day."));
    }
}
