//! Reading columns back into the types of the domain. A value that does not parse was not written by this code, and is
//! reported as corrupt instead of being guessed at.

use lending::loan::PeriodUnit;
use lending::money::{Currency, Money};

use super::error::StoreError;

pub(super) fn currency(code: &str) -> Result<Currency, StoreError> {
    Currency::parse(code).map_err(|error| StoreError::Corrupt(format!("currency {code:?}: {error}")))
}

pub(super) fn unit(name: &str) -> Result<PeriodUnit, StoreError> {
    PeriodUnit::parse(name).ok_or_else(|| StoreError::Corrupt(format!("repayment unit {name:?}")))
}

pub(super) fn count(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Corrupt(format!("count {number}")))
}

pub(super) fn required<T>(value: Option<T>, column: &str) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::Corrupt(format!("{column} is missing")))
}

pub(super) fn money(minor: Option<i64>, currency: Currency, column: &str) -> Result<Money, StoreError> {
    Ok(Money::new(required(minor, column)?, currency))
}
