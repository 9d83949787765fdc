//! The currencies a loan can be kept in: the ISO 4217 codes that are money people can be paid in. Metals, drawing
//! rights, test codes and indexed units of account are in the ISO table too, and are refused here.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// An ISO 4217 currency with its number of decimals. Ordered by code.
///
/// Superseded codes stay valid, because old books are kept in them (and the table counts VES among them, which is
/// still in use).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    iso: iso_currency::Currency,
    exponent: u8,
}

/// Why a code names no currency a loan can be kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CurrencyError {
    /// Not three upper-case letters, or not in ISO 4217.
    #[error("Use a three-letter upper-case ISO 4217 currency code, such as KES.")]
    Unknown,
    /// In ISO 4217, but a metal, a fund, a unit of account or a reserved code.
    #[error("This ISO 4217 code is not money a loan can be paid in; use a national currency, such as KES.")]
    NotMoney,
}

impl CurrencyError {
    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN_CURRENCY",
            Self::NotMoney => "UNSUPPORTED_CURRENCY",
        }
    }
}

impl Currency {
    /// Reads an upper-case ISO 4217 code: "KES".
    ///
    /// # Errors
    /// [`CurrencyError::Unknown`] for anything that is no such code (lower case included),
    /// [`CurrencyError::NotMoney`] for codes nobody can be paid in (XXX, XTS, XAU, XDR, BOV, …).
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        let iso = iso_currency::Currency::from_code(code).ok_or(CurrencyError::Unknown)?;
        if iso.is_special() || iso.is_fund() {
            return Err(CurrencyError::NotMoney);
        }
        let exponent = iso.exponent().and_then(|digits| u8::try_from(digits).ok()).ok_or(CurrencyError::NotMoney)?;
        Ok(Self { iso, exponent })
    }

    /// The three-letter code: "KES".
    pub fn code(self) -> &'static str {
        self.iso.code()
    }

    /// How many decimals an amount has: 2 for KES, 0 for VND, 3 for BHD.
    pub fn exponent(self) -> u32 {
        u32::from(self.exponent)
    }

    pub(crate) const fn scale(self) -> u8 {
        self.exponent
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).map_err(de::Error::custom)
    }
}
