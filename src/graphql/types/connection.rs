//! Lists in the API: cursor pages in the Relay form, both ways, with a count that is only taken when it is selected.

use std::sync::Arc;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Enum, Object, ObjectType, OutputType, Result};

use super::portfolio::{CurrencyTotals, currency_totals};
use crate::graphql::error::bad_input;
use crate::graphql::request::{ApiLimits, request};
use crate::service::borrowers::BorrowerField;
use crate::service::branches::BranchField;
use crate::service::list::{Filter, Page, PageRequest, SortKey};
use crate::service::loan_products::LoanProductField;
use crate::service::loans::LoanField;

/// Rows on a page when the caller names no number.
const DEFAULT_PAGE: u32 = 20;

/// The most keys of an order: each further key makes every page more expensive and hardly ever decides anything.
const MOST_KEYS: usize = 3;

/// Which way to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// Reads the four paging arguments.
///
/// # Errors
/// BAD_USER_INPUT when both directions are asked for at once, or a number is not from 1 to the largest page.
pub fn page_request(
    limits: ApiLimits,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<PageRequest> {
    let backward = last.is_some() || before.is_some();
    if backward && (first.is_some() || after.is_some()) {
        return Err(bad_input("Send either first and after, or last and before, not both."));
    }
    let (name, size) = if backward { ("last", last) } else { ("first", first) };
    let largest = limits.largest_page;
    let size = match size {
        None => DEFAULT_PAGE.min(largest),
        Some(size) => u32::try_from(size)
            .ok()
            .filter(|size| (1..=largest).contains(size))
            .ok_or_else(|| bad_input(format!("Send a number from 1 to {largest} for {name}.")))?,
    };
    Ok(PageRequest { size, backward, cursor: if backward { before } else { after } })
}

/// One key of an order, as a list's own input type spells it.
pub trait Order {
    /// What the list can be sorted by.
    type Key: Copy + PartialEq;

    /// The field and the direction.
    fn key(&self) -> (Self::Key, OrderDirection);
}

/// Reads an order; without one the list is sorted by `otherwise`, ascending.
///
/// # Errors
/// BAD_USER_INPUT for too many keys, or the same key twice.
pub fn sort_keys<O, F>(order: Vec<O>, otherwise: F) -> Result<Vec<SortKey<F>>>
where
    O: Order,
    F: From<O::Key>,
{
    if order.is_empty() {
        return Ok(vec![SortKey { field: otherwise, descending: false }]);
    }
    if order.len() > MOST_KEYS {
        return Err(bad_input(format!("Order by at most {MOST_KEYS} fields.")));
    }
    let keys: Vec<_> = order.iter().map(O::key).collect();
    if keys.iter().enumerate().any(|(place, (field, _))| keys[..place].iter().any(|(other, _)| other == field)) {
        return Err(bad_input("Name each field of orderBy only once."));
    }
    let key = |(field, direction)| SortKey { field: F::from(field), descending: direction == OrderDirection::Desc };
    Ok(keys.into_iter().map(key).collect())
}

/// Puts a page's nodes, in the order of its rows, and the connection's further fields together.
pub fn connection<R, N, C>(page: Page<R>, nodes: Vec<N>, further: C) -> Connection<String, N, C>
where
    N: OutputType,
    C: ObjectType,
{
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, further);
    connection.edges = page
        .rows
        .into_iter()
        .zip(nodes)
        .map(|((cursor, _), node)| Edge::<String, N, EmptyFields>::new(cursor, node))
        .collect();
    connection
}

/// Splits a page into its frame and its records.
pub fn records<R: Clone>(page: &Page<R>) -> Vec<R> {
    page.rows.iter().map(|(_, record)| record.clone()).collect()
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Defines the further fields of a connection that can only be counted.
macro_rules! counted {
    ($name:ident, $field:ty, $service:ident) => {
        /// What a connection has beside its page.
        pub struct $name {
            filter: Arc<Filter<$field>>,
        }

        impl $name {
            /// The further fields of a connection with this filter.
            #[must_use]
            pub fn new(filter: Arc<Filter<$field>>) -> Self {
                Self { filter }
            }
        }

        /// What a connection has beside its page.
        #[Object]
        impl $name {
            /// How many match the filter, on all pages together. Counting stops at 10,001, which stands for "more than 10,000".
            async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
                let request = request(context)?;
                Ok(count(request.services.$service(request.actor, &self.filter).await?))
            }
        }
    };
}

counted!(BranchConnectionFields, BranchField, count_branches);
counted!(BorrowerConnectionFields, BorrowerField, count_borrowers);
counted!(LoanProductConnectionFields, LoanProductField, count_loan_products);

/// What a connection of loans has beside its page.
pub struct LoanConnectionFields {
    filter: Arc<Filter<LoanField>>,
}

impl LoanConnectionFields {
    /// The further fields of a connection with this filter.
    #[must_use]
    pub fn new(filter: Arc<Filter<LoanField>>) -> Self {
        Self { filter }
    }
}

/// What a connection of loans has beside its page.
#[Object]
impl LoanConnectionFields {
    /// How many match the filter, on all pages together. Counting stops at 10,001, which stands for "more than 10,000".
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        let request = request(context)?;
        Ok(count(request.services.count_loans(request.actor, &self.filter).await?))
    }

    /// Exact totals on the same filter, on all pages together: one row per currency, never added across currencies.
    async fn totals(&self, context: &Context<'_>) -> Result<Vec<CurrencyTotals>> {
        let request = request(context)?;
        currency_totals(request.services.portfolio_totals(request.actor, &self.filter).await?)
    }
}
