//! The sealer's statements: take events out of the queue, link them to their chains, move the chains' heads, all in the
//! caller's transaction, so that a crash anywhere leaves the queue as it was. Several sealers never wait for each
//! other: on PostgreSQL the second finds an advisory lock taken and leaves; SQLite has one writer anyway.

use std::collections::BTreeMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement,
};
use uuid::Uuid;

use super::chain::{self, Hash};
use super::row;
use crate::store::entity::audit_event::Model as Event;
use crate::store::entity::{audit_chain, audit_link, audit_pending};
use crate::store::error::StoreError;
use crate::store::insert;

/// Events sealed in one transaction: enough to keep up with any load, and SQLite's only writer is held for a moment.
pub const BATCH: u64 = 1_000;

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// Another sealer is at it.
    Busy,
    /// So many events were linked.
    Sealed(u64),
}

/// Whether anything waits. It takes no lock, so that an idle sealer is in nobody's way.
///
/// # Errors
/// Whatever the database answers.
pub async fn is_anything_waiting(connection: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let first = audit_pending::Entity::find().select_only().column(audit_pending::Column::EventId).limit(1);
    Ok(first.into_tuple::<Uuid>().one(connection).await?.is_some())
}

/// Links the next events, at most `most`, to the ends of their chains.
///
/// # Errors
/// [`StoreError::Duplicate`] when a chain already has a link where its end should be, which [`super::check`] tells more
/// of; otherwise whatever the database answers.
pub async fn seal(transaction: &impl ConnectionTrait, most: u64) -> Result<Sealing, StoreError> {
    if !claim(transaction).await? {
        return Ok(Sealing::Busy);
    }
    let events = waiting(transaction, most).await?;
    if events.is_empty() {
        return Ok(Sealing::Sealed(0));
    }
    let mut ends = ends(transaction, &events).await?;
    let mut links = Vec::with_capacity(events.len());
    for event in &events {
        let chain = chain::chain_of(event.branch_id);
        let (length, head) = ends.entry(chain).or_insert((0, chain::START));
        *length = length.checked_add(1).ok_or_else(|| StoreError::Corrupt("an audit chain without end".to_owned()))?;
        *head = chain::link(head, chain, *length, event);
        links.push(audit_link::ActiveModel {
            chain: Set(chain),
            position: Set(*length),
            event_id: Set(event.id),
            hash: Set(head.to_vec()),
        });
    }
    insert::many::<audit_link::Entity, _>(transaction, links).await?;
    let heads = ends.into_iter().map(|(chain, (length, head))| audit_chain::ActiveModel {
        chain: Set(chain),
        length: Set(length),
        head: Set(head.to_vec()),
    });
    let moved = OnConflict::column(audit_chain::Column::Chain)
        .update_columns([audit_chain::Column::Length, audit_chain::Column::Head])
        .to_owned();
    insert::or_update::<audit_chain::Entity, _>(transaction, heads.collect(), &moved).await?;
    audit_pending::Entity::delete_many()
        .filter(audit_pending::Column::EventId.is_in(events.iter().map(|event| event.id)))
        .exec(transaction)
        .await?;
    Ok(Sealing::Sealed(u64::try_from(events.len()).unwrap_or(u64::MAX)))
}

/// Makes this the only sealer until the transaction ends, or says that another is.
async fn claim(transaction: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let backend = transaction.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(true);
    }
    let statement = Statement::from_string(backend, "SELECT pg_try_advisory_xact_lock(7240115039) AS claimed");
    let row = transaction.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "claimed")).transpose()?.unwrap_or(false))
}

/// The next events of the queue. What cannot be read, is gone, or is linked already stays there for an auditor to find.
async fn waiting(transaction: &impl ConnectionTrait, most: u64) -> Result<Vec<Event>, StoreError> {
    let backend = transaction.get_database_backend();
    let sql = format!(
        "SELECT {columns} FROM audit_pending p JOIN audit_events e ON e.id = p.event_id
         WHERE NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.event_id = p.event_id)
         ORDER BY p.event_id LIMIT {most}",
        columns = row::COLUMNS
    );
    let rows = transaction.query_all_raw(Statement::from_string(backend, sql)).await?;
    let mut events = Vec::with_capacity(rows.len());
    for found in &rows {
        match row::event(found, backend) {
            Some(Ok(event)) => events.push(event),
            Some(Err(problem)) => tracing::error!(problem, "an audit event cannot be sealed"),
            None => {}
        }
    }
    Ok(events)
}

/// Where the chains of these events end now; a chain without links is left out.
async fn ends(transaction: &impl ConnectionTrait, events: &[Event]) -> Result<BTreeMap<Uuid, (i64, Hash)>, StoreError> {
    let mut chains: Vec<Uuid> = events.iter().map(|event| chain::chain_of(event.branch_id)).collect();
    chains.sort_unstable();
    chains.dedup();
    let rows = audit_chain::Entity::find().filter(audit_chain::Column::Chain.is_in(chains)).all(transaction).await?;
    rows.into_iter()
        .map(|row| {
            let head = Hash::try_from(row.head.as_slice())
                .map_err(|_| StoreError::Corrupt(format!("the head of audit chain {}", row.chain)))?;
            Ok((row.chain, (row.length, head)))
        })
        .collect()
}
