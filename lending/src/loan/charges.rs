//! Charges as a product agrees them: kept from the proceeds, paid apart, on every installment or on lateness. A charge
//! that one loan gets on a day of its own is an [`Event`](super::Event), not terms.

use serde::{Deserialize, Serialize};

use crate::named::named;

named! {
    /// What kind of charge.
    ChargeKind {
        /// Any charge but one for being late.
        Fee = "FEE",
        /// A charge for being late.
        Penalty = "PENALTY",
    }
}

named! {
    /// When a charge of the terms falls due.
    ChargeTiming {
        /// With the first disbursement, kept from the proceeds.
        UpfrontKept = "UPFRONT_KEPT",
        /// With the first disbursement, paid apart.
        UpfrontPaid = "UPFRONT_PAID",
        /// With every installment.
        PerInstallment = "PER_INSTALLMENT",
    }
}

/// How much a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChargeAmount {
    /// So many minor units.
    Flat(i64),
    /// So many parts per million of what it is on: the disbursed amount, the installment's principal and interest, or
    /// the overdue amount.
    Share(i64),
}

impl ChargeAmount {
    /// More than nothing.
    pub const fn is_sensible(self) -> bool {
        match self {
            Self::Flat(value) | Self::Share(value) => value > 0,
        }
    }
}

/// A charge that every loan under the terms bears.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChargeTerms {
    /// What the borrower reads.
    pub name: String,
    /// When it falls due.
    pub timing: ChargeTiming,
    /// How much it is.
    pub amount: ChargeAmount,
}

/// The charge for being late, made once for an installment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LateCharge {
    /// How much it is; a share is of what is overdue of the installment.
    pub amount: ChargeAmount,
    /// It is made when the installment is more than so many days past due.
    pub grace_days: u32,
    /// It is never more than this, in minor units.
    pub cap: Option<i64>,
}
