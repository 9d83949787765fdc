//! Use cases around loans: looking at them, one, several or a list. Nothing is changed here.

use std::sync::Arc;

use lending::loan::TransitionError;
use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::list::COUNT_CAP;
use super::problem::Problem;
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::store::find::Lock;
use crate::store::loans as store;
use crate::store::page;

pub use super::list::{Filter, Page, PageRequest, SortKey};
pub use super::loan_applications::{Applied, ApplyForLoan};
pub use crate::store::loans::{LoanField, LoanKey, LoanRecord};

pub(super) const OFFICER_LENGTH: usize = 200;

impl Services {
    /// One loan, if it exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan(&self, actor: &Actor, key: &LoanKey) -> Result<Option<Arc<LoanRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let reader = self.database.reader();
        match key {
            LoanKey::Id(id) => Ok(self.gathered.loans.by_id::<LoanField>(reader, &scope, *id).await?),
            _ => Ok(store::find(reader, &scope, key, Lock::None).await?.map(Arc::new)),
        }
    }

    /// Loans in the order of the ids; `None` where none exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loans_by_id(&self, actor: &Actor, ids: &[Uuid]) -> Result<Vec<Option<Arc<LoanRecord>>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        Ok(self.gathered.loans.by_ids::<LoanField>(self.database.reader(), &scope, ids).await?)
    }

    /// Part of the list of loans.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn loans(
        &self,
        actor: &Actor,
        filter: &Filter<LoanField>,
        order: &[SortKey<LoanField>],
        request: &PageRequest,
    ) -> Result<Page<Arc<LoanRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let filter = self.dated(filter).await?;
        Ok(self.gathered.loans.page(self.database.reader(), &scope, &filter, order, request).await?)
    }

    /// How many loans match, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_loans(&self, actor: &Actor, filter: &Filter<LoanField>) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let filter = self.dated(filter).await?;
        Ok(page::count(self.database.reader(), &scope, &filter, COUNT_CAP).await?)
    }
}

pub(super) fn step_problem(error: &TransitionError, charged_off: bool, date: &str, amount: &str) -> Problem {
    Problem::transition(error, charged_off, &["input", date], &["input", amount])
}
