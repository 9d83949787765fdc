//! How a loan's interest, schedule and payments are worked out: the choices a product makes once and every loan made
//! under it carries as data. Plain values; [`Conditions::violations`] says which combinations make no sense.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::charges::{ChargeTerms, LateCharge};
use crate::named::named;

named! {
    /// What interest is charged on.
    #[derive(Default)]
    InterestMethod {
        /// On the balance that is still owed.
        #[default]
        DecliningBalance = "DECLINING_BALANCE",
        /// On the whole principal for the whole term.
        Flat = "FLAT",
    }
}

named! {
    /// How the principal comes back.
    #[derive(Default)]
    Amortization {
        /// Every installment has the same total.
        #[default]
        EqualInstallments = "EQUAL_INSTALLMENTS",
        /// Every installment has the same principal.
        EqualPrincipal = "EQUAL_PRINCIPAL",
        /// Interest in every installment, all principal in the last.
        InterestOnly = "INTEREST_ONLY",
        /// One installment at maturity, with all principal and all interest.
        Bullet = "BULLET",
    }
}

named! {
    /// How the days between two dates become a fraction of a year.
    #[derive(Default)]
    DayCount {
        /// Every period counts the same, whatever its dates: `every` / 12, 52 or 365 of a year.
        #[default]
        Periodic = "PERIODIC",
        /// Months of 30 days, years of 360, as in the United States.
        Thirty360 = "THIRTY_360",
        /// Months of 30 days, years of 360, as in Europe.
        ThirtyE360 = "THIRTY_E_360",
        /// Days over 365, in leap years too.
        Actual365 = "ACTUAL_365",
        /// Days over 360.
        Actual360 = "ACTUAL_360",
        /// The days of each calendar year over that year's length (ISDA).
        ActualActual = "ACTUAL_ACTUAL",
    }
}

named! {
    /// Which periods an equal installment is solved on. Interest always runs on the real ones.
    #[derive(Default)]
    LevelOn {
        /// The periods as they fall.
        #[default]
        ActualPeriods = "ACTUAL_PERIODS",
        /// Months of 30 days, weeks of 7.
        NominalPeriods = "NOMINAL_PERIODS",
    }
}

named! {
    /// Whether interest follows what is really paid.
    #[derive(Default)]
    InterestRecalculation {
        /// Interest is what the schedule said, whenever it is paid.
        #[default]
        Fixed = "FIXED",
        /// Interest runs on what is owed each day: late money costs more, early money less.
        DailyBalance = "DAILY_BALANCE",
    }
}

named! {
    /// What becomes of money paid ahead of its time when interest is recalculated.
    #[derive(Default)]
    EarlyPaymentRule {
        /// The installments that are left become smaller.
        ReduceInstallment = "REDUCE_INSTALLMENT",
        /// The installments keep their size and the loan ends earlier.
        ReduceTerm = "REDUCE_TERM",
        /// The next installments count as paid.
        #[default]
        NextInstallments = "NEXT_INSTALLMENTS",
    }
}

named! {
    /// Up to when interest is due when a loan is paid off within a period.
    #[derive(Default)]
    PayoffInterest {
        /// To the day of the payment.
        #[default]
        ToDate = "TO_DATE",
        /// To the end of the period.
        ToPeriodEnd = "TO_PERIOD_END",
    }
}

named! {
    /// What happens to a due date on a day its month does not have.
    #[derive(Default)]
    MonthEnd {
        /// It falls on the month's last day.
        #[default]
        Clamp = "CLAMP",
        /// It falls on the first of the next month.
        NextMonth = "NEXT_MONTH",
    }
}

named! {
    /// What happens to a due date on a day the branch does not work.
    #[derive(Default)]
    NonWorkingDays {
        /// It stays.
        #[default]
        Keep = "KEEP",
        /// It moves to the next working day.
        Next = "NEXT_WORKING_DAY",
        /// It moves to the working day before.
        Previous = "PREVIOUS_WORKING_DAY",
    }
}

named! {
    /// A part of what is owed.
    Component {
        /// A charge for being late.
        Penalty = "PENALTY",
        /// Any other charge.
        Fee = "FEE",
        /// Interest.
        Interest = "INTEREST",
        /// The money lent.
        Principal = "PRINCIPAL",
    }
}

named! {
    /// How a payment finds its installments.
    #[derive(Default)]
    AllocationMode {
        /// Each installment is settled before the next one sees a cent.
        #[default]
        ByInstallment = "BY_INSTALLMENT",
        /// First what is due, in `order`; then what is not due yet, in `advance_order`.
        DueThenAdvance = "DUE_THEN_ADVANCE",
        /// By a list of rules over due state and component.
        Rules = "RULES",
    }
}

named! {
    /// How an installment's due date lies to a payment's date.
    DueState {
        /// Before it.
        PastDue = "PAST_DUE",
        /// On it.
        Due = "DUE",
        /// After it.
        InAdvance = "IN_ADVANCE",
    }
}

named! {
    /// Which installments receive money that is paid in advance.
    #[derive(Default)]
    AdvanceTo {
        /// The next ones.
        #[default]
        NextInstallment = "NEXT_INSTALLMENT",
        /// The last ones.
        LastInstallment = "LAST_INSTALLMENT",
        /// All that are left, in equal parts.
        Reamortize = "REAMORTIZE",
    }
}

named! {
    /// Within one due state, what is finished first.
    #[derive(Default)]
    RuleDirection {
        /// One installment after the other, each with all its components.
        #[default]
        InstallmentFirst = "INSTALLMENT_FIRST",
        /// One component after the other, each over all installments.
        ComponentFirst = "COMPONENT_FIRST",
    }
}

/// One rule of [`AllocationMode::Rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AllocationRule {
    /// Which installments.
    pub state: DueState,
    /// Which part of them.
    pub component: Component,
}

/// The order in which a payment pays, as data.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Allocation {
    /// How installments are found.
    pub mode: AllocationMode,
    /// The components of what is due, first to last: all four, each once.
    pub order: Vec<Component>,
    /// The components of what is not due yet, for [`AllocationMode::DueThenAdvance`].
    pub advance_order: Vec<Component>,
    /// For [`AllocationMode::Rules`]: all twelve pairs, each once, first to last.
    pub rules: Vec<AllocationRule>,
    /// Where money in advance goes, for [`AllocationMode::Rules`].
    pub advance_to: AdvanceTo,
    /// What is finished first within a due state, for [`AllocationMode::Rules`].
    pub direction: RuleDirection,
}

impl Allocation {
    /// Penalty, fee, interest, principal: the usual order.
    pub const USUAL: [Component; 4] = [Component::Penalty, Component::Fee, Component::Interest, Component::Principal];

    /// All past due in the usual order, then all due, then all in advance.
    pub fn usual_rules() -> Vec<AllocationRule> {
        DueState::ALL
            .iter()
            .flat_map(|state| Self::USUAL.map(|component| AllocationRule { state: *state, component }))
            .collect()
    }
}

impl Default for Allocation {
    fn default() -> Self {
        Self {
            mode: AllocationMode::default(),
            order: Self::USUAL.to_vec(),
            advance_order: Self::USUAL.to_vec(),
            rules: Self::usual_rules(),
            advance_to: AdvanceTo::default(),
            direction: RuleDirection::default(),
        }
    }
}

/// The upper bounds of the usual delinquency buckets in days past due; the last one is open.
pub const USUAL_BUCKETS: [u32; 9] = [0, 3, 30, 60, 90, 120, 150, 180, 240];

/// Every choice a product makes about how its loans work. A loan keeps the copy it was made with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Conditions {
    /// What interest is charged on.
    pub interest_method: InterestMethod,
    /// How the principal comes back.
    pub amortization: Amortization,
    /// How days become a fraction of a year.
    pub day_count: DayCount,
    /// Which periods an equal installment is solved on.
    pub level_on: LevelOn,
    /// Whether the last installment is evened out with the others.
    pub smooth_last: bool,
    /// Installments are rounded to this many minor units; the last takes what is left.
    pub installment_multiple: Option<i64>,
    /// The first so many installments have no principal.
    pub principal_grace: u32,
    /// The interest of the first so many installments falls due with the first one after them.
    pub interest_payment_grace: u32,
    /// The first so many installments bear no interest at all.
    pub interest_free_installments: u32,
    /// Whether interest follows what is really paid.
    pub recalculation: InterestRecalculation,
    /// What becomes of money paid early, when interest is recalculated.
    pub early_payment: EarlyPaymentRule,
    /// Up to when interest is due at payoff.
    pub payoff_interest: PayoffInterest,
    /// What paying off early costs, in minor units.
    pub early_closure_fee: i64,
    /// The order in which a payment pays.
    pub allocation: Allocation,
    /// What happens to due dates on days a month does not have.
    pub month_end: MonthEnd,
    /// What happens to due dates on days the branch does not work.
    pub non_working_days: NonWorkingDays,
    /// Whether interest runs to the moved due date instead of the one that was moved.
    pub interest_follows_moved_date: bool,
    /// A loan counts as delinquent only after so many days past due.
    pub arrears_grace_days: u32,
    /// A loan counts as defaulted after so many days past due.
    pub default_after_days: u32,
    /// The upper bounds of the delinquency buckets, in days past due, ascending; the last bucket is open.
    pub delinquency_buckets: Vec<u32>,
    /// Charges that every loan bears.
    pub charges: Vec<ChargeTerms>,
    /// The charge for being late.
    pub late_charge: Option<LateCharge>,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            interest_method: InterestMethod::default(),
            amortization: Amortization::default(),
            day_count: DayCount::default(),
            level_on: LevelOn::default(),
            smooth_last: false,
            installment_multiple: None,
            principal_grace: 0,
            interest_payment_grace: 0,
            interest_free_installments: 0,
            recalculation: InterestRecalculation::default(),
            early_payment: EarlyPaymentRule::default(),
            payoff_interest: PayoffInterest::default(),
            early_closure_fee: 0,
            allocation: Allocation::default(),
            month_end: MonthEnd::default(),
            non_working_days: NonWorkingDays::default(),
            interest_follows_moved_date: false,
            arrears_grace_days: 0,
            default_after_days: 90,
            delinquency_buckets: USUAL_BUCKETS.to_vec(),
            charges: Vec::new(),
            late_charge: None,
        }
    }
}

/// One way conditions contradict themselves or the terms beside them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConditionsViolation {
    /// An order of components lacks one or names one twice.
    #[error("Name penalty, fee, interest and principal, each once.")]
    IncompleteOrder {
        /// `order` or `advance_order`.
        field: &'static str,
    },
    /// The rules lack a pair or name one twice.
    #[error("Name every pair of due state and component, each once: twelve rules.")]
    IncompleteRules,
    /// A grace as long as the loan or longer.
    #[error("Choose a grace shorter than the {installments} installments.")]
    GraceTooLong {
        /// Which grace.
        field: &'static str,
        /// The number of installments.
        installments: u32,
    },
    /// An amount, a share or a number of days that must be above or not below nothing.
    #[error("Choose {min} or more.")]
    TooSmall {
        /// Which field.
        field: &'static str,
        /// The least it may be.
        min: i64,
    },
    /// Buckets that do not ascend.
    #[error("List the buckets' upper bounds in ascending order.")]
    BucketsNotAscending,
    /// Two choices that exclude each other.
    #[error("{reason}")]
    Contradiction {
        /// Which field to mend.
        field: &'static str,
        /// What to do.
        reason: &'static str,
    },
}

impl ConditionsViolation {
    /// The field to mend, by its name here.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::IncompleteOrder { field }
            | Self::GraceTooLong { field, .. }
            | Self::TooSmall { field, .. }
            | Self::Contradiction { field, .. } => field,
            Self::IncompleteRules => "rules",
            Self::BucketsNotAscending => "delinquency_buckets",
        }
    }
}

impl Conditions {
    /// Every way these conditions make no sense for a loan of `installments`; empty when they do.
    pub fn violations(&self, installments: u32) -> Vec<ConditionsViolation> {
        let mut found = Vec::new();
        for (field, order) in [("order", &self.allocation.order), ("advance_order", &self.allocation.advance_order)] {
            if !each_once(order, Component::ALL) {
                found.push(ConditionsViolation::IncompleteOrder { field });
            }
        }
        if !each_once(&self.allocation.rules, &Allocation::usual_rules()) {
            found.push(ConditionsViolation::IncompleteRules);
        }
        for (field, grace) in [
            ("principal_grace", self.principal_grace),
            ("interest_payment_grace", self.interest_payment_grace),
            ("interest_free_installments", self.interest_free_installments),
        ] {
            let may_cover_all = field == "interest_free_installments";
            if grace > installments || (grace == installments && grace > 0 && !may_cover_all) {
                found.push(ConditionsViolation::GraceTooLong { field, installments });
            }
        }
        if self.installment_multiple.is_some_and(|multiple| multiple < 1) {
            found.push(ConditionsViolation::TooSmall { field: "installment_multiple", min: 1 });
        }
        if self.early_closure_fee < 0 {
            found.push(ConditionsViolation::TooSmall { field: "early_closure_fee", min: 0 });
        }
        if self.default_after_days < 1 {
            found.push(ConditionsViolation::TooSmall { field: "default_after_days", min: 1 });
        }
        if !self.delinquency_buckets.is_sorted_by(|left, right| left < right) {
            found.push(ConditionsViolation::BucketsNotAscending);
        }
        if self.interest_method == InterestMethod::Flat && self.recalculation == InterestRecalculation::DailyBalance {
            found.push(ConditionsViolation::Contradiction {
                field: "recalculation",
                reason: "Flat interest does not follow the balance; choose FIXED.",
            });
        }
        if self.charges.iter().any(|charge| !charge.amount.is_sensible())
            || self.late_charge.as_ref().is_some_and(|late| !late.amount.is_sensible())
        {
            found.push(ConditionsViolation::TooSmall { field: "charges", min: 0 });
        }
        found
    }
}

fn each_once<T: PartialEq>(given: &[T], all: &[T]) -> bool {
    given.len() == all.len() && all.iter().all(|item| given.contains(item))
}
