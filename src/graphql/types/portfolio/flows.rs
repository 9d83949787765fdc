//! What happened in a period, in one currency. Payments count on their value date; what was reversed does not count.

use async_graphql::{Result, SimpleObject};
use lending::money::Currency;

use crate::graphql::types::loan::balances::{Balances, money};
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::Int64;
use crate::service::portfolio::Flows;

/// What fell due in a period against what borrowers paid in it.
#[derive(Debug, Clone, SimpleObject)]
pub struct Collections {
    /// What the installments that fell due in the period asked for, less what was waived; nothing is expected of a loan after it was written off.
    pub expected: Balances,
    /// What borrowers' payments of the period went to, whenever it fell due; goodwill credits and recoveries are not among it.
    pub received: Balances,
    /// What of the payments became borrowers' credit.
    pub overpaid: Money,
}

/// What was paid out in a period.
#[derive(Debug, Clone, SimpleObject)]
pub struct Disbursements {
    /// The number of disbursements; each tranche is one.
    pub count: Int64,
    /// How much was paid out, before upfront charges.
    pub amount: Money,
}

/// What borrowers paid in a period.
#[derive(Debug, Clone, SimpleObject)]
pub struct Repayments {
    /// The number of payments.
    pub count: Int64,
    /// How much was paid.
    pub amount: Money,
    /// What it went to.
    pub portions: Balances,
    /// What of it became borrowers' credit.
    pub overpaid: Money,
    /// What came in after write-offs, beside the payments.
    pub recovered: Money,
}

impl Collections {
    /// What was expected and received.
    pub fn of(flows: &Flows, currency: Currency) -> Result<Self> {
        Ok(Self {
            expected: Balances::of(&flows.expected, currency)?,
            received: Balances::of(&flows.repayments.portions, currency)?,
            overpaid: money(flows.repayments.to_credit, currency),
        })
    }
}

impl Disbursements {
    /// What was paid out.
    pub fn of(flows: &Flows, currency: Currency) -> Self {
        Self { count: Int64(flows.disbursements.count), amount: money(flows.disbursements.amount, currency) }
    }
}

impl Repayments {
    /// What came in.
    pub fn of(flows: &Flows, currency: Currency) -> Result<Self> {
        Ok(Self {
            count: Int64(flows.repayments.count),
            amount: money(flows.repayments.amount, currency),
            portions: Balances::of(&flows.repayments.portions, currency)?,
            overpaid: money(flows.repayments.to_credit, currency),
            recovered: money(flows.recoveries.amount, currency),
        })
    }
}
