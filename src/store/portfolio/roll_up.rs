//! Rolling up what writes added to the sums: rows are taken out of the changes and added to the sums by branch and to the
//! totals, all in one transaction, so that whoever reads sees them in one place or in the other. It touches no row that
//! a writer touches. Several who roll up never wait for each other: on PostgreSQL the second finds an advisory lock
//! taken and leaves; SQLite has one writer anyway.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::sums::{Family, Grain};
use crate::store::error::StoreError;

/// What rolling up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollUp {
    /// Another one is at it.
    Busy,
    /// The most rows of a family that were taken.
    Taken(u64),
}

/// Whether anything waits. It takes no lock.
///
/// # Errors
/// Whatever the database answers.
pub async fn is_anything_waiting(connection: &impl ConnectionTrait) -> Result<bool, StoreError> {
    for family in Family::ALL {
        let sql = format!("SELECT id FROM {} LIMIT 1", family.changes());
        if connection.query_one_raw(Statement::from_string(connection.get_database_backend(), sql)).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Rolls up the next changes, at most `most` of each family.
///
/// # Errors
/// Whatever the database answers.
pub async fn roll_up(transaction: &impl ConnectionTrait, most: u64) -> Result<RollUp, StoreError> {
    if !claim(transaction).await? {
        return Ok(RollUp::Busy);
    }
    let mut taken = 0;
    for family in Family::ALL {
        let of_family = match transaction.get_database_backend() {
            DbBackend::Postgres => on_postgres(transaction, family, most).await?,
            _ => on_sqlite(transaction, family, most).await?,
        };
        taken = of_family.max(taken);
    }
    Ok(RollUp::Taken(taken))
}

/// Forgets sums of nothing, which due dates that have passed leave behind, unless another is at the sums.
///
/// # Errors
/// Whatever the database answers.
pub async fn sweep(transaction: &impl ConnectionTrait) -> Result<(), StoreError> {
    if !claim(transaction).await? {
        return Ok(());
    }
    for family in Family::ALL {
        let nothing: Vec<String> = family.figures().iter().map(|figure| format!("{figure} = 0")).collect();
        for grain in Grain::ALL {
            let sql = format!("DELETE FROM {} WHERE {}", family.table(grain), nothing.join(" AND "));
            transaction.execute_unprepared(&sql).await?;
        }
    }
    Ok(())
}

/// Makes this the only one who moves sums until the transaction ends, or says that another is. A branch that moves to
/// another time zone waits for the same lock.
async fn claim(transaction: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let backend = transaction.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(true);
    }
    transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    let statement = Statement::from_string(backend, "SELECT pg_try_advisory_xact_lock(7240115040) AS claimed");
    let row = transaction.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "claimed")).transpose()?.unwrap_or(false))
}

/// One statement, and so one look at the changes: those that are committed meanwhile stay where they are.
async fn on_postgres(transaction: &impl ConnectionTrait, family: Family, most: u64) -> Result<u64, StoreError> {
    let columns = [family.keys(Grain::Sums), family.figures()].concat().join(", ");
    let changes = family.changes();
    let sql = format!(
        "WITH taken AS (
             DELETE FROM {changes} WHERE id IN (SELECT id FROM {changes} ORDER BY id LIMIT {most}) RETURNING {columns}
         ), sums AS ({sums}), totals AS ({totals})
         SELECT count(*) AS count FROM taken",
        sums = add(family, Grain::Sums, "taken"),
        totals = add(family, Grain::Totals, "taken"),
    );
    let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let count: i64 = row.map(|row| row.try_get("", "count")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(count).unwrap_or_default())
}

async fn on_sqlite(transaction: &impl ConnectionTrait, family: Family, most: u64) -> Result<u64, StoreError> {
    let changes = family.changes();
    let next = format!("id IN (SELECT id FROM {changes} ORDER BY id LIMIT {most})");
    for grain in Grain::ALL {
        let taken = format!("(SELECT * FROM {changes} WHERE {next}) AS taken");
        transaction.execute_unprepared(&add(family, grain, &taken)).await?;
    }
    let taken = transaction.execute_unprepared(&format!("DELETE FROM {changes} WHERE {next}")).await?;
    Ok(taken.rows_affected())
}

/// The statement that adds the rows of `taken` to sums.
fn add(family: Family, grain: Grain, taken: &str) -> String {
    let table = family.table(grain);
    let keys = family.keys(grain);
    let figures = family.figures();
    let read = keys.iter().map(|key| match *key {
        "time_zone" => "b.time_zone".to_owned(),
        key => format!("taken.{key}"),
    });
    let read: Vec<String> = read.collect();
    let summed: Vec<String> = figures.iter().map(|figure| format!("CAST(SUM(taken.{figure}) AS bigint)")).collect();
    let added: Vec<String> =
        figures.iter().map(|figure| format!("{figure} = {table}.{figure} + excluded.{figure}")).collect();
    let join = if grain == Grain::Totals { "JOIN branches b ON b.id = taken.branch_id" } else { "" };
    // As in the unique index, where a missing officer is told from every other.
    let unique: Vec<&str> = keys
        .iter()
        .flat_map(|key| match *key {
            "officer" => vec!["(officer IS NULL)", "COALESCE(officer, '')"],
            key => vec![key],
        })
        .collect();
    format!(
        "INSERT INTO {table} ({columns})
         SELECT {read}, {summed} FROM {taken} {join} WHERE 1 = 1 GROUP BY {read}
         ON CONFLICT ({unique}) DO UPDATE SET {added}",
        columns = [keys, figures].concat().join(", "),
        read = read.join(", "),
        summed = summed.join(", "),
        unique = unique.join(", "),
        added = added.join(", "),
    )
}
