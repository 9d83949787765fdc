//! Statements in which the rows of a table are one value, a JSON text: the statement is the same for any number of them,
//! so that it is prepared once. For PostgreSQL, and for the writes of several requests together.
//!
//! The text of the rows is written here, and not by the library, which would make a map of every row.

use sea_orm::Value;

use super::{Form, Write, list, on_conflict, push};
use crate::store::error::StoreError;

/// Writes a statement and adds its values to those of the others.
///
/// # Errors
/// [`StoreError::Corrupt`] for a value that no table of ours has.
pub(super) fn write(write: Write, sql: &mut String, values: &mut Vec<Value>) -> Result<(), StoreError> {
    let Write { table, form, values: own } = write;
    let number = values.len() + 1;
    match &form {
        Form::Insert { columns, key } => {
            push(sql, format_args!("INSERT INTO {table} ("));
            list(sql, columns, |sql, column| sql.push_str(column));
            sql.push_str(") SELECT ");
            list(sql, columns, |sql, column| sql.push_str(column));
            push(sql, format_args!(" FROM {}", rows_of(table, number)));
            on_conflict(sql, columns, key);
            values.push(text(columns, columns.len(), &own)?.into());
        }
        Form::Update { columns, found_by: [id, version] } => {
            push(sql, format_args!("UPDATE {table} SET "));
            list(sql, columns, |sql, column| push(sql, format_args!("{column} = row.{column}")));
            push(sql, format_args!(" FROM {} AS row", rows_of(table, number)));
            push(sql, format_args!(" WHERE {table}.{id} = row.{id} AND {table}.{version} = row.{version} - 1"));
            let mut named = columns.clone();
            named.push(id);
            // The last value of each is the version it must be of, which the new one tells.
            values.push(text(&named, named.len() + 1, &own)?.into());
        }
        Form::Delete { .. } => {
            form.text(table, sql, number, own.len());
            values.extend(own);
        }
    }
    Ok(())
}

/// The rows of a table that a value holds.
fn rows_of(table: &str, number: usize) -> String {
    format!("json_populate_recordset(CAST(NULL AS {table}), CAST(${number} AS json))")
}

/// Rows as an array of objects. A row has so many values, the first of which are those of the columns.
fn text(columns: &[&str], width: usize, values: &[Value]) -> Result<String, StoreError> {
    let mut json = String::with_capacity(values.len().saturating_mul(32));
    json.push('[');
    for (place, row) in values.chunks(width.max(1)).enumerate() {
        json.push_str(if place == 0 { "{" } else { ",{" });
        // What is left out is NULL.
        let known = columns.iter().zip(row).filter(|(_, value)| **value != value.as_null());
        for (place, (column, value)) in known.enumerate() {
            let comma = if place == 0 { "" } else { "," };
            push(&mut json, format_args!("{comma}\"{column}\":"));
            cell(&mut json, value)?;
        }
        json.push('}');
    }
    json.push(']');
    Ok(json)
}

fn cell(json: &mut String, value: &Value) -> Result<(), StoreError> {
    match value {
        Value::BigInt(Some(number)) => push(json, format_args!("{number}")),
        Value::Int(Some(number)) => push(json, format_args!("{number}")),
        Value::Bool(Some(truth)) => push(json, format_args!("{truth}")),
        Value::Uuid(Some(id)) => push(json, format_args!("\"{id}\"")),
        Value::ChronoDate(Some(day)) => push(json, format_args!("\"{day}\"")),
        Value::ChronoDateTimeUtc(Some(moment)) => push(json, format_args!("\"{}\"", moment.to_rfc3339())),
        Value::String(Some(text)) => {
            let quoted = serde_json::to_string(text).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            json.push_str(&quoted);
        }
        _ => return Err(StoreError::Corrupt("a value that no row has".to_owned())),
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sea_orm::prelude::Uuid;

    use super::*;

    #[test]
    fn rows_are_objects_of_what_is_not_null() {
        let id = Uuid::from_u128(1);
        let day: chrono::NaiveDate = "2026-02-03".parse().unwrap();
        let moment: chrono::DateTime<chrono::Utc> = "2026-02-03T04:05:06.789Z".parse().unwrap();
        let values = [
            id.into(),
            i64::MAX.into(),
            Value::String(Some("\"a\"\\\n\u{1}é".to_owned())),
            true.into(),
            id.into(),
            Value::BigInt(None),
            day.into(),
            moment.into(),
        ];
        let json = text(&["id", "amount", "what", "when"], 4, &values).unwrap();
        let expected = serde_json::json!([
            { "id": id.to_string(), "amount": i64::MAX, "what": "\"a\"\\\n\u{1}é", "when": true },
            { "id": id.to_string(), "what": "2026-02-03", "when": "2026-02-03T04:05:06.789+00:00" },
        ]);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), expected);
        assert_eq!(text(&["id"], 1, &[]).unwrap(), "[]");
        assert!(text(&["id"], 1, &[Value::Double(Some(0.5))]).is_err(), "no row has such a value");
    }
}
