//! The audit trail: appending events and reading them. An event is one INSERT, and the database itself queues it for the
//! sealer ([`seal`]); how links are hashed is in [`chain`], and what reads them again for an auditor in [`check`].

pub mod chain;
pub mod check;
mod row;
pub mod seal;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::Serialize;
use uuid::Uuid;

use super::batch::Batch;
use super::entity::{audit_event, audit_link, audit_pending, borrower, borrower_group, branch, loan};
use super::error::StoreError;
use super::filter::{Field, LikePattern, storable};
use super::insert;
use super::scope::Scope;

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done; the event is part of its transaction.
    Done,
    /// It had been done before, under the same idempotency key.
    Replayed,
    /// The input could not be accepted.
    Refused,
    /// The caller's roles do not allow it.
    Forbidden,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Done, Self::Replayed, Self::Refused, Self::Forbidden];

    /// The name it is stored by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Replayed => "REPLAYED",
            Self::Refused => "REFUSED",
            Self::Forbidden => "FORBIDDEN",
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|outcome| outcome.as_str() == name);
        found.ok_or_else(|| StoreError::Corrupt(format!("audit outcome {name:?}")))
    }
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRecord {
    /// What kind of thing, as in the prefix of its id.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
}

/// One event of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Its id.
    pub id: Uuid,
    /// The branch whose chain it belongs to; `None` for the lender as a whole, and where no branch could be told.
    pub branch_id: Option<Uuid>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Who acted.
    pub subject: String,
    /// Their roles, in a fixed order.
    pub roles: Vec<String>,
    /// The request it came in by; `None` for commands.
    pub request_id: Option<String>,
    /// The mutation's field, or the command.
    pub operation: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The codes of a refusal.
    pub codes: Vec<String>,
    /// What it was about.
    pub object: Option<ObjectRecord>,
    /// Facts that are no personal data, as a JSON object.
    pub details: String,
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

impl TryFrom<audit_event::Model> for EventRecord {
    type Error = StoreError;

    fn try_from(row: audit_event::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            branch_id: row.branch_id,
            recorded_at: row.recorded_at,
            subject: row.subject,
            roles: list(&row.roles),
            request_id: row.request_id,
            operation: row.operation,
            outcome: Outcome::parse(&row.outcome)?,
            codes: list(&row.codes),
            object: row.object_kind.zip(row.object_id).map(|(kind, id)| ObjectRecord { kind, id }),
            details: row.details,
        })
    }
}

/// Adds events, in one statement. No statement is sent for none.
///
/// # Errors
/// [`StoreError::BadText`] for text no database can hold; otherwise whatever the database answers.
pub async fn append(transaction: &impl ConnectionTrait, events: &[EventRecord]) -> Result<(), StoreError> {
    let rows = events.iter().map(new_row).collect::<Result<Vec<_>, _>>()?;
    insert::many::<audit_event::Entity, _>(transaction, rows).await
}

/// Adds an event, with what else is in the batch.
///
/// # Errors
/// [`StoreError::BadText`] for text no database can hold.
pub fn add(batch: &mut Batch, event: &EventRecord) -> Result<(), StoreError> {
    batch.insert::<audit_event::Entity, _>(vec![new_row(event)?]);
    Ok(())
}

fn new_row(event: &EventRecord) -> Result<audit_event::ActiveModel, StoreError> {
    let object = event.object.as_ref();
    Ok(audit_event::ActiveModel {
        id: Set(event.id),
        branch_id: Set(event.branch_id),
        recorded_at: Set(event.recorded_at),
        subject: Set(storable(&event.subject)?.to_owned()),
        roles: Set(event.roles.join(",")),
        request_id: Set(event.request_id.as_deref().map(storable).transpose()?.map(str::to_owned)),
        operation: Set(event.operation.clone()),
        outcome: Set(event.outcome.as_str().to_owned()),
        codes: Set(event.codes.join(",")),
        object_kind: Set(object.map(|object| object.kind.clone())),
        object_id: Set(object.map(|object| object.id)),
        details: Set(storable(&event.details)?.to_owned()),
    })
}

/// Things that belong to a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    /// A branch, which belongs to itself.
    Branch,
    /// A borrower.
    Borrower,
    /// A group.
    Group,
    /// A loan.
    Loan,
}

/// The branch a thing belongs to, whoever asks: for the trail only, never for an answer.
///
/// # Errors
/// Whatever the database answers.
pub async fn branch_of(connection: &impl ConnectionTrait, owned: Owned, id: Uuid) -> Result<Option<Uuid>, StoreError> {
    Ok(match owned {
        Owned::Branch => only::<branch::Entity>(connection, id, branch::Column::Id, branch::Column::Id).await?,
        Owned::Borrower => {
            only::<borrower::Entity>(connection, id, borrower::Column::Id, borrower::Column::BranchId).await?
        }
        Owned::Group => {
            only::<borrower_group::Entity>(connection, id, borrower_group::Column::Id, borrower_group::Column::BranchId)
                .await?
        }
        Owned::Loan => only::<loan::Entity>(connection, id, loan::Column::Id, loan::Column::BranchId).await?,
    })
}

async fn only<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    id: Uuid,
    key: E::Column,
    branch: E::Column,
) -> Result<Option<Uuid>, StoreError> {
    Ok(E::find().select_only().column(branch).filter(key.eq(id)).into_tuple::<Uuid>().one(connection).await?)
}

/// An event's place in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRecord {
    /// Its position, from 1.
    pub position: i64,
    /// The hash of the link, 32 bytes.
    pub hash: Vec<u8>,
}

/// The links of these events; events that are not sealed yet have none. No statement is sent for no ids.
///
/// # Errors
/// Whatever the database answers.
pub async fn links_of(
    connection: &impl ConnectionTrait,
    events: &[Uuid],
) -> Result<HashMap<Uuid, LinkRecord>, StoreError> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = audit_link::Entity::find()
        .filter(audit_link::Column::EventId.is_in(events.iter().copied()))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.event_id, LinkRecord { position: row.position, hash: row.hash })).collect())
}

/// How many events no chain holds yet.
///
/// # Errors
/// Whatever the database answers.
pub async fn unsealed(connection: &impl ConnectionTrait, scope: &Scope) -> Result<u64, StoreError> {
    Ok(audit_pending::Entity::find().filter(scope.condition::<PendingField>()).count(connection).await?)
}

/// The id of the oldest event that no chain holds yet: ids grow with time.
///
/// # Errors
/// Whatever the database answers.
pub async fn oldest_unsealed(connection: &impl ConnectionTrait) -> Result<Option<Uuid>, StoreError> {
    let oldest = audit_pending::Entity::find().order_by_asc(audit_pending::Column::EventId).one(connection).await?;
    Ok(oldest.map(|event| event.event_id))
}

/// What events can be filtered by. The id, which ends every order, is the order of recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AuditField {
    /// The branch whose chain it belongs to.
    Branch,
    /// Who acted.
    Subject,
    /// The mutation's field, or the command.
    Operation,
    /// How it ended.
    Outcome,
    /// The kind of thing it was about.
    ObjectKind,
    /// The id of that thing.
    Object,
    /// When it was recorded.
    RecordedAt,
}

impl Field for AuditField {
    type Entity = audit_event::Entity;

    const LIST: &'static str = "audit_events";

    fn column(self) -> audit_event::Column {
        match self {
            Self::Branch => audit_event::Column::BranchId,
            Self::Subject => audit_event::Column::Subject,
            Self::Operation => audit_event::Column::Operation,
            Self::Outcome => audit_event::Column::Outcome,
            Self::ObjectKind => audit_event::Column::ObjectKind,
            Self::Object => audit_event::Column::ObjectId,
            Self::RecordedAt => audit_event::Column::RecordedAt,
        }
    }

    fn nullable(self) -> bool {
        matches!(self, Self::Branch | Self::ObjectKind | Self::Object)
    }

    /// The operation.
    fn search(pattern: &LikePattern) -> Condition {
        Condition::any().add(pattern.in_code(audit_event::Column::Operation))
    }

    fn branch_column() -> Option<audit_event::Column> {
        Some(audit_event::Column::BranchId)
    }

    fn branch_may_be_missing() -> bool {
        true
    }

    fn id_column() -> audit_event::Column {
        audit_event::Column::Id
    }
}

/// What queued events can be chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PendingField {
    /// The branch whose chain they will belong to.
    Branch,
}

impl Field for PendingField {
    type Entity = audit_pending::Entity;

    const LIST: &'static str = "audit_pending";

    fn column(self) -> audit_pending::Column {
        match self {
            Self::Branch => audit_pending::Column::BranchId,
        }
    }

    fn nullable(self) -> bool {
        true
    }

    /// There is no text.
    fn search(_pattern: &LikePattern) -> Condition {
        Condition::any()
    }

    fn branch_column() -> Option<audit_pending::Column> {
        Some(audit_pending::Column::BranchId)
    }

    fn branch_may_be_missing() -> bool {
        true
    }

    fn id_column() -> audit_pending::Column {
        audit_pending::Column::EventId
    }
}
