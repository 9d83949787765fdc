//! What the loans of one currency amount to. Every figure is worked out for all currencies and groups of the report at
//! once, when the first row needs it.

use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject};
use lending::loan::Portions;
use lending::money::Currency;

use super::flows::{Collections, Disbursements, Repayments};
use crate::graphql::error::{ErrorCode, bad_input, error};
use crate::graphql::request::request;
use crate::graphql::types::delinquency::DelinquencyBucket;
use crate::graphql::types::loan::balances::{Balances, money};
use crate::graphql::types::money::Money;
use crate::graphql::types::scalars::{CurrencyCode, Date, Decimal, Int64};
use crate::service::ServiceError;
use crate::service::portfolio::{AGES, Aged, Counted, Flows, GroupBy, GroupKey, Owed, Report, Rescheduled, at_risk};

/// How many loans there are in one currency, and what they amount to.
#[derive(Clone)]
pub struct CurrencyTotals {
    report: Arc<Report>,
    group: GroupBy,
    place: (GroupKey, &'static str),
    currency: Currency,
    counted: Counted,
}

/// The part of a portfolio that is late: the whole outstanding principal of loans with an installment late.
#[derive(Debug, Clone, SimpleObject)]
pub struct PortfolioAtRisk {
    /// Loans more days past due than this count.
    pub days: u32,
    /// The outstanding principal of active loans that are so late: the whole balance, not only what is late of it.
    pub amount: Money,
    /// Its share of the outstanding principal of all active loans, from 0 to 1, rounded half to even to four digits; 0 when nothing is outstanding.
    pub ratio: Decimal,
    /// The number of loans that are so late.
    pub count: Int64,
}

/// What is left of installments of one age.
#[derive(Debug, Clone, SimpleObject)]
pub struct OverdueByAge {
    /// How many days ago the installments fell due.
    pub days: DelinquencyBucket,
    /// What is left of them.
    pub amount: Balances,
}

/// Active loans whose rest was agreed anew.
#[derive(Debug, Clone, SimpleObject)]
pub struct RescheduledTotals {
    /// The number of loans.
    pub count: Int64,
    /// What is left of them.
    pub outstanding: Balances,
}

impl CurrencyTotals {
    /// The totals of one group of a report in one currency.
    ///
    /// # Errors
    /// INTERNAL for a currency that does not exist.
    pub fn of(
        report: Arc<Report>,
        group: GroupBy,
        key: GroupKey,
        currency: &'static str,
        counted: Counted,
    ) -> Result<Self> {
        let known = Currency::parse(currency).map_err(|_| internal())?;
        Ok(Self { report, group, place: (key, currency), currency: known, counted })
    }

    async fn owed(&self, context: &Context<'_>) -> Result<Owed> {
        let request = request(context)?;
        let all = self.report.owed(request.services, request.actor, self.group).await?;
        Ok(all.get(&self.place).copied().unwrap_or_default())
    }

    async fn aged(&self, context: &Context<'_>) -> Result<Aged> {
        let request = request(context)?;
        let all = self.report.aged(request.services, request.actor, self.group).await?;
        Ok(all.get(&self.place).copied().unwrap_or_default())
    }

    async fn overdue_portions(&self, context: &Context<'_>) -> Result<Portions> {
        Ok(self.aged(context).await?.overdue().map_err(ServiceError::from)?)
    }

    async fn flows(&self, context: &Context<'_>, from: Date, to: Date) -> Result<Flows> {
        let request = request(context)?;
        let all = self.report.flows(request.services, request.actor, self.group, (from.0, to.0)).await?;
        Ok(all.get(&self.place).copied().unwrap_or_default())
    }
}

fn internal() -> async_graphql::Error {
    error(ErrorCode::Internal, "Something went wrong on our side; report the request id if it lasts.")
}

/// How many loans there are in one currency, and what they amount to.
#[Object]
impl CurrencyTotals {
    /// The currency.
    fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.currency.code().to_owned())
    }

    /// The number of loans.
    fn count(&self) -> Int64 {
        Int64(self.counted.count)
    }

    /// The sum of the amounts applied for.
    fn principal(&self) -> Money {
        money(self.counted.principal, self.currency)
    }

    /// Their average, rounded half to even to the currency's minor unit.
    fn average_principal(&self) -> Result<Money> {
        let sum = lending::money::Money::new(self.counted.principal, self.currency);
        let average = sum.average(self.counted.count).map_err(|cause| {
            tracing::error!(%cause, "an average could not be computed");
            internal()
        })?;
        Ok(average.into())
    }

    /// What is left of all installments, those to come included.
    async fn outstanding(&self, context: &Context<'_>) -> Result<Balances> {
        Balances::of(&self.owed(context).await?.outstanding, self.currency)
    }

    /// What borrowers paid too much and have not got back.
    async fn credit_balance(&self, context: &Context<'_>) -> Result<Money> {
        Ok(money(self.owed(context).await?.credit, self.currency))
    }

    /// What is left of the installments that were due before the day, principal, interest, fees and penalties together.
    async fn overdue(&self, context: &Context<'_>) -> Result<Money> {
        let overdue = self.overdue_portions(context).await?;
        Ok(money(overdue.total().map_err(ServiceError::from)?, self.currency))
    }

    /// The same by what it is for.
    async fn overdue_balances(&self, context: &Context<'_>) -> Result<Balances> {
        Balances::of(&self.overdue_portions(context).await?, self.currency)
    }

    /// Portfolio at risk. Written-off loans count neither above nor below the line; rescheduled loans are shown beside it.
    async fn portfolio_at_risk(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "More days past due than this, 0 or more.", default = 30)] days: i32,
    ) -> Result<PortfolioAtRisk> {
        let days = u32::try_from(days).map_err(|_| bad_input("Send 0 days or more."))?;
        let request = request(context)?;
        let all = self.report.late(request.services, request.actor, self.group).await?;
        let late = all.get(&self.place).cloned().unwrap_or_default();
        let risk = at_risk(&late, days).map_err(ServiceError::from)?;
        Ok(PortfolioAtRisk {
            days,
            amount: money(risk.amount, self.currency),
            ratio: Decimal(risk.ratio),
            count: Int64(risk.count),
        })
    }

    /// What is left of the installments that were due by the day, by the age of each installment; age 0 falls due on the day itself, and is not overdue yet.
    async fn ageing(&self, context: &Context<'_>) -> Result<Vec<OverdueByAge>> {
        let aged = self.aged(context).await?;
        let row = |(days, part): (DelinquencyBucket, &Portions)| -> Result<OverdueByAge> {
            Ok(OverdueByAge { days, amount: Balances::of(part, self.currency)? })
        };
        DelinquencyBucket::all(&AGES).into_iter().zip(&aged.ages).map(row).collect()
    }

    /// Active loans whose rest was agreed anew by an agreement that was not reversed.
    async fn rescheduled(&self, context: &Context<'_>) -> Result<RescheduledTotals> {
        let request = request(context)?;
        let all = self.report.rescheduled(request.services, request.actor, self.group).await?;
        let Rescheduled { count, outstanding } = all.get(&self.place).copied().unwrap_or_default();
        Ok(RescheduledTotals { count: Int64(count), outstanding: Balances::of(&outstanding, self.currency)? })
    }

    /// What fell due in a period against what came in.
    async fn collections(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day; not before the first.")] to: Date,
    ) -> Result<Collections> {
        Collections::of(&self.flows(context, from, to).await?, self.currency)
    }

    /// What was paid out in a period.
    async fn disbursements(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day; not before the first.")] to: Date,
    ) -> Result<Disbursements> {
        Ok(Disbursements::of(&self.flows(context, from, to).await?, self.currency))
    }

    /// What borrowers paid in a period.
    async fn repayments(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day; not before the first.")] to: Date,
    ) -> Result<Repayments> {
        Repayments::of(&self.flows(context, from, to).await?, self.currency)
    }
}
