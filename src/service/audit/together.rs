//! Changes that are wanted at the same time go together in one transaction: while one is under way, others wait, and are
//! then carried out by one of them, each with its key, its event and its answer. The busier the server is, the more of
//! them share each statement (on PostgreSQL) and the commit. Whoever is not among those that went well is carried out
//! alone, as if nobody else had been there: what is refused, repeated, locked by somebody else or odd in any way is decided
//! there and nowhere else. Access is not decided here: only requests of one scope go together.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use uuid::Uuid;

use super::{About, Leaves, Trail, Written};
use crate::auth::Actor;
use crate::service::Services;
use crate::service::check::Check;
use crate::service::error::ServiceError;
use crate::service::idempotency as keys;
use crate::store::audit as store;
use crate::store::batch::Batch;
use crate::store::database::Transaction;
use crate::store::idempotency::{self, Claim};
use crate::store::queue::{Company, Queues};
use crate::store::scope::Scope;

/// A change that is asked for, in a form that others can carry out.
#[derive(Debug, Clone)]
pub(in crate::service) struct Asked<Q> {
    /// Who asks.
    pub actor: Actor,
    /// For what.
    pub about: About,
    /// Under which key.
    pub claim: Claim,
    /// The id of the new row, which is the claim's outcome.
    pub id: Uuid,
    /// The input.
    pub input: Q,
}

/// Those who wait to change things of one kind.
pub(in crate::service) struct Together<Q, T>(Queues<Scope, Asked<Q>, Done<T>>);

/// What came of those who went together, until whoever asked for it takes it. Whoever is missing is to go alone.
type Done<T> = Arc<Mutex<HashMap<Uuid, Outcome<T>>>>;

/// What came of one of them.
enum Outcome<T> {
    /// It is carried out.
    Written(Written<T>),
    /// Another one was about the same row: it is this one's turn next.
    Later,
}

/// Where several can write at once, few gain nothing by waiting for each other: at eight and at four connections there were
/// 1.2 times as many repayments a second like this as one after the other. At 32 it is the other way round: three quarters.
const FEW: Company = Company { few: 5, beside: 5 };

impl<Q, T> Together<Q, T> {
    /// Nobody waits yet.
    pub(in crate::service) fn new(has_many_writers: bool) -> Self {
        Self(Queues::new(if has_many_writers { FEW } else { Company { few: 0, beside: 0 } }))
    }
}

/// A change that one request asks for under a key.
pub(in crate::service) struct Request<'a, Q> {
    pub services: &'a Services,
    pub trail: Trail<'a>,
    pub scope: Scope,
    input: &'a Q,
    key: String,
    fingerprint: Vec<u8>,
}

impl<'a, Q: Clone + Serialize> Request<'a, Q> {
    /// Reads the key.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when it is none.
    pub(in crate::service) fn under(
        key: &str,
        trail: Trail<'a>,
        scope: Scope,
        input: &'a Q,
    ) -> Result<Self, ServiceError> {
        let mut check = Check::default();
        let key = check.idempotency_key(&["input", "idempotencyKey"], key);
        check.finish()?;
        let key = key.ok_or(ServiceError::BadInput)?;
        Ok(Self { services: trail.services, trail, scope, input, key, fingerprint: keys::fingerprint(input) })
    }

    /// The change in a form that others can carry out, each time with an id of its own: by that a second attempt tells what
    /// the first one may have done.
    pub(in crate::service) fn asked(&self) -> Asked<Q> {
        let Trail { services, actor, about } = self.trail;
        let now = services.now();
        let id = services.ids.next(now);
        let claim = keys::claim_of(actor, about.operation, &self.key, &self.fingerprint, id, now);
        Asked { actor: actor.clone(), about: about.clone(), claim, id, input: self.input.clone() }
    }
}

/// A kind of change that several can make together.
pub(in crate::service) trait Shared<Q>: Sync {
    /// What comes of it.
    type Outcome: Leaves + Send;

    /// The row that is changed, of which a group can have one change.
    fn row(input: &Q) -> Option<Uuid>;

    /// Carries it out by itself.
    fn alone(&self, asked: Asked<Q>) -> impl Future<Output = Result<Written<Self::Outcome>, ServiceError>> + Send;

    /// Decides those of several that can be carried out together. Their keys are claimed; the others' are given back.
    fn all(
        &self,
        transaction: &Transaction,
        asked: &[&Asked<Q>],
    ) -> impl Future<Output = Result<Vec<Planned<Self::Outcome>>, ServiceError>> + Send;
}

/// What is to be written of a change, and what it comes to once it is.
pub(in crate::service) struct Planned<T> {
    /// The id under which it was asked for.
    pub id: Uuid,
    /// What it comes to.
    pub outcome: T,
    /// What is to be written.
    pub batch: Batch,
}

impl<Q: Clone + Serialize + Send + Sync, T: Leaves + Send> Together<Q, T> {
    /// Carries a change out: alone, when nobody else wants one at this moment, or with the others.
    ///
    /// # Errors
    /// What it fails with when it is carried out alone.
    pub(in crate::service) async fn carry_out(&self, change: &Request<'_, Q>) -> Result<Written<T>, ServiceError>
    where
        for<'a> Request<'a, Q>: Shared<Q, Outcome = T>,
    {
        loop {
            let asked = change.asked();
            let id = asked.id;
            let mut own = None;
            let carry_out = async |mut asked: Vec<Asked<Q>>| {
                let mut done = HashMap::new();
                if asked.len() > 1 {
                    done = change.services.write_for_all(asked, change).await;
                } else if let Some(only) = asked.pop() {
                    own = Some(change.alone(only).await);
                }
                Ok(Done::new(Mutex::new(done)))
            };
            let done = self.0.ask(&change.scope, asked, carry_out).await?;
            if let Some(own) = own {
                return own;
            }
            match done.and_then(|done| done.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)) {
                Some(Outcome::Written(written)) => return Ok(written),
                Some(Outcome::Later) => {}
                None => return change.alone(change.asked()).await,
            }
        }
    }
}

impl Services {
    /// Carries out what can be of several changes, and tells what came of them.
    async fn write_for_all<Q, S: Shared<Q>>(
        &self,
        asked: Vec<Asked<Q>>,
        change: &S,
    ) -> HashMap<Uuid, Outcome<S::Outcome>> {
        let mut rows = HashSet::new();
        let is_first = |one: &Asked<Q>| S::row(&one.input).is_none_or(|row| rows.insert(row));
        let (first, later): (Vec<_>, Vec<_>) = asked.into_iter().partition(is_first);
        let mut done: HashMap<_, _> = later.into_iter().map(|one| (one.id, Outcome::Later)).collect();
        match self.write_at_once(&first, change).await {
            Ok(written) => done.extend(written.into_iter().map(|(id, written)| (id, Outcome::Written(written)))),
            // Each is carried out alone then, and told what is the matter.
            Err(cause) => tracing::info!(?cause, requests = first.len(), "not carried out together"),
        }
        done
    }

    /// Carries out what can be of several changes, in one transaction and one attempt.
    async fn write_at_once<Q, S: Shared<Q>>(
        &self,
        asked: &[Asked<Q>],
        change: &S,
    ) -> Result<Vec<(Uuid, Written<S::Outcome>)>, ServiceError> {
        let written = self.database.write_once(|transaction| async move {
            let claims: Vec<&Claim> = asked.iter().map(|one| &one.claim).collect();
            let claimed = idempotency::claim_all(&*transaction, &claims).await?;
            let first: Vec<_> = asked.iter().filter(|one| claimed.contains(&one.claim.outcome)).collect();
            let planned = change.all(&transaction, &first).await?;
            let mut undone: HashMap<Uuid, _> = first.into_iter().map(|one| (one.id, one)).collect();
            let (mut batches, mut written) = (Vec::with_capacity(planned.len()), Vec::with_capacity(planned.len()));
            for Planned { id, outcome, mut batch } in planned {
                let Some(one) = undone.remove(&id) else { continue };
                store::add(&mut batch, &self.event(&one.actor, &one.about, outcome.evidence()))?;
                batches.push(batch);
                written.push((id, Written(outcome)));
            }
            let undone: Vec<&Claim> = undone.into_values().map(|one| &one.claim).collect();
            idempotency::release(&*transaction, &undone).await?;
            Batch::send_all(batches, &*transaction).await?;
            Ok::<_, ServiceError>(written)
        });
        written.await
    }
}
