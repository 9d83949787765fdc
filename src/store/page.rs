//! Keyset pagination: a page is found by the values of its neighbour, never by counting rows, so that page 10,000 costs
//! what page 1 costs and no row is seen twice or missed while others are inserted. The id ends every order.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Order, SimpleExpr};
use sea_orm::{
    ColumnTrait, ColumnType, Condition, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder, QuerySelect,
    Value,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::StoreError;
use super::filter::{Field, Filter, Scalar, storable};
use super::rows::{self, ByPlace};
use super::scope::Scope;

/// The version of the cursor's own form; a cursor of another version is refused.
const VERSION: u8 = 1;

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

/// Where a row stands in a list. It is written only if someone wants to see it: of most pages, the first and the last.
#[derive(Debug, Clone)]
pub enum Cursor {
    /// Of a list of the database.
    Place(Arc<Place>),
    /// Of a list that has cursors of its own.
    Written(String),
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Place(place) => {
                let json = serde_json::to_vec(place).map_err(|_| std::fmt::Error)?;
                formatter.write_str(&URL_SAFE_NO_PAD.encode(json))
            }
            Self::Written(text) => formatter.write_str(text),
        }
    }
}

/// The place of a row in a list: its values of the keys of the order, and its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    #[serde(rename = "v")]
    version: u8,
    /// Binds the cursor to its list, order and filter.
    #[serde(rename = "f")]
    fingerprint: Arc<str>,
    #[serde(rename = "k")]
    keys: Vec<Mark>,
    #[serde(rename = "i")]
    id: Uuid,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Text(String),
    Integer(i64),
    Date(NaiveDate),
    Time(DateTime<Utc>),
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
    R: TryFrom<<F::Entity as EntityTrait>::Model, Error = StoreError>,
    <F::Entity as EntityTrait>::Model: ModelTrait<Entity = F::Entity> + Send + Sync,
{
    let fingerprint: Arc<str> = fingerprint(filter, order).into();
    let cursor = request.cursor.as_deref().map(|text| decode(text, &fingerprint, order)).transpose()?;
    let keys = sort_columns(order, request.backward);

    let mut select = F::Entity::select().filter(filter.within(scope)?);
    if let Some(cursor) = &cursor {
        select = select.filter(beyond(&keys, cursor.values()));
    }
    for (column, descending) in &keys {
        let direction = if *descending { Order::Desc } else { Order::Asc };
        select = select.order_by(column.clone(), direction);
    }
    let mut models = rows::first(connection, select, u64::from(request.size) + 1).await?;

    let size = usize::try_from(request.size).unwrap_or(usize::MAX);
    let more = models.len() > size;
    models.truncate(size);
    if request.backward {
        models.reverse();
    }
    let rows = models
        .into_iter()
        .map(|model| Ok((Cursor::Place(Arc::new(place(&model, order, &fingerprint)?)), R::try_from(model)?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let (has_previous, has_next) = if request.backward { (more, cursor.is_some()) } else { (cursor.is_some(), more) };
    Ok(Page { rows, has_previous, has_next })
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
fn beyond(keys: &[(SimpleExpr, bool)], values: Vec<Value>) -> Condition {
    let descending = keys.first().is_some_and(|(_, descending)| *descending);
    if keys.iter().all(|(_, direction)| *direction == descending) {
        let columns = Expr::tuple(keys.iter().map(|(column, _)| column.clone()));
        let place = Expr::tuple(values.into_iter().map(Expr::val));
        return Condition::all().add(if descending { columns.lt(place) } else { columns.gt(place) });
    }
    let mut any = Condition::any();
    let mut equal_so_far = Condition::all();
    for ((column, descending), value) in keys.iter().zip(values) {
        let further = if *descending { column.clone().lt(value.clone()) } else { column.clone().gt(value.clone()) };
        any = any.add(equal_so_far.clone().add(further));
        equal_so_far = equal_so_far.add(column.clone().eq(value));
    }
    any
}

fn fingerprint<F: Field>(filter: &Filter<F>, order: &[SortKey<F>]) -> String {
    let text = serde_json::to_vec(&(F::LIST, order, filter)).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..8])
}

fn place<F: Field>(
    model: &<F::Entity as EntityTrait>::Model,
    order: &[SortKey<F>],
    fingerprint: &Arc<str>,
) -> Result<Place, StoreError> {
    let keys = order.iter().map(|key| mark(key.field.value(model))).collect::<Result<Vec<_>, _>>()?;
    let Value::Uuid(Some(id)) = model.get(F::id_column()) else {
        return Err(StoreError::Corrupt(format!("{}: a row without an id", F::LIST)));
    };
    Ok(Place { version: VERSION, fingerprint: Arc::clone(fingerprint), keys, id })
}

/// Reads a cursor. One that nobody here made can still be well-made JSON: its keys must be of their columns' kinds and
/// values a row could have, or the engines would answer each in its own way.
fn decode<F: Field>(text: &str, fingerprint: &str, order: &[SortKey<F>]) -> Result<Place, StoreError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| StoreError::InvalidCursor)?;
    let cursor: Place = serde_json::from_slice(&json).map_err(|_| StoreError::InvalidCursor)?;
    let fits = cursor.version == VERSION
        && *cursor.fingerprint == *fingerprint
        && cursor.keys.len() == order.len()
        && cursor.keys.iter().zip(order).all(|(mark, key)| mark.fits(key.field.column().def().get_column_type()));
    if fits { Ok(cursor) } else { Err(StoreError::InvalidCursor) }
}

impl Mark {
    fn fits(&self, column: &ColumnType) -> bool {
        // Years of four digits: others are beyond what either the API or PostgreSQL takes.
        let ordinary = |year: i32| (0..=9999).contains(&year);
        match (self, column) {
            (Self::Text(text), ColumnType::String(_) | ColumnType::Text) => storable(text).is_ok(),
            (Self::Integer(_), ColumnType::BigInteger) => true,
            (Self::Date(date), ColumnType::Date) => ordinary(date.year()),
            (Self::Time(time), ColumnType::TimestampWithTimeZone) => ordinary(time.year()),
            _ => false,
        }
    }
}

fn mark(value: Value) -> Result<Mark, StoreError> {
    match value {
        Value::String(Some(text)) => Ok(Mark::Text(text)),
        Value::BigInt(Some(number)) => Ok(Mark::Integer(number)),
        Value::ChronoDate(Some(date)) => Ok(Mark::Date(date)),
        Value::ChronoDateTimeUtc(Some(time)) => Ok(Mark::Time(time)),
        other => Err(StoreError::Corrupt(format!("{other:?} cannot be part of a cursor"))),
    }
}

impl Place {
    fn values(&self) -> Vec<Value> {
        self.keys
            .iter()
            .map(|mark| match mark {
                Mark::Text(text) => Scalar::Text(text.clone()),
                Mark::Integer(number) => Scalar::Integer(*number),
                Mark::Date(date) => Scalar::Date(*date),
                Mark::Time(time) => Scalar::Time(*time),
            })
            .chain([Scalar::Id(self.id)])
            .map(Value::from)
            .collect()
    }
}

/// Whether a text is a cursor of an unfiltered list in this order: the door of a fuzz target.
#[doc(hidden)]
pub fn is_cursor<F: Field>(text: &str, order: &[SortKey<F>]) -> bool {
    let cursor = decode(text, &binding(order), order);
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
    Ok(Cursor::Place(Arc::new(place(row, order, &binding.into())?)).to_string())
}

/// What binds a cursor to an unfiltered list in this order: the door of a fuzz target.
#[doc(hidden)]
pub fn binding<F: Field>(order: &[SortKey<F>]) -> String {
    fingerprint(&Filter::default(), order)
}
