//! Sums over loans in the API: always per currency.

use std::collections::HashMap;

use async_graphql::{Context, Object, Result, SimpleObject};

use super::branch::Branch;
use super::loan::LoanStatus;
use super::loan_product::LoanProduct;
use super::money::Money;
use super::scalars::{CurrencyCode, Int64};
use super::selection::{BranchPlan, Selected};
use crate::graphql::request::request;
use crate::service::list::Filter;
use crate::service::loans::LoanField;
use crate::service::portfolio::Totals;

/// How many loans there are in one currency, and what they amount to.
#[derive(Debug, Clone, SimpleObject)]
pub struct CurrencyTotals {
    /// The currency.
    pub currency: CurrencyCode,
    /// The number of loans.
    pub count: Int64,
    /// The sum of the amounts applied for.
    pub principal: Money,
    /// Their average, rounded half to even to the currency's minor unit.
    pub average_principal: Money,
}

impl TryFrom<Totals> for CurrencyTotals {
    type Error = async_graphql::Error;

    fn try_from(totals: Totals) -> Result<Self> {
        let average = totals.principal.average(totals.count).map_err(|cause| {
            tracing::error!(%cause, "an average could not be computed");
            crate::graphql::error::error(
                crate::graphql::error::ErrorCode::Internal,
                "Something went wrong on our side; report the request id if it lasts.",
            )
        })?;
        Ok(Self {
            currency: CurrencyCode(totals.principal.currency().code().to_owned()),
            count: Int64(totals.count),
            principal: totals.principal.into(),
            average_principal: average.into(),
        })
    }
}

/// Totals as callers see them.
pub fn currency_totals(totals: Vec<Totals>) -> Result<Vec<CurrencyTotals>> {
    totals.into_iter().map(CurrencyTotals::try_from).collect()
}

fn count(totals: &[Totals]) -> Int64 {
    Int64(totals.iter().fold(0_i64, |sum, one| sum.saturating_add(one.count)))
}

/// The loans of one status.
#[derive(Debug, Clone, SimpleObject)]
pub struct StatusTotals {
    /// The status.
    pub status: LoanStatus,
    /// The number of loans.
    pub count: Int64,
    /// What they amount to, per currency.
    pub totals: Vec<CurrencyTotals>,
}

/// The loans of one branch.
#[derive(Clone, SimpleObject)]
pub struct BranchTotals {
    /// The branch; null where the caller may not see it.
    pub branch: Option<Branch>,
    /// The number of loans.
    pub count: Int64,
    /// What they amount to, per currency.
    pub totals: Vec<CurrencyTotals>,
}

/// The loans of one product.
#[derive(Clone, SimpleObject)]
pub struct LoanProductTotals {
    /// The product; null where the caller may not see it.
    pub product: Option<LoanProduct>,
    /// The number of loans.
    pub count: Int64,
    /// What they amount to, per currency.
    pub totals: Vec<CurrencyTotals>,
}

/// Sums over the loans that match a filter. Amounts of different currencies are never added; what is not selected is not computed.
pub struct Portfolio {
    filter: Filter<LoanField>,
}

impl Portfolio {
    /// The portfolio of the loans that match.
    #[must_use]
    pub fn new(filter: Filter<LoanField>) -> Self {
        Self { filter }
    }
}

/// Sums over the loans that match a filter. Amounts of different currencies are never added; what is not selected is not computed.
#[Object]
impl Portfolio {
    /// The number of loans.
    async fn count(&self, context: &Context<'_>) -> Result<Int64> {
        let request = request(context)?;
        Ok(count(&request.services.portfolio_totals(request.actor, &self.filter).await?))
    }

    /// Totals per currency, in the order of the currencies' codes.
    async fn by_currency(&self, context: &Context<'_>) -> Result<Vec<CurrencyTotals>> {
        let request = request(context)?;
        currency_totals(request.services.portfolio_totals(request.actor, &self.filter).await?)
    }

    /// Totals per status, for the statuses that occur, in the order of a loan's life.
    async fn by_status(&self, context: &Context<'_>) -> Result<Vec<StatusTotals>> {
        let request = request(context)?;
        let groups = request.services.portfolio_by_status(request.actor, &self.filter).await?;
        groups
            .into_iter()
            .map(|group| {
                Ok(StatusTotals {
                    status: group.key.into(),
                    count: count(&group.totals),
                    totals: currency_totals(group.totals)?,
                })
            })
            .collect()
    }

    /// Totals per branch, for the branches that have loans.
    async fn by_branch(&self, context: &Context<'_>) -> Result<Vec<BranchTotals>> {
        let plan = {
            let selected = Selected::here(context);
            selected.has("branch").then(|| BranchPlan::of(&selected.field("branch")))
        };
        let request = request(context)?;
        let groups = request.services.portfolio_by_branch(request.actor, &self.filter).await?;
        let branches = match &plan {
            Some(plan) => Branch::by_id(request, groups.iter().map(|group| group.key).collect(), plan).await?,
            None => HashMap::new(),
        };
        groups
            .into_iter()
            .map(|group| {
                Ok(BranchTotals {
                    branch: branches.get(&group.key).cloned(),
                    count: count(&group.totals),
                    totals: currency_totals(group.totals)?,
                })
            })
            .collect()
    }

    /// Totals per product, for the products that have loans.
    async fn by_product(&self, context: &Context<'_>) -> Result<Vec<LoanProductTotals>> {
        let with_product = Selected::here(context).has("product");
        let request = request(context)?;
        let groups = request.services.portfolio_by_product(request.actor, &self.filter).await?;
        let products = match with_product {
            true => LoanProduct::by_id(request, groups.iter().map(|group| group.key).collect()).await?,
            false => HashMap::new(),
        };
        groups
            .into_iter()
            .map(|group| {
                Ok(LoanProductTotals {
                    product: products.get(&group.key).cloned(),
                    count: count(&group.totals),
                    totals: currency_totals(group.totals)?,
                })
            })
            .collect()
    }
}
