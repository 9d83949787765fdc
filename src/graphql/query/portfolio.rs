//! Asking about the portfolio.

use async_graphql::{Object, Result};

use crate::graphql::types::filters;
use crate::graphql::types::loan_filter::LoanFilter;
use crate::graphql::types::portfolio::Portfolio;

/// The queries around the portfolio.
#[derive(Default)]
pub struct PortfolioQuery;

#[Object]
impl PortfolioQuery {
    /// Sums over the loans of the caller's branches: counts, amounts and averages, in all and by status, branch and product. Permission: ReadPortfolio.
    async fn portfolio(
        &self,
        #[graphql(desc = "Which loans; all of them if omitted.")] filter: Option<LoanFilter>,
    ) -> Result<Portfolio> {
        Ok(Portfolio::new(filters::read(filter)?))
    }
}
