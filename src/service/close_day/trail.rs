//! The closing of days on the audit trail: an event for each day of each branch, in the transaction that moves the
//! branch's date, so that no date moves without one however the run ends. A branch that had nothing to close leaves an
//! event that says so.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{CloseDay, Work};
use crate::auth::Actor;
use crate::ids::{Kind, NodeId};
use crate::service::audit::{About, Evidence, Facts};
use crate::service::{ServiceError, Services};
use crate::store::branches::BranchKey;
use crate::store::database::Transaction;
use crate::store::{audit, calendars};

/// Who closes days, and as what.
pub(super) struct DayTrail<'a> {
    pub actor: &'a Actor,
    pub about: About,
}

impl<'a> DayTrail<'a> {
    pub(super) fn new(actor: &'a Actor, operation: &'static str, input: &CloseDay) -> Self {
        let about = match input.branch {
            Some(BranchKey::Id(id)) => About::of(operation, Kind::Branch, id),
            _ => About::lender(operation),
        };
        Self { actor, about }
    }
}

impl Services {
    /// Moves a branch's date, with its event; says whether it was this that moved it.
    pub(super) async fn move_date(
        &self,
        transaction: &Transaction,
        trail: &DayTrail<'_>,
        branch: Uuid,
        on: NaiveDate,
        work: Work,
    ) -> Result<bool, ServiceError> {
        if !calendars::close_through(&**transaction, branch, on).await? {
            return Ok(false);
        }
        let facts = Facts::default()
            .day("day", on)
            .count("loans", work.loans)
            .count("folded", work.folded)
            .count("lateCharges", work.charged)
            .count("defaulted", work.defaulted)
            .count("cured", work.cured);
        let event = self.event(trail.actor, &trail.about, closed(Some(branch), facts.count("days", 1), false));
        audit::append(&**transaction, &[event]).await?;
        Ok(true)
    }

    /// The event of a branch, or of a caller without one, that had no day to close.
    pub(super) async fn note_nothing_closed(
        &self,
        trail: &DayTrail<'_>,
        branch: Option<Uuid>,
        replayed: bool,
    ) -> Result<(), ServiceError> {
        let facts = Facts::default().count("days", 0);
        let event = &self.event(trail.actor, &trail.about, closed(branch, facts, replayed));
        self.database
            .write(|transaction| async move { Ok(audit::append(&*transaction, std::slice::from_ref(event)).await?) })
            .await
    }
}

fn closed(branch: Option<Uuid>, facts: Facts, replayed: bool) -> Evidence {
    Evidence { branch, object: branch.map(|uuid| NodeId { kind: Kind::Branch, uuid }), facts, replayed }
}
