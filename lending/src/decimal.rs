//! Plain decimal text to scaled integers and back, shared by amounts and rates. It never rounds and never accepts a
//! notation that two readers could understand differently (exponents, `+`, spaces, `.5`, `5.`, grouping).

use std::iter::repeat_n;

/// Why a text is not a scaled integer. Callers translate it into their own error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecimalError {
    Malformed,
    TooManyDecimals,
    Overflow,
}

/// Reads `-?[0-9]+(\.[0-9]+)?` as an integer scaled by 10^`scale`: "12.5" at scale 2 is 1250.
///
/// Surplus decimals are refused even when they are zeros: a caller who sends "8400.00" for a currency without decimals
/// has the wrong currency in mind, and that is worth hearing about.
pub(crate) fn parse(text: &str, scale: u8) -> Result<i64, DecimalError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Malformed),
        Some((whole, fraction)) => (whole, fraction),
        None => (unsigned, ""),
    };
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits {
        return Err(DecimalError::Malformed);
    }
    let padding = usize::from(scale).checked_sub(fraction.len()).ok_or(DecimalError::TooManyDecimals)?;

    // Counted downwards, because i64 reaches one further below zero than above it.
    let mut value: i64 = 0;
    for byte in whole.bytes().chain(fraction.bytes()).chain(repeat_n(b'0', padding)) {
        let digit = i64::from(byte.saturating_sub(b'0'));
        value = value.checked_mul(10).and_then(|v| v.checked_sub(digit)).ok_or(DecimalError::Overflow)?;
    }
    if negative { Ok(value) } else { value.checked_neg().ok_or(DecimalError::Overflow) }
}

/// Writes an integer scaled by 10^`scale` with exactly `scale` decimals: 1250 at scale 2 is "12.50".
pub(crate) fn format(value: i64, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let decimals = usize::from(scale);
    let width = decimals.saturating_add(1);
    let digits = format!("{:0>width$}", value.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
