//! Cursors: where a row stands in a list, as text that is bound to the list, its order and its filter. They are neither
//! secret nor trusted: what comes back is checked before it reaches a statement.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sea_orm::{ColumnTrait, ColumnType, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::StoreError;
use super::filter::{Field, Scalar, storable};
use super::page::SortKey;
use super::rows::ByPlace;

/// The version of the cursor's own form; a cursor of another version is refused.
const VERSION: u8 = 1;

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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Text(String),
    Integer(i64),
    Date(NaiveDate),
    Time(DateTime<Utc>),
}

/// The place of a row in a list in this order.
///
/// # Errors
/// [`StoreError::Corrupt`] for a row that can have none.
pub(super) fn place<F: Field>(
    row: &impl ByPlace<Entity = F::Entity>,
    order: &[SortKey<F>],
    fingerprint: &Arc<str>,
) -> Result<Place, StoreError> {
    let read = |value: Option<Value>| value.ok_or_else(|| StoreError::Corrupt(format!("{}: a key not read", F::LIST)));
    let keys = order.iter().map(|key| mark(read(key.field.value(row))?)).collect::<Result<Vec<_>, _>>()?;
    let Value::Uuid(Some(id)) = read(row.value(F::id_column()))? else {
        return Err(StoreError::Corrupt(format!("{}: a row without an id", F::LIST)));
    };
    Ok(Place { version: VERSION, fingerprint: Arc::clone(fingerprint), keys, id })
}

/// Reads a cursor. One that nobody here made can still be well-made JSON: its keys must be of their columns' kinds and
/// values a row could have, or the engines would answer each in its own way.
///
/// # Errors
/// [`StoreError::InvalidCursor`].
pub(super) fn decode<F: Field>(text: &str, fingerprint: &str, order: &[SortKey<F>]) -> Result<Place, StoreError> {
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
    /// The values of the keys, then the id.
    pub(super) fn values(&self) -> Vec<Value> {
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

/// The values of several places in one list: an array for each key, then one of the ids.
pub(super) fn columns(places: &[Place]) -> Vec<Value> {
    let keys = places.first().map(|place| place.keys.as_slice()).unwrap_or_default();
    let of_key = |(number, first): (usize, &Mark)| {
        let marks = places.iter().filter_map(|place| place.keys.get(number));
        match first {
            Mark::Text(_) => array(marks, |mark| if let Mark::Text(text) = mark { Some(text.clone()) } else { None }),
            Mark::Integer(_) => {
                array(marks, |mark| if let Mark::Integer(number) = mark { Some(*number) } else { None })
            }
            Mark::Date(_) => array(marks, |mark| if let Mark::Date(date) = mark { Some(*date) } else { None }),
            Mark::Time(_) => array(marks, |mark| if let Mark::Time(time) = mark { Some(*time) } else { None }),
        }
    };
    let ids: Vec<Uuid> = places.iter().map(|place| place.id).collect();
    keys.iter().enumerate().map(of_key).chain([ids.into()]).collect()
}

fn array<'a, T>(marks: impl Iterator<Item = &'a Mark>, value: fn(&'a Mark) -> Option<T>) -> Value
where
    Vec<T>: Into<Value>,
{
    marks.filter_map(value).collect::<Vec<T>>().into()
}
