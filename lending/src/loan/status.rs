//! The eight statuses of a loan by name, and which steps each allows. A status is a view of a
//! [`Lifecycle`](super::Lifecycle); only a state, which carries the data, can take a step.

use std::fmt;

use super::transition::Transition;

/// Where a loan is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoanStatus {
    /// Applied for, not decided.
    Pending,
    /// Approved, not paid out.
    Approved,
    /// Refused by the lender. Final.
    Rejected,
    /// Given up by the borrower before it was paid out. Final.
    Withdrawn,
    /// Paid out and running.
    Disbursed,
    /// Running, and overdue for so long that the lender counts it as defaulted.
    Defaulted,
    /// Nothing outstanding.
    Repaid,
    /// Given up by the lender. Final; later money is recovery income.
    WrittenOff,
}

impl LoanStatus {
    /// Every status, in the order of a loan's life.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Withdrawn,
        Self::Disbursed,
        Self::Defaulted,
        Self::Repaid,
        Self::WrittenOff,
    ];

    /// The name in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Disbursed => "DISBURSED",
            Self::Defaulted => "DEFAULTED",
            Self::Repaid => "REPAID",
            Self::WrittenOff => "WRITTEN_OFF",
        }
    }

    /// The status of that name, exactly as [`as_str`](Self::as_str) writes it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The steps a loan in this status can take. Dates, amounts and people can still refuse one of them.
    pub const fn allowed(self) -> &'static [Transition] {
        match self {
            Self::Pending => &[Transition::Approve, Transition::Reject, Transition::Withdraw],
            Self::Approved => &[Transition::Withdraw, Transition::UndoApproval, Transition::Disburse],
            Self::Disbursed => {
                &[Transition::UndoDisbursement, Transition::Default, Transition::Repay, Transition::WriteOff]
            }
            Self::Defaulted => &[Transition::UndoDisbursement, Transition::Cure, Transition::WriteOff],
            Self::Repaid => &[Transition::Reopen],
            Self::Rejected | Self::Withdrawn | Self::WrittenOff => &[],
        }
    }
}

impl fmt::Display for LoanStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
