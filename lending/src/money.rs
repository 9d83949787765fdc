//! Amounts of money: a whole number of minor units and their currency. Arithmetic is checked, two currencies never
//! meet in one sum, and nothing here rounds.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use crate::currency::{Currency, CurrencyError};
use crate::decimal::{self, DecimalError};

/// An amount in the minor units of its currency (cents, fils, whole đồng). May be negative.
///
/// Not `Ord`: amounts of two currencies have no order, so comparing goes through [`Money::try_cmp`].
/// In serde it is `{"amount": "12500.00", "currency": "KES"}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why a text is no amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not a plain decimal number.
    #[error(
        "Write the amount as a plain decimal number, such as 12500.00, without a plus sign, spaces or an exponent."
    )]
    Malformed,
    /// More decimals than the currency has. Nothing is rounded.
    #[error("Amounts in {currency} have at most {} decimals; send the exact amount.", currency.exponent())]
    TooManyDecimals {
        /// The currency that sets the number of decimals.
        currency: Currency,
    },
    /// Beyond what 64 bits of minor units hold.
    #[error("This amount is too large to keep; send a smaller one.")]
    Overflow,
}

impl AmountError {
    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "INVALID_AMOUNT",
            Self::TooManyDecimals { .. } => "TOO_MANY_DECIMALS",
            Self::Overflow => "AMOUNT_OVERFLOW",
        }
    }
}

/// Why two amounts cannot be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The result does not fit in 64 bits of minor units.
    #[error("The result of this sum is too large to keep; use smaller amounts.")]
    Overflow,
    /// The two amounts are in different currencies.
    #[error("Use {expected} here, not {given}.")]
    CurrencyMismatch {
        /// The currency of the left amount.
        expected: Currency,
        /// The currency of the right amount.
        given: Currency,
    },
}

impl MoneyError {
    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Overflow => "AMOUNT_OVERFLOW",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
        }
    }
}

impl Money {
    /// The most minor units that anyone may name in one amount. A thousandth of what 64 bits hold, so that the sums of
    /// many such amounts still fit.
    pub const LARGEST_MINOR: i64 = 9_999_999_999_999_999;

    /// An amount of `minor` units: `Money::new(1_250_000, kes)` is 12,500.00 KES.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The smallest amount above nothing: 0.01 KES, 1 VND.
    pub const fn smallest(currency: Currency) -> Self {
        Self::new(1, currency)
    }

    /// The largest amount anyone may name.
    pub const fn largest(currency: Currency) -> Self {
        Self::new(Self::LARGEST_MINOR, currency)
    }

    /// A whole number of major units: `from_major(50_000, vnd)` is 50,000 VND.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the minor units do not fit.
    pub fn from_major(major: i64, currency: Currency) -> Result<Self, MoneyError> {
        let scale = 10_i64.checked_pow(currency.exponent()).ok_or(MoneyError::Overflow)?;
        let minor = major.checked_mul(scale).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, currency))
    }

    /// Reads `-?[0-9]+(\.[0-9]+)?`: "12500", "12500.5" and "12500.00" are fine for KES; "+1", "1e3", ".5", "5." and
    /// "1,000" are not.
    ///
    /// # Errors
    /// [`AmountError`]; surplus decimals are refused even when they are zeros, never rounded.
    pub fn parse_amount(text: &str, currency: Currency) -> Result<Self, AmountError> {
        match decimal::parse(text, currency.scale()) {
            Ok(minor) => Ok(Self::new(minor, currency)),
            Err(DecimalError::Malformed) => Err(AmountError::Malformed),
            Err(DecimalError::TooManyDecimals) => Err(AmountError::TooManyDecimals { currency }),
            Err(DecimalError::Overflow) => Err(AmountError::Overflow),
        }
    }

    /// The amount with exactly its currency's decimals and no currency: "12500.00", "8400", "1.234".
    pub fn to_decimal_string(self) -> String {
        decimal::format(self.minor, self.currency.scale())
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// More than nothing.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Less than nothing.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError`] on overflow or another currency.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.require_same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The difference of two amounts of one currency; may be negative.
    ///
    /// # Errors
    /// [`MoneyError`] on overflow or another currency.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.require_same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The amount with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one amount whose opposite does not fit.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_neg().ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// This sum divided by a count, rounded half to even to the minor unit: the average of `count` amounts.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when there is nothing to divide by.
    pub fn average(self, count: i64) -> Result<Self, MoneyError> {
        if count <= 0 {
            return Err(MoneyError::Overflow);
        }
        let (quotient, remainder) = (self.minor.div_euclid(count), self.minor.rem_euclid(count));
        let up = match remainder.cmp(&count.saturating_sub(remainder)) {
            Ordering::Less => 0,
            Ordering::Greater => 1,
            Ordering::Equal => quotient.rem_euclid(2),
        };
        let minor = quotient.checked_add(up).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The order of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] for another currency.
    pub fn try_cmp(self, other: Self) -> Result<Ordering, MoneyError> {
        self.require_same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    fn require_same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { expected: self.currency, given: other.currency })
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.to_decimal_string(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Money({self})")
    }
}

/// How an amount travels: as text, because readers of JSON numbers lose digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    amount: String,
    currency: Currency,
}

impl From<Money> for Wire {
    fn from(money: Money) -> Self {
        Self { amount: money.to_decimal_string(), currency: money.currency }
    }
}

impl TryFrom<Wire> for Money {
    type Error = AmountError;

    fn try_from(wire: Wire) -> Result<Self, AmountError> {
        Self::parse_amount(&wire.amount, wire.currency)
    }
}
