//! A loan with its history, folded when the first field needs it and not again. A page folds all its loans at once and
//! hands each its view; whoever has a single loan lets it load itself.

use std::sync::Arc;

use async_graphql::{Context, Result};
use tokio::sync::OnceCell;

use crate::graphql::request::request;
use crate::graphql::types::written::Later;
use crate::service::ServiceError;
use crate::service::loan_views::LoanView;
use crate::service::loans::LoanRecord;

/// A loan and, once it was needed, its view.
#[derive(Clone)]
pub struct Engine {
    record: Arc<LoanRecord>,
    view: Arc<OnceCell<Arc<LoanView>>>,
}

impl Engine {
    /// A loan whose view is loaded when it is needed.
    pub fn later(record: Arc<LoanRecord>) -> Self {
        Self { record, view: Arc::default() }
    }

    /// A loan whose view is there.
    pub fn fetched(record: Arc<LoanRecord>, view: LoanView) -> Self {
        Self { record, view: Arc::new(OnceCell::new_with(Some(Arc::new(view)))) }
    }

    /// The loan's id.
    pub fn loan_id(&self) -> uuid::Uuid {
        self.record.id
    }

    /// The view, where it is there.
    pub fn at_hand(&self) -> Result<&LoanView, Later> {
        self.view.get().map(|view| &**view).ok_or(Later)
    }

    /// The view; loaded once, however many fields ask for it.
    pub async fn view(&self, context: &Context<'_>) -> Result<Arc<LoanView>> {
        let load = async || -> Result<Arc<LoanView>> {
            let request = request(context)?;
            let record = LoanRecord::clone(&self.record);
            let mut views = request.services.loan_views(request.actor, vec![record]).await?;
            views.pop().map(Arc::new).ok_or_else(|| ServiceError::BadInput.into())
        };
        if let Some(view) = self.view.get() {
            return Ok(Arc::clone(view));
        }
        Ok(Arc::clone(Box::pin(self.view.get_or_try_init(load)).await?))
    }
}
