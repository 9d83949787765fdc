//! What a credit costs, as one annual rate by a regulator's rule, from the money that changes hands and the days on
//! which it does. The same credit has another "APR" under each rule, so the rule's name always goes with the number.
//! Nothing here reads a schedule or a product; callers pass the flows.
//!
//! | rule | rate | time between flows | source |
//! |---|---|---|---|
//! | [`RegZAppendixJ`](DisclosureRule::RegZAppendixJ) | nominal, 2 decimals | unit-periods found in the flows, odd days at simple interest | 12 CFR 1026, Appendix J |
//! | [`EuAprc`](DisclosureRule::EuAprc) | effective, 1 decimal | whole months (weeks, years), then days over 365 or 366 | Directives 2008/48/EC and 2014/17/EU, Annex I |
//! | [`RbiKfs`](DisclosureRule::RbiKfs) | nominal, 2 decimals | as the EU; rate per period × periods a year | RBI circular of 15 April 2024, Annex B |
//! | [`BspEir`](DisclosureRule::BspEir) | effective, 2 decimals | as the EU | BSP Circular 730 (2011) |
//!
//! Rates are solved in whole parts per trillion with integer arithmetic, and rounded half up once.

mod compound;
mod credit;
mod fixed;
mod interval;
mod reg_z;
mod solve;
mod unit_period;

use std::fmt;

use chrono::NaiveDate;
use thiserror::Error;

use crate::decimal;
use crate::loan::PeriodUnit;
use crate::money::{Currency, Money};
use crate::named::named;
use credit::Credit;

named! {
    /// A regulator's definition of the annual cost of a credit.
    DisclosureRule {
        /// The annual percentage rate of US Regulation Z, 12 CFR 1026 Appendix J: a nominal rate.
        RegZAppendixJ = "REG_Z_APPENDIX_J",
        /// The European Union's annual percentage rate of charge: an effective rate.
        EuAprc = "EU_APRC",
        /// The annual percentage rate of the Reserve Bank of India's Key Facts Statement: a nominal rate.
        RbiKfs = "RBI_KFS",
        /// The effective interest rate of Bangko Sentral ng Pilipinas.
        BspEir = "BSP_EIR",
    }
}

impl DisclosureRule {
    /// Decimals of the disclosed percentage.
    pub const fn decimals(self) -> u8 {
        match self {
            Self::EuAprc => 1,
            Self::RegZAppendixJ | Self::RbiKfs | Self::BspEir => 2,
        }
    }
}

impl fmt::Display for DisclosureRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Which way money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the lender to the borrower.
    Advance,
    /// From the borrower, for principal, interest or charges.
    Payment,
}

/// Money that changes hands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashFlow {
    /// The value date.
    pub on: NaiveDate,
    /// How much; more than nothing.
    pub amount: Money,
    /// Which way.
    pub direction: Direction,
}

/// How payments were agreed to recur. India's rule multiplies by the periods a year it gives (12, 52 or 365 over
/// `every`); the other compound rules count time in its unit; Appendix J reads the days and asks only in a tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How many units lie between two payments; at least 1.
    pub every: u32,
    /// The unit `every` counts.
    pub unit: PeriodUnit,
}

/// An annual rate as a rule wants it shown, with the number it was rounded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisclosedRate {
    parts_per_trillion: i64,
    decimals: u8,
}

impl DisclosedRate {
    /// Decimals of a percentage that one part per trillion has.
    const EXACT_DECIMALS: u8 = 10;

    /// The rate before rounding, in parts per trillion: 96,900,000,000 is 9.69 %.
    pub const fn parts_per_trillion(self) -> i64 {
        self.parts_per_trillion
    }

    /// The percentage with exactly the rule's decimals, rounded half up: "9.69", "6.4", "0.00".
    pub fn to_percent_string(self) -> String {
        let unit = 10_i64.saturating_pow(u32::from(Self::EXACT_DECIMALS.saturating_sub(self.decimals)));
        let rounded = self.parts_per_trillion.saturating_add(unit / 2) / unit;
        decimal::format(rounded, self.decimals)
    }
}

impl fmt::Display for DisclosedRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} %", self.to_percent_string())
    }
}

/// The cost of a credit by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostDisclosure {
    /// The rule that defines the rate.
    pub rule: DisclosureRule,
    /// The annual rate.
    pub rate: DisclosedRate,
    /// What the credit costs in money: the total of payments less the amount financed.
    pub finance_charge: Money,
    /// All advances, less what the borrower pays on the day of the first one: such a charge was never lent.
    pub amount_financed: Money,
    /// All payments after the day of the first advance.
    pub total_of_payments: Money,
}

/// Why cash flows have no annual rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DisclosureError {
    /// No money goes to the borrower.
    #[error("Nothing is advanced; a rate needs at least one advance.")]
    NoAdvances,
    /// No money comes back after the day of the first advance.
    #[error("Nothing is paid after the first advance; a rate needs at least one payment on a later day.")]
    NoPayments,
    /// Charges on the day of the first advance use up all of it.
    #[error("The charges paid on the day of the first advance leave nothing of it; lower them or advance more.")]
    NothingAdvanced,
    /// A flow of nothing, or of less.
    #[error("The amount on {on} is not more than nothing; state its direction instead of a sign and leave out zeros.")]
    AmountNotPositive {
        /// The day of the flow.
        on: NaiveDate,
    },
    /// Flows in two currencies.
    #[error("Use {expected} for every amount, not {given}.")]
    CurrencyMismatch {
        /// The currency of the first flow.
        expected: Currency,
        /// The currency of the other one.
        given: Currency,
    },
    /// A flow is listed after a later one.
    #[error("The flow on {on} is listed after a later one; list flows in the order of their dates.")]
    DatesOutOfOrder {
        /// The day of the flow that comes too late in the list.
        on: NaiveDate,
    },
    /// Money comes back before any went out.
    #[error("A payment on {payment_on} comes before the first advance on {first_advance_on}; advance first.")]
    PaymentBeforeAdvance {
        /// The day of the payment.
        payment_on: NaiveDate,
        /// The day of the first advance.
        first_advance_on: NaiveDate,
    },
    /// Less comes back than goes out: the cost, and with it the rate, is below zero.
    #[error(
        "The payments of {total_of_payments} fall short of the {amount_financed} financed; there is no cost to disclose."
    )]
    PaymentsBelowAdvances {
        /// All advances, less charges on the first day.
        amount_financed: Money,
        /// All later payments.
        total_of_payments: Money,
    },
    /// The borrower is advanced money after paying back more than was advanced so far: several rates may solve the
    /// equation, and choosing one would be a guess.
    #[error(
        "The advance on {advanced_on} follows payments above all earlier advances; such flows have no single rate."
    )]
    SeveralRates {
        /// The day of the advance.
        advanced_on: NaiveDate,
    },
    /// The rate is beyond 10,000,000 % a year.
    #[error("The rate is above 10,000,000 % a year; check the amounts and the dates.")]
    RateTooHigh,
    /// Payments recur every 0 units.
    #[error("Payments recur every 0 units; state how many units lie between two of them.")]
    NoPeriod,
    /// A sum does not fit in 64 bits of minor units.
    #[error("The sum of the flows is too large to keep; use smaller amounts.")]
    Overflow,
}

impl DisclosureError {
    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAdvances => "NO_ADVANCES",
            Self::NoPayments => "NO_PAYMENTS",
            Self::NothingAdvanced => "NOTHING_ADVANCED",
            Self::AmountNotPositive { .. } => "AMOUNT_NOT_POSITIVE",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            Self::DatesOutOfOrder { .. } => "DATES_OUT_OF_ORDER",
            Self::PaymentBeforeAdvance { .. } => "PAYMENT_BEFORE_ADVANCE",
            Self::PaymentsBelowAdvances { .. } => "PAYMENTS_BELOW_ADVANCES",
            Self::SeveralRates { .. } => "SEVERAL_RATES",
            Self::RateTooHigh => "RATE_TOO_HIGH",
            Self::NoPeriod => "NO_PERIOD",
            Self::Overflow => "AMOUNT_OVERFLOW",
        }
    }
}

/// The cost of a credit by a rule. `flows` are listed in the order of their dates; on one day in any order.
///
/// # Errors
/// [`DisclosureError`] when the flows have no single annual rate from 0 to 10,000,000 %.
pub fn disclose(rule: DisclosureRule, flows: &[CashFlow], timing: Timing) -> Result<CostDisclosure, DisclosureError> {
    if timing.every == 0 {
        return Err(DisclosureError::NoPeriod);
    }
    let credit = Credit::read(flows)?;
    let parts_per_trillion = match rule {
        DisclosureRule::RegZAppendixJ => reg_z::rate(&credit, timing.unit)?,
        DisclosureRule::EuAprc | DisclosureRule::BspEir => compound::effective(&credit, timing.unit)?,
        DisclosureRule::RbiKfs => compound::nominal(&credit, timing)?,
    };
    Ok(CostDisclosure {
        rule,
        rate: DisclosedRate { parts_per_trillion, decimals: rule.decimals() },
        finance_charge: credit.finance_charge,
        amount_financed: credit.amount_financed,
        total_of_payments: credit.total_of_payments,
    })
}
