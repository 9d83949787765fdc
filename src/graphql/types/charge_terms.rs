//! Charges of a loan's terms: made of every loan under them, or for being late.

use async_graphql::{Enum, InputObject, SimpleObject};
use lending::loan::ChargeAmount;
use lending::money::Currency;
use lending::rate::Rate;

use super::money::{Money, MoneyInput};
use super::scalars::Decimal;
use crate::service::conditions as service;

/// What kind of charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
#[graphql(remote = "lending::loan::ChargeKind")]
pub enum ChargeKind {
    /// Any charge but one for being late.
    #[default]
    Fee,
    /// A charge for being late.
    Penalty,
}

/// When a charge of the terms falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::loan::ChargeTiming")]
pub enum ChargeTiming {
    /// With the first disbursement, kept from the proceeds.
    UpfrontKept,
    /// With the first disbursement, paid apart.
    UpfrontPaid,
    /// With every installment.
    PerInstallment,
}

/// A charge that every loan under the terms bears. It has an amount or a share.
#[derive(Debug, Clone, SimpleObject)]
pub struct ChargeTerms {
    /// What the borrower reads.
    pub name: String,
    /// What kind of charge: FEE.
    pub kind: ChargeKind,
    /// When it falls due.
    pub timing: ChargeTiming,
    /// How much it is; null when it is a share.
    pub amount: Option<Money>,
    /// How many percent of the disbursed amount, or with PER_INSTALLMENT of the installment's principal and interest; null when it is an amount.
    pub share: Option<Decimal>,
}

/// The charge for being late, made once for an installment. It has an amount or a share.
#[derive(Debug, Clone, SimpleObject)]
pub struct LateCharge {
    /// What kind of charge: PENALTY.
    pub kind: ChargeKind,
    /// How much it is; null when it is a share.
    pub amount: Option<Money>,
    /// How many percent of what is overdue of the installment; null when it is an amount.
    pub share: Option<Decimal>,
    /// It is made when the installment is more than so many days past due.
    pub grace_days: u32,
    /// It is never more than this; null when there is no limit.
    pub cap: Option<Money>,
}

/// A charge that every loan under the terms bears: an amount or a share, exactly one of the two.
#[derive(Debug, Clone, InputObject)]
pub struct ChargeTermsInput {
    /// What the borrower reads, 1 to 100 characters.
    pub name: String,
    /// When it falls due.
    pub timing: ChargeTiming,
    /// How much it is, above 0 and in the product's currency.
    pub amount: Option<MoneyInput>,
    /// How many percent, above 0 and up to 100 with at most four decimals: of the disbursed amount, or with PER_INSTALLMENT of the installment's principal and interest.
    pub share: Option<Decimal>,
}

/// The charge for being late, made once for an installment: an amount or a share, exactly one of the two.
#[derive(Debug, Clone, InputObject)]
pub struct LateChargeInput {
    /// How much it is, above 0 and in the product's currency.
    pub amount: Option<MoneyInput>,
    /// How many percent of what is overdue of the installment, above 0 and up to 100 with at most four decimals.
    pub share: Option<Decimal>,
    /// It is made when the installment is more than so many days past due, 0 to 3,650; 0 if omitted.
    pub grace_days: Option<i32>,
    /// It is never more than this, above 0; no limit if omitted.
    pub cap: Option<MoneyInput>,
}

fn parts(amount: ChargeAmount, currency: Currency) -> (Option<Money>, Option<Decimal>) {
    match amount {
        ChargeAmount::Flat(minor) => (Some(lending::money::Money::new(minor, currency).into()), None),
        ChargeAmount::Share(ppm) => (None, Some(Decimal(Rate::from_ppm(ppm).to_percent_string()))),
    }
}

impl ChargeTerms {
    /// A charge of terms in this currency.
    pub fn of(charge: &lending::loan::ChargeTerms, currency: Currency) -> Self {
        let (amount, share) = parts(charge.amount, currency);
        Self { name: charge.name.clone(), kind: ChargeKind::Fee, timing: charge.timing.into(), amount, share }
    }
}

impl LateCharge {
    /// The late charge of terms in this currency.
    pub fn of(charge: &lending::loan::LateCharge, currency: Currency) -> Self {
        let (amount, share) = parts(charge.amount, currency);
        let cap = charge.cap.map(|minor| lending::money::Money::new(minor, currency).into());
        Self { kind: ChargeKind::Penalty, amount, share, grace_days: charge.grace_days, cap }
    }
}

impl From<ChargeTermsInput> for service::ChargeInput {
    fn from(input: ChargeTermsInput) -> Self {
        Self {
            name: input.name,
            timing: input.timing.into(),
            amount: input.amount.map(Into::into),
            share: input.share.map(|share| share.0),
        }
    }
}

impl From<LateChargeInput> for service::LateChargeInput {
    fn from(input: LateChargeInput) -> Self {
        Self {
            amount: input.amount.map(Into::into),
            share: input.share.map(|share| share.0),
            grace_days: input.grace_days,
            cap: input.cap.map(Into::into),
        }
    }
}
