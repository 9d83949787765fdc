//! Conditions as callers send them, for a product and for a single loan alike: every part may be missing and then stays
//! what it was. Reading lays them over what there is and notes what cannot be accepted; whether the whole makes sense is
//! asked of `lending` ([`violations`]).

mod allocation;
mod charges;
mod violations;

use lending::loan::Conditions;
use lending::loan::conditions::{
    Amortization, DayCount, EarlyPaymentRule, InterestMethod, InterestRecalculation, LevelOn, MonthEnd, NonWorkingDays,
    PayoffInterest,
};
use lending::loan::limits::MOST_INSTALLMENTS;
use lending::money::{Currency, Money};
use serde::Serialize;

use super::check::{AmountInput, Change, Check};
use super::problem::{Detail, Problem, ProblemCode};

pub use allocation::AllocationInput;
pub use charges::{ChargeInput, LateChargeInput};
pub use violations::check as check_violations;

/// The most days of a grace or of a delinquency bucket: ten years.
pub const MOST_DAYS: u32 = 3_650;

/// The most delinquency buckets, and the most charges.
pub const MOST_ENTRIES: usize = 20;

/// Conditions as they come in; what is missing stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConditionsInput {
    /// What interest is charged on.
    pub interest_method: Option<InterestMethod>,
    /// How the principal comes back.
    pub amortization: Option<Amortization>,
    /// How days become a fraction of a year.
    pub day_count: Option<DayCount>,
    /// Which periods an equal installment is solved on.
    pub level_on: Option<LevelOn>,
    /// Whether the last installment is evened out with the others.
    pub smooth_last: Option<bool>,
    /// What installments are rounded to.
    pub installment_multiple: Change<AmountInput>,
    /// Installments without principal.
    pub principal_grace: Option<i32>,
    /// Installments whose interest falls due later.
    pub interest_payment_grace: Option<i32>,
    /// Installments without interest.
    pub interest_free_installments: Option<i32>,
    /// Whether interest follows what is really paid.
    pub recalculation: Option<InterestRecalculation>,
    /// What becomes of money paid early.
    pub early_payment: Option<EarlyPaymentRule>,
    /// Up to when interest is due at payoff.
    pub payoff_interest: Option<PayoffInterest>,
    /// What paying off early costs.
    pub early_closure_fee: Option<AmountInput>,
    /// The order in which a payment pays.
    pub allocation: Option<AllocationInput>,
    /// What happens to due dates on days a month does not have.
    pub month_end: Option<MonthEnd>,
    /// What happens to due dates on days the branch does not work.
    pub non_working_days: Option<NonWorkingDays>,
    /// Whether interest runs to the moved due date.
    pub interest_follows_moved_date: Option<bool>,
    /// Days past due before a loan counts as delinquent.
    pub arrears_grace_days: Option<i32>,
    /// Days past due after which a loan counts as defaulted.
    pub default_after_days: Option<i32>,
    /// The upper bounds of the delinquency buckets.
    pub delinquency_buckets: Option<Vec<i32>>,
    /// All charges that every loan bears; the list replaces what there was.
    pub charges: Option<Vec<ChargeInput>>,
    /// The charge for being late.
    pub late_charge: Change<LateChargeInput>,
}

impl ConditionsInput {
    /// These conditions over `base`. What cannot be read is noted below `path`, and `base` stands in for it.
    pub fn lay_over(&self, check: &mut Check, path: &[&str], currency: Currency, base: &Conditions) -> Conditions {
        Conditions {
            interest_method: self.interest_method.unwrap_or(base.interest_method),
            amortization: self.amortization.unwrap_or(base.amortization),
            day_count: self.day_count.unwrap_or(base.day_count),
            level_on: self.level_on.unwrap_or(base.level_on),
            smooth_last: self.smooth_last.unwrap_or(base.smooth_last),
            recalculation: self.recalculation.unwrap_or(base.recalculation),
            early_payment: self.early_payment.unwrap_or(base.early_payment),
            payoff_interest: self.payoff_interest.unwrap_or(base.payoff_interest),
            month_end: self.month_end.unwrap_or(base.month_end),
            non_working_days: self.non_working_days.unwrap_or(base.non_working_days),
            interest_follows_moved_date: self.interest_follows_moved_date.unwrap_or(base.interest_follows_moved_date),
            ..self.lay_over_values(check, path, currency, base)
        }
    }

    /// The parts that can be wrong by themselves; the others are `base`'s.
    fn lay_over_values(&self, check: &mut Check, path: &[&str], currency: Currency, base: &Conditions) -> Conditions {
        let installment_multiple = self.multiple(check, path, currency, base);
        let mut count = |name: &str, given: Option<i32>, most: u32, base: u32| {
            given.and_then(|number| check.count(&[path, &[name]].concat(), number, 0, most)).unwrap_or(base)
        };
        let principal_grace = count("principalGrace", self.principal_grace, MOST_INSTALLMENTS, base.principal_grace);
        let interest_payment_grace =
            count("interestPaymentGrace", self.interest_payment_grace, MOST_INSTALLMENTS, base.interest_payment_grace);
        let interest_free_installments = count(
            "interestFreeInstallments",
            self.interest_free_installments,
            MOST_INSTALLMENTS,
            base.interest_free_installments,
        );
        let early_closure_fee = self
            .early_closure_fee
            .as_ref()
            .and_then(|fee| check.money_in(&[path, &["earlyClosureFee"]].concat(), fee, currency))
            .map_or(base.early_closure_fee, Money::minor);
        let allocation = match &self.allocation {
            Some(given) => given.lay_over(&base.allocation),
            None => base.allocation.clone(),
        };
        let mut count = |name: &str, given: Option<i32>, base: u32| {
            given.and_then(|number| check.count(&[path, &[name]].concat(), number, 0, MOST_DAYS)).unwrap_or(base)
        };
        let arrears_grace_days = count("arrearsGraceDays", self.arrears_grace_days, base.arrears_grace_days);
        let default_after_days = count("defaultAfterDays", self.default_after_days, base.default_after_days);
        let delinquency_buckets = match &self.delinquency_buckets {
            Some(bounds) => buckets(check, &[path, &["delinquencyBuckets"]].concat(), bounds),
            None => base.delinquency_buckets.clone(),
        };
        let charges = match &self.charges {
            Some(given) => charges::read(check, &[path, &["charges"]].concat(), given, currency),
            None => base.charges.clone(),
        };
        let late_charge = match &self.late_charge {
            Change::Keep => base.late_charge.clone(),
            Change::Clear => None,
            Change::Set(given) => given.read(check, &[path, &["lateCharge"]].concat(), currency),
        };
        Conditions {
            installment_multiple,
            principal_grace,
            interest_payment_grace,
            interest_free_installments,
            early_closure_fee,
            allocation,
            arrears_grace_days,
            default_after_days,
            delinquency_buckets,
            charges,
            late_charge,
            ..base.clone()
        }
    }

    fn multiple(&self, check: &mut Check, path: &[&str], currency: Currency, base: &Conditions) -> Option<i64> {
        match &self.installment_multiple {
            Change::Keep => base.installment_multiple,
            Change::Clear => None,
            Change::Set(given) => {
                check.money_in(&[path, &["installmentMultiple"]].concat(), given, currency).map(Money::minor)
            }
        }
    }
}

fn buckets(check: &mut Check, path: &[&str], bounds: &[i32]) -> Vec<u32> {
    if !check.at_most(path, bounds.len(), MOST_ENTRIES) {
        return Vec::new();
    }
    let read = |(index, bound): (usize, &i32)| {
        let index = index.to_string();
        check.count(&[path, &[index.as_str()]].concat(), *bound, 0, MOST_DAYS)
    };
    // Not while one is missing: the others would seem to ascend, or not to.
    let bounds: Vec<Option<u32>> = bounds.iter().enumerate().map(read).collect();
    bounds.into_iter().collect::<Option<Vec<u32>>>().unwrap_or_default()
}

/// Notes an installment multiple beyond the largest principal there can be: all would fall due in the last installment.
pub fn check_multiple(check: &mut Check, path: &[&str], multiple: Option<i64>, most: Money) {
    if multiple.is_some_and(|multiple| multiple > most.minor()) {
        let message = format!("Round installments to {most} or less.");
        let detail = Detail::Amount { min: Some(Money::smallest(most.currency())), max: Some(most) };
        check.note(Problem::new(ProblemCode::AmountOutOfRange, path, message).with(detail));
    }
}
