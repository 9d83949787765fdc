//! Reads that requests at the same time share: rows by their ids go together in one statement, as do pages of one list
//! (on PostgreSQL), and a page that several want is read once. The busier the server is, the more one round trip brings.
//! Access is not decided here: the scope is part of the statement, and requests of different scopes never share one, nor
//! do those that may read from a replica and those that may not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend};
use uuid::Uuid;

use super::cursor::Place;
use super::database::Reader;
use super::error::StoreError;
use super::filter::{Field, Filter};
use super::find;
use super::page::{List, Page, PageRequest, Shape, SortKey};
use super::queue::Queues;
use super::rows::Record;
use super::scope::Scope;

/// Gathers the reads of one kind of row.
#[derive(Debug)]
pub struct Gather<R> {
    id: fn(&R) -> Uuid,
    rows: Queues<Source, Vec<Uuid>, Rows<R>>,
    pages: Queues<Wanted, Option<Place>, Pages<R>>,
}

/// Rows by their ids. Several requests may hold the same one.
type Rows<R> = Arc<HashMap<Uuid, Arc<R>>>;

/// Pages of one list by where they start.
type Pages<R> = Arc<HashMap<Option<Place>, Page<Arc<R>>>>;

/// What is read from, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Source {
    scope: Scope,
    /// What the replica answers may be older than somebody else must see.
    is_replica: bool,
}

/// What pages have in common that can be read together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    source: Source,
    /// Filter and order.
    list: String,
    shape: Shape,
    /// Where they start, for an engine that reads each by itself.
    start: Option<Place>,
}

/// The most rows that one statement reads for several pages: what it found is in memory all at once.
const MOST_ROWS: u32 = 512;

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
        R: Record<F::Entity>,
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
        R: Record<F::Entity>,
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
        R: Record<F::Entity>,
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
        R: Record<F::Entity>,
    {
        let list = List::of(filter, order)?;
        let start = list.start(request)?;
        let together = connection.get_database_backend() == DbBackend::Postgres;
        let wanted = Wanted {
            source: source(connection, scope),
            list: list.text().to_owned(),
            shape: request.into(),
            start: start.clone().filter(|_| !together),
        };
        let read = async |starts: Vec<Option<Place>>| pages(&list, connection, scope, wanted.shape, starts).await;
        let found = self.pages.ask(&wanted, start.clone(), read).await?;
        match found.and_then(|pages| pages.get(&start).cloned()) {
            Some(page) => Ok(page),
            None => Ok(list.read(connection, scope, wanted.shape, start.as_ref()).await?.shared()),
        }
    }
}

/// The pages from these places, each once.
async fn pages<F, R>(
    list: &List<'_, F>,
    connection: &Reader,
    scope: &Scope,
    shape: Shape,
    starts: Vec<Option<Place>>,
) -> Result<Pages<R>, StoreError>
where
    F: Field,
    R: Record<F::Entity>,
{
    let starts: HashSet<Option<Place>> = starts.into_iter().collect();
    let from_an_end = starts.contains(&None);
    let places: Vec<Place> = starts.into_iter().flatten().collect();
    let mut found = HashMap::new();
    if from_an_end {
        found.insert(None, list.read(connection, scope, shape, None).await?.shared());
    }
    let at_once = usize::try_from(MOST_ROWS.div_ceil(shape.size.max(1))).unwrap_or(usize::MAX);
    for places in places.chunks(at_once) {
        let pages = match places {
            [place] => vec![list.read(connection, scope, shape, Some(place)).await?],
            places => list.read_each(connection, scope, shape, places).await?,
        };
        found.extend(places.iter().cloned().map(Some).zip(pages.into_iter().map(Page::shared)));
    }
    Ok(Arc::new(found))
}

fn source(connection: &Reader, scope: &Scope) -> Source {
    Source { scope: scope.clone(), is_replica: connection.is_replica() }
}
