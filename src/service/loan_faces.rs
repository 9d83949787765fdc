//! Use cases of looking at loans where what most lists show of them is enough ([`LoanFace`]): the same loans as
//! [`Services::loans`] and its like, for the same callers.

use std::sync::Arc;

use uuid::Uuid;

use super::Services;
use super::error::ServiceError;
use super::loans::{Filter, LoanField, Page, PageRequest, SortKey};
use crate::auth::Actor;
use crate::auth::policy::Action;

pub use crate::store::loan_face::LoanFace;

impl Services {
    /// Loans in the order of the ids; `None` where none exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn loan_faces_by_id(
        &self,
        actor: &Actor,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<LoanFace>>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        Ok(self.gathered.loan_faces.by_ids::<LoanField>(self.database.reader(), &scope, ids).await?)
    }

    /// Part of the list of loans, in an order that faces can be in ([`LoanFace::has`]).
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn loan_faces(
        &self,
        actor: &Actor,
        filter: &Filter<LoanField>,
        order: &[SortKey<LoanField>],
        request: &PageRequest,
    ) -> Result<Page<Arc<LoanFace>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadLoans)?;
        let filter = self.dated(filter).await?;
        Ok(self.gathered.loan_faces.page(self.database.reader(), &scope, &filter, order, request).await?)
    }
}
