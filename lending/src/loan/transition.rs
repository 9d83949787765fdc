//! The steps of a loan's life by name, the circumstances a step is judged in, and the ways it can be refused. Taking
//! a step is [`Lifecycle`](super::Lifecycle)'s business.

use std::fmt;

use chrono::NaiveDate;
use thiserror::Error;

use super::status::LoanStatus;
use crate::money::{Currency, Money};

/// A step in a loan's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// The lender agrees.
    Approve,
    /// The lender refuses.
    Reject,
    /// The borrower gives up.
    Withdraw,
    /// The approval is taken back.
    UndoApproval,
    /// The money is paid out.
    Disburse,
    /// The payout is taken back, as long as nothing else happened.
    UndoDisbursement,
    /// The loan is counted as defaulted.
    Default,
    /// The arrears of a defaulted loan are paid.
    Cure,
    /// Nothing is outstanding any more.
    Repay,
    /// A reversal left something outstanding on a repaid loan.
    Reopen,
    /// The lender gives up what is outstanding.
    WriteOff,
}

impl Transition {
    /// Every step, in the order of a loan's life.
    pub const ALL: [Self; 11] = [
        Self::Approve,
        Self::Reject,
        Self::Withdraw,
        Self::UndoApproval,
        Self::Disburse,
        Self::UndoDisbursement,
        Self::Default,
        Self::Cure,
        Self::Repay,
        Self::Reopen,
        Self::WriteOff,
    ];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "APPROVE",
            Self::Reject => "REJECT",
            Self::Withdraw => "WITHDRAW",
            Self::UndoApproval => "UNDO_APPROVAL",
            Self::Disburse => "DISBURSE",
            Self::UndoDisbursement => "UNDO_DISBURSEMENT",
            Self::Default => "DEFAULT",
            Self::Cure => "CURE",
            Self::Repay => "REPAY",
            Self::Reopen => "REOPEN",
            Self::WriteOff => "WRITE_OFF",
        }
    }

    /// The step of that name, exactly as [`as_str`](Self::as_str) writes it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// The status a loan has after this step.
    pub const fn target(self) -> LoanStatus {
        match self {
            Self::Approve | Self::UndoDisbursement => LoanStatus::Approved,
            Self::Reject => LoanStatus::Rejected,
            Self::Withdraw => LoanStatus::Withdrawn,
            Self::UndoApproval => LoanStatus::Pending,
            Self::Disburse | Self::Cure | Self::Reopen => LoanStatus::Disbursed,
            Self::Default => LoanStatus::Defaulted,
            Self::Repay => LoanStatus::Repaid,
            Self::WriteOff => LoanStatus::WrittenOff,
        }
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The circumstances a step is judged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Business {
    /// The branch's business date; nothing is dated after it.
    pub today: NaiveDate,
    /// Whether whoever took the application may not approve it.
    pub maker_checker: bool,
}

/// Why a step was refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransitionError {
    /// The loan's status does not know this step.
    #[error("A loan that is {from} cannot take the step {attempted}; {}.", allowed_now(allowed))]
    InvalidTransition {
        /// The loan's status.
        from: LoanStatus,
        /// The step that was tried.
        attempted: Transition,
        /// The steps this status knows.
        allowed: Vec<Transition>,
    },
    /// The date lies before the step it follows or after the business date. Both bounds are inclusive.
    #[error("{} not {given}.", date_range(*earliest, *latest))]
    DateOutOfRange {
        /// The first possible date; `None` for an application, which follows nothing.
        earliest: Option<NaiveDate>,
        /// The last possible date: the business date.
        latest: NaiveDate,
        /// The date that was given.
        given: NaiveDate,
    },
    /// The amount applied for is nothing or less.
    #[error("Apply for {min} or more.")]
    AmountNotPositive {
        /// The least it may be.
        min: Money,
    },
    /// The amount is nothing, or more than the step before it allowed. Both bounds are inclusive.
    #[error("Choose an amount from {min} to {max}.")]
    AmountOutOfRange {
        /// The smallest amount.
        min: Money,
        /// The amount of the step before.
        max: Money,
    },
    /// The amount is in another currency than the loan.
    #[error("This loan is in {expected}; send the amount in {expected}, not {given}.")]
    CurrencyMismatch {
        /// The loan's currency.
        expected: Currency,
        /// The currency of the amount.
        given: Currency,
    },
    /// Maker-checker: whoever took the step before may not take this one.
    #[error("Let someone other than the person who {} take the step {action}.", earlier(*action))]
    SamePerson {
        /// The step that was tried.
        action: Transition,
    },
}

impl TransitionError {
    /// The stable code of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::DateOutOfRange { .. } => "DATE_OUT_OF_RANGE",
            Self::AmountNotPositive { .. } => "AMOUNT_NOT_POSITIVE",
            Self::AmountOutOfRange { .. } => "AMOUNT_OUT_OF_RANGE",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            Self::SamePerson { .. } => "SAME_PERSON",
        }
    }
}

/// What whoever may not take a step has done before.
const fn earlier(action: Transition) -> &'static str {
    match action {
        Transition::Disburse => "approved the loan",
        _ => "took the application",
    }
}

fn allowed_now(allowed: &[Transition]) -> String {
    if allowed.is_empty() {
        return "it is closed".to_owned();
    }
    let names: Vec<&str> = allowed.iter().map(|step| step.as_str()).collect();
    format!("choose one of {}", names.join(", "))
}

fn date_range(earliest: Option<NaiveDate>, latest: NaiveDate) -> String {
    match earliest {
        Some(earliest) => format!("Choose a date from {earliest} to {latest},"),
        None => format!("Choose a date up to {latest},"),
    }
}
