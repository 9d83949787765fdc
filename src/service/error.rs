//! How a use case can end other than well. Only [`ServiceError::Rejected`] is the caller's to mend in detail; causes of
//! the others go to the log and never to the caller. The enum has no `Display` on purpose: async-graphql turns anything
//! that has one into a message for the caller, and a cause would slip out with a mere `?`.

use lending::loan::FoldError;

use super::problem::{Detail, Problem, ProblemCode};
use crate::auth::policy::Action;
use crate::store::database::Collides;
use crate::store::error::StoreError;

/// A use case did not succeed, and wrote nothing.
#[derive(Debug)]
pub enum ServiceError {
    /// The input cannot be accepted as it is.
    Rejected(Vec<Problem>),
    /// The caller's roles do not allow it.
    Forbidden(Action),
    /// The cursor belongs to another list, order or filter.
    InvalidCursor,
    /// A value the database cannot hold, such as a NUL character.
    BadInput,
    /// The database is out of reach; trying later may work.
    Unavailable(StoreError),
    /// The transaction lost against others, again and again; trying later may work.
    Contended(StoreError),
    /// A defect.
    Internal(StoreError),
    /// Sealed personal data could not be opened: the key is not the one it was sealed with.
    Unreadable,
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InvalidCursor => Self::InvalidCursor,
            StoreError::BadText => Self::BadInput,
            StoreError::Unavailable(_) => Self::Unavailable(error),
            StoreError::Collision(_) | StoreError::TooSlow(_) | StoreError::StaleVersion => Self::Contended(error),
            StoreError::Duplicate(_)
            | StoreError::Corrupt(_)
            | StoreError::Unbalanced
            | StoreError::UnreadableAddress
            | StoreError::Database(_) => Self::Internal(error),
        }
    }
}

impl From<FoldError> for ServiceError {
    /// A history that cannot be folded any more: amounts or dates at the limits of what can be kept, or terms that
    /// make no schedule.
    fn from(error: FoldError) -> Self {
        let problem = |code, path: &[&str]| Problem::new(code, path, error.to_string());
        match &error {
            FoldError::FirstDuePassed { first_due_on } => problem(ProblemCode::DateOutOfRange, &["input", "on"])
                .with(Detail::Date { earliest: None, latest: first_due_on.pred_opt() }),
            FoldError::DateOverflow | FoldError::NothingToReschedule { .. } => {
                problem(ProblemCode::DateOutOfRange, &["input"])
            }
            FoldError::TooManyInstallments { .. } => {
                problem(ProblemCode::NumberOutOfRange, &["input", "extraInstallments"])
            }
            FoldError::ImpossibleTerms { .. } => problem(ProblemCode::Contradiction, &["input"]),
            FoldError::Overflow
            | FoldError::NothingDisbursed { .. }
            | FoldError::AmountNotPositive { .. }
            | FoldError::NoSuchCharge { .. } => problem(ProblemCode::AmountOutOfRange, &["input"]),
        }
        .into()
    }
}

impl From<Problem> for ServiceError {
    fn from(problem: Problem) -> Self {
        Self::Rejected(vec![problem])
    }
}

impl Collides for ServiceError {
    fn is_collision(&self) -> bool {
        // A stale version inside a transaction that has just read the row means that it lost a race: it reads again.
        matches!(self, Self::Contended(StoreError::Collision(_) | StoreError::StaleVersion))
    }
}
