//! A loan: what was agreed, what its product allows, how it lives, and what it owes on any day. What it owes is a
//! fold over its transactions ([`Loan::fold`]); nothing here remembers anything between two calls.

mod accrual;
pub mod admission;
pub mod arrears;
pub mod charges;
pub mod conditions;
pub mod error;
pub mod event;
mod fold;
pub mod lateness;
pub mod lifecycle;
pub mod limits;
pub mod payoff;
pub mod portions;
pub mod posting;
pub mod state;
pub mod status;
pub mod terms;
pub mod transition;

pub use charges::{ChargeAmount, ChargeKind, ChargeTerms, ChargeTiming, LateCharge};
pub use conditions::Conditions;
pub use error::FoldError;
pub use event::{Event, PaymentKind, Reschedule, Sequence, Transaction, TransactionKind};
pub use fold::{Begun, Loan};
pub use lifecycle::{Application, Approval, Decision, Disbursement, Lifecycle};
pub use limits::{LimitsField, LimitsViolation, ProductLimits};
pub use portions::Portions;
pub use state::{ChargeState, Effect, Installment, InterestLine, LoanState, Share, Standing};
pub use status::LoanStatus;
pub use terms::{Field, LoanTerms, PeriodUnit, TermsViolation};
pub use transition::{Business, Transition, TransitionError};
