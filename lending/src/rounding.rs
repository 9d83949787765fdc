//! The one place where an exact number becomes minor units: half to even. Nothing else in the crate rounds.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::loan::FoldError;

/// Decimals in which an exact number is told from a half. A twelfth has no end, so that half a cent can come out as
/// 0.4999999999999999999999999998; what differs from a half because of days and rates differs by far more than this.
const DECIMALS: u32 = 15;

/// Whole minor units, half to even.
///
/// # Errors
/// [`FoldError::Overflow`] when they do not fit.
pub(crate) fn to_minor(exact: Decimal) -> Result<i64, FoldError> {
    let exact = exact.round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointNearestEven);
    exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven).to_i64().ok_or(FoldError::Overflow)
}

/// The nearest whole multiple of `multiple` minor units, half to even; the minor unit itself when that would make
/// nothing of something.
///
/// # Errors
/// [`FoldError::Overflow`] when it does not fit.
pub(crate) fn to_multiple(exact: Decimal, multiple: Option<i64>) -> Result<i64, FoldError> {
    let plain = to_minor(exact)?;
    let Some(multiple) = multiple.filter(|multiple| *multiple > 1) else { return Ok(plain) };
    let parts = exact.checked_div(Decimal::from(multiple)).ok_or(FoldError::Overflow)?;
    let rounded = to_minor(parts)?.checked_mul(multiple).ok_or(FoldError::Overflow)?;
    Ok(if rounded == 0 { plain } else { rounded })
}

/// `amount` × `numerator` / `denominator`, half to even.
///
/// # Errors
/// [`FoldError::Overflow`] when it does not fit, or without a denominator.
pub(crate) fn share(amount: i64, numerator: i64, denominator: i64) -> Result<i64, FoldError> {
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    if denominator <= 0 {
        return Err(FoldError::Overflow);
    }
    let product = i128::from(amount).checked_mul(numerator).ok_or(FoldError::Overflow)?;
    let (quotient, remainder) = (product.div_euclid(denominator), product.rem_euclid(denominator));
    let up = match (remainder.saturating_mul(2)).cmp(&denominator) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Greater => 1,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2),
    };
    i64::try_from(quotient.saturating_add(up)).map_err(|_| FoldError::Overflow)
}
