//! What lender and borrower agree on, and the ways such an agreement can break a product's limits. Terms are plain
//! data: whether they are acceptable is asked of [`ProductLimits::check`](super::ProductLimits::check).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::conditions::Conditions;

use crate::money::{Currency, Money};
use crate::rate::Rate;

/// The terms of a loan: `installments` payments, one every `every` `unit`s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanTerms {
    /// The amount lent.
    pub principal: Money,
    /// The nominal interest rate a year.
    pub annual_rate: Rate,
    /// How many payments.
    pub installments: u32,
    /// How many units lie between two payments: 2 with [`PeriodUnit::Week`] is fortnightly.
    pub every: u32,
    /// The unit `every` counts.
    pub unit: PeriodUnit,
    /// The first due date; `None`: `every` units after the first disbursement. The others are counted from it.
    #[serde(default)]
    pub first_due_on: Option<NaiveDate>,
    /// How interest, schedule and payments are worked out.
    #[serde(default)]
    pub conditions: Conditions,
}

/// The unit of the time between two installments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PeriodUnit {
    /// Calendar days.
    Day,
    /// Seven days.
    Week,
    /// Calendar months.
    Month,
}

impl PeriodUnit {
    /// Every unit, shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The name in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
        }
    }

    /// The unit of that name, exactly as [`as_str`](Self::as_str) writes it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == name)
    }

    /// The longest gap between two installments: one year, so that no loan sleeps longer than a set of accounts.
    pub const fn longest_gap(self) -> u32 {
        match self {
            Self::Day => 366,
            Self::Week => 53,
            Self::Month => 12,
        }
    }
}

/// The field of [`LoanTerms`] a violation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `principal`, its amount.
    Principal,
    /// `principal`, its currency.
    Currency,
    /// `annual_rate`.
    AnnualRate,
    /// `installments`.
    Installments,
    /// `every`.
    Every,
}

/// One way terms break a product's limits. All bounds are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TermsViolation {
    /// The principal is in another currency than the product. Its amount is then not compared.
    #[error("This product lends in {expected}; send the principal in {expected}.")]
    CurrencyMismatch {
        /// The product's currency.
        expected: Currency,
        /// The currency of the principal.
        given: Currency,
    },
    /// The principal is too small or too large.
    #[error("Choose a principal from {min} to {max}.")]
    PrincipalOutOfRange {
        /// The smallest principal.
        min: Money,
        /// The largest principal.
        max: Money,
    },
    /// The annual rate is too low or too high.
    #[error("Choose an annual rate from {min} to {max}.")]
    AnnualRateOutOfRange {
        /// The lowest rate.
        min: Rate,
        /// The highest rate.
        max: Rate,
    },
    /// Too few or too many installments.
    #[error("Choose a number of installments from {min} to {max}.")]
    InstallmentsOutOfRange {
        /// The fewest installments.
        min: u32,
        /// The most installments.
        max: u32,
    },
    /// The time between installments is nothing, or more than a year.
    #[error("Let an installment fall due every {min} to {max} {}s.", unit.as_str().to_ascii_lowercase())]
    EveryOutOfRange {
        /// The shortest gap.
        min: u32,
        /// The longest gap.
        max: u32,
        /// The unit both count.
        unit: PeriodUnit,
    },
}

impl TermsViolation {
    /// The field to mend.
    pub const fn field(self) -> Field {
        match self {
            Self::CurrencyMismatch { .. } => Field::Currency,
            Self::PrincipalOutOfRange { .. } => Field::Principal,
            Self::AnnualRateOutOfRange { .. } => Field::AnnualRate,
            Self::InstallmentsOutOfRange { .. } => Field::Installments,
            Self::EveryOutOfRange { .. } => Field::Every,
        }
    }

    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            Self::PrincipalOutOfRange { .. } => "PRINCIPAL_OUT_OF_RANGE",
            Self::AnnualRateOutOfRange { .. } => "ANNUAL_RATE_OUT_OF_RANGE",
            Self::InstallmentsOutOfRange { .. } => "INSTALLMENTS_OUT_OF_RANGE",
            Self::EveryOutOfRange { .. } => "EVERY_OUT_OF_RANGE",
        }
    }
}
