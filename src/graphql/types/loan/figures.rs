//! What a loan comes to on its day: schedule, balances, arrears, charges. Every field is read from the folded loan.

use async_graphql::{Context, Object, Result};
use lending::loan::Standing;
use lending::loan::arrears::Bucket;

use super::balances::{Balances, money};
use super::charge::LoanCharge;
use super::engine::Engine;
use super::schedule::{Installment, InterestLine};
use crate::graphql::types::delinquency::DelinquencyBucket;
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::Date;
use crate::service::ServiceError;
use crate::service::loan_views::LoanView;

/// What a loan comes to on its day.
pub struct LoanFigures(pub Engine);

/// What a loan comes to on its day.
#[Object]
impl LoanFigures {
    /// The day its figures are of: the day it was asked for as of, else the branch's business date, or the later one that it was last written on before a clock or a time zone was set back.
    async fn as_of(&self, context: &Context<'_>) -> Result<Date> {
        Ok(Date(self.0.view(context).await?.as_of))
    }

    /// The schedule, first row to last. Of a loan that was not disbursed yet it is the expected one: as if all of the approved amount were disbursed on the day of the approval, or, while it is not approved, all that was applied for on the day of the application. Empty for a rejected or withdrawn loan.
    async fn schedule(&self, context: &Context<'_>) -> Result<Vec<Installment>> {
        let view = self.0.view(context).await?;
        Ok(Installment::all(view.schedule(), view.state.currency))
    }

    /// How the interest of each row came about, in the order of the rows; empty before the disbursement.
    async fn interest_lines(&self, context: &Context<'_>) -> Result<Vec<InterestLine>> {
        let view = self.0.view(context).await?;
        Ok(InterestLine::all(&view.state.interest_lines, view.state.currency))
    }

    /// What is left of all installments together, scheduled interest included.
    async fn balances(&self, context: &Context<'_>) -> Result<Balances> {
        outstanding(&*self.0.view(context).await?)
    }

    /// What is left of the installments that were due before the day.
    async fn overdue(&self, context: &Context<'_>) -> Result<Balances> {
        overdue(&*self.0.view(context).await?)
    }

    /// What the borrower paid too much and has not got back.
    async fn credit_balance(&self, context: &Context<'_>) -> Result<Money> {
        Ok(credit_balance(&*self.0.view(context).await?))
    }

    /// What came in after the loan was written off.
    async fn recovered(&self, context: &Context<'_>) -> Result<Money> {
        Ok(recovered(&*self.0.view(context).await?))
    }

    /// The days since the oldest installment with anything left of it was due; 0 on its due date, and when there is none.
    async fn days_past_due(&self, context: &Context<'_>) -> Result<u32> {
        Ok(self.0.view(context).await?.state.days_past_due())
    }

    /// The range of days past due it is counted in, of those its product made for it. While no more days have passed than its grace in arrears, it is the first. Null unless the loan is running.
    async fn delinquency_bucket(&self, context: &Context<'_>) -> Result<Option<DelinquencyBucket>> {
        Ok(delinquency_bucket(&*self.0.view(context).await?))
    }

    /// The next due date, from the day on, of an installment with anything left of it.
    async fn next_due_on(&self, context: &Context<'_>) -> Result<Option<Date>> {
        Ok(self.0.view(context).await?.state.next_due_on().map(Date))
    }

    /// The due date of the last installment; null before the disbursement.
    async fn matures_on(&self, context: &Context<'_>) -> Result<Option<Date>> {
        Ok(self.0.view(context).await?.state.matures_on().map(Date))
    }

    /// The day it was charged off: accrual stopped, the loan stays collectable.
    async fn charged_off_on(&self, context: &Context<'_>) -> Result<Option<Date>> {
        Ok(self.0.view(context).await?.state.charged_off_on.map(Date))
    }

    /// The charges made of it on its own, in the order of the days they count from: the value date, or the due date where that is earlier. Reversed ones are left out.
    async fn charges(&self, context: &Context<'_>) -> Result<Vec<LoanCharge>> {
        LoanCharge::all(&*self.0.view(context).await?)
    }
}

/// What is left of all installments together.
pub fn outstanding(view: &LoanView) -> Result<Balances> {
    Balances::of(&view.state.outstanding().map_err(ServiceError::from)?, view.state.currency)
}

/// What is left of the installments that were due.
pub fn overdue(view: &LoanView) -> Result<Balances> {
    Balances::of(&view.state.overdue().map_err(ServiceError::from)?, view.state.currency)
}

/// What was paid too much.
pub fn credit_balance(view: &LoanView) -> Money {
    money(view.state.credit, view.state.currency)
}

/// What came in after the write-off.
pub fn recovered(view: &LoanView) -> Money {
    money(view.state.recovered, view.state.currency)
}

/// The range of days past due that a running loan is counted in.
pub fn delinquency_bucket(view: &LoanView) -> Option<DelinquencyBucket> {
    let running = matches!(view.state.standing, Standing::Active | Standing::Defaulted { .. });
    let conditions = &view.record.terms.conditions;
    let days = view.state.days_past_due();
    let counted = if days <= conditions.arrears_grace_days { 0 } else { days };
    running.then(|| Bucket::of(counted, &conditions.delinquency_buckets).into())
}
