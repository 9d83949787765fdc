//! Writes that belong together, collected when everything is decided and sent at once. PostgreSQL takes them as one
//! statement, which saves a round trip for each; SQLite, which is in this process, takes them one after the other. It
//! adds, changes and takes away what the store's functions put into it, and decides nothing.
//!
//! The text is written here, and not by the library: it has a hundred and more values, for each of which the library
//! builds an expression first, and that was a seventh of what a repayment took of the server.

use std::fmt::Write as _;

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, Statement,
    Value,
};

use super::error::StoreError;
use super::find;
use super::insert::MOST_VALUES;

/// With more values than these the writes go one after the other: every number of rows makes a statement of its own for
/// PostgreSQL to prepare, and those with many rows come in too many combinations to be kept.
const MOST_TOGETHER: usize = 320;

/// Writes that wait to be sent. No row may be written twice.
#[derive(Default)]
pub struct Batch {
    writes: Vec<Write>,
    /// The change that must find its row as it was read.
    guarded: Option<Write>,
}

/// One statement, whose text is written for values numbered from any number on.
struct Write {
    table: &'static str,
    form: Form,
    values: Vec<Value>,
}

enum Form {
    /// Adds rows of these columns; where the key is there already, and one is given, the row is changed.
    Insert { columns: Vec<&'static str>, key: Vec<&'static str> },
    /// Takes the rows away of which the first column has the first value, and the second one of the others.
    Delete { columns: [&'static str; 2] },
    /// Changes these columns of the row whose id and version are the last two values.
    Update { columns: Vec<&'static str>, found_by: [&'static str; 2] },
}

impl Batch {
    /// Adds rows.
    pub(super) fn insert<E, A>(&mut self, rows: Vec<A>)
    where
        E: EntityTrait,
        A: ActiveModelTrait<Entity = E>,
    {
        self.add::<E, A>(rows, Vec::new());
    }

    /// Adds rows, and changes those whose primary key is there already.
    pub(super) fn insert_or_update<E, A>(&mut self, rows: Vec<A>)
    where
        E: EntityTrait,
        A: ActiveModelTrait<Entity = E>,
    {
        self.add::<E, A>(rows, E::PrimaryKey::iter().map(|key| key.into_column().as_str()).collect());
    }

    fn add<E, A>(&mut self, rows: Vec<A>, key: Vec<&'static str>)
    where
        E: EntityTrait,
        A: ActiveModelTrait<Entity = E>,
    {
        let table = E::default().table_name();
        let mut open: Option<Write> = None;
        for row in rows {
            let (columns, values) = cells::<E, A>(row);
            match &mut open {
                Some(write) if write.values.len() + values.len() <= MOST_VALUES => write.values.extend(values),
                _ => {
                    let form = Form::Insert { columns, key: key.clone() };
                    self.writes.extend(open.replace(Write { table, form, values }));
                }
            }
        }
        self.writes.extend(open);
    }

    /// Takes the rows away that belong to an owner and have one of these keys.
    pub(super) fn delete<E: EntityTrait>(
        &mut self,
        owner: (E::Column, Value),
        key: E::Column,
        keys: impl IntoIterator<Item = Value>,
    ) {
        let columns = [owner.0.as_str(), key.as_str()];
        let values: Vec<Value> = std::iter::once(owner.1).chain(keys).collect();
        if values.len() > 1 {
            let table = E::default().table_name();
            self.writes.push(Write { table, form: Form::Delete { columns }, values });
        }
    }

    /// Writes a changed row as [`find::change_one`] does. There can be one of these.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a row without an id or a version.
    pub(super) fn change_one<E, A>(&mut self, mut row: A, id: E::Column, version: E::Column) -> Result<(), StoreError>
    where
        E: EntityTrait,
        A: ActiveModelTrait<Entity = E>,
    {
        let (own, read) = find::guard(&mut row, id, version)?;
        let (columns, mut values) = cells::<E, A>(row);
        values.extend([own, read.into()]);
        let form = Form::Update { columns, found_by: [id.as_str(), version.as_str()] };
        match self.guarded.replace(Write { table: E::default().table_name(), form, values }) {
            None => Ok(()),
            Some(_) => Err(StoreError::Corrupt("two guarded changes in one batch".to_owned())),
        }
    }

    /// Sends everything. No statement is sent for nothing.
    ///
    /// # Errors
    /// [`StoreError::StaleVersion`] when the guarded row is no longer as it was read; otherwise whatever the database
    /// answers.
    pub async fn send(mut self, transaction: &impl ConnectionTrait) -> Result<(), StoreError> {
        let backend = transaction.get_database_backend();
        let guarded = self.guarded.is_some();
        // Last, so that the number of changed rows that the database tells is that of the guarded change.
        self.writes.extend(self.guarded.take());
        let values: usize = self.writes.iter().map(|write| write.values.len()).sum();
        let statements = if backend == DbBackend::Postgres && values <= MOST_TOGETHER {
            together(self.writes).into_iter().collect()
        } else {
            self.writes.into_iter().map(alone).collect::<Vec<_>>()
        };
        let mut changed = 0;
        for (sql, values) in statements {
            let outcome = transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
            changed = outcome.rows_affected();
        }
        if guarded { find::changed_one(changed) } else { Ok(()) }
    }
}

/// The columns of a row that are set, and their values.
fn cells<E, A>(mut row: A) -> (Vec<&'static str>, Vec<Value>)
where
    E: EntityTrait,
    A: ActiveModelTrait<Entity = E>,
{
    E::Column::iter().filter_map(|column| Some((column.as_str(), row.take(column).into_value()?))).unzip()
}

fn alone(write: Write) -> (String, Vec<Value>) {
    let mut sql = String::new();
    write.form.text(write.table, &mut sql, 1, write.values.len());
    (sql, write.values)
}

/// One statement of all writes, in their order; nothing of nothing.
fn together(mut writes: Vec<Write>) -> Option<(String, Vec<Value>)> {
    let last = writes.pop()?;
    let (mut sql, mut values) = (String::with_capacity(4_096), Vec::with_capacity(MOST_TOGETHER));
    for (write, number) in writes.into_iter().zip(1_u32..) {
        let before = if number == 1 { "WITH" } else { "," };
        push(&mut sql, format_args!("{before} w{number} AS ("));
        write.form.text(write.table, &mut sql, values.len() + 1, write.values.len());
        sql.push(')');
        values.extend(write.values);
    }
    sql.push(' ');
    last.form.text(last.table, &mut sql, values.len() + 1, last.values.len());
    values.extend(last.values);
    Some((sql, values))
}

impl Form {
    /// Writes the statement for so many values, the first of which has a number.
    fn text(&self, table: &str, sql: &mut String, first: usize, count: usize) {
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
                if !key.is_empty() {
                    sql.push_str(" ON CONFLICT (");
                    list(sql, key, |sql, column| sql.push_str(column));
                    sql.push_str(") DO UPDATE SET ");
                    let others: Vec<_> = columns.iter().filter(|column| !key.contains(column)).collect();
                    list(sql, &others, |sql, column| push(sql, format_args!("{column} = excluded.{column}")));
                }
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

/// Writes things with commas between them.
fn list<T>(sql: &mut String, all: &[T], write: impl Fn(&mut String, &T)) {
    for (place, one) in all.iter().enumerate() {
        if place > 0 {
            sql.push_str(", ");
        }
        write(sql, one);
    }
}

fn push(sql: &mut String, text: std::fmt::Arguments<'_>) {
    // Nothing can fail where text is added to text.
    let _ = sql.write_fmt(text);
}
