//! The ledger in the API: accounts, sides, and lines of entries.

use async_graphql::{Enum, SimpleObject};
use lending::ledger::Entry;
use lending::money::Currency;

use super::loan::balances::money;
use super::money::Money;

/// An account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::ledger::Account")]
pub enum Account {
    /// Cash and bank. Asset.
    Cash,
    /// Principal lent out. Asset.
    LoansReceivable,
    /// Interest earned and not yet received. Asset.
    InterestReceivable,
    /// Fees made and not yet received. Asset.
    FeesReceivable,
    /// Penalties made and not yet received. Asset.
    PenaltiesReceivable,
    /// What borrowers paid too much. Liability.
    OverpaymentLiability,
    /// Interest earned. Income.
    InterestIncome,
    /// Fees earned. Income.
    FeeIncome,
    /// Penalties earned. Income.
    PenaltyIncome,
    /// Money received after a loan was given up. Income.
    RecoveryIncome,
    /// Payments the lender made for borrowers. Expense.
    GoodwillExpense,
    /// Principal of charged-off loans. Expense.
    CreditLoss,
    /// Interest, fees and penalties of charged-off loans. Expense.
    IncomeChargedOff,
    /// What was written off. Expense.
    LossesWrittenOff,
}

/// What kind of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::ledger::AccountKind")]
pub enum AccountKind {
    /// What the lender has.
    Asset,
    /// What the lender owes.
    Liability,
    /// What the lender earned.
    Income,
    /// What it cost.
    Expense,
}

/// A side of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::ledger::Side")]
pub enum Side {
    /// Left.
    Debit,
    /// Right.
    Credit,
}

/// One line of a journal entry.
#[derive(Debug, Clone, SimpleObject)]
pub struct JournalLine {
    /// The account.
    pub account: Account,
    /// The side of the account.
    pub side: Side,
    /// How much; always more than nothing.
    pub amount: Money,
}

impl JournalLine {
    /// The lines of an entry.
    pub fn all(entry: &Entry, currency: Currency) -> Vec<Self> {
        let line = |posting: &lending::ledger::Posting| Self {
            account: posting.account.into(),
            side: posting.side.into(),
            amount: money(posting.amount, currency),
        };
        entry.postings().iter().map(line).collect()
    }
}

/// What a journal entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum JournalEntryKind {
    /// Money paid out.
    Disbursement,
    /// A payment by the borrower.
    Repayment,
    /// A payment by the lender.
    GoodwillCredit,
    /// Credit paid back to the borrower.
    CreditRefund,
    /// A charge.
    Charge,
    /// A waiver of a charge or of interest.
    Waiver,
    /// Taken off the books.
    ChargeOff,
    /// Given up.
    WriteOff,
    /// Money that came in after the write-off.
    Recovery,
    /// The rest of the schedule agreed anew.
    Reschedule,
    /// Income that was earned by a day, or less of it.
    Accrual,
}

impl From<Option<lending::loan::TransactionKind>> for JournalEntryKind {
    /// What is of no transaction is accrued.
    fn from(kind: Option<lending::loan::TransactionKind>) -> Self {
        use lending::loan::TransactionKind as Of;
        match kind {
            Some(Of::Disbursement) => Self::Disbursement,
            Some(Of::Repayment) => Self::Repayment,
            Some(Of::GoodwillCredit) => Self::GoodwillCredit,
            Some(Of::CreditRefund) => Self::CreditRefund,
            Some(Of::Charge) => Self::Charge,
            Some(Of::Waiver) => Self::Waiver,
            Some(Of::ChargeOff) => Self::ChargeOff,
            Some(Of::WriteOff) => Self::WriteOff,
            Some(Of::Recovery) => Self::Recovery,
            Some(Of::Reschedule) => Self::Reschedule,
            None => Self::Accrual,
        }
    }
}

impl JournalEntryKind {
    /// The name that entries are stored by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        use lending::loan::TransactionKind as Of;
        match self {
            Self::Disbursement => Of::Disbursement.as_str(),
            Self::Repayment => Of::Repayment.as_str(),
            Self::GoodwillCredit => Of::GoodwillCredit.as_str(),
            Self::CreditRefund => Of::CreditRefund.as_str(),
            Self::Charge => Of::Charge.as_str(),
            Self::Waiver => Of::Waiver.as_str(),
            Self::ChargeOff => Of::ChargeOff.as_str(),
            Self::WriteOff => Of::WriteOff.as_str(),
            Self::Recovery => Of::Recovery.as_str(),
            Self::Reschedule => Of::Reschedule.as_str(),
            Self::Accrual => crate::service::ledger::EntryKind::Accrual.as_str(),
        }
    }
}
