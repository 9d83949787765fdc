//! What instruments ask of the books, whoever looks at them: it is for the operator's eyes, asks for no permission, and
//! tells numbers only.

use super::{ServiceError, Services, business_date};
use crate::store::branches;
use crate::store::scope::Scope;
use crate::store::verify::{self, LedgerRule};

/// Where the end of day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DaysToClose {
    /// Branches with a day that is over and not closed.
    pub branches: u64,
    /// The days that the branch furthest behind has to close.
    pub most_days: u64,
}

impl Services {
    /// Which days are over and not closed. A branch that has never closed one has not begun, and is not behind.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn days_to_close(&self) -> Result<DaysToClose, ServiceError> {
        let now = self.now();
        let mut found = DaysToClose::default();
        for branch in branches::all(self.database.reader(), &Scope::All).await? {
            let Some(closed) = branch.closed_through else { continue };
            let Some(over) = business_date(&branch, now).pred_opt() else { continue };
            let days = u64::try_from(over.signed_duration_since(closed).num_days()).unwrap_or_default();
            found.branches = found.branches.saturating_add(u64::from(days > 0));
            found.most_days = found.most_days.max(days);
        }
        Ok(found)
    }

    /// Branches and currencies whose debits are not their credits, as of one moment. It reads every line of the journal.
    ///
    /// # Errors
    /// Whatever the database answers.
    pub async fn count_unbalanced(&self) -> Result<usize, ServiceError> {
        let snapshot = self.database.snapshot().await?;
        Ok(verify::broken(&snapshot, LedgerRule::TrialBalance, None).await?.len())
    }
}
