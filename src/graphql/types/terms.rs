//! The terms of a loan, and the part of them that a product decides.

use async_graphql::SimpleObject;
use lending::loan::Conditions;
use lending::money::Currency;

use super::allocation::Allocation;
use super::charge_terms::{ChargeTerms, LateCharge};
use super::delinquency::DelinquencyBucket;
use super::money::Money;
use super::scalars::{Date, Decimal};
use super::term_choices::{
    Amortization, DayCount, EarlyPaymentRule, InterestMethod, InterestRecalculation, LevelOn, MonthEnd, NonWorkingDays,
    PayoffInterest, PeriodUnit,
};
use super::written::written;

/// What was agreed when the loan was applied for. It stays as it is when the product changes.
#[derive(Debug, Clone, SimpleObject)]
pub struct LoanTerms {
    /// The amount applied for.
    pub principal: Money,
    /// The nominal annual rate in percent.
    pub annual_rate: Decimal,
    /// The number of installments.
    pub installments: u32,
    /// An installment falls due every so many units.
    pub every: u32,
    /// The unit of `every`.
    pub unit: PeriodUnit,
    /// The first due date, from which the others are counted; null when it follows from the first disbursement.
    pub first_due_on: Option<Date>,
    /// How interest, schedule and payments are worked out.
    #[graphql(flatten)]
    pub conditions: LoanConditions,
}

written!(LoanTerms {
    "principal": object |it, _| it.principal,
    "annualRate": value |it, _| it.annual_rate,
    "installments": value |it, _| it.installments,
    "every": value |it, _| it.every,
    "unit": value |it, _| it.unit,
    "firstDueOn": value |it, _| it.first_due_on,
});

/// How interest, schedule, payments, arrears and charges of a product's loans are worked out, where an application does not say otherwise.
#[derive(Debug, Clone, SimpleObject)]
pub struct LoanConditions {
    /// What interest is charged on.
    pub interest_method: InterestMethod,
    /// How the principal comes back.
    pub amortization: Amortization,
    /// How the days between two dates become a fraction of a year.
    pub day_count: DayCount,
    /// Which periods an equal installment is solved on.
    pub level_on: LevelOn,
    /// Whether the last installment is evened out with the others.
    pub smooth_last: bool,
    /// Installments are rounded to a multiple of this, and the last takes what is left; null when they are rounded to the currency's smallest amount.
    pub installment_multiple: Option<Money>,
    /// The first so many installments have no principal.
    pub principal_grace: u32,
    /// The interest of the first so many installments falls due with the first one after them.
    pub interest_payment_grace: u32,
    /// The first so many installments bear no interest at all.
    pub interest_free_installments: u32,
    /// Whether interest follows what is really paid.
    pub recalculation: InterestRecalculation,
    /// What becomes of money paid early; without effect while interest is FIXED.
    pub early_payment: EarlyPaymentRule,
    /// Up to when interest is due when the loan is paid off within a period.
    pub payoff_interest: PayoffInterest,
    /// What paying off early costs; 0 when it costs nothing.
    pub early_closure_fee: Money,
    /// The order in which payments pay what is owed.
    pub allocation: Allocation,
    /// What happens to a due date on a day its month does not have.
    pub month_end: MonthEnd,
    /// What happens to a due date on a day the branch does not work.
    pub non_working_days: NonWorkingDays,
    /// Whether interest runs to the moved due date instead of the one that was moved.
    pub interest_follows_moved_date: bool,
    /// The loan counts as delinquent only after so many days past due.
    pub arrears_grace_days: u32,
    /// The loan counts as defaulted after so many days past due.
    pub default_after_days: u32,
    /// The ranges of days past due that loans are sorted into, ascending; the last one is open.
    pub delinquency_buckets: Vec<DelinquencyBucket>,
    /// The charges that every loan bears.
    pub charges: Vec<ChargeTerms>,
    /// The charge for being late; null when there is none.
    pub late_charge: Option<LateCharge>,
}

impl From<&lending::loan::LoanTerms> for LoanTerms {
    fn from(terms: &lending::loan::LoanTerms) -> Self {
        Self {
            principal: terms.principal.into(),
            annual_rate: Decimal(terms.annual_rate.to_percent_string()),
            installments: terms.installments,
            every: terms.every,
            unit: terms.unit.into(),
            first_due_on: terms.first_due_on.map(Date),
            conditions: LoanConditions::of(&terms.conditions, terms.principal.currency()),
        }
    }
}

impl LoanConditions {
    /// Conditions whose amounts are in this currency.
    pub fn of(conditions: &Conditions, currency: Currency) -> Self {
        let money = |minor: i64| Money::from(lending::money::Money::new(minor, currency));
        Self {
            interest_method: conditions.interest_method.into(),
            amortization: conditions.amortization.into(),
            day_count: conditions.day_count.into(),
            level_on: conditions.level_on.into(),
            smooth_last: conditions.smooth_last,
            installment_multiple: conditions.installment_multiple.map(money),
            principal_grace: conditions.principal_grace,
            interest_payment_grace: conditions.interest_payment_grace,
            interest_free_installments: conditions.interest_free_installments,
            recalculation: conditions.recalculation.into(),
            early_payment: conditions.early_payment.into(),
            payoff_interest: conditions.payoff_interest.into(),
            early_closure_fee: money(conditions.early_closure_fee),
            allocation: Allocation::from(&conditions.allocation),
            month_end: conditions.month_end.into(),
            non_working_days: conditions.non_working_days.into(),
            interest_follows_moved_date: conditions.interest_follows_moved_date,
            arrears_grace_days: conditions.arrears_grace_days,
            default_after_days: conditions.default_after_days,
            delinquency_buckets: DelinquencyBucket::all(&conditions.delinquency_buckets),
            charges: conditions.charges.iter().map(|charge| ChargeTerms::of(charge, currency)).collect(),
            late_charge: conditions.late_charge.as_ref().map(|charge| LateCharge::of(charge, currency)),
        }
    }
}
