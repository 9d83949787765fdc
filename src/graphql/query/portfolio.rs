//! Asking about the portfolio.

use async_graphql::{Object, Result};

use crate::graphql::types::filters;
use crate::graphql::types::loan_filter::LoanFilter;
use crate::graphql::types::portfolio::Portfolio;
use crate::graphql::types::scalars::Date;

/// The queries around the portfolio.
#[derive(Default)]
pub struct PortfolioQuery;

#[Object]
impl PortfolioQuery {
    /// Sums over the loans of the caller's branches: counts, amounts, what is owed and how late it is, what happened in a period; in all and by status, branch, product and officer. Permission: ReadPortfolio.
    fn portfolio(
        &self,
        #[graphql(desc = "Which loans, as they are now; all of them if omitted.")] filter: Option<LoanFilter>,
        #[graphql(
            desc = "The day the figures are of, today or before; each branch's own business date if omitted. On an earlier day every loan that matches is worked out anew as it was then, which takes the longer the more loans there are: narrow the filter when it takes too long. Loans applied for later do not count, and the statuses are those of the day."
        )]
        as_of: Option<Date>,
    ) -> Result<Portfolio> {
        Ok(Portfolio::new(filters::read(filter)?, as_of.map(|day| day.0)))
    }
}
