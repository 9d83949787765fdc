//! Writes that belong together, collected when everything is decided and sent at once. PostgreSQL takes them as one
//! statement, which saves a round trip for each; SQLite, which is in this process, takes them one after the other. It
//! adds, changes and takes away what the store's functions put into it, and decides nothing.

mod rows;
mod values;

use std::fmt::Write as _;

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, Statement,
    Value,
};

use super::error::StoreError;
use super::find;
use super::insert::MOST_VALUES;

/// With more values than these the writes of one request go one after the other: every number of rows makes a statement of
/// its own for PostgreSQL to prepare, and those with many rows come in too many combinations to be kept.
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

#[derive(PartialEq, Eq)]
enum Form {
    /// Adds rows of these columns; where the key is there already, and one is given, the row is changed.
    Insert { columns: Vec<&'static str>, key: Vec<&'static str> },
    /// Takes the rows away of which the first column has the first value, and the second one of the others.
    Delete { columns: [&'static str; 2] },
    /// Changes these columns of the row whose id and version are the last two values.
    Update { columns: Vec<&'static str>, found_by: [&'static str; 2] },
}

impl Write {
    /// Whether the rows of another write can be added to this one's.
    fn takes(&self, other: &Self) -> bool {
        let same = self.table == other.table && self.form == other.form;
        same && !matches!(self.form, Form::Delete { .. })
    }
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

    /// Writes a changed row as [`find::change_one`] does. A request can have one of these.
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
    pub async fn send(self, transaction: &impl ConnectionTrait) -> Result<(), StoreError> {
        let backend = transaction.get_database_backend();
        let Self { mut writes, guarded } = self;
        let guards = usize::from(guarded.is_some());
        let values: usize = writes.iter().chain(&guarded).map(|write| write.values.len()).sum();
        // Last, so that the number of changed rows that the database tells is that of the guarded change.
        writes.extend(guarded);
        let statements: Vec<_> = if backend == DbBackend::Postgres && values <= MOST_TOGETHER {
            as_one(writes, values::write)?.into_iter().collect()
        } else {
            writes.into_iter().map(values::alone).collect()
        };
        send(transaction, statements, guards).await
    }

    /// Sends what several requests write, no two of them the same rows: on PostgreSQL in one statement.
    ///
    /// # Errors
    /// [`StoreError::StaleVersion`] when a guarded row is no longer as it was read; otherwise whatever the database answers.
    pub async fn send_all(batches: Vec<Self>, transaction: &impl ConnectionTrait) -> Result<(), StoreError> {
        if transaction.get_database_backend() != DbBackend::Postgres {
            for batch in batches {
                batch.send(transaction).await?;
            }
            return Ok(());
        }
        let guards = batches.iter().filter(|batch| batch.guarded.is_some()).count();
        let (mut writes, mut guarded) = (Vec::new(), Vec::new());
        for batch in batches {
            batch.writes.into_iter().for_each(|write| add(&mut writes, write));
            batch.guarded.into_iter().for_each(|write| add(&mut guarded, write));
        }
        if guarded.len() > 1 {
            return Err(StoreError::Corrupt("guarded changes of several kinds in one batch".to_owned()));
        }
        writes.extend(guarded);
        send(transaction, as_one(writes, rows::write)?.into_iter().collect(), guards).await
    }
}

/// One statement of all writes, in their order, each written in the same way; nothing of nothing.
fn as_one(
    mut writes: Vec<Write>,
    write: impl Fn(Write, &mut String, &mut Vec<Value>) -> Result<(), StoreError>,
) -> Result<Option<(String, Vec<Value>)>, StoreError> {
    let Some(last) = writes.pop() else { return Ok(None) };
    let (mut sql, mut values) = (String::with_capacity(4_096), Vec::with_capacity(MOST_TOGETHER));
    for (number, before) in writes.into_iter().enumerate() {
        push(&mut sql, format_args!("{} w{} AS (", if number == 0 { "WITH" } else { "," }, number + 1));
        write(before, &mut sql, &mut values)?;
        sql.push_str(") ");
    }
    write(last, &mut sql, &mut values)?;
    Ok(Some((sql, values)))
}

/// Sends statements, the last of which changes so many guarded rows.
async fn send(
    transaction: &impl ConnectionTrait,
    statements: Vec<(String, Vec<Value>)>,
    guards: usize,
) -> Result<(), StoreError> {
    let backend = transaction.get_database_backend();
    let mut changed = 0;
    for (sql, values) in statements {
        let outcome = transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        changed = outcome.rows_affected();
    }
    if guards == 0 || u64::try_from(guards) == Ok(changed) { Ok(()) } else { Err(StoreError::StaleVersion) }
}

/// Adds a write to one that takes its rows, or as another.
fn add(writes: &mut Vec<Write>, write: Write) {
    match writes.iter_mut().find(|own| own.takes(&write)) {
        Some(own) => own.values.extend(write.values),
        None => writes.push(write),
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

/// What becomes of a row that is there already: it is changed, if a key is given to find it by.
fn on_conflict(sql: &mut String, columns: &[&str], key: &[&str]) {
    if key.is_empty() {
        return;
    }
    sql.push_str(" ON CONFLICT (");
    list(sql, key, |sql, column| sql.push_str(column));
    sql.push_str(") DO UPDATE SET ");
    let others: Vec<_> = columns.iter().filter(|column| !key.contains(column)).collect();
    list(sql, &others, |sql, column| push(sql, format_args!("{column} = excluded.{column}")));
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
