//! What a loan product allows. Limits are checked for sense once, when the product is written, and terms are checked
//! against them on every application; both report everything that is wrong, so that a form is mended in one go.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::terms::{LoanTerms, TermsViolation};
use crate::money::{Currency, Money};
use crate::rate::Rate;

/// The most installments any product may allow: fifty years of months.
pub const MOST_INSTALLMENTS: u32 = 600;

/// The highest annual rate any product may allow. Short loans are quoted by the day: the 0.8 % a day that the United
/// Kingdom allows at most are 292 % a year.
pub const HIGHEST_RATE: Rate = Rate::from_ppm(10_000_000);

/// The default product's largest principal, in major units of its currency.
const DEFAULT_PRINCIPAL_MAX_MAJOR: i64 = 50_000;

/// The limits of a product; all bounds are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductLimits {
    /// The currency it lends in.
    pub currency: Currency,
    /// The smallest principal, in minor units.
    pub principal_min: i64,
    /// The largest principal, in minor units.
    pub principal_max: i64,
    /// The lowest annual rate, in parts per million.
    pub rate_min_ppm: i64,
    /// The highest annual rate, in parts per million.
    pub rate_max_ppm: i64,
    /// The fewest installments.
    pub installments_min: u32,
    /// The most installments.
    pub installments_max: u32,
}

/// The field of [`ProductLimits`] a violation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitsField {
    /// `principal_min`.
    PrincipalMin,
    /// `principal_max`.
    PrincipalMax,
    /// `rate_min_ppm`.
    RateMin,
    /// `rate_max_ppm`.
    RateMax,
    /// `installments_min`.
    InstallmentsMin,
    /// `installments_max`.
    InstallmentsMax,
}

/// One way limits make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LimitsViolation {
    /// The smallest principal is nothing or less.
    #[error("Set the smallest principal to {min} or more.")]
    PrincipalNotPositive {
        /// The least it may be.
        min: Money,
    },
    /// A bound of the rate lies outside 0 % to [`HIGHEST_RATE`].
    #[error("Set the annual rate limit from {min} to {max}.")]
    RateOutOfRange {
        /// Which bound.
        field: LimitsField,
        /// The lowest rate a limit may be.
        min: Rate,
        /// The highest rate a limit may be.
        max: Rate,
    },
    /// A bound of the installments lies outside 1 to [`MOST_INSTALLMENTS`].
    #[error("Set the installment limit from {min} to {max}.")]
    InstallmentsOutOfRange {
        /// Which bound.
        field: LimitsField,
        /// The fewest installments a limit may be.
        min: u32,
        /// The most installments a limit may be.
        max: u32,
    },
    /// A maximum lies below its minimum.
    #[error("Set the maximum to the minimum or more.")]
    MaxBelowMin {
        /// The maximum in question.
        field: LimitsField,
    },
}

impl LimitsViolation {
    /// The field to mend.
    pub const fn field(self) -> LimitsField {
        match self {
            Self::PrincipalNotPositive { .. } => LimitsField::PrincipalMin,
            Self::RateOutOfRange { field, .. }
            | Self::InstallmentsOutOfRange { field, .. }
            | Self::MaxBelowMin { field } => field,
        }
    }

    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PrincipalNotPositive { .. } => "PRINCIPAL_NOT_POSITIVE",
            Self::RateOutOfRange { .. } => "ANNUAL_RATE_OUT_OF_RANGE",
            Self::InstallmentsOutOfRange { .. } => "INSTALLMENTS_OUT_OF_RANGE",
            Self::MaxBelowMin { .. } => "MAX_BELOW_MIN",
        }
    }
}

impl ProductLimits {
    /// The default product: up to 50,000 major units, 0 to 100 % a year, 1 to [`MOST_INSTALLMENTS`] installments.
    pub fn default_for(currency: Currency) -> Self {
        let minor_per_major = 10_i64.saturating_pow(currency.exponent());
        Self {
            currency,
            principal_min: 1,
            principal_max: DEFAULT_PRINCIPAL_MAX_MAJOR.saturating_mul(minor_per_major),
            rate_min_ppm: Rate::ZERO.ppm(),
            rate_max_ppm: Rate::HUNDRED_PERCENT.ppm(),
            installments_min: 1,
            installments_max: MOST_INSTALLMENTS,
        }
    }

    /// Whether these limits make sense by themselves.
    ///
    /// # Errors
    /// Every violation, in the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<LimitsViolation>> {
        let mut found = Vec::new();
        if self.principal_min < 1 {
            found.push(LimitsViolation::PrincipalNotPositive { min: Money::smallest(self.currency) });
        }
        if self.principal_max < self.principal_min {
            found.push(LimitsViolation::MaxBelowMin { field: LimitsField::PrincipalMax });
        }
        found.extend(rate_bound(self.rate_min_ppm, LimitsField::RateMin));
        found.extend(rate_bound(self.rate_max_ppm, LimitsField::RateMax));
        if self.rate_max_ppm < self.rate_min_ppm {
            found.push(LimitsViolation::MaxBelowMin { field: LimitsField::RateMax });
        }
        found.extend(installments_bound(self.installments_min, LimitsField::InstallmentsMin));
        found.extend(installments_bound(self.installments_max, LimitsField::InstallmentsMax));
        if self.installments_max < self.installments_min {
            found.push(LimitsViolation::MaxBelowMin { field: LimitsField::InstallmentsMax });
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    /// Every way `terms` break these limits, in the order of the fields; empty when they are acceptable.
    pub fn check(&self, terms: &LoanTerms) -> Vec<TermsViolation> {
        let mut found = Vec::new();
        found.extend(self.check_principal(terms.principal));
        if !(self.rate_min_ppm..=self.rate_max_ppm).contains(&terms.annual_rate.ppm()) {
            let (min, max) = (Rate::from_ppm(self.rate_min_ppm), Rate::from_ppm(self.rate_max_ppm));
            found.push(TermsViolation::AnnualRateOutOfRange { min, max });
        }
        if !(self.installments_min..=self.installments_max).contains(&terms.installments) {
            let (min, max) = (self.installments_min, self.installments_max);
            found.push(TermsViolation::InstallmentsOutOfRange { min, max });
        }
        let gaps: RangeInclusive<u32> = 1..=terms.unit.longest_gap();
        if !gaps.contains(&terms.every) {
            let (min, max) = (*gaps.start(), *gaps.end());
            found.push(TermsViolation::EveryOutOfRange { min, max, unit: terms.unit });
        }
        found
    }

    fn check_principal(&self, principal: Money) -> Option<TermsViolation> {
        if principal.currency() != self.currency {
            return Some(TermsViolation::CurrencyMismatch { expected: self.currency, given: principal.currency() });
        }
        if (self.principal_min..=self.principal_max).contains(&principal.minor()) {
            return None;
        }
        let min = Money::new(self.principal_min, self.currency);
        let max = Money::new(self.principal_max, self.currency);
        Some(TermsViolation::PrincipalOutOfRange { min, max })
    }
}

fn rate_bound(ppm: i64, field: LimitsField) -> Option<LimitsViolation> {
    let (min, max) = (Rate::ZERO, HIGHEST_RATE);
    let in_range = (min..=max).contains(&Rate::from_ppm(ppm));
    (!in_range).then_some(LimitsViolation::RateOutOfRange { field, min, max })
}

fn installments_bound(count: u32, field: LimitsField) -> Option<LimitsViolation> {
    let (min, max) = (1, MOST_INSTALLMENTS);
    let in_range = (min..=max).contains(&count);
    (!in_range).then_some(LimitsViolation::InstallmentsOutOfRange { field, min, max })
}
