//! What was decided about a loan, and by whom: read from the whole loan.

use lending::loan::Lifecycle;

use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::Date;
use crate::service::loans::LoanRecord;

/// The amount approved.
pub fn approved(loan: &LoanRecord) -> Option<Money> {
    loan.state.approval().map(|approval| approval.amount.into())
}

/// The amount disbursed so far.
pub fn disbursed(loan: &LoanRecord) -> Money {
    let nothing = lending::money::Money::zero(loan.terms.principal.currency());
    loan.state.disbursement().map_or(nothing, |disbursement| disbursement.amount).into()
}

/// Who took the application.
pub fn applied_by(loan: &LoanRecord) -> &str {
    &loan.state.application().applied_by
}

/// The day of the approval.
pub fn approved_on(loan: &LoanRecord) -> Option<Date> {
    loan.state.approval().map(|approval| Date(approval.on))
}

/// Who approved.
pub fn approved_by(loan: &LoanRecord) -> Option<&str> {
    loan.state.approval().map(|approval| approval.by.as_str())
}

/// The day it was counted as defaulted, while it is.
pub fn defaulted_on(loan: &LoanRecord) -> Option<Date> {
    match &loan.state {
        Lifecycle::Defaulted { defaulted_on, .. } => Some(Date(*defaulted_on)),
        _ => None,
    }
}

/// The day it ended.
pub fn closed_on(loan: &LoanRecord) -> Option<Date> {
    match &loan.state {
        Lifecycle::Rejected { rejection: decision, .. } | Lifecycle::Withdrawn { withdrawal: decision, .. } => {
            Some(Date(decision.on))
        }
        Lifecycle::Repaid { closed_on, .. } | Lifecycle::WrittenOff { closed_on, .. } => Some(Date(*closed_on)),
        _ => None,
    }
}

/// Why it was rejected or withdrawn.
pub fn reason(loan: &LoanRecord) -> Option<&str> {
    match &loan.state {
        Lifecycle::Rejected { rejection: decision, .. } | Lifecycle::Withdrawn { withdrawal: decision, .. } => {
            decision.reason.as_deref()
        }
        _ => None,
    }
}
