//! Lists in the API: cursor pages in the Relay form, both ways, with a count that is only taken when it is selected.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::connection::{CursorType, Edge, EmptyFields, PageInfo};
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{Context, ContextSelectionSet, Enum, Object, OutputType, Positioned, Result, ServerResult, Value};

use super::at_hand::AtHand;
use super::audit_event::AuditEvent;
use super::borrower::Borrower;
use super::branch::Branch;
use super::collection::{CollectionRow, CollectionRowConnectionFields};
use super::group::Group;
use super::journal_entry::JournalEntry;
use super::loan::Loan;
use super::loan::event::LoanEvent;
use super::loan::transaction::LoanTransaction;
use super::loan_product::LoanProduct;
use super::portfolio::currency_totals;
use super::portfolio::totals::CurrencyTotals;
use super::written::{self, Written, unwritten, written};
use crate::graphql::error::bad_input;
use crate::graphql::request::{ApiLimits, request};
use crate::service::audit::AuditField;
use crate::service::borrowers::BorrowerField;
use crate::service::branches::BranchField;
use crate::service::groups::GroupField;
use crate::service::ledger::EntryField;
use crate::service::list::{Cursor, Filter, Page, PageRequest, SortKey};
use crate::service::loan_products::LoanProductField;
use crate::service::loans::LoanField;
use crate::service::portfolio::Report;

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

/// Written when an edge is asked for its cursor. Arguments are text to the API: what a cursor stands for is the store's.
impl CursorType for Cursor {
    type Error = Infallible;

    fn decode_cursor(text: &str) -> Result<Self, Infallible> {
        Ok(Self::Written(text.to_owned()))
    }

    fn encode_cursor(&self) -> String {
        self.to_string()
    }
}

/// A row of a page with its cursor.
type RowEdge<N> = Edge<Cursor, AtHand<N>, EmptyFields>;

/// A page of rows and what the connection has beside it.
pub struct Pages<N: Written, C> {
    edges: Vec<RowEdge<N>>,
    has_previous: bool,
    has_next: bool,
    further: C,
}

/// The rows of a page, each with its cursor, as a field.
struct Edges<'a, N: Written>(&'a [RowEdge<N>]);

/// The rows of a page, as a field.
struct Nodes<'a, N: Written>(&'a [RowEdge<N>]);

written!(impl<N> RowEdge<N> {
    "cursor": value |edge, _| edge.cursor.to_string(),
    "node": object |edge, _| edge.node,
});

unwritten!(AuditEvent, CollectionRow, JournalEntry, LoanEvent, LoanTransaction);

impl<N: Written> OutputType for Edges<'_, N> {
    fn type_name() -> Cow<'static, str> {
        <Vec<RowEdge<N>>>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<RowEdge<N>>>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<RowEdge<N>>>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        if let Some(written) = written::list(context, field, self.0.iter()) {
            return Ok(written);
        }
        self.0.resolve(context, field).await
    }
}

impl<N: Written> OutputType for Nodes<'_, N> {
    fn type_name() -> Cow<'static, str> {
        <Vec<AtHand<N>>>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<AtHand<N>>>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<AtHand<N>>>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let nodes = self.0.iter().map(|edge| &edge.node);
        if let Some(written) = written::list(context, field, nodes.clone().map(|node| &node.0)) {
            return Ok(written);
        }
        nodes.collect::<Vec<_>>().resolve(context, field).await
    }
}

/// Defines a connection. The library has one, but it carries no description.
macro_rules! connections {
    ($($(#[$doc:meta])+ $name:ident($node:ty, $further:ty);)+) => {$(
        $(#[$doc])+
        pub struct $name(Pages<$node, $further>);

        $(#[$doc])+
        #[Object]
        impl $name {
            /// Whether there are rows before and after this page, and the cursors to ask for them.
            fn page_info(&self) -> PageInfo {
                PageInfo {
                    has_previous_page: self.0.has_previous,
                    has_next_page: self.0.has_next,
                    start_cursor: self.0.edges.first().map(|edge| edge.cursor.to_string()),
                    end_cursor: self.0.edges.last().map(|edge| edge.cursor.to_string()),
                }
            }

            /// The rows of this page, each with its cursor.
            fn edges(&self) -> Edges<'_, $node> {
                Edges(&self.0.edges)
            }

            /// The rows of this page.
            fn nodes(&self) -> Nodes<'_, $node> {
                Nodes(&self.0.edges)
            }

            #[graphql(flatten)]
            fn further(&self) -> &$further {
                &self.0.further
            }
        }

        impl From<Pages<$node, $further>> for $name {
            fn from(pages: Pages<$node, $further>) -> Self {
                Self(pages)
            }
        }
    )+};
}

connections! {
    /// Branches, page by page.
    BranchConnection(Branch, BranchConnectionFields);
    /// Borrowers, page by page.
    BorrowerConnection(Borrower, BorrowerConnectionFields);
    /// Groups, page by page.
    GroupConnection(Group, GroupConnectionFields);
    /// Loan products, page by page.
    LoanProductConnection(LoanProduct, LoanProductConnectionFields);
    /// Loans, page by page.
    LoanConnection(Loan, LoanConnectionFields);
    /// What is to be collected, page by page.
    CollectionRowConnection(CollectionRow, CollectionRowConnectionFields);
    /// Journal entries, page by page.
    JournalEntryConnection(JournalEntry, JournalEntryConnectionFields);
    /// Events of the audit trail, page by page.
    AuditEventConnection(AuditEvent, AuditEventConnectionFields);
    /// What happened to a loan, page by page.
    LoanEventConnection(LoanEvent, OwnListFields);
    /// Transactions of a loan, page by page.
    LoanTransactionConnection(LoanTransaction, OwnListFields);
}

/// Puts a page's nodes, in the order of its rows, and the connection's further fields together.
pub fn connection<R, N, C, T>(page: Page<R>, nodes: Vec<N>, further: C) -> T
where
    N: Written,
    T: From<Pages<N, C>>,
{
    let edges = page.rows.into_iter().zip(nodes).map(|((cursor, _), node)| Edge::new(cursor, AtHand(node))).collect();
    T::from(Pages { edges, has_previous: page.has_previous, has_next: page.has_next, further })
}

/// Splits a page into its frame and its records.
pub fn apart<R>(page: Page<R>) -> (Page<()>, Vec<R>) {
    let (cursors, records): (Vec<_>, Vec<_>) =
        page.rows.into_iter().map(|(cursor, record)| ((cursor, ()), record)).unzip();
    (Page { rows: cursors, has_previous: page.has_previous, has_next: page.has_next }, records)
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
                Ok(count(Box::pin(request.services.$service(request.actor, &self.filter)).await?))
            }
        }
    };
}

counted!(BranchConnectionFields, BranchField, count_branches);
counted!(BorrowerConnectionFields, BorrowerField, count_borrowers);
counted!(GroupConnectionFields, GroupField, count_groups);
counted!(LoanProductConnectionFields, LoanProductField, count_loan_products);

counted!(JournalEntryConnectionFields, EntryField, count_journal_entries);

/// What a connection of audit events has beside its page.
pub struct AuditEventConnectionFields {
    filter: Arc<Filter<AuditField>>,
}

impl AuditEventConnectionFields {
    /// The further fields of a connection with this filter.
    #[must_use]
    pub fn new(filter: Arc<Filter<AuditField>>) -> Self {
        Self { filter }
    }
}

/// What a connection of audit events has beside its page.
#[Object]
impl AuditEventConnectionFields {
    /// How many match the filter, on all pages together. Counting stops at 10,001, which stands for "more than 10,000".
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        let request = request(context)?;
        Ok(count(Box::pin(request.services.count_audit_events(request.actor, &self.filter)).await?))
    }

    /// How many events of the caller's branches are not sealed yet, whatever the filter.
    async fn unsealed(&self, context: &Context<'_>) -> Result<i64> {
        let request = request(context)?;
        Ok(count(Box::pin(request.services.unsealed_audit_events(request.actor)).await?))
    }
}

/// What a connection of one loan's rows has beside its page.
pub struct OwnListFields {
    total: usize,
}

impl OwnListFields {
    /// The further fields of a list of so many rows.
    #[must_use]
    pub const fn new(total: usize) -> Self {
        Self { total }
    }
}

/// What a connection of one loan's rows has beside its page.
#[Object]
impl OwnListFields {
    /// How many there are, on all pages together.
    fn total_count(&self) -> i64 {
        i64::try_from(self.total).unwrap_or(i64::MAX)
    }
}

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
        Ok(count(Box::pin(request.services.count_loans(request.actor, &self.filter)).await?))
    }

    /// Exact totals on the same filter, on all pages together: one row per currency, never added across currencies.
    async fn totals(&self, context: &Context<'_>) -> Result<Vec<CurrencyTotals>> {
        currency_totals(context, &Arc::new(Report::new(Filter::clone(&self.filter), None))).await
    }
}
