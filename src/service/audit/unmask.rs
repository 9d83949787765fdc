//! Looking at personal data in full is on the trail too: an event for each branch whose borrowers were on the page, before
//! anything is shown.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{About, Evidence, Facts};
use crate::auth::Actor;
use crate::auth::policy::{self, Action};
use crate::ids::{Kind, NodeId};
use crate::service::{ServiceError, Services};
use crate::store::audit as store;

impl Services {
    /// Records that the caller sees personal data of these borrowers, each with their branch, in full: one statement,
    /// however many they are. Nothing is recorded of a caller who sees it masked. What cannot be recorded must not be
    /// shown.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn record_unmasking(&self, actor: &Actor, borrowers: &[(Uuid, Uuid)]) -> Result<(), ServiceError> {
        if !policy::can(actor, Action::ReadPersonalData) || borrowers.is_empty() {
            return Ok(());
        }
        let mut of_branches: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for (borrower, branch) in borrowers {
            of_branches.entry(*branch).or_default().push(*borrower);
        }
        let about = About::lender("unmask");
        let event = |(branch, mut ids): (Uuid, Vec<Uuid>)| {
            ids.sort_unstable();
            ids.dedup();
            let object = match ids.as_slice() {
                [only] => Some(NodeId { kind: Kind::Borrower, uuid: *only }),
                _ => None,
            };
            let facts = Facts::default().ids("borrowers", Kind::Borrower, &ids);
            self.event(actor, &about, Evidence { branch: Some(branch), object, facts, replayed: false })
        };
        let events: Vec<_> = of_branches.into_iter().map(event).collect();
        let events = &events;
        self.database.write(|transaction| async move { Ok(store::append(&*transaction, events).await?) }).await
    }

    /// Records that the caller read in a way that is itself worth knowing, without what they read. It belongs to the lender
    /// as a whole: what was found, if anything, is not told.
    pub(in crate::service) async fn record_read(&self, actor: &Actor, about: &About) -> Result<(), ServiceError> {
        let nothing = Evidence { branch: None, object: None, facts: Facts::default(), replayed: false };
        let event = &self.event(actor, about, nothing);
        self.database
            .write(|transaction| async move { Ok(store::append(&*transaction, std::slice::from_ref(event)).await?) })
            .await
    }
}
