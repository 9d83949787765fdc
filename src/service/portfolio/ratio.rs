//! Portfolio at risk: the outstanding principal of active loans more than so many days past due, over that of all active
//! loans (CGAP's definition). The whole balance of a late loan counts, not only what is late of it.

use lending::loan::FoldError;

use super::Late;

/// A portfolio at risk beyond a number of days past due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtRisk {
    /// The outstanding principal at risk in minor units.
    pub amount: i64,
    /// How many loans.
    pub count: i64,
    /// Its share of the whole, with four digits, half to even; `0.0000` when nothing is outstanding.
    pub ratio: String,
}

/// The part of a portfolio that is more than so many days past due.
///
/// # Errors
/// [`FoldError::Overflow`].
pub fn at_risk(late: &Late, days: u32) -> Result<AtRisk, FoldError> {
    let (amount, count) = late.beyond(days)?;
    Ok(AtRisk { amount, count, ratio: ratio(amount, late.principal) })
}

/// Four digits of a share from 0 to 1, half to even.
fn ratio(part: i64, whole: i64) -> String {
    let (part, whole) = (i128::from(part), i128::from(whole));
    if whole <= 0 {
        return "0.0000".to_owned();
    }
    let scaled = part.saturating_mul(10_000);
    let (quotient, remainder) = (scaled.div_euclid(whole), scaled.rem_euclid(whole));
    let up = match remainder.saturating_mul(2).cmp(&whole) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Greater => 1,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2),
    };
    let rounded = quotient.saturating_add(up);
    format!("{}.{:04}", rounded.div_euclid(10_000), rounded.rem_euclid(10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_has_four_digits_half_to_even() {
        for (part, whole, shown) in [
            (0, 0, "0.0000"),
            (0, 7, "0.0000"),
            (7, 7, "1.0000"),
            (1, 3, "0.3333"),
            (2, 3, "0.6667"),
            (1, 20_000, "0.0000"),
            (3, 20_000, "0.0002"),
            (5, 20_000, "0.0002"),
            (i64::MAX - 1, i64::MAX, "1.0000"),
        ] {
            assert_eq!(ratio(part, whole), shown, "{part} / {whole}");
        }
    }

    #[test]
    fn at_risk_is_beyond_the_days_and_counts_whole_balances() {
        let by_days = [(1, (100, 1)), (30, (200, 2)), (31, (300, 1)), (400, (400, 3))].into();
        let late = Late { principal: 2_000, by_days };
        let of = |days| at_risk(&late, days).map(|risk| (risk.amount, risk.count, risk.ratio));
        assert_eq!(of(0), Ok((1_000, 7, "0.5000".to_owned())));
        assert_eq!(of(1), Ok((900, 6, "0.4500".to_owned())));
        assert_eq!(of(30), Ok((700, 4, "0.3500".to_owned())));
        assert_eq!(of(400), Ok((0, 0, "0.0000".to_owned())));
        assert_eq!(of(u32::MAX), Ok((0, 0, "0.0000".to_owned())));
    }
}
