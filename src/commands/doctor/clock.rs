//! This machine's clock beside somebody else's. Tokens are refused early or late by a wrong one, and the business date
//! changes at the wrong moment.

use chrono::{DateTime, TimeDelta, Utc};

use super::report::Report;

/// Beyond this somebody should look; an answer takes some of it.
const NOTABLE: TimeDelta = TimeDelta::seconds(5);

/// Beyond this tokens are refused that are good.
const WRONG: TimeDelta = TimeDelta::seconds(60);

/// Compares a clock that was read between two looks at ours.
pub fn compare(
    report: &mut Report,
    whose: &str,
    theirs: DateTime<Utc>,
    (before, after): (DateTime<Utc>, DateTime<Utc>),
) {
    let ahead = if theirs < before { before - theirs } else { TimeDelta::zero() };
    let behind = if theirs > after { theirs - after } else { TimeDelta::zero() };
    let (skew, direction) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    let seconds = skew.num_seconds();
    let text = format!("this machine is {seconds} s {direction} {whose}'s clock");
    let remedy = "synchronize both with a time server (chrony, systemd-timesyncd)";
    match skew {
        skew if skew > WRONG => report.fail("clock", text, remedy),
        skew if skew > NOTABLE => report.warn("clock", text, remedy),
        _ => report.ok("clock", format!("within {} s of {whose}'s", NOTABLE.num_seconds())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    fn status(theirs: i64) -> [usize; 3] {
        let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000 + seconds);
        let mut report = Report::default();
        compare(&mut report, "the database", at(theirs), (at(0), at(3)));
        [Status::Ok, Status::Warning, Status::Failed].map(|status| report.count(status))
    }

    #[test]
    fn a_clock_is_judged_by_what_the_time_between_the_looks_cannot_explain() {
        for theirs in [-5, 0, 2, 3, 8] {
            assert_eq!(status(theirs), [1, 0, 0], "{theirs}");
        }
        for theirs in [-60, -6, 9, 63] {
            assert_eq!(status(theirs), [0, 1, 0], "{theirs}");
        }
        for theirs in [-3_600, -61, 64, 86_400] {
            assert_eq!(status(theirs), [0, 0, 1], "{theirs}");
        }
    }
}
