//! The choices of a loan's terms that are one word each.

use async_graphql::Enum;

/// A unit of time between installments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::PeriodUnit")]
pub enum PeriodUnit {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A calendar month.
    Month,
}

/// What interest is charged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::InterestMethod")]
pub enum InterestMethod {
    /// On the balance that is still owed.
    DecliningBalance,
    /// On the whole principal for the whole term.
    Flat,
}

/// How the principal comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::Amortization")]
pub enum Amortization {
    /// Every installment has the same total.
    EqualInstallments,
    /// Every installment has the same principal.
    EqualPrincipal,
    /// Interest in every installment, all principal in the last.
    InterestOnly,
    /// One installment at maturity, with all principal and all interest.
    Bullet,
}

/// How the days between two dates become a fraction of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::DayCount")]
pub enum DayCount {
    /// Every period counts the same, whatever its dates: `every` / 12, 52 or 365 of a year.
    Periodic,
    /// Months of 30 days, years of 360, as in the United States.
    #[graphql(name = "THIRTY_360")]
    Thirty360,
    /// Months of 30 days, years of 360, as in Europe.
    #[graphql(name = "THIRTY_E_360")]
    ThirtyE360,
    /// Days over 365, in leap years too.
    #[graphql(name = "ACTUAL_365")]
    Actual365,
    /// Days over 360.
    #[graphql(name = "ACTUAL_360")]
    Actual360,
    /// The days of each calendar year over that year's length (ISDA).
    ActualActual,
}

/// Which periods an equal installment is solved on. Interest always runs on the real ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::LevelOn")]
pub enum LevelOn {
    /// The periods as they fall.
    ActualPeriods,
    /// Months of 30 days, weeks of 7.
    NominalPeriods,
}

/// Whether interest follows what is really paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::InterestRecalculation")]
pub enum InterestRecalculation {
    /// Interest is what the schedule said, whenever it is paid.
    Fixed,
    /// Interest runs on what is owed each day: late money costs more, early money less.
    DailyBalance,
}

/// What becomes of money paid ahead of its time when interest is recalculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::EarlyPaymentRule")]
pub enum EarlyPaymentRule {
    /// The installments that are left become smaller.
    ReduceInstallment,
    /// The installments keep their size and the loan ends earlier.
    ReduceTerm,
    /// The next installments count as paid.
    NextInstallments,
}

/// Up to when interest is due when a loan is paid off within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::PayoffInterest")]
pub enum PayoffInterest {
    /// To the day of the payment.
    ToDate,
    /// To the end of the period.
    ToPeriodEnd,
}

/// What happens to a due date on a day its month does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::MonthEnd")]
pub enum MonthEnd {
    /// It falls on the month's last day.
    Clamp,
    /// It falls on the first of the next month.
    NextMonth,
}

/// What happens to a due date on a day the branch does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::conditions::NonWorkingDays")]
pub enum NonWorkingDays {
    /// It stays.
    Keep,
    /// It moves to the next working day.
    #[graphql(name = "NEXT_WORKING_DAY")]
    Next,
    /// It moves to the working day before.
    #[graphql(name = "PREVIOUS_WORKING_DAY")]
    Previous,
}
