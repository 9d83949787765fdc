//! What an operator asks of the books' upkeep: whether the keys open what is stored, whether somebody seals the audit trail,
//! whether days are closed. It changes nothing and tells nothing personal, so nobody has to be authorized.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::error::ServiceError;
use super::personal_data::Place;
use super::problem::PersonalField;
use super::{Services, business_date};
use crate::store::scope::Scope;
use crate::store::{audit, borrowers, branches, close_day};

/// What came of trying the keys on stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyTrial {
    /// Values of those who were registered first and last.
    pub tried: u32,
    /// Those of them that no key opens.
    pub unreadable: u32,
}

/// Events of the audit trail that no chain holds yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsealed {
    /// How many.
    pub count: u64,
    /// When the oldest was recorded, to the millisecond.
    pub oldest: Option<DateTime<Utc>>,
}

/// A branch with running loans whose days are not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDays {
    /// Its code.
    pub branch: String,
    /// The last day that was closed, if any was.
    pub closed_through: Option<NaiveDate>,
    /// Its business date.
    pub today: NaiveDate,
}

impl Services {
    /// Tries the keys on the values of two borrowers.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn try_personal_data_keys(&self) -> Result<KeyTrial, ServiceError> {
        let mut trial = KeyTrial::default();
        for borrower in borrowers::first_and_last_sealed(self.database.reader()).await? {
            let values = [(PersonalField::Phone, &borrower.phone), (PersonalField::NationalId, &borrower.national_id)];
            for (field, sealed) in values {
                let Some(sealed) = sealed else { continue };
                trial.tried = trial.tried.saturating_add(1);
                if self.personal_data.open(Place { borrower: borrower.id, field }, sealed).is_err() {
                    trial.unreadable = trial.unreadable.saturating_add(1);
                }
            }
        }
        Ok(trial)
    }

    /// What waits to be sealed.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn unsealed(&self) -> Result<Unsealed, ServiceError> {
        let oldest = audit::oldest_unsealed(self.database.reader()).await?;
        let moment = |id: uuid::Uuid| {
            let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
        };
        Ok(Unsealed { count: self.count_unsealed().await?, oldest: oldest.and_then(moment) })
    }

    /// Branches with running loans whose days are open further back than so many days, by their codes.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn days_left_open(&self, more_than: u64) -> Result<Vec<OpenDays>, ServiceError> {
        let mut open = Vec::new();
        for branch in branches::all(self.database.reader(), &Scope::All).await? {
            let today = business_date(&branch, self.now());
            // Today is not over yet, and the days before it may be closed until then.
            let Some(latest) = today.checked_sub_days(Days::new(more_than.saturating_add(1))) else { continue };
            let is_closed = branch.closed_through.is_some_and(|through| through >= latest);
            if !is_closed && close_day::is_any_left(self.database.reader(), branch.id, latest).await? {
                open.push(OpenDays { branch: branch.code, closed_through: branch.closed_through, today });
            }
        }
        Ok(open)
    }
}
