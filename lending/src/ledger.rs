//! What each event books: double entry, in minor units of the loan's currency. An [`Entry`] balances or does not
//! exist; nothing here knows dates, branches or who booked.

use thiserror::Error;

use crate::named::named;

named! {
    /// An account of the ledger.
    Account {
        /// Cash and bank. Asset.
        Cash = "CASH",
        /// Principal lent out. Asset.
        LoansReceivable = "LOANS_RECEIVABLE",
        /// Interest earned and not yet received. Asset.
        InterestReceivable = "INTEREST_RECEIVABLE",
        /// Fees made and not yet received. Asset.
        FeesReceivable = "FEES_RECEIVABLE",
        /// Penalties made and not yet received. Asset.
        PenaltiesReceivable = "PENALTIES_RECEIVABLE",
        /// What borrowers paid too much. Liability.
        OverpaymentLiability = "OVERPAYMENT_LIABILITY",
        /// Interest earned. Income.
        InterestIncome = "INTEREST_INCOME",
        /// Fees earned. Income.
        FeeIncome = "FEE_INCOME",
        /// Penalties earned. Income.
        PenaltyIncome = "PENALTY_INCOME",
        /// Money received after a loan was given up. Income.
        RecoveryIncome = "RECOVERY_INCOME",
        /// Payments the lender made for borrowers. Expense.
        GoodwillExpense = "GOODWILL_EXPENSE",
        /// Principal of charged-off loans. Expense.
        CreditLoss = "CREDIT_LOSS",
        /// Interest, fees and penalties of charged-off loans. Expense.
        IncomeChargedOff = "INCOME_CHARGED_OFF",
        /// What was written off. Expense.
        LossesWrittenOff = "LOSSES_WRITTEN_OFF",
    }
}

named! {
    /// What kind of account.
    AccountKind {
        /// What the lender has.
        Asset = "ASSET",
        /// What the lender owes.
        Liability = "LIABILITY",
        /// What the lender earned.
        Income = "INCOME",
        /// What it cost.
        Expense = "EXPENSE",
    }
}

named! {
    /// A side of an account.
    Side {
        /// Left.
        Debit = "DEBIT",
        /// Right.
        Credit = "CREDIT",
    }
}

impl Account {
    /// What kind of account it is.
    pub const fn kind(self) -> AccountKind {
        match self {
            Self::Cash
            | Self::LoansReceivable
            | Self::InterestReceivable
            | Self::FeesReceivable
            | Self::PenaltiesReceivable => AccountKind::Asset,
            Self::OverpaymentLiability => AccountKind::Liability,
            Self::InterestIncome | Self::FeeIncome | Self::PenaltyIncome | Self::RecoveryIncome => AccountKind::Income,
            Self::GoodwillExpense | Self::CreditLoss | Self::IncomeChargedOff | Self::LossesWrittenOff => {
                AccountKind::Expense
            }
        }
    }
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// One line of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// On which side.
    pub side: Side,
    /// How much, more than nothing, in minor units.
    pub amount: i64,
}

/// A balanced set of postings; empty when an event books nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Entry {
    postings: Vec<Posting>,
}

/// Why postings make no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// The sides differ.
    #[error("The debits are {debits}, the credits {credits}.")]
    Unbalanced {
        /// The sum of the debits.
        debits: i64,
        /// The sum of the credits.
        credits: i64,
    },
    /// A sum does not fit.
    #[error("The sum of an entry is too large to keep.")]
    Overflow,
}

impl Entry {
    /// An entry of these postings. A negative amount books on the other side; nothing is left out.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn new(lines: impl IntoIterator<Item = (Account, Side, i64)>) -> Result<Self, EntryError> {
        let (mut debits, mut credits) = (0_i64, 0_i64);
        let mut postings = Vec::new();
        for (account, side, amount) in lines {
            let (side, amount) = match amount {
                0 => continue,
                1.. => (side, amount),
                _ => (side.other(), amount.checked_neg().ok_or(EntryError::Overflow)?),
            };
            let sum = match side {
                Side::Debit => &mut debits,
                Side::Credit => &mut credits,
            };
            *sum = sum.checked_add(amount).ok_or(EntryError::Overflow)?;
            postings.push(Posting { account, side, amount });
        }
        if debits == credits { Ok(Self { postings }) } else { Err(EntryError::Unbalanced { debits, credits }) }
    }

    /// Its lines.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// It books nothing.
    pub fn is_empty(&self) -> bool {
        self.postings.is_empty()
    }

    /// The exact mirror: what takes it back.
    pub fn mirror(&self) -> Self {
        let turn = |posting: &Posting| Posting { side: posting.side.other(), ..*posting };
        Self { postings: self.postings.iter().map(turn).collect() }
    }

    /// What it adds to an account: debits less credits.
    pub fn net(&self, account: Account) -> i64 {
        let signed = |posting: &Posting| match posting.side {
            Side::Debit => posting.amount,
            Side::Credit => posting.amount.saturating_neg(),
        };
        self.postings.iter().filter(|posting| posting.account == account).map(signed).fold(0, i64::saturating_add)
    }
}
