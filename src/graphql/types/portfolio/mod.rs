//! Sums over loans in the API: always per currency. What is not selected is not computed, and what several rows of an
//! answer need is asked for once.

pub mod flows;
pub mod totals;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::NaiveDate;
use uuid::Uuid;

use super::branch::Branch;
use super::loan::LoanStatus;
use super::loan_product::LoanProduct;
use super::scalars::{Date, Int64};
use super::selection::{BranchPlan, Selected};
use crate::graphql::request::request;
use crate::service::list::Filter;
use crate::service::loans::LoanField;
use crate::service::portfolio::{GroupBy, GroupKey, Report};
use totals::CurrencyTotals;

/// The loans of one status.
#[derive(Clone, SimpleObject)]
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

/// The loans that one credit officer looks after.
#[derive(Clone, SimpleObject)]
pub struct OfficerTotals {
    /// The officer's subject; null for loans that nobody looks after.
    pub officer: Option<String>,
    /// The number of loans.
    pub count: Int64,
    /// What they amount to, per currency.
    pub totals: Vec<CurrencyTotals>,
}

/// The groups of a report in their order, each with the number of its loans and its totals per currency.
struct Group {
    key: GroupKey,
    count: i64,
    totals: Vec<CurrencyTotals>,
}

async fn groups(context: &Context<'_>, report: &Arc<Report>, group: GroupBy) -> Result<Vec<Group>> {
    let request = request(context)?;
    let counted = report.counted(request.services, request.actor, group).await?;
    let mut groups: Vec<Group> = Vec::new();
    for ((key, currency), counted) in counted.iter() {
        let totals = CurrencyTotals::of(Arc::clone(report), group, key.clone(), currency, *counted)?;
        match groups.last_mut().filter(|group| group.key == *key) {
            Some(group) => {
                group.count = group.count.saturating_add(counted.count);
                group.totals.push(totals);
            }
            None => groups.push(Group { key: key.clone(), count: counted.count, totals: vec![totals] }),
        }
    }
    Ok(groups)
}

/// The totals of all loans that match, per currency.
///
/// # Errors
/// FORBIDDEN; whatever the database answers.
pub async fn currency_totals(context: &Context<'_>, report: &Arc<Report>) -> Result<Vec<CurrencyTotals>> {
    Ok(groups(context, report, GroupBy::Nothing).await?.pop().map(|all| all.totals).unwrap_or_default())
}

/// Sums over the loans that match a filter. Amounts of different currencies are never added; what is not selected is not computed.
pub struct Portfolio {
    report: Arc<Report>,
}

impl Portfolio {
    /// The portfolio of the loans that match, on a day.
    #[must_use]
    pub fn new(filter: Filter<LoanField>, as_of: Option<NaiveDate>) -> Self {
        Self { report: Arc::new(Report::new(filter, as_of)) }
    }
}

/// Sums over the loans that match a filter. Amounts of different currencies are never added; what is not selected is not computed.
#[Object]
impl Portfolio {
    /// The day the figures are of; null when it was left out, and each branch's own business date counts.
    fn as_of(&self) -> Option<Date> {
        self.report.as_of().map(Date)
    }

    /// The number of loans.
    async fn count(&self, context: &Context<'_>) -> Result<Int64> {
        let groups = groups(context, &self.report, GroupBy::Nothing).await?;
        Ok(Int64(groups.first().map_or(0, |all| all.count)))
    }

    /// Totals per currency, in the order of the currencies' codes.
    async fn by_currency(&self, context: &Context<'_>) -> Result<Vec<CurrencyTotals>> {
        currency_totals(context, &self.report).await
    }

    /// Totals per status, for the statuses that occur, in the order of a loan's life.
    async fn by_status(&self, context: &Context<'_>) -> Result<Vec<StatusTotals>> {
        let groups = groups(context, &self.report, GroupBy::Status).await?;
        let row = |group: Group| match group.key {
            GroupKey::Status(status) => {
                Some(StatusTotals { status: status.into(), count: Int64(group.count), totals: group.totals })
            }
            _ => None,
        };
        Ok(groups.into_iter().filter_map(row).collect())
    }

    /// Totals per branch, for the branches that have loans, each without the branches below it: filter by branch for a branch with all that lies below it.
    async fn by_branch(&self, context: &Context<'_>) -> Result<Vec<BranchTotals>> {
        let plan = {
            let selected = Selected::here(context);
            selected.has("branch").then(|| BranchPlan::of(&selected.field("branch")))
        };
        let groups = groups(context, &self.report, GroupBy::Branch).await?;
        let ids: Vec<Uuid> = groups.iter().filter_map(|group| branch_of(&group.key)).collect();
        let branches = match &plan {
            Some(plan) => Branch::by_id(request(context)?, ids, plan).await?,
            None => HashMap::new(),
        };
        let row = |group: Group| BranchTotals {
            branch: branch_of(&group.key).and_then(|id| branches.get(&id).cloned()),
            count: Int64(group.count),
            totals: group.totals,
        };
        Ok(groups.into_iter().map(row).collect())
    }

    /// Totals per product, for the products that have loans.
    async fn by_product(&self, context: &Context<'_>) -> Result<Vec<LoanProductTotals>> {
        let with_product = Selected::here(context).has("product");
        let groups = groups(context, &self.report, GroupBy::Product).await?;
        let ids: Vec<Uuid> = groups.iter().filter_map(|group| product_of(&group.key)).collect();
        let products = match with_product {
            true => LoanProduct::by_id(request(context)?, ids).await?,
            false => HashMap::new(),
        };
        let row = |group: Group| LoanProductTotals {
            product: product_of(&group.key).and_then(|id| products.get(&id).cloned()),
            count: Int64(group.count),
            totals: group.totals,
        };
        Ok(groups.into_iter().map(row).collect())
    }

    /// Totals per credit officer, for the officers who look after loans; loans that nobody looks after come first.
    async fn by_officer(&self, context: &Context<'_>) -> Result<Vec<OfficerTotals>> {
        let groups = groups(context, &self.report, GroupBy::Officer).await?;
        let row = |group: Group| match group.key {
            GroupKey::Officer(officer) => {
                Some(OfficerTotals { officer, count: Int64(group.count), totals: group.totals })
            }
            _ => None,
        };
        Ok(groups.into_iter().filter_map(row).collect())
    }
}

fn branch_of(key: &GroupKey) -> Option<Uuid> {
    match key {
        GroupKey::Branch(id) => Some(*id),
        _ => None,
    }
}

fn product_of(key: &GroupKey) -> Option<Uuid> {
    match key {
        GroupKey::Product(id) => Some(*id),
        _ => None,
    }
}
