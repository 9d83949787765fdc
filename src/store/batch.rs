//! Writes that belong together, collected when everything is decided and sent at once. PostgreSQL takes them as one
//! statement, which saves a round trip for each; SQLite, which is in this process, takes them one after the other. It
//! adds, changes and takes away what the store's functions put into it, and decides nothing.

use sea_orm::sea_query::{
    CommonTableExpression, DeleteStatement, InsertStatement, OnConflict, SubQueryStatement, UpdateStatement,
    WithClause, WithQuery,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, ExecResult, IntoActiveModel, QueryTrait};

use super::error::StoreError;
use super::find;
use super::insert;

/// With more rows than these have values the writes go one after the other: every number of rows makes a statement of
/// its own for PostgreSQL to prepare, and those with many rows come in too many combinations to be kept.
const MOST_VALUES: usize = 320;

/// Writes that wait to be sent. No row may be written twice.
#[derive(Default)]
pub struct Batch {
    writes: Vec<Write>,
    values: usize,
    /// The change that must find its row as it was read.
    guarded: Option<UpdateStatement>,
}

enum Write {
    Insert(InsertStatement),
    Delete(DeleteStatement),
    Update(UpdateStatement),
}

impl Batch {
    /// Adds rows, any number of them.
    pub(super) fn insert<E, A>(&mut self, rows: Vec<A>)
    where
        E: EntityTrait<ActiveModel = A>,
        E::Model: IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = E>,
    {
        self.values += rows.len() * insert::width::<E>();
        self.writes.extend(insert::statements::<E, A>(rows, None).map(Write::Insert));
    }

    /// Adds rows like [`Self::insert`], and changes those that are there already as `conflict` says.
    pub(super) fn insert_or_update<E, A>(&mut self, rows: Vec<A>, conflict: &OnConflict)
    where
        E: EntityTrait<ActiveModel = A>,
        E::Model: IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = E>,
    {
        self.values += rows.len() * insert::width::<E>();
        self.writes.extend(insert::statements::<E, A>(rows, Some(conflict)).map(Write::Insert));
    }

    /// Adds rows that must be added by one statement.
    pub(super) fn insert_whole<E, A>(&mut self, rows: Vec<A>)
    where
        E: EntityTrait<ActiveModel = A>,
        E::Model: IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = E>,
    {
        self.values += rows.len() * insert::width::<E>();
        self.writes.push(Write::Insert(E::insert_many(rows).into_query()));
    }

    /// Takes rows away.
    pub(super) fn delete(&mut self, rows: DeleteStatement) {
        self.values += 1;
        self.writes.push(Write::Delete(rows));
    }

    /// Writes a changed row as [`find::change_one`] does. There can be one of these.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a row without an id or a version.
    pub(super) fn change_one<E, A>(&mut self, row: A, id: E::Column, version: E::Column) -> Result<(), StoreError>
    where
        E: EntityTrait,
        A: ActiveModelTrait<Entity = E>,
    {
        let change = find::guarded::<E, A>(row, id, version)?;
        match self.guarded.replace(change) {
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
        let guarded = self.guarded.is_some();
        // Last, so that the number of changed rows that the database tells is that of the guarded change.
        self.writes.extend(self.guarded.take().map(Write::Update));
        let Some(last) = self.writes.pop() else { return Ok(()) };
        let together = transaction.get_database_backend() == DbBackend::Postgres && self.values <= MOST_VALUES;
        let outcome = if together && !self.writes.is_empty() {
            transaction.execute(&last.after(self.writes)).await?
        } else {
            for write in self.writes {
                write.send(transaction).await?;
            }
            last.send(transaction).await?
        };
        if guarded { find::changed_one(outcome.rows_affected()) } else { Ok(()) }
    }
}

impl Write {
    async fn send(self, transaction: &impl ConnectionTrait) -> Result<ExecResult, StoreError> {
        Ok(match self {
            Self::Insert(statement) => transaction.execute(&statement).await?,
            Self::Delete(statement) => transaction.execute(&statement).await?,
            Self::Update(statement) => transaction.execute(&statement).await?,
        })
    }

    /// One statement of this write and those before it.
    fn after(self, before: Vec<Self>) -> WithQuery {
        let mut clause = WithClause::new();
        for (write, number) in before.into_iter().zip(1_u32..) {
            let named = CommonTableExpression::new().table_name(format!("w{number}")).query(write).to_owned();
            clause.cte(named);
        }
        match self {
            Self::Insert(statement) => statement.with(clause),
            Self::Delete(statement) => statement.with(clause),
            Self::Update(statement) => statement.with(clause),
        }
    }
}

impl From<Write> for SubQueryStatement {
    fn from(write: Write) -> Self {
        match write {
            Write::Insert(statement) => statement.into(),
            Write::Delete(statement) => statement.into(),
            Write::Update(statement) => statement.into(),
        }
    }
}
