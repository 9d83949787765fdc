//! Reading the chains again, for whoever verifies them: links in their order with the events they should hold, where the
//! chains say they end, and events that are in no chain. Nothing here judges, and nothing here writes.

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryOrder, Statement, Value};
use uuid::Uuid;

use super::row;
use crate::store::entity::audit_chain;
use crate::store::entity::audit_event::Model as Event;
use crate::store::error::StoreError;

/// A link as it stands in the database.
#[derive(Debug, Clone)]
pub struct StoredLink {
    /// Its position.
    pub position: i64,
    /// The event it says it holds.
    pub event_id: Uuid,
    /// Its hash.
    pub hash: Vec<u8>,
    /// The event, or what is wrong with it; `None` when it is gone.
    pub event: Option<Result<Event, String>>,
}

/// Where a chain says it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChain {
    /// The chain.
    pub chain: Uuid,
    /// How many links it has.
    pub length: i64,
    /// The hash of the last one.
    pub head: Vec<u8>,
}

/// An event that no chain holds and that does not wait for one, or that waits and is gone or held already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The event.
    pub event_id: Uuid,
    /// Its branch.
    pub branch_id: Option<Uuid>,
    /// It waits for a chain.
    pub queued: bool,
}

/// Where every chain says it ends.
///
/// # Errors
/// Whatever the database answers.
pub async fn chains(connection: &impl ConnectionTrait) -> Result<Vec<StoredChain>, StoreError> {
    let rows = audit_chain::Entity::find().order_by_asc(audit_chain::Column::Chain).all(connection).await?;
    Ok(rows.into_iter().map(|row| StoredChain { chain: row.chain, length: row.length, head: row.head }).collect())
}

/// Every chain that has links.
///
/// # Errors
/// Whatever the database answers.
pub async fn linked_chains(connection: &impl ConnectionTrait) -> Result<Vec<Uuid>, StoreError> {
    let backend = connection.get_database_backend();
    let mut found = Vec::new();
    // From one chain to the next by the primary key: DISTINCT would read every link of the table.
    let sql = "SELECT chain FROM audit_links WHERE chain > $1 ORDER BY chain LIMIT 1";
    let first = "SELECT chain FROM audit_links ORDER BY chain LIMIT 1";
    let mut statement = Statement::from_string(backend, first);
    while let Some(row) = connection.query_one_raw(statement).await? {
        let chain: Uuid = row.try_get("", "chain")?;
        found.push(chain);
        statement = Statement::from_sql_and_values(backend, sql, [Value::from(chain)]);
    }
    Ok(found)
}

/// The next links of a chain after a position.
///
/// # Errors
/// Whatever the database answers.
pub async fn links(
    connection: &impl ConnectionTrait,
    chain: Uuid,
    after: i64,
    most: u64,
) -> Result<Vec<StoredLink>, StoreError> {
    let backend = connection.get_database_backend();
    let sql = format!(
        "SELECT l.position AS position, l.event_id AS link_event_id, l.hash AS hash, {columns}
         FROM audit_links l LEFT JOIN audit_events e ON e.id = l.event_id
         WHERE l.chain = $1 AND l.position > $2 ORDER BY l.position LIMIT {most}",
        columns = row::COLUMNS
    );
    let values = [Value::from(chain), Value::from(after)];
    let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    rows.iter()
        .map(|found| {
            Ok(StoredLink {
                position: found.try_get("", "position")?,
                event_id: found.try_get("", "link_event_id")?,
                hash: found.try_get("", "hash")?,
                event: row::event(found, backend),
            })
        })
        .collect()
}

/// Events that the queue and the chains do not agree on, at most `most`; of these branches, or of all and of the lender.
///
/// # Errors
/// Whatever the database answers.
pub async fn strays(
    connection: &impl ConnectionTrait,
    branches: Option<&[Uuid]>,
    most: u64,
) -> Result<Vec<Stray>, StoreError> {
    let backend = connection.get_database_backend();
    let of_branch = |table: &str| match branches {
        None => "1 = 1".to_owned(),
        Some([]) => "1 = 0".to_owned(),
        Some(ids) => {
            let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
            format!("{table}.branch_id IN ({})", places.join(", "))
        }
    };
    let unlinked = format!(
        "SELECT e.id AS event_id, e.branch_id AS branch_id FROM audit_events e
         WHERE {} AND NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.event_id = e.id)
         AND NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.event_id = e.id) ORDER BY e.id LIMIT {most}",
        of_branch("e")
    );
    let queued = format!(
        "SELECT p.event_id AS event_id, p.branch_id AS branch_id FROM audit_pending p
         WHERE {} AND (NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.id = p.event_id)
         OR EXISTS (SELECT 1 FROM audit_links l WHERE l.event_id = p.event_id)) ORDER BY p.event_id LIMIT {most}",
        of_branch("p")
    );
    let mut found = found(connection, backend, unlinked, branches, false).await?;
    found.extend(self::found(connection, backend, queued, branches, true).await?);
    Ok(found)
}

async fn found(
    connection: &impl ConnectionTrait,
    backend: DbBackend,
    sql: String,
    branches: Option<&[Uuid]>,
    queued: bool,
) -> Result<Vec<Stray>, StoreError> {
    let values: Vec<Value> = branches.unwrap_or_default().iter().map(|id| (*id).into()).collect();
    let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    let stray = |row: &sea_orm::QueryResult| {
        Ok(Stray { event_id: row.try_get("", "event_id")?, branch_id: row.try_get("", "branch_id")?, queued })
    };
    rows.iter().map(stray).collect()
}
