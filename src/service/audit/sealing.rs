//! Sealing the trail: what waits is linked into the chains of hashes, batch by batch, by whoever comes first. Nobody who
//! writes waits for it, and what is not sealed yet is counted. Run by the server every moment, at its shutdown, and at
//! the end of a day.

use std::time::Duration;

use uuid::Uuid;

use crate::service::{ServiceError, Services};
use crate::store::audit::check;
use crate::store::audit::seal::{self, BATCH, Sealing};
use crate::store::scope::Scope;
use crate::store::{StoreError, audit as store};

/// Another sealer is looked at again after so long.
const PAUSE: Duration = Duration::from_millis(50);

/// And so often, before it is left to its work.
const PATIENCE: u32 = 100;

/// Where a chain ends. Noted outside, it shows later whether the chain was rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    /// The branch's code; `None` for the lender as a whole.
    pub branch: Option<String>,
    /// How many events the chain holds.
    pub length: i64,
    /// The hash of its last link, in hexadecimal.
    pub head: String,
}

impl Services {
    /// Seals everything that waits, unless another sealer is at it; tells how many events were sealed.
    ///
    /// # Errors
    /// Whatever the database answers; the events wait on.
    pub async fn seal_audit_trail(&self) -> Result<u64, ServiceError> {
        let mut sealed: u64 = 0;
        while let Sealing::Sealed(count) = self.seal_batch().await? {
            sealed = sealed.saturating_add(count);
            if count < BATCH {
                break;
            }
        }
        Ok(sealed)
    }

    /// Seals everything that waits, and waits for another sealer that is at it: at the end of a day or of the server.
    ///
    /// # Errors
    /// Whatever the database answers; the events wait on.
    pub async fn seal_audit_trail_now(&self) -> Result<u64, ServiceError> {
        let mut sealed: u64 = 0;
        let mut pauses = 0;
        loop {
            match self.seal_batch().await? {
                Sealing::Sealed(0) => return Ok(sealed),
                Sealing::Sealed(count) => sealed = sealed.saturating_add(count),
                Sealing::Busy if pauses < PATIENCE => {
                    pauses += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Sealing::Busy => return Ok(sealed),
            }
        }
    }

    async fn seal_batch(&self) -> Result<Sealing, ServiceError> {
        if !seal::is_anything_waiting(self.database.reader()).await? {
            return Ok(Sealing::Sealed(0));
        }
        let batch =
            |transaction: crate::store::database::Transaction| async move { seal::seal(&*transaction, BATCH).await };
        Ok(self.database.write::<_, StoreError, _, _>(batch).await?)
    }

    /// How many events no chain holds yet, whoever asks: for the operator's eyes.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn count_unsealed(&self) -> Result<u64, ServiceError> {
        Ok(store::unsealed(self.database.reader(), &Scope::All).await?)
    }

    /// Seals the trail at the end of a day and writes the ends of these branches' chains to the log, where nobody who
    /// could change the database can change them. A day is closed whether or not this succeeds.
    pub(in crate::service) async fn seal_at_end_of_day(&self, branches: &[(Uuid, String)]) {
        let sealed = async {
            self.seal_audit_trail_now().await?;
            Ok::<_, ServiceError>(check::chains(self.database.reader()).await?)
        };
        let chains = match sealed.await {
            Ok(chains) => chains,
            Err(cause) => {
                tracing::error!(?cause, "the audit trail could not be sealed at the end of the day");
                return;
            }
        };
        for chain in chains {
            let branch = branches.iter().find(|(id, _)| *id == chain.chain).map(|(_, code)| code.as_str());
            if branch.is_some() || chain.chain.is_nil() {
                let (length, head) = (chain.length, hex(&chain.head));
                tracing::info!(branch = branch.unwrap_or("-"), length, head, "audit chain at the end of the day");
            }
        }
    }
}

/// Bytes as people write them down.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
