//! A loan's own lists, page by page. Their rows are there once the loan is folded, so a page is cut out of them; cursors
//! hold the place of a row and belong to one loan and one list.

use async_graphql::{Context, Object, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::engine::Engine;
use super::event::LoanEvent;
use super::transaction::LoanTransaction;
use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::connection::{
    JournalEntryConnection, LoanEventConnection, LoanTransactionConnection, OwnListFields, apart, connection,
    page_request,
};
use crate::graphql::types::journal_entry::journal_page;
use crate::service::ServiceError;
use crate::service::ledger::EntryField;
use crate::service::list::{Cursor, Filter, Page, PageRequest, Scalar, Test};

/// A loan's own lists.
pub struct LoanLists(pub Engine);

/// A loan's own lists.
#[Object]
impl LoanLists {
    /// What was recorded on the loan, in the order of value date and then of recording, the newest last; reversed transactions too.
    async fn transactions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> Result<LoanTransactionConnection> {
        let asked = page_request(request(context)?.limits, first, after, last, before)?;
        let view = self.0.view(context).await?;
        let rows: Vec<_> = view
            .until_day()
            .map(|one| ((one.transaction.on, one.transaction.sequence), LoanTransaction::of(&view, one)))
            .collect();
        let total = rows.len();
        let page = page("transactions", view.record.id, rows, &asked)?;
        let (page, nodes) = apart(page);
        Ok(connection(page, nodes, OwnListFields::new(total)))
    }

    /// What was booked of the loan, in the order of booking, mirrors included; what a day accrued for a whole branch is not of one loan. Whatever the day the loan is asked for, these are all there are. Null, with an error, for those without the permission ReadLedger.
    async fn journal_entries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> Nullable<JournalEntryConnection> {
        let found = async {
            let request = request(context)?;
            let asked = page_request(request.limits, first, after, last, before)?;
            let own = Filter::Field(EntryField::Loan, Test::Is(Scalar::Id(self.0.loan_id())));
            journal_page(context, own, &[], &asked).await
        };
        Some(found.await)
    }

    /// What happened to the loan, from the application on, the newest last.
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> Result<LoanEventConnection> {
        let asked = page_request(request(context)?.limits, first, after, last, before)?;
        let view = self.0.view(context).await?;
        let rows = LoanEvent::all(&view);
        let total = rows.len();
        let page = page("history", view.record.id, rows, &asked)?;
        let (page, nodes) = apart(page);
        Ok(connection(page, nodes, OwnListFields::new(total)))
    }
}

/// The page of rows in ascending order of their keys. A row that has gone since leaves its place in the order, so no
/// cursor ever points at nothing.
fn page<K, R>(list: &str, owner: Uuid, rows: Vec<(K, R)>, asked: &PageRequest) -> Result<Page<R>, ServiceError>
where
    K: Ord + Serialize + DeserializeOwned,
{
    let cursor = asked.cursor.as_deref().map(|text| read::<K>(list, owner, text)).transpose()?;
    let total = rows.len();
    let mut kept: Vec<(K, R)> = rows
        .into_iter()
        .filter(|(key, _)| match &cursor {
            None => true,
            Some(cursor) if asked.backward => key < cursor,
            Some(cursor) => key > cursor,
        })
        .collect();
    let beyond = total.saturating_sub(kept.len());
    let size = usize::try_from(asked.size).unwrap_or(usize::MAX);
    let left = kept.len().saturating_sub(size);
    if asked.backward {
        kept.drain(..left);
    } else {
        kept.truncate(size);
    }
    let (has_previous, has_next) = if asked.backward { (left > 0, beyond > 0) } else { (beyond > 0, left > 0) };
    let rows = kept
        .into_iter()
        .map(|(key, row)| Ok((Cursor::Written(write(list, owner, &key)?), row)))
        .collect::<Result<Vec<_>, ServiceError>>()?;
    Ok(Page { rows, has_previous, has_next })
}

fn write<K: Serialize>(list: &str, owner: Uuid, key: &K) -> Result<String, ServiceError> {
    let json = serde_json::to_vec(&(list, owner, key)).map_err(|_| ServiceError::BadInput)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn read<K: DeserializeOwned>(list: &str, owner: Uuid, text: &str) -> Result<K, ServiceError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| ServiceError::InvalidCursor)?;
    let (of_list, of_owner, key) =
        serde_json::from_slice::<(String, Uuid, K)>(&json).map_err(|_| ServiceError::InvalidCursor)?;
    if of_list == list && of_owner == owner { Ok(key) } else { Err(ServiceError::InvalidCursor) }
}
