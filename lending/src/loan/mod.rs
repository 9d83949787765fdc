//! A loan: what was agreed, what its product allows, and how it lives. Balances, schedules and the journal are not
//! here yet; they will be a fold over a loan's transactions.

pub mod lifecycle;
pub mod limits;
pub mod status;
pub mod terms;
pub mod transition;

pub use lifecycle::{Application, Approval, Decision, Disbursement, Lifecycle};
pub use limits::{LimitsField, LimitsViolation, ProductLimits};
pub use status::LoanStatus;
pub use terms::{Field, LoanTerms, PeriodUnit, TermsViolation};
pub use transition::{Business, Transition, TransitionError};
