//! The terms of a loan and the conditions of a product as callers send them.

use async_graphql::{InputObject, MaybeUndefined};

use super::allocation::AllocationInput;
use super::charge_terms::{ChargeTermsInput, LateChargeInput};
use super::money::MoneyInput;
use super::scalars::{Date, Decimal};
use super::term_choices::{
    Amortization, DayCount, EarlyPaymentRule, InterestMethod, InterestRecalculation, LevelOn, MonthEnd, NonWorkingDays,
    PayoffInterest, PeriodUnit,
};
use crate::service::check::Change;
use crate::service::conditions::ConditionsInput;
use crate::service::loan_terms::TermsInput;

/// The terms of a loan; what is left out, or null where null is not said to mean something, comes from the product. A loan may override every one of its product's conditions; rate and installments must be within the product's limits.
#[derive(Debug, Clone, InputObject)]
pub struct LoanTermsInput {
    /// The nominal annual rate in percent, with at most four decimals. The same as `annualRate` beside the terms: if both are sent they must be equal.
    pub annual_rate: Option<Decimal>,
    /// The number of installments. The same as `installments` beside the terms: if both are sent they must be equal.
    pub installments: Option<i32>,
    /// An installment falls due every so many units, at most a year.
    pub every: Option<i32>,
    /// The unit of `every`.
    pub unit: Option<PeriodUnit>,
    /// The first due date, from which the others are counted: after the day of the application, and at most 24 months after it. If omitted, one period after the first disbursement.
    pub first_due_on: Option<Date>,
    /// How interest, schedule and payments are worked out.
    #[graphql(flatten)]
    pub conditions: LoanConditionsInput,
}

/// How interest, schedule, payments, arrears and charges of a product's loans are worked out; what is left out stays as it is, or in a new product takes its default.
#[derive(Debug, Clone, InputObject)]
pub struct LoanConditionsInput {
    /// What interest is charged on; DECLINING_BALANCE by default.
    pub interest_method: Option<InterestMethod>,
    /// How the principal comes back; EQUAL_INSTALLMENTS by default.
    pub amortization: Option<Amortization>,
    /// How the days between two dates become a fraction of a year; PERIODIC by default.
    pub day_count: Option<DayCount>,
    /// Which periods an equal installment is solved on; ACTUAL_PERIODS by default.
    pub level_on: Option<LevelOn>,
    /// Whether the last installment is evened out with the others; false by default.
    pub smooth_last: Option<bool>,
    /// Installments are rounded to a multiple of this amount, above 0 and at most the principal (a product: its largest one); null: to the currency's smallest amount, as by default.
    pub installment_multiple: MaybeUndefined<MoneyInput>,
    /// The first so many installments have no principal, fewer than there are installments; 0 by default.
    pub principal_grace: Option<i32>,
    /// The interest of the first so many installments falls due with the first one after them, fewer than there are installments; 0 by default.
    pub interest_payment_grace: Option<i32>,
    /// The first so many installments bear no interest at all, at most all of them; 0 by default.
    pub interest_free_installments: Option<i32>,
    /// Whether interest follows what is really paid; FIXED by default. Flat interest is always FIXED.
    pub recalculation: Option<InterestRecalculation>,
    /// What becomes of money paid early when interest is recalculated; NEXT_INSTALLMENTS by default.
    pub early_payment: Option<EarlyPaymentRule>,
    /// Up to when interest is due when the loan is paid off within a period; TO_DATE by default.
    pub payoff_interest: Option<PayoffInterest>,
    /// What paying off early costs, 0 or more; 0 by default.
    pub early_closure_fee: Option<MoneyInput>,
    /// The order in which payments pay what is owed.
    pub allocation: Option<AllocationInput>,
    /// What happens to a due date on a day its month does not have; CLAMP by default.
    pub month_end: Option<MonthEnd>,
    /// What happens to a due date on a day the branch does not work; KEEP by default.
    pub non_working_days: Option<NonWorkingDays>,
    /// Whether interest runs to the moved due date instead of the one that was moved; false by default.
    pub interest_follows_moved_date: Option<bool>,
    /// The loan counts as delinquent only after so many days past due, 0 to 3,650; 0 by default.
    pub arrears_grace_days: Option<i32>,
    /// The loan counts as defaulted after so many days past due, 1 to 3,650; 90 by default.
    pub default_after_days: Option<i32>,
    /// The upper bounds, in days past due, of the ranges that loans are sorted into: at most 20 from 0 to 3,650, ascending; beyond the last one is a further, open range. [0, 3, 30, 60, 90, 120, 150, 180, 240] by default.
    pub delinquency_buckets: Option<Vec<i32>>,
    /// The charges that every loan bears, at most 20; the list replaces the one there was. None by default. What is kept from the proceeds must be less than the principal.
    pub charges: Option<Vec<ChargeTermsInput>>,
    /// The charge for being late; null: none, as by default.
    pub late_charge: MaybeUndefined<LateChargeInput>,
}

fn change<T, U: From<T>>(given: MaybeUndefined<T>) -> Change<U> {
    match given {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::Set(value.into()),
    }
}

impl From<LoanTermsInput> for TermsInput {
    fn from(input: LoanTermsInput) -> Self {
        Self {
            annual_rate: input.annual_rate.map(|rate| rate.0),
            installments: input.installments,
            every: input.every,
            unit: input.unit.map(Into::into),
            first_due_on: input.first_due_on.map(|date| date.0),
            conditions: input.conditions.into(),
        }
    }
}

impl From<LoanConditionsInput> for ConditionsInput {
    fn from(input: LoanConditionsInput) -> Self {
        Self {
            interest_method: input.interest_method.map(Into::into),
            amortization: input.amortization.map(Into::into),
            day_count: input.day_count.map(Into::into),
            level_on: input.level_on.map(Into::into),
            smooth_last: input.smooth_last,
            installment_multiple: change(input.installment_multiple),
            principal_grace: input.principal_grace,
            interest_payment_grace: input.interest_payment_grace,
            interest_free_installments: input.interest_free_installments,
            recalculation: input.recalculation.map(Into::into),
            early_payment: input.early_payment.map(Into::into),
            payoff_interest: input.payoff_interest.map(Into::into),
            early_closure_fee: input.early_closure_fee.map(Into::into),
            allocation: input.allocation.map(Into::into),
            month_end: input.month_end.map(Into::into),
            non_working_days: input.non_working_days.map(Into::into),
            interest_follows_moved_date: input.interest_follows_moved_date,
            arrears_grace_days: input.arrears_grace_days,
            default_after_days: input.default_after_days,
            delinquency_buckets: input.delinquency_buckets,
            charges: input.charges.map(|list| list.into_iter().map(Into::into).collect()),
            late_charge: change(input.late_charge),
        }
    }
}
