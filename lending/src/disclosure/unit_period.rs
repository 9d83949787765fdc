//! The unit-period of Appendix J (b)(4): the period that is most common between the advances and between the payments.
//! It is read from the days themselves; how payments were agreed to recur decides only where the days fit two units
//! equally well.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::credit::Credit;
use super::interval;
use crate::loan::PeriodUnit;

/// The span for which a rate is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UnitPeriod {
    /// So many days; seven of them are a week.
    Days(u64),
    /// Half a month.
    Semimonth,
    /// So many months, at most 12.
    Months(u64),
}

/// A gap of two weeks and a bit can be half a month: from the 1st to the 15th, from the 15th to the 1st.
const SEMIMONTH_DAYS: std::ops::RangeInclusive<u64> = 12..=19;
const LONGEST_DAYS: u64 = 365;
const LONGEST_MONTHS: u64 = 12;

impl UnitPeriod {
    /// The length in days, a month counted as 30 of them, as Appendix J does, and a year as 365.
    const fn nominal_days(self) -> u64 {
        match self {
            Self::Days(days) => days,
            Self::Semimonth => 15,
            Self::Months(12) => 365,
            Self::Months(months) => 30 * months,
        }
    }

    /// The unit-period of a credit with more than one advance or more than one payment.
    pub(super) fn of(credit: &Credit, agreed: PeriodUnit) -> Self {
        let payment_days = credit.payment_days();
        let mut points = vec![credit.start];
        points.extend(&payment_days);
        let mut gaps = gaps(&points);
        gaps.extend(self::gaps(&credit.advance_days()));
        most_common(&gaps, agreed).unwrap_or_else(|| average(&gaps))
    }
}

/// The time between two neighbors of a series and every unit-period it can be taken for.
struct Gap {
    days: u64,
    fits: Vec<UnitPeriod>,
}

fn gaps(points: &[NaiveDate]) -> Vec<Gap> {
    let semimonths = semimonths(points);
    points
        .windows(2)
        .enumerate()
        .filter_map(|(index, pair)| match pair {
            [earlier, later] => Some(Gap {
                days: interval::days(*earlier, *later),
                fits: fits(*earlier, *later, semimonths.contains(&index)),
            }),
            _ => None,
        })
        .collect()
}

fn fits(earlier: NaiveDate, later: NaiveDate, semimonth: bool) -> Vec<UnitPeriod> {
    let mut fits = Vec::new();
    let days = interval::days(earlier, later);
    if (1..=LONGEST_DAYS).contains(&days) {
        fits.push(UnitPeriod::Days(days));
    }
    if semimonth {
        fits.push(UnitPeriod::Semimonth);
    }
    if let Some(months) = whole_months(earlier, later).filter(|months| (1..=LONGEST_MONTHS).contains(months)) {
        fits.push(UnitPeriod::Months(months));
    }
    fits
}

fn whole_months(earlier: NaiveDate, later: NaiveDate) -> Option<u64> {
    let day_of_month = interval::day_of_month(&[earlier, later], earlier);
    let between = interval::months_and_days(earlier, later, day_of_month);
    (between.days == 0).then_some(between.months)
}

/// The gaps that pair with a neighbor to a whole month.
fn semimonths(points: &[NaiveDate]) -> Vec<usize> {
    let mut indices = Vec::new();
    for (index, triple) in points.windows(3).enumerate() {
        if let [first, middle, last] = triple {
            let halves = [interval::days(*first, *middle), interval::days(*middle, *last)];
            if halves.iter().all(|days| SEMIMONTH_DAYS.contains(days)) && whole_months(*first, *last) == Some(1) {
                indices.extend([index, index + 1]);
            }
        }
    }
    indices
}

/// The period that occurs most often, and more than once; the shorter of two equally frequent ones. Where the same gaps
/// can be read as two units (31 days twice, a month twice), the unit that was agreed, or else months.
fn most_common(gaps: &[Gap], agreed: PeriodUnit) -> Option<UnitPeriod> {
    let mut occurrences: BTreeMap<UnitPeriod, Vec<usize>> = BTreeMap::new();
    for (index, gap) in gaps.iter().enumerate() {
        for &unit in &gap.fits {
            occurrences.entry(unit).or_default().push(index);
        }
    }
    occurrences.retain(|_, gaps| gaps.len() > 1);
    let (unit, its_gaps) = occurrences.iter().min_by_key(|(unit, gaps)| (Reverse(gaps.len()), unit.nominal_days()))?;
    occurrences
        .iter()
        .filter(|(_, gaps)| *gaps == its_gaps)
        .map(|(&unit, _)| unit)
        .min_by_key(|&unit| (!is_counted_in(unit, agreed), matches!(unit, UnitPeriod::Days(_))))
        .or(Some(*unit))
}

const fn is_counted_in(unit: UnitPeriod, agreed: PeriodUnit) -> bool {
    match agreed {
        PeriodUnit::Month => matches!(unit, UnitPeriod::Months(_)),
        PeriodUnit::Day | PeriodUnit::Week => matches!(unit, UnitPeriod::Days(_)),
    }
}

/// Without a common period: the average of all of them, rounded to the nearest standard interval, the shorter of two
/// equally near. Standard intervals are a day, half a month, and weeks or months up to a year.
fn average(gaps: &[Gap]) -> UnitPeriod {
    let count = u64::try_from(gaps.len()).unwrap_or(u64::MAX);
    let total = gaps.iter().fold(0_u64, |total, gap| total.saturating_add(gap.days));
    let months = (1..=LONGEST_MONTHS).map(UnitPeriod::Months);
    let weeks = (1..=52).map(|weeks| UnitPeriod::Days(7 * weeks));
    months
        .chain([UnitPeriod::Days(1), UnitPeriod::Semimonth])
        .chain(weeks)
        .min_by_key(|unit| (unit.nominal_days().saturating_mul(count).abs_diff(total), unit.nominal_days()))
        .unwrap_or(UnitPeriod::Months(1))
}
