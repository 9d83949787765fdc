//! Sealing personal values anew under the current key, so that an older key can be taken away. Works in batches, each one
//! transaction with one event of the audit trail: killed in between it goes on where it was, and several at once, beside
//! running servers, do each borrower once. It may change nothing that anyone is shown.

use uuid::Uuid;

use super::Services;
use super::audit::{About, Evidence, Facts, Leaves};
use super::error::ServiceError;
use crate::auth::Actor;
use crate::store::borrowers as store;

/// What came of sealing anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Borrowers whose values are under the current key now and were not before.
    pub borrowers: u64,
    /// Values that none of the keys opens; they stay as they are.
    pub unreadable: u64,
}

impl Rotation {
    const fn and(self, other: Self) -> Self {
        Self {
            borrowers: self.borrowers.saturating_add(other.borrowers),
            unreadable: self.unreadable.saturating_add(other.unreadable),
        }
    }
}

impl Leaves for Rotation {
    fn evidence(&self) -> Evidence {
        let facts = Facts::default().count("borrowers", self.borrowers).count("unreadable", self.unreadable);
        Evidence { branch: None, object: None, facts, replayed: false }
    }
}

impl Services {
    /// Seals every personal value anew that is not under the current key, at most `batch` borrowers a transaction. For the
    /// command line only: whoever holds the keys and the database is asked for no role; `actor` names them on the trail.
    ///
    /// # Errors
    /// Whatever the database answers; what was committed before stays.
    pub async fn rotate_keys(&self, actor: &Actor, batch: u64) -> Result<Rotation, ServiceError> {
        let mut total = Rotation::default();
        let mut after = Uuid::nil();
        loop {
            let ids = store::sealed_otherwise(self.database.reader(), self.personal_data.id(), after, batch).await?;
            let Some(last) = ids.last().copied() else { return Ok(total) };
            total = total.and(self.rotate_batch(actor, &ids).await?);
            tracing::info!(borrowers = total.borrowers, unreadable = total.unreadable, "sealed anew so far");
            after = last;
        }
    }

    async fn rotate_batch(&self, actor: &Actor, ids: &[Uuid]) -> Result<Rotation, ServiceError> {
        let about = About::lender("rotate-keys");
        self.audited(actor, &about, |trail| async move {
            trail
                .write(|transaction| async move {
                    let mut done = Rotation::default();
                    let key_id = self.personal_data.id();
                    for mut record in store::lock_sealed_otherwise(&*transaction, key_id, ids).await? {
                        let unreadable = self.personal_data.renew(&mut record)?;
                        store::reseal(&*transaction, &record).await?;
                        done = done.and(Rotation { borrowers: u64::from(unreadable == 0), unreadable });
                    }
                    Ok(done)
                })
                .await
        })
        .await
    }
}
