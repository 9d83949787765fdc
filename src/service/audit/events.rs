//! Reading the trail: for auditors, of the branches they work for. Events of the lender as a whole are for those who work
//! for all branches.

use std::collections::HashMap;

use uuid::Uuid;

use super::{AuditField, EventRecord, LinkRecord};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::service::list::{COUNT_CAP, Filter, Page, PageRequest, SortKey, in_order};
use crate::service::{ServiceError, Services};
use crate::store::{audit as store, find, page};

impl Services {
    /// Part of the trail, in the order of recording unless ordered otherwise.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn audit_events(
        &self,
        actor: &Actor,
        filter: &Filter<AuditField>,
        order: &[SortKey<AuditField>],
        request: &PageRequest,
    ) -> Result<Page<EventRecord>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadAudit)?;
        Ok(page::page(self.database.reader(), &scope, filter, order, request).await?)
    }

    /// Events in the order of the ids; `None` where none exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn audit_events_by_id(
        &self,
        actor: &Actor,
        ids: &[Uuid],
    ) -> Result<Vec<Option<EventRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadAudit)?;
        let rows = find::by_ids::<AuditField, EventRecord>(self.database.reader(), &scope, ids).await?;
        Ok(in_order(ids, rows, |row| row.id))
    }

    /// How many events match, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_audit_events(&self, actor: &Actor, filter: &Filter<AuditField>) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadAudit)?;
        Ok(page::count(self.database.reader(), &scope, filter, COUNT_CAP).await?)
    }

    /// The places in their chains of events the caller has found; events that are not sealed yet have none.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn audit_links(&self, actor: &Actor, events: &[Uuid]) -> Result<HashMap<Uuid, LinkRecord>, ServiceError> {
        self.authorize(actor, Action::ReadAudit)?;
        Ok(store::links_of(self.database.reader(), events).await?)
    }

    /// How many events of the caller's branches are not sealed yet.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn unsealed_audit_events(&self, actor: &Actor) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadAudit)?;
        Ok(store::unsealed(self.database.reader(), &scope).await?)
    }
}
