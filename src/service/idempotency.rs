//! Idempotent mutations: the first use of a key does the work and leaves a claim in the same transaction; a repetition
//! is answered from the claim; the same key with another input is refused.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Services;
use super::audit::{About, Evidence, Facts, Leaves};
use super::error::ServiceError;
use super::problem::{Detail, Problem, ProblemCode};
use crate::auth::Actor;
use crate::store::StoreError;
use crate::store::database::Transaction;
use crate::store::idempotency::{self, Claim, Claimed};

/// How long a key is kept at least, in hours: so long a client may go on trying.
pub const LEAST_KEPT_HOURS: i64 = 72;

/// Keys forgotten in one transaction, so that nobody who writes waits long for it.
const BATCH: u32 = 1_000;

/// What to do after claiming a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Do the work, and give the new row this id.
    First(Uuid),
    /// The work was done earlier; this is the row it made.
    Repetition(Uuid),
}

/// A digest of an input, the same for the same input.
pub(super) fn fingerprint(input: &impl Serialize) -> Vec<u8> {
    let text = serde_json::to_vec(input).unwrap_or_default();
    Sha256::digest(text).to_vec()
}

/// What to do after claiming a key together with a look for what the request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opened<T> {
    /// Do the work on what was found, if anything.
    First(Option<T>),
    /// The work was done earlier; this is the row it made.
    Repetition(Uuid),
}

/// A claim of `key` for the row with `id`.
pub(super) fn claim_of(
    actor: &Actor,
    operation: &str,
    key: &str,
    fingerprint: &[u8],
    id: Uuid,
    now: DateTime<Utc>,
) -> Claim {
    Claim {
        actor: actor.subject.clone(),
        operation: operation.to_owned(),
        key: key.to_owned(),
        fingerprint: fingerprint.to_vec(),
        outcome: id.to_string(),
        created_at: now,
    }
}

/// What the answer to a claim means for the request.
pub(super) fn opened<T>(claim: &Claim, claimed: Claimed<T>) -> Result<Opened<T>, ServiceError> {
    match claimed {
        Claimed::First(found) => Ok(Opened::First(found)),
        Claimed::Earlier(earlier) => repeated(&earlier, &claim.fingerprint).map(Opened::Repetition),
        Claimed::InFlight => Err(in_progress().into()),
    }
}

/// The row that an earlier use of the key made, if it was for the same input.
fn repeated(earlier: &Claim, fingerprint: &[u8]) -> Result<Uuid, ServiceError> {
    if earlier.fingerprint != fingerprint {
        return Err(mismatch(earlier.created_at).into());
    }
    Ok(Uuid::parse_str(&earlier.outcome).map_err(|error| StoreError::Corrupt(error.to_string()))?)
}

/// Claims `key` for the row with `id`, or finds the row an earlier use of the key made.
pub(super) async fn claim(
    transaction: &Transaction,
    actor: &Actor,
    operation: &str,
    key: &str,
    fingerprint: &[u8],
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Turn, ServiceError> {
    let claim = claim_of(actor, operation, key, fingerprint, id, now);
    match idempotency::claim(&**transaction, &claim).await {
        Ok(None) => Ok(Turn::First(id)),
        Ok(Some(earlier)) => repeated(&earlier, fingerprint).map(Turn::Repetition),
        Err(StoreError::TooSlow(_)) => Err(in_progress().into()),
        Err(error) => Err(error.into()),
    }
}

/// So many keys were forgotten.
struct Forgotten(u64);

impl Leaves for Forgotten {
    fn evidence(&self) -> Evidence {
        let facts = Facts::default().count("keys", self.0);
        Evidence { branch: None, object: None, facts, replayed: false }
    }
}

impl Services {
    /// Forgets the keys whose first use is longer ago than `age`, and never those of the last [`LEAST_KEPT_HOURS`];
    /// tells how many those were. A request that is sent again after that is a new one. Stopped at any point, the next run
    /// goes on. It is for the operator's command and asks for no permission.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn forget_idempotency_keys(&self, actor: &Actor, age: TimeDelta) -> Result<u64, ServiceError> {
        let age = age.max(TimeDelta::hours(LEAST_KEPT_HOURS));
        let before = self.now().checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let about = About::lender("purge-idempotency-keys");
        let mut total: u64 = 0;
        loop {
            let Forgotten(count) = self
                .audited(actor, &about, |trail| async move {
                    trail
                        .write(|transaction| async move {
                            Ok(Forgotten(idempotency::forget(&*transaction, before, BATCH).await?))
                        })
                        .await
                })
                .await?;
            total = total.saturating_add(count);
            if count < u64::from(BATCH) {
                return Ok(total);
            }
        }
    }
}

fn mismatch(first_used_at: DateTime<Utc>) -> Problem {
    Problem::new(
        ProblemCode::IdempotencyKeyMismatch,
        &["input", "idempotencyKey"],
        "This key was used for another input before; use a new key for a new request.",
    )
    .with(Detail::FirstUse { at: first_used_at })
}

fn in_progress() -> Problem {
    Problem::new(
        ProblemCode::IdempotencyInProgress,
        &["input", "idempotencyKey"],
        "The first request with this key is still being processed; send it again in a few seconds.",
    )
}
