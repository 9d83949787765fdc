//! Amounts of money in the API. An amount never travels without its currency.

use async_graphql::{InputObject, SimpleObject};

use super::at_hand::AtHand;
use super::scalars::{CurrencyCode, Decimal};
use super::written::written;
use crate::service::check::AmountInput;

/// An amount of money in one currency.
pub type Money = AtHand<Amount>;

/// An amount of money in one currency.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Money")]
pub struct Amount {
    /// The amount, with exactly as many decimals as the currency has: "12500.00" KES, "8400" VND, "1.234" BHD.
    pub amount: Decimal,
    /// The currency.
    pub currency: CurrencyCode,
}

written!(Amount {
    "amount": value |money, _| money.amount,
    "currency": value |money, _| money.currency,
});

impl From<lending::money::Money> for Money {
    fn from(money: lending::money::Money) -> Self {
        let currency = CurrencyCode(money.currency().code().to_owned());
        Self(Amount { amount: Decimal(money.to_decimal_string()), currency })
    }
}

/// An amount of money in one currency.
#[derive(Debug, Clone, InputObject)]
pub struct MoneyInput {
    /// The amount. More decimals than the currency has are refused, never rounded.
    pub amount: Decimal,
    /// The currency.
    pub currency: CurrencyCode,
}

impl From<MoneyInput> for AmountInput {
    fn from(input: MoneyInput) -> Self {
        Self { amount: input.amount.0, currency: input.currency.0 }
    }
}
