//! Keyset pagination: a page is found by the values of its neighbour, never by counting rows, so that page 10,000 costs
//! what page 1 costs and no row is seen twice or missed while others are inserted. The id ends every order. Where a page
//! starts is a cursor's affair (`cursor`).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::sea_query::{Expr, ExprTrait, Order, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::cursor::{self, Place};
use super::error::StoreError;
use super::filter::{Field, Filter};
use super::rows::{self, ByPlace, Places, Record};
use super::scope::Scope;

pub use super::cursor::Cursor;

/// One key of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SortKey<F> {
    /// What to sort by; never a nullable field.
    pub field: F,
    /// Largest first.
    pub descending: bool,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// The most rows to return.
    pub size: u32,
    /// Count from the end of the list (`last`/`before`) instead of from its start (`first`/`after`).
    pub backward: bool,
    /// The opaque cursor to start from, exclusive.
    pub cursor: Option<String>,
}

/// Part of a list, in the list's order.
#[derive(Debug, Clone)]
pub struct Page<R> {
    /// The rows, each with the cursor of its place.
    pub rows: Vec<(Cursor, R)>,
    /// Rows come before the first of these.
    pub has_previous: bool,
    /// Rows come after the last of these.
    pub has_next: bool,
}

impl<R> Page<R> {
    /// The same page, whose rows several may hold.
    #[must_use]
    pub fn shared(self) -> Page<Arc<R>> {
        let rows = self.rows.into_iter().map(|(cursor, row)| (cursor, Arc::new(row))).collect();
        Page { rows, has_previous: self.has_previous, has_next: self.has_next }
    }
}

/// A list: which rows, in which order. Its cursors are bound to it.
#[derive(Debug)]
pub struct List<'a, F> {
    filter: &'a Filter<F>,
    order: &'a [SortKey<F>],
    /// What tells it from other lists.
    text: String,
    fingerprint: Arc<str>,
}

impl<'a, F: Field> List<'a, F> {
    /// The rows that match a filter.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a filter that cannot be written down; there is none.
    pub fn of(filter: &'a Filter<F>, order: &'a [SortKey<F>]) -> Result<Self, StoreError> {
        let text = serde_json::to_string(&(F::LIST, order, filter));
        let text = text.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let fingerprint = URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..8]).into();
        Ok(Self { filter, order, text, fingerprint })
    }

    /// What tells it from every other list.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a page starts; `None` for one from an end of the list.
    ///
    /// # Errors
    /// [`StoreError::InvalidCursor`] when the cursor was made by another list, order or filter, or by nobody.
    pub fn start(&self, request: &PageRequest) -> Result<Option<Place>, StoreError> {
        let decode = |text| cursor::decode(text, &self.fingerprint, self.order);
        request.cursor.as_deref().map(decode).transpose()
    }

    fn select<R: ByPlace<Entity = F::Entity>>(
        &self,
        scope: &Scope,
        shape: Shape,
        start: Option<Vec<SimpleExpr>>,
    ) -> Result<Select<F::Entity>, StoreError> {
        let keys = sort_columns(self.order, shape.backward);
        let mut select = R::select().filter(self.filter.within(scope)?);
        if let Some(start) = start {
            select = select.filter(beyond(&keys, start));
        }
        for (column, descending) in keys {
            select = select.order_by(column, if descending { Order::Desc } else { Order::Asc });
        }
        Ok(select)
    }

    fn page<R>(&self, mut rows: Vec<R::Row>, shape: Shape, has_start: bool) -> Result<Page<R>, StoreError>
    where
        R: Record<F::Entity>,
    {
        let size = usize::try_from(shape.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        if shape.backward {
            rows.reverse();
        }
        let row = |row| {
            let place = cursor::place(&row, self.order, &self.fingerprint)?;
            Ok((Cursor::Place(Arc::new(place)), R::of(row)?))
        };
        let rows = rows.into_iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
        let (has_previous, has_next) = if shape.backward { (more, has_start) } else { (has_start, more) };
        Ok(Page { rows, has_previous, has_next })
    }

    /// Reads one page. `R` is made from the table's rows.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn read<R>(
        &self,
        connection: &impl ConnectionTrait,
        scope: &Scope,
        shape: Shape,
        start: Option<&Place>,
    ) -> Result<Page<R>, StoreError>
    where
        R: Record<F::Entity>,
    {
        let values = start.map(|start| start.values().into_iter().map(Expr::val).collect());
        let select = self.select::<R::Row>(scope, shape, values)?;
        self.page(rows::first(connection, select, shape.rows()).await?, shape, start.is_some())
    }

    /// Reads the pages from several places, in the order of the places, with one statement. Only PostgreSQL has such.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn read_each<R>(
        &self,
        connection: &impl ConnectionTrait,
        scope: &Scope,
        shape: Shape,
        starts: &[Place],
    ) -> Result<Vec<Page<R>>, StoreError>
    where
        R: Record<F::Entity>,
    {
        if starts.is_empty() {
            return Ok(Vec::new());
        }
        let places = Places { columns: cursor::columns(starts), number: starts.len() };
        let select = self.select::<R::Row>(scope, shape, Some(places.operands()))?;
        let found = rows::first_of_each(connection, select, places, shape.rows()).await?;
        found.into_iter().map(|rows| self.page(rows, shape, true)).collect()
    }
}

/// How long a page is, and which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The most rows to return.
    pub size: u32,
    /// From its start towards the start of the list.
    pub backward: bool,
}

impl Shape {
    /// One more than the page has tells whether there are more.
    fn rows(self) -> u64 {
        u64::from(self.size).saturating_add(1)
    }
}

impl From<&PageRequest> for Shape {
    fn from(request: &PageRequest) -> Self {
        Self { size: request.size, backward: request.backward }
    }
}

/// Reads one page. `R` is made from the table's rows.
///
/// # Errors
/// [`StoreError::InvalidCursor`] when the cursor was made by another list, order or filter, or by nobody;
/// otherwise whatever the database answers.
pub async fn page<F, R>(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter<F>,
    order: &[SortKey<F>],
    request: &PageRequest,
) -> Result<Page<R>, StoreError>
where
    F: Field,
    R: Record<F::Entity>,
{
    let list = List::of(filter, order)?;
    let start = list.start(request)?;
    list.read(connection, scope, request.into(), start.as_ref()).await
}

/// How many rows there are, counting no further than `cap`.
///
/// # Errors
/// Whatever the database answers.
pub async fn count<F: Field>(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter<F>,
    cap: u64,
) -> Result<u64, StoreError>
where
    <F::Entity as EntityTrait>::Model: Send + Sync,
{
    use sea_orm::PaginatorTrait;
    let matching = F::Entity::find().select_only().column(F::id_column()).filter(filter.within(scope)?).limit(cap);
    Ok(matching.count(connection).await?)
}

/// The sort columns with their effective directions, the id last in the direction of the key before it: equal directions
/// let an index be walked in one sweep.
fn sort_columns<F: Field>(order: &[SortKey<F>], backward: bool) -> Vec<(SimpleExpr, bool)> {
    let last = order.last().is_some_and(|key| key.descending);
    order
        .iter()
        .map(|key| (key.field.operand(), key.descending))
        .chain([(Expr::col(F::id_column().as_column_ref()), last)])
        .map(|(operand, descending)| (operand, descending != backward))
        .collect()
}

/// The rows past a place: `(a, b, id) > (…)` when all directions agree, otherwise the same spelled out key by key.
fn beyond(keys: &[(SimpleExpr, bool)], start: Vec<SimpleExpr>) -> Condition {
    let descending = keys.first().is_some_and(|(_, descending)| *descending);
    if keys.iter().all(|(_, direction)| *direction == descending) {
        let columns = Expr::tuple(keys.iter().map(|(column, _)| column.clone()));
        let place = Expr::tuple(start);
        return Condition::all().add(if descending { columns.lt(place) } else { columns.gt(place) });
    }
    let mut any = Condition::any();
    let mut equal_so_far = Condition::all();
    for ((column, descending), value) in keys.iter().zip(start) {
        let further = if *descending { column.clone().lt(value.clone()) } else { column.clone().gt(value.clone()) };
        any = any.add(equal_so_far.clone().add(further));
        equal_so_far = equal_so_far.add(column.clone().eq(value));
    }
    any
}

/// Whether a text is a cursor of an unfiltered list in this order: the door of a fuzz target.
#[doc(hidden)]
pub fn is_cursor<F: Field>(text: &str, order: &[SortKey<F>]) -> bool {
    let cursor = cursor::decode(text, &binding(order), order);
    cursor.is_ok_and(|cursor| cursor.values().len() > order.len())
}

/// The cursor of a row in a list that a binding stands for: the door of a bench.
///
/// # Errors
/// [`StoreError::Corrupt`] for a row that can have none.
#[doc(hidden)]
pub fn cursor_of<F: Field>(
    row: &<F::Entity as EntityTrait>::Model,
    order: &[SortKey<F>],
    binding: &str,
) -> Result<String, StoreError> {
    Ok(Cursor::Place(Arc::new(cursor::place(row, order, &binding.into())?)).to_string())
}

/// What binds a cursor to an unfiltered list in this order: the door of a fuzz target.
#[doc(hidden)]
pub fn binding<F: Field>(order: &[SortKey<F>]) -> String {
    List::of(&Filter::default(), order).map(|list| list.fingerprint.to_string()).unwrap_or_default()
}
