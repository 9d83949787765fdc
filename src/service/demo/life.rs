//! How the loans of the demonstration live: from the application through steps that `lending` judges as it would judge
//! anyone's. Nothing here can make a loan that the rules do not allow.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lending::loan::{Business, Lifecycle, TransitionError};
use lending::money::Money;

use super::countries::Country;
use super::defect;
use crate::service::ServiceError;

/// The last day of the demonstration; nothing in it is dated later. Long past on purpose: nothing that a user does
/// with these loans can then be refused because the loan lies in the future.
pub(super) const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// A step of a loan before any money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The manager agrees, to this much or else to what was applied for.
    Approve(Option<Money>),
    /// The manager refuses.
    Reject(Option<&'static str>),
    /// The borrower gives up.
    Withdraw(Option<&'static str>),
}

/// Where a loan is, and what its row says of how it got there.
pub(super) struct Life {
    /// The lifecycle so far.
    pub state: Lifecycle,
    /// One, and one more for each step.
    pub version: i64,
    /// When the last step was taken.
    pub updated_at: DateTime<Utc>,
}

/// An application of that moment and what came of it: each step with the number of days from the application to it.
/// Steps that would come after the demonstration's last day are still to come, and left out.
pub(super) fn live(
    country: &Country,
    taken_by: &str,
    amount: Money,
    created_at: DateTime<Utc>,
    steps: &[(Step, i64)],
) -> Result<Life, ServiceError> {
    let business = Business { today: LAST_DAY, maker_checker: true };
    let applied_on = created_at.with_timezone(&country.time_zone).date_naive();
    let state = Lifecycle::apply(applied_on, taken_by.to_owned(), amount, business).map_err(defect)?;
    let mut life = Life { state, version: 1, updated_at: created_at };
    for (step, days) in steps {
        let later = TimeDelta::days(*days);
        let on = applied_on + later;
        if on > LAST_DAY {
            break;
        }
        life.state = take(life.state, *step, on, country, taken_by, business).map_err(defect)?;
        life.version += 1;
        life.updated_at = created_at + later;
    }
    Ok(life)
}

fn take(
    state: Lifecycle,
    step: Step,
    on: NaiveDate,
    country: &Country,
    officer: &str,
    business: Business,
) -> Result<Lifecycle, TransitionError> {
    let reason = |text: Option<&str>| text.map(str::to_owned);
    match step {
        Step::Approve(amount) => state.approve(on, country.manager(), amount, business),
        Step::Reject(why) => state.reject(on, country.manager(), reason(why), business),
        Step::Withdraw(why) => state.withdraw(on, officer.to_owned(), reason(why), business),
    }
}
