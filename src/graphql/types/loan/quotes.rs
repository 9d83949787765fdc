//! What a loan would cost: to be rid of it on a day, a year by a regulator's rule, and after events that did not happen.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use lending::disclosure;

use super::balances::money;
use super::engine::Engine;
use super::event_input::LoanEventInput;
use super::simulation::LoanSimulation;
use crate::graphql::error::{Nullable, bad_input};
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::{Date, Decimal};
use crate::service::ServiceError;
use crate::service::loan_disclosure::NoDisclosure;
use crate::service::loan_simulation::simulate;

/// What it takes to be rid of a loan on a day.
#[derive(Debug, Clone, SimpleObject)]
pub struct PayoffQuote {
    /// The day.
    pub on: Date,
    /// Principal that is owed.
    pub principal: Money,
    /// Interest to the day, or to the end of its period, as the terms say; of a loan whose interest is fixed, all that is scheduled.
    pub interest: Money,
    /// Fees that are due, and the fee for closing early.
    pub fees: Money,
    /// Penalties that are due.
    pub penalties: Money,
    /// The borrower's credit, which lowers the total.
    pub credit: Money,
    /// All of it.
    pub total: Money,
}

/// A regulator's definition of the annual cost of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending::disclosure::DisclosureRule")]
pub enum DisclosureRule {
    /// The annual percentage rate of US Regulation Z, 12 CFR 1026 Appendix J: a nominal rate, two decimals.
    RegZAppendixJ,
    /// The European Union's annual percentage rate of charge: an effective rate, one decimal.
    EuAprc,
    /// The annual percentage rate of the Reserve Bank of India's Key Facts Statement: a nominal rate, two decimals.
    RbiKfs,
    /// The effective interest rate of Bangko Sentral ng Pilipinas, two decimals.
    BspEir,
}

/// What a credit costs by a rule. The same credit has another rate under each rule, so the rule always goes with the number.
#[derive(Debug, Clone, SimpleObject)]
pub struct CostDisclosure {
    /// The rule that defines the rate.
    pub rule: DisclosureRule,
    /// The annual rate in percent, with the rule's decimals.
    pub rate: Decimal,
    /// What the credit costs in money: the total of payments less the amount financed.
    pub finance_charge: Money,
    /// All that is paid out, less what the borrower pays on the day of the first disbursement.
    pub amount_financed: Money,
    /// All payments after the day of the first disbursement.
    pub total_of_payments: Money,
}

impl From<disclosure::CostDisclosure> for CostDisclosure {
    fn from(found: disclosure::CostDisclosure) -> Self {
        Self {
            rule: found.rule.into(),
            rate: Decimal(found.rate.to_percent_string()),
            finance_charge: found.finance_charge.into(),
            amount_financed: found.amount_financed.into(),
            total_of_payments: found.total_of_payments.into(),
        }
    }
}

/// A disclosure, or the sentence that says why there is no rate.
pub fn disclosed(found: Result<Option<disclosure::CostDisclosure>, NoDisclosure>) -> Nullable<CostDisclosure> {
    match found {
        Ok(found) => found.map(|found| Ok(found.into())),
        Err(cause) => Some(Err(bad_input(cause.to_string()))),
    }
}

/// What a loan would cost.
pub struct LoanQuotes(pub Engine);

/// What a loan would cost.
#[Object]
impl LoanQuotes {
    /// What it takes to be rid of the loan on a day, given what was recorded up to it. All zero before the disbursement.
    async fn payoff_quote(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day, in the past or in the future.")] on: Date,
    ) -> Result<PayoffQuote> {
        let view = self.0.view(context).await?;
        let quote = view.payoff(on.0)?;
        let amount = |minor| money(minor, view.state.currency);
        Ok(PayoffQuote {
            on: Date(quote.on),
            principal: amount(quote.principal),
            interest: amount(quote.interest),
            fees: amount(quote.fees),
            penalties: amount(quote.penalties),
            credit: amount(quote.credit),
            total: amount(quote.total),
        })
    }

    /// What the loan costs a year as it was agreed: disbursements net of the fees kept from them, and every installment with its principal, interest and fees paid on its due date. Late and early money, waivers, penalties and charges of this loan alone do not change it. Of a loan that was not disbursed yet it is of the expected schedule; null for a rejected or withdrawn one. Where the flows have no single rate it is null, and the error says why.
    async fn disclosure(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "By which rule.")] rule: DisclosureRule,
    ) -> Nullable<CostDisclosure> {
        match self.0.view(context).await {
            Ok(view) => disclosed(view.disclose(rule.into())),
            Err(error) => Some(Err(error)),
        }
    }

    /// What the loan would be after events that did not happen; nothing is written. A pending loan counts as approved for what was applied for. The events are judged one after the other as if they were recorded in this order, and may lie in the future; what is refused is in `userErrors`. User errors: NOT_FOUND, NUMBER_OUT_OF_RANGE, INVALID_TRANSITION, DATE_OUT_OF_RANGE, AMOUNT_OUT_OF_RANGE, UNKNOWN_CURRENCY, CURRENCY_MISMATCH, TOO_MANY_DECIMALS, INVALID_FORMAT, RATE_OUT_OF_RANGE, NOTHING_TO_DO, ALREADY_REVERSED, STILL_NEEDED.
    async fn simulate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What happens, at most 50 events.")] events: Vec<LoanEventInput>,
    ) -> Result<LoanSimulation> {
        let view = self.0.view(context).await?;
        let read: Result<Vec<_>, ServiceError> =
            events.into_iter().enumerate().map(|(place, event)| event.read(&["events", &place.to_string()])).collect();
        match read.and_then(|events| simulate(&view, &events)) {
            Err(ServiceError::Rejected(problems)) => {
                let unchanged = simulate(&view, &[])?;
                Ok(LoanSimulation::refused(Some(unchanged), problems))
            }
            Err(other) => Err(other.into()),
            Ok(simulation) => Ok(LoanSimulation::of(simulation)),
        }
    }
}
