//! The search for the rate at which payments are worth what was advanced. It bisects whole parts per trillion, so that
//! it ends after a known number of steps with two neighboring rates between which the balance changes its sign, or says
//! that there is no such rate. It never guesses.

use super::DisclosureError;
use super::fixed::ExactSum;

/// The first upper bound tried: 10 %.
const FIRST_BOUND: i64 = 100_000_000_000;
/// The highest rate that is looked for: 10,000,000 % a year. Discount factors lose their meaning beyond it.
const HIGHEST_RATE: i64 = 100_000_000_000_000_000;

/// The rate in parts per trillion at which `present_value` (payments minus advances, discounted at a rate) is nearest to
/// zero. The caller has made sure that it is not negative at 0 and changes its sign once. At most 77 evaluations.
///
/// # Errors
/// [`DisclosureError::RateTooHigh`] when the payments are worth more than the advances even at the highest rate.
pub(super) fn rate(present_value: impl Fn(i64) -> ExactSum) -> Result<i64, DisclosureError> {
    let (mut low, mut high) = (0, FIRST_BOUND);
    while !present_value(high).is_negative() {
        if high == HIGHEST_RATE {
            return Err(DisclosureError::RateTooHigh);
        }
        low = high;
        high = high.saturating_mul(2).min(HIGHEST_RATE);
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if present_value(middle).is_negative() {
            high = middle;
        } else {
            low = middle;
        }
    }
    // Where the exact rate is a whole number of parts, the last binary digit decides on which side of it zero falls:
    // the nearer neighbor is that number.
    let high_is_nearer = !present_value(low).plus(present_value(high)).is_negative();
    Ok(if high_is_nearer && !is_zero(present_value(low)) { high } else { low })
}

fn is_zero(sum: ExactSum) -> bool {
    sum == ExactSum::default()
}
