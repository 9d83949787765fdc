//! What stands behind a loan that is shown: the whole loan, and the loan with its history, folded; each read when the first
//! field needs it, and not again. A page reads what its fields need of all its loans at once and hands it to each; whoever
//! has a single loan lets it load itself.

use std::sync::Arc;

use async_graphql::{Context, Result};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::graphql::request::request;
use crate::graphql::types::written::Later;
use crate::service::ServiceError;
use crate::service::loan_views::LoanView;
use crate::service::loans::{LoanKey, LoanRecord};

/// A loan's id and, once they were needed, the loan and its view.
#[derive(Clone)]
pub struct Engine {
    id: Uuid,
    behind: Arc<Behind>,
}

#[derive(Default)]
struct Behind {
    record: OnceCell<Arc<LoanRecord>>,
    view: OnceCell<Arc<LoanView>>,
}

impl Engine {
    /// A loan of which nothing more was read.
    pub fn later(id: Uuid) -> Self {
        Self { id, behind: Arc::default() }
    }

    /// A loan whose view is loaded when it is needed.
    pub fn of(record: Arc<LoanRecord>) -> Self {
        let id = record.id;
        let behind = Behind { record: OnceCell::new_with(Some(record)), view: OnceCell::new() };
        Self { id, behind: Arc::new(behind) }
    }

    /// Puts the view where its fields look for it; one that is there already stays.
    pub fn fetched(&self, view: LoanView) {
        let _ = self.behind.view.set(Arc::new(view));
    }

    /// The loan's id.
    pub fn loan_id(&self) -> Uuid {
        self.id
    }

    /// The whole loan, where it is there.
    pub fn record_at_hand(&self) -> Result<&LoanRecord, Later> {
        self.behind.record.get().map(|record| &**record).ok_or(Later)
    }

    /// The view, where it is there.
    pub fn at_hand(&self) -> Result<&LoanView, Later> {
        self.behind.view.get().map(|view| &**view).ok_or(Later)
    }

    /// The whole loan; loaded once, however many fields ask for it.
    pub async fn record(&self, context: &Context<'_>) -> Result<&LoanRecord> {
        let load = async || -> Result<Arc<LoanRecord>> {
            let request = request(context)?;
            let record = request.services.loan(request.actor, &LoanKey::Id(self.id)).await?;
            record.ok_or_else(|| ServiceError::BadInput.into())
        };
        match self.behind.record.get() {
            Some(record) => Ok(record),
            None => Ok(Box::pin(self.behind.record.get_or_try_init(load)).await?),
        }
    }

    /// The view; loaded once, however many fields ask for it.
    pub async fn view(&self, context: &Context<'_>) -> Result<Arc<LoanView>> {
        let load = async || -> Result<Arc<LoanView>> {
            let request = request(context)?;
            let record = self.record(context).await?.clone();
            let mut views = request.services.loan_views(request.actor, vec![record]).await?;
            views.pop().map(Arc::new).ok_or_else(|| ServiceError::BadInput.into())
        };
        if let Some(view) = self.behind.view.get() {
            return Ok(Arc::clone(view));
        }
        Ok(Arc::clone(Box::pin(self.behind.view.get_or_try_init(load)).await?))
    }
}
