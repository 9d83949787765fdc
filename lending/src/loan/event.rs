//! What can happen to a loan once it is approved. A loan's whole state is [`fold`](super::Loan::fold)ed from its
//! events; an event knows neither who recorded it nor when, because neither may change what is owed.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::charges::ChargeKind;
use crate::named::named;
use crate::rate::Rate;

/// The order in which a loan's transactions were recorded: 1, 2, 3, … Its number among the loan's transactions.
pub type Sequence = u32;

named! {
    /// What kind of payment.
    #[derive(Default)]
    PaymentKind {
        /// By the borrower.
        #[default]
        Repayment = "REPAYMENT",
        /// By the lender, as goodwill.
        GoodwillCredit = "GOODWILL_CREDIT",
    }
}

/// Something that happened. All amounts are minor units of the loan's currency, more than nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase", tag = "kind")]
pub enum Event {
    /// Money was paid out: the first time, or as a further tranche.
    Disbursement {
        /// The gross amount.
        amount: i64,
    },
    /// Money came in and pays what is owed.
    Payment {
        /// How much.
        amount: i64,
        /// By whom.
        payment: PaymentKind,
    },
    /// Credit of the borrower was paid back.
    CreditRefund {
        /// How much.
        amount: i64,
    },
    /// A charge was made.
    Charge {
        /// How much.
        amount: i64,
        /// Fee or penalty.
        charge: ChargeKind,
        /// The day it falls due; it belongs to the installment whose period it lies in.
        due_on: NaiveDate,
        /// For a late charge: the number of the installment it is for, so that it is made once.
        late_for: Option<u32>,
    },
    /// A charge was waived, in part or in full.
    ChargeWaiver {
        /// The charge's transaction.
        charge: Sequence,
        /// How much of it.
        amount: i64,
    },
    /// Interest was waived: what is owed of it, oldest installment first.
    InterestWaiver {
        /// How much.
        amount: i64,
    },
    /// The loan was taken off the books as a loss; it stays collectable, and accrues no further.
    ChargeOff,
    /// What is owed was given up.
    WriteOff,
    /// Money came in after the write-off.
    Recovery {
        /// How much.
        amount: i64,
    },
    /// The rest of the schedule was agreed anew.
    Reschedule(Reschedule),
}

/// A new agreement about the installments that fall due after a day. What is `None` or 0 stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reschedule {
    /// Installments due on this day or later are concerned; interest changes from this day on.
    pub from: NaiveDate,
    /// The first of them falls due on this day instead, and the others follow from there.
    pub first_due_on: Option<NaiveDate>,
    /// The annual rate from `from` on.
    pub annual_rate: Option<Rate>,
    /// So many installments more.
    pub extra_installments: u32,
}

/// An event with its place in a loan's history.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// The order in which it was recorded.
    pub sequence: Sequence,
    /// The value date: the day it counts from.
    pub on: NaiveDate,
    /// What happened.
    pub event: Event,
    /// It was reversed, and is as if it had never been.
    pub reversed: bool,
}

named! {
    /// What kind of transaction, by its name in the API and in the database.
    TransactionKind {
        /// Money paid out.
        Disbursement = "DISBURSEMENT",
        /// A payment by the borrower.
        Repayment = "REPAYMENT",
        /// A payment by the lender.
        GoodwillCredit = "GOODWILL_CREDIT",
        /// Credit paid back.
        CreditRefund = "CREDIT_REFUND",
        /// A charge.
        Charge = "CHARGE",
        /// A waiver of a charge or of interest.
        Waiver = "WAIVER",
        /// Taken off the books.
        ChargeOff = "CHARGE_OFF",
        /// Given up.
        WriteOff = "WRITE_OFF",
        /// Money after the write-off.
        Recovery = "RECOVERY",
        /// Agreed anew.
        Reschedule = "RESCHEDULE",
    }
}

impl Event {
    /// Its kind.
    pub const fn kind(&self) -> TransactionKind {
        match self {
            Self::Disbursement { .. } => TransactionKind::Disbursement,
            Self::Payment { payment: PaymentKind::Repayment, .. } => TransactionKind::Repayment,
            Self::Payment { payment: PaymentKind::GoodwillCredit, .. } => TransactionKind::GoodwillCredit,
            Self::CreditRefund { .. } => TransactionKind::CreditRefund,
            Self::Charge { .. } => TransactionKind::Charge,
            Self::ChargeWaiver { .. } | Self::InterestWaiver { .. } => TransactionKind::Waiver,
            Self::ChargeOff => TransactionKind::ChargeOff,
            Self::WriteOff => TransactionKind::WriteOff,
            Self::Recovery { .. } => TransactionKind::Recovery,
            Self::Reschedule(_) => TransactionKind::Reschedule,
        }
    }

    /// The amount it names; `None` where the loan decides (charge-off, write-off, reschedule).
    pub const fn amount(&self) -> Option<i64> {
        match self {
            Self::Disbursement { amount }
            | Self::Payment { amount, .. }
            | Self::CreditRefund { amount }
            | Self::Charge { amount, .. }
            | Self::ChargeWaiver { amount, .. }
            | Self::InterestWaiver { amount }
            | Self::Recovery { amount } => Some(*amount),
            Self::ChargeOff | Self::WriteOff | Self::Reschedule(_) => None,
        }
    }
}
