//! Fixed-point arithmetic for discount factors: numbers from 0 to 1 with 62 binary digits after the point, about 18
//! decimal ones. It knows nothing of money or dates. Every function names the range in which it cannot overflow.

use std::fmt;

/// Binary digits after the point. The product of two factors, 124 bits, still fits in an `i128`.
const FRACTION_BITS: u32 = 62;
/// The number one.
pub(super) const ONE: i128 = 1 << FRACTION_BITS;
const HALF_UNIT: i128 = 1 << (FRACTION_BITS - 1);
/// ln 2, cut off after the 62nd binary digit.
const LN_2: i128 = 3_196_577_161_300_663_914;
/// Rates are counted in parts per trillion.
const TRILLION: i128 = 1_000_000_000_000;
/// Terms of both power series: what they leave out is below the last binary digit.
const SERIES_TERMS: i128 = 24;

/// A rate in parts per trillion as a fixed-point number, at least 0. Any `i64` fits.
pub(super) fn from_parts_per_trillion(rate: i64) -> i128 {
    (i128::from(rate.max(0)) << FRACTION_BITS) / TRILLION
}

/// The product of two factors from 0 to 1, rounded.
pub(super) const fn multiply(left: i128, right: i128) -> i128 {
    (left * right + HALF_UNIT) >> FRACTION_BITS
}

/// 1 / `number`, for a number of 1 or more.
pub(super) const fn reciprocal(number: i128) -> i128 {
    (ONE << FRACTION_BITS) / number
}

/// `base` to the power of `exponent`, for a base from 0 to 1. Takes at most 128 multiplications.
pub(super) fn power(base: i128, exponent: u64) -> i128 {
    let (mut result, mut square, mut rest) = (ONE, base, exponent);
    while rest > 0 {
        if rest % 2 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        rest /= 2;
    }
    result
}

/// ln `number`, for a number from 1 to 2^62: the power of two is split off, the rest goes through
/// ln m = 2·artanh((m − 1) / (m + 1)).
pub(super) fn natural_logarithm(number: i128) -> i128 {
    let (mut mantissa, mut doublings) = (number, 0);
    while mantissa >= 2 * ONE {
        mantissa /= 2;
        doublings += LN_2;
    }
    let ratio = ((mantissa - ONE) << FRACTION_BITS) / (mantissa + ONE);
    let square = multiply(ratio, ratio);
    let (mut sum, mut term) = (0, ratio);
    for step in 0..SERIES_TERMS {
        sum += term / (2 * step + 1);
        term = multiply(term, square);
    }
    doublings + 2 * sum
}

/// e to the power of −`number`, for a number of 0 or more: 2^−k · e^−r with r below ln 2, by the power series.
pub(super) fn exponential_of_negative(number: i128) -> i128 {
    let (halvings, rest) = (number / LN_2, number % LN_2);
    let Ok(halvings) = u32::try_from(halvings) else { return 0 };
    let series = (1..=SERIES_TERMS).rev().fold(ONE, |inner, step| ONE - multiply(rest, inner) / step);
    series.checked_shr(halvings).unwrap_or(0)
}

/// An exact sum of amounts times factors: `high`·2^64 + `low`. Exact, so that scaling every amount scales the sum and
/// never changes its sign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct ExactSum {
    high: i128,
    low: i128,
}

impl ExactSum {
    const LOW_BITS: u32 = 64;
    const LOW_MASK: i128 = (1 << Self::LOW_BITS) - 1;

    /// Adds `amount` times a factor from 0 to 1.
    pub(super) fn add_product(self, amount: i64, factor: i128) -> Self {
        let product = i128::from(amount) * factor;
        self.plus(Self { high: product >> Self::LOW_BITS, low: product & Self::LOW_MASK })
    }

    /// The sum of two sums. `high` grows by at most 2^61 a term, so that no list in memory can overflow it.
    pub(super) const fn plus(self, other: Self) -> Self {
        let low = self.low + other.low;
        Self { high: self.high + other.high + (low >> Self::LOW_BITS), low: low & Self::LOW_MASK }
    }

    /// Below zero.
    pub(super) const fn is_negative(self) -> bool {
        self.high < 0
    }
}

impl fmt::Debug for ExactSum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}·2^64 + {}", self.high, self.low)
    }
}
