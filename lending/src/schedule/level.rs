//! The equal installment: the amount that, paid for every period, just consumes a balance at the periods' rates.

use rust_decimal::Decimal;

use crate::loan::FoldError;

/// `balance / Σ v_k` with `v_k = Π_{j ≤ k} 1 / (1 + r_j)`: the same as `P·Π(1+r) / F_n` with `F_k = 1 + F_{k−1}(1+r_k)`,
/// in a form that cannot overflow. `fractions` are the periods' rates.
///
/// # Errors
/// [`FoldError::Overflow`]; [`FoldError::ImpossibleTerms`] without a period.
pub(crate) fn level(balance: i64, fractions: &[Decimal]) -> Result<Decimal, FoldError> {
    let mut discount = Decimal::ONE;
    let mut sum = Decimal::ZERO;
    for fraction in fractions {
        let growth = Decimal::ONE.checked_add(*fraction).ok_or(FoldError::Overflow)?;
        discount = discount.checked_div(growth).ok_or(FoldError::Overflow)?;
        sum = sum.checked_add(discount).ok_or(FoldError::Overflow)?;
    }
    Decimal::from(balance).checked_div(sum).ok_or(FoldError::ImpossibleTerms { field: "installments" })
}

/// Whether the last installment lies far enough from the others to be evened out, and by how much to move them:
/// with `D = last − level` in currency units, when `100·|D| > floor(n / 2)`, by `D / movable`.
pub(crate) fn evening(
    level: i64,
    last: i64,
    count: usize,
    movable: usize,
    exponent: u32,
) -> Result<Option<i64>, FoldError> {
    let overflow = || FoldError::Overflow;
    let difference = last.checked_sub(level).ok_or_else(overflow)?;
    let half = i128::try_from(count / 2).map_err(|_| overflow())?;
    let per_unit = 10_i128.checked_pow(exponent).ok_or_else(overflow)?;
    let hundredfold = i128::from(difference).abs().checked_mul(100).ok_or_else(overflow)?;
    if half == 0 || difference == 0 || hundredfold <= half.checked_mul(per_unit).ok_or_else(overflow)? {
        return Ok(None);
    }
    let movable = i64::try_from(movable.max(1)).map_err(|_| overflow())?;
    Ok(Some(crate::rounding::share(difference, 1, movable)?))
}
