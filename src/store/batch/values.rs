//! Statements in which every value is one of the statement's own: as quick as there can be for few rows, but a text of its
//! own for every number of them.
//!
//! The text is written here, and not by the library: it has a hundred and more values, for each of which the library
//! builds an expression first, and that was a seventh of what a repayment took of the server.

use sea_orm::Value;

use super::{Form, Write, list, on_conflict, push};
use crate::store::error::StoreError;

/// The statement of one write.
pub(super) fn alone(write: Write) -> (String, Vec<Value>) {
    let mut sql = String::new();
    write.form.text(write.table, &mut sql, 1, write.values.len());
    (sql, write.values)
}

/// Writes a statement and adds its values to those of the others.
pub(super) fn write(write: Write, sql: &mut String, values: &mut Vec<Value>) -> Result<(), StoreError> {
    write.form.text(write.table, sql, values.len() + 1, write.values.len());
    values.extend(write.values);
    Ok(())
}

impl Form {
    /// Writes the statement for so many values, the first of which has a number.
    pub(super) fn text(&self, table: &str, sql: &mut String, first: usize, count: usize) {
        match self {
            Self::Insert { columns, key } => {
                push(sql, format_args!("INSERT INTO {table} ("));
                list(sql, columns, |sql, column| sql.push_str(column));
                sql.push_str(") VALUES ");
                let rows: Vec<usize> = (first..first + count).step_by(columns.len().max(1)).collect();
                list(sql, &rows, |sql, start| {
                    sql.push('(');
                    placeholders(sql, *start, columns.len());
                    sql.push(')');
                });
                on_conflict(sql, columns, key);
            }
            Self::Delete { columns: [owner, key] } => {
                push(sql, format_args!("DELETE FROM {table} WHERE {owner} = ${first} AND {key} IN ("));
                placeholders(sql, first + 1, count - 1);
                sql.push(')');
            }
            Self::Update { columns, found_by: [id, version] } => {
                push(sql, format_args!("UPDATE {table} SET "));
                let numbered: Vec<(&str, usize)> = columns.iter().copied().zip(first..).collect();
                list(sql, &numbered, |sql, (column, number)| push(sql, format_args!("{column} = ${number}")));
                let own = first + columns.len();
                push(sql, format_args!(" WHERE {id} = ${own} AND {version} = ${}", own + 1));
            }
        }
    }
}

fn placeholders(sql: &mut String, first: usize, count: usize) {
    let numbers: Vec<usize> = (first..first + count).collect();
    list(sql, &numbers, |sql, number| push(sql, format_args!("${number}")));
}
