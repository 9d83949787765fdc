//! Putting together what writes added to the sums of the portfolio, batch by batch, by whoever comes first. Reports are
//! exact whether it is done or not; it keeps them quick. Run by the server every moment, at the end of a day, and after
//! bulk writes.

use tokio_util::sync::CancellationToken;

use super::Pace;
use crate::service::{ServiceError, Services};
use crate::store::StoreError;
use crate::store::database::Transaction;
use crate::store::portfolio::{self as store, RollUp};

/// Changes of a family rolled up in one transaction.
const BATCH: u64 = 50_000;

impl Services {
    /// Rolls up everything that waits, unless another is at it; tells in how many transactions.
    ///
    /// # Errors
    /// Whatever the database answers; what waits is counted in every report as before.
    pub async fn roll_up_portfolio(&self) -> Result<u64, ServiceError> {
        let mut batches: u64 = 0;
        while store::is_anything_waiting(self.database.reader()).await? {
            let batch = |transaction: Transaction| async move { store::roll_up(&*transaction, BATCH).await };
            match self.database.write::<_, StoreError, _, _>(batch).await? {
                RollUp::Busy => break,
                RollUp::Taken(taken) => {
                    batches = batches.saturating_add(1);
                    // What came in meanwhile can wait for the next time.
                    if taken < BATCH {
                        break;
                    }
                }
            }
        }
        Ok(batches)
    }

    /// Rolls up, and forgets sums of nothing.
    ///
    /// # Errors
    /// See [`Self::roll_up_portfolio`].
    pub async fn tidy_portfolio(&self) -> Result<(), ServiceError> {
        self.roll_up_portfolio().await?;
        let sweep = |transaction: Transaction| async move { store::sweep(&*transaction).await };
        Ok(self.database.write::<_, StoreError, _, _>(sweep).await?)
    }

    /// Rolls up at the end of a day. It is closed whether or not this succeeds.
    pub(in crate::service) async fn tidy_portfolio_at_end_of_day(&self) {
        if let Err(cause) = self.tidy_portfolio().await {
            tracing::error!(?cause, "the sums of the portfolio could not be put together at the end of the day");
        }
    }

    /// Refreshes the loans of branches where the next day has begun already, in case there is no server that does. The
    /// day is closed whether or not this succeeds.
    pub(in crate::service) async fn refresh_portfolio_at_end_of_day(&self) {
        if let Err(cause) = self.refresh_portfolio(Pace::Steady, &CancellationToken::new()).await {
            tracing::error!(?cause, "loans could not be refreshed at the end of the day");
        }
    }
}
