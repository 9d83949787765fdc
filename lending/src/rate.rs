//! Annual interest rates as whole parts per million, so that 28.5 % is exactly 285,000. Which rates a lender may
//! charge is a product's business ([`crate::loan::limits`]), not decided here.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::decimal::{self, DecimalError};

/// Decimals of a percentage: the fourth is one part per million.
const PERCENT_DECIMALS: u8 = 4;

/// An annual rate in parts per million of the balance: 1 % is 10,000. In serde it is the percentage as text, "28.5".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate {
    ppm: i64,
}

/// Why a text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RateError {
    /// Not a plain decimal number.
    #[error("Write the rate in percent a year as a plain decimal number, such as 28.5, without a percent sign.")]
    Malformed,
    /// Finer than one part per million.
    #[error("Rates have at most 4 decimals of a percent; send the exact rate.")]
    TooManyDecimals,
    /// Beyond what 64 bits of parts per million hold.
    #[error("This rate is too large to keep; send a smaller one.")]
    Overflow,
}

impl RateError {
    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "INVALID_RATE",
            Self::TooManyDecimals => "TOO_MANY_DECIMALS",
            Self::Overflow => "RATE_OVERFLOW",
        }
    }
}

impl Rate {
    /// No interest.
    pub const ZERO: Self = Self::from_ppm(0);
    /// 100 % a year.
    pub const HUNDRED_PERCENT: Self = Self::from_ppm(1_000_000);

    /// A rate from parts per million: 285,000 is 28.5 %.
    pub const fn from_ppm(ppm: i64) -> Self {
        Self { ppm }
    }

    /// The rate in parts per million.
    pub const fn ppm(self) -> i64 {
        self.ppm
    }

    /// Reads a percentage a year, `-?[0-9]+(\.[0-9]{1,4})?`: "28", "28.5", "0.0001". Any sign; limits are checked
    /// against a product.
    ///
    /// # Errors
    /// [`RateError`]; a fifth decimal is refused, never rounded.
    pub fn parse_percent(text: &str) -> Result<Self, RateError> {
        match decimal::parse(text, PERCENT_DECIMALS) {
            Ok(ppm) => Ok(Self::from_ppm(ppm)),
            Err(DecimalError::Malformed) => Err(RateError::Malformed),
            Err(DecimalError::TooManyDecimals) => Err(RateError::TooManyDecimals),
            Err(DecimalError::Overflow) => Err(RateError::Overflow),
        }
    }

    /// The shortest percentage that reads back as this rate: "28", "28.5".
    pub fn to_percent_string(self) -> String {
        let exact = decimal::format(self.ppm, PERCENT_DECIMALS);
        exact.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} %", self.to_percent_string())
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_percent_string())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = String::deserialize(deserializer)?;
        Self::parse_percent(&percent).map_err(de::Error::custom)
    }
}
