//! Asking for collection sheets.

use async_graphql::{Context, ID, Object};

use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::collection::CollectionSheet;
use crate::graphql::types::id;
use crate::graphql::types::scalars::Date;
use crate::ids::Kind;

/// The queries around collection.
#[derive(Default)]
pub struct CollectionSheetQuery;

#[Object]
impl CollectionSheetQuery {
    /// Who owes what by a day at a branch with those below it; null when there is no such branch, or no such group, for the caller. Permission: ReadLoans.
    async fn collection_sheet(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The branch, with those below it.")] branch: ID,
        #[graphql(desc = "The day: what falls due on it, and what fell due before it, as the books stand now.")]
        on: Date,
        #[graphql(desc = "Only the loans of this group.")] group: Option<ID>,
    ) -> Nullable<CollectionSheet> {
        let found = async {
            let branch = id::read(&branch, Kind::Branch)?;
            let group = group.map(|group| id::read(&group, Kind::Group)).transpose()?;
            let request = request(context)?;
            let sheet = request.services.collection_sheet(request.actor, branch, on.0, group).await?;
            Ok(sheet.map(CollectionSheet::from))
        };
        found.await.transpose()
    }
}
