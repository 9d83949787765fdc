//! Reads that requests at the same time share: rows by their ids go together in one statement, and a page that several
//! want is read once. The busier the server is, the more one round trip brings. Access is not decided here: the scope is
//! part of the statement, and requests of different scopes never share one, nor do those that may read from a replica and
//! those that may not.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::{EntityTrait, ModelTrait};
use uuid::Uuid;

use super::database::Reader;
use super::error::StoreError;
use super::filter::{Field, Filter};
use super::find;
use super::page::{self, Page, PageRequest, SortKey};
use super::queue::Queues;
use super::scope::Scope;

/// Gathers the reads of one kind of row.
#[derive(Debug)]
pub struct Gather<R> {
    id: fn(&R) -> Uuid,
    rows: Queues<Source, Vec<Uuid>, Rows<R>>,
    pages: Queues<Wanted, (), Arc<Page<Arc<R>>>>,
}

/// Rows by their ids. Several requests may hold the same one.
type Rows<R> = Arc<HashMap<Uuid, Arc<R>>>;

/// What is read from, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Source {
    scope: Scope,
    /// What the replica answers may be older than somebody else must see.
    is_replica: bool,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    source: Source,
    /// Filter and order, as JSON.
    list: String,
    request: PageRequest,
}

impl<R> Gather<R> {
    /// Of rows that have these ids.
    #[must_use]
    pub fn new(id: fn(&R) -> Uuid) -> Self {
        Self { id, rows: Queues::default(), pages: Queues::default() }
    }

    /// The row with this id, if it exists for this scope.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn by_id<F>(&self, connection: &Reader, scope: &Scope, id: Uuid) -> Result<Option<Arc<R>>, StoreError>
    where
        F: Field,
        R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
    {
        Ok(self.by_ids::<F>(connection, scope, &[id]).await?.pop().flatten())
    }

    /// The rows with these ids, in their order; `None` where none exists for this scope.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn by_ids<F>(
        &self,
        connection: &Reader,
        scope: &Scope,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<R>>>, StoreError>
    where
        F: Field,
        R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
    {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let read = async |together: Vec<Vec<Uuid>>| {
            let mut ids: Vec<Uuid> = together.into_iter().flatten().collect();
            ids.sort_unstable();
            ids.dedup();
            self.read::<F>(connection, scope, &ids).await
        };
        let rows = match self.rows.ask(&source(connection, scope), ids.to_vec(), read).await? {
            Some(rows) => rows,
            None => self.read::<F>(connection, scope, ids).await?,
        };
        Ok(ids.iter().map(|id| rows.get(id).cloned()).collect())
    }

    async fn read<F>(&self, connection: &Reader, scope: &Scope, ids: &[Uuid]) -> Result<Rows<R>, StoreError>
    where
        F: Field,
        R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
    {
        let rows = find::by_ids::<F, R>(connection, scope, ids).await?;
        Ok(Arc::new(rows.into_iter().map(|row| ((self.id)(&row), Arc::new(row))).collect()))
    }

    /// Reads one page, like [`page::page`].
    ///
    /// # Errors
    /// [`StoreError::InvalidCursor`]; whatever the database answers.
    pub async fn page<F>(
        &self,
        connection: &Reader,
        scope: &Scope,
        filter: &Filter<F>,
        order: &[SortKey<F>],
        request: &PageRequest,
    ) -> Result<Page<Arc<R>>, StoreError>
    where
        F: Field,
        R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
        <F::Entity as EntityTrait>::Model: ModelTrait<Entity = F::Entity> + Send + Sync,
    {
        let list = serde_json::to_string(&(order, filter)).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let wanted = Wanted { source: source(connection, scope), list, request: request.clone() };
        let read = async |_| Ok(Arc::new(page::page(connection, scope, filter, order, request).await?.shared()));
        match self.pages.ask(&wanted, (), read).await? {
            Some(page) => Ok(Arc::unwrap_or_clone(page)),
            None => Ok(page::page(connection, scope, filter, order, request).await?.shared()),
        }
    }
}

fn source(connection: &Reader, scope: &Scope) -> Source {
    Source { scope: scope.clone(), is_replica: connection.is_replica() }
}
