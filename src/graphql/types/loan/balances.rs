//! Amounts by what they are for. Nothing is added here but the four parts.

use async_graphql::{Result, SimpleObject};
use lending::loan::Portions;
use lending::money::Currency;

use crate::graphql::types::money::Money;
use crate::graphql::types::written::written;
use crate::service::ServiceError;

/// An amount by what it is for.
#[derive(Debug, Clone, SimpleObject)]
pub struct Balances {
    /// The money lent.
    pub principal: Money,
    /// Interest.
    pub interest: Money,
    /// Charges but for lateness.
    pub fees: Money,
    /// Charges for lateness.
    pub penalties: Money,
    /// All four together.
    pub total: Money,
}

written!(Balances {
    "principal": object |it, _| it.principal,
    "interest": object |it, _| it.interest,
    "fees": object |it, _| it.fees,
    "penalties": object |it, _| it.penalties,
    "total": object |it, _| it.total,
});

impl Balances {
    /// The parts in their currency, with their sum.
    pub fn of(portions: &Portions, currency: Currency) -> Result<Self> {
        Ok(Self {
            principal: money(portions.principal, currency),
            interest: money(portions.interest, currency),
            fees: money(portions.fees, currency),
            penalties: money(portions.penalties, currency),
            total: money(portions.total().map_err(ServiceError::from)?, currency),
        })
    }
}

/// Minor units in their currency.
pub fn money(minor: i64, currency: Currency) -> Money {
    lending::money::Money::new(minor, currency).into()
}
