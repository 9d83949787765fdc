//! Events of the audit trail in the API. They are shown as they were recorded; nothing here opens what they are about.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use uuid::Uuid;

use super::branch::Branch;
use super::connection::{AuditEventConnection, AuditEventConnectionFields, apart, connection};
use super::id::id;
use super::scalars::DateTime;
use super::selection::{AuditPlan, Related, Selected};
use crate::graphql::error::Nullable;
use crate::graphql::request::{Request, request};
use crate::ids::Kind;
use crate::service::audit::{AuditEventRecord, AuditField, LinkRecord, hex};
use crate::service::list::{Filter, PageRequest, SortKey};

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::audit::AuditOutcome")]
pub enum AuditOutcome {
    /// It was done; the event was written with the change, or not at all.
    Done,
    /// It had been done before, under the same idempotency key, or once and for all as an erasure; nothing was written again.
    Replayed,
    /// The input could not be accepted; `codes` tell why.
    Refused,
    /// The caller's roles do not allow it.
    Forbidden,
}

/// An event of the audit trail: who did, or tried to do, what to which thing. It has no personal data and nothing a caller typed.
#[derive(Clone)]
pub struct AuditEvent {
    record: AuditEventRecord,
    branch: Related<Branch>,
    link: Related<LinkRecord>,
}

impl AuditEvent {
    /// Events with the relations a plan asks for, in the order of the records: one statement per relation.
    pub async fn fetch(request: Request<'_>, records: Vec<AuditEventRecord>, plan: &AuditPlan) -> Result<Vec<Self>> {
        let branches = match &plan.branch {
            Some(plan) => {
                let ids = records.iter().filter_map(|record| record.branch_id).collect();
                Some(Branch::by_id(request, ids, plan).await?)
            }
            None => None,
        };
        let links: Option<HashMap<Uuid, LinkRecord>> = match plan.link {
            true => {
                let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
                Some(request.services.audit_links(request.actor, &ids).await?)
            }
            false => None,
        };
        Ok(records
            .into_iter()
            .map(|record| Self {
                branch: record.branch_id.map_or(Related::Fetched(None), |id| Related::of(branches.as_ref(), id)),
                link: Related::of(links.as_ref(), record.id),
                record,
            })
            .collect())
    }

    async fn link(&self, context: &Context<'_>) -> Result<Option<LinkRecord>> {
        if let Related::Fetched(link) = &self.link {
            return Ok(link.clone());
        }
        let request = request(context)?;
        Ok(request.services.audit_links(request.actor, &[self.record.id]).await?.remove(&self.record.id))
    }
}

/// An event of the audit trail: who did, or tried to do, what to which thing. It has no personal data and nothing a caller typed.
#[Object]
impl AuditEvent {
    /// The id, such as "audit_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::AuditEvent, self.record.id)
    }

    /// When it was recorded.
    fn recorded_at(&self) -> DateTime {
        DateTime(self.record.recorded_at)
    }

    /// The subject of whoever acted.
    fn subject(&self) -> &str {
        &self.record.subject
    }

    /// Their roles.
    fn roles(&self) -> &[String] {
        &self.record.roles
    }

    /// The id of the request it came in by, as in `x-request-id`; null for commands.
    fn request_id(&self) -> Option<&str> {
        self.record.request_id.as_deref()
    }

    /// The field of the mutation, such as "recordRepayment"; "unmask" where personal data was shown in full; or the command, such as "close-day".
    fn operation(&self) -> &str {
        &self.record.operation
    }

    /// How it ended.
    fn outcome(&self) -> AuditOutcome {
        self.record.outcome.into()
    }

    /// The codes of a refusal; empty for what was done.
    fn codes(&self) -> &[String] {
        &self.record.codes
    }

    /// The branch it belongs to; null for what belongs to the lender as a whole, and where no branch could be told.
    async fn branch(&self, context: &Context<'_>) -> Nullable<Branch> {
        let branch = self.record.branch_id?;
        self.branch.or_load(|| Branch::load(context, branch)).await
    }

    /// The id of what it was about, whether or not there is such a thing; null when it was about no single one.
    fn object_id(&self) -> Option<ID> {
        let object = self.record.object.as_ref()?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == object.kind)?;
        Some(id(kind, object.id))
    }

    /// Facts that are no personal data, as a JSON object: the new version, the transaction, an amount in minor units.
    fn details(&self) -> &str {
        &self.record.details
    }

    /// Its position in the chain of its branch, from 1; null while it is not sealed.
    async fn position(&self, context: &Context<'_>) -> Result<Option<i64>> {
        Ok(self.link(context).await?.map(|link| link.position))
    }

    /// The hash of its link in the chain, in hexadecimal: over the link before it, its position and all that was recorded; null while it is not sealed.
    async fn hash(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.link(context).await?.map(|link| hex(&link.hash)))
    }

    /// Whether it is part of the chain of its branch. That takes about a second.
    async fn sealed(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.link(context).await?.is_some())
    }
}

/// A page of the trail with what its plan asks for.
///
/// # Errors
/// INVALID_CURSOR, FORBIDDEN; whatever the database answers.
pub async fn audit_page(
    context: &Context<'_>,
    filter: Filter<AuditField>,
    order: &[SortKey<AuditField>],
    asked: &PageRequest,
) -> Result<AuditEventConnection> {
    let plan = AuditPlan::of(&Selected::nodes(context));
    let request = request(context)?;
    let page = request.services.audit_events(request.actor, &filter, order, asked).await?;
    let (page, records) = apart(page);
    let nodes = AuditEvent::fetch(request, records, &plan).await?;
    Ok(connection(page, nodes, AuditEventConnectionFields::new(Arc::new(filter))))
}
