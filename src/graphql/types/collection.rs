//! The collection sheet in the API: rows page by page, with sums per group and per currency over all pages.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::borrower::Borrower;
use super::branch::Branch;
use super::connection::{CollectionRowConnection, apart, connection, page_request};
use super::group::Group;
use super::id::id;
use super::loan::Loan;
use super::loan::balances::{Balances, money};
use super::money::Money;
use super::scalars::{CurrencyCode, Date, Int64};
use super::selection::{BorrowerPlan, GroupPlan, LoanPlan, Selected};
use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::collection_sheet::{Due, GroupDue, Sheet, totals};

/// Who owes what by a day, as the books stand now. On it are the active loans with anything left of an installment that is due by the day.
#[derive(Clone)]
pub struct CollectionSheet {
    sheet: Arc<Sheet>,
    groups: Arc<OnceCell<Vec<GroupDue>>>,
}

/// What is to be collected on one loan.
#[derive(Clone, SimpleObject)]
pub struct CollectionRow {
    /// Where the group meets: the center; null without a group or a place.
    pub center: Option<String>,
    /// The group; null when there is none and where the caller may not see it.
    pub group: Option<Group>,
    /// Who owes; null where the caller may not see them.
    pub borrower: Option<Borrower>,
    /// The id of the loan.
    pub loan_id: ID,
    /// The loan; null where the caller may not see it.
    pub loan: Option<Loan>,
    /// What falls due on the day and is not paid yet.
    pub due: Balances,
    /// What fell due before the day and is not paid yet.
    pub overdue: Balances,
    /// Both together: what to collect.
    pub total: Money,
    /// What the borrower paid too much before.
    pub credit: Money,
    /// How many days the oldest installment with anything left of it is past due on the day.
    pub days_past_due: u32,
    /// When the next installment after the day falls due; null when there is none.
    pub next_due_on: Option<Date>,
}

/// What is to be collected from one group in one currency.
#[derive(Clone, SimpleObject)]
pub struct CollectionGroup {
    /// Where the group meets: the center; null without a group or a place.
    pub center: Option<String>,
    /// The group; null for those without one and where the caller may not see it.
    pub group: Option<Group>,
    /// The currency.
    pub currency: CurrencyCode,
    /// The number of loans.
    pub count: Int64,
    /// What falls due on the day.
    pub due: Balances,
    /// What fell due before the day.
    pub overdue: Balances,
    /// Both together: what to collect.
    pub total: Money,
}

/// What is to be collected in one currency.
#[derive(Clone, SimpleObject)]
pub struct CollectionTotals {
    /// The currency.
    pub currency: CurrencyCode,
    /// The number of loans.
    pub count: Int64,
    /// What falls due on the day.
    pub due: Balances,
    /// What fell due before the day.
    pub overdue: Balances,
    /// Both together: what to collect.
    pub total: Money,
}

impl From<Sheet> for CollectionSheet {
    fn from(sheet: Sheet) -> Self {
        Self { sheet: Arc::new(sheet), groups: Arc::default() }
    }
}

impl CollectionSheet {
    async fn sums(&self, context: &Context<'_>) -> Result<&Vec<GroupDue>> {
        let load = async || -> Result<Vec<GroupDue>> {
            let request = request(context)?;
            Ok(request.services.collection_groups(request.actor, &self.sheet).await?)
        };
        self.groups.get_or_try_init(load).await
    }
}

/// Who owes what by a day, as the books stand now. On it are the active loans with anything left of an installment that is due by the day.
#[Object]
impl CollectionSheet {
    /// The day.
    fn on(&self) -> Date {
        Date(self.sheet.on)
    }

    /// The branch, with those below it; null where the caller may not see it.
    async fn branch(&self, context: &Context<'_>) -> Nullable<Branch> {
        Branch::load(context, self.sheet.branch).await.transpose()
    }

    /// The only group on it, if one was asked for.
    async fn group(&self, context: &Context<'_>) -> Nullable<Group> {
        Group::load(context, self.sheet.group?).await.transpose()
    }

    /// What is to be collected loan by loan, in the order of center, group, borrower and loan; those without a center or a group come last.
    async fn rows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> Result<CollectionRowConnection> {
        let wanted = Wanted::of(&Selected::nodes(context));
        let request = request(context)?;
        let asked = page_request(request.limits, first, after, last, before)?;
        let page = request.services.collection_rows(request.actor, &self.sheet, &asked).await?;
        let (page, records) = apart(page);
        let nodes = wanted.rows(context, self.sheet.on, records).await?;
        Ok(connection(page, nodes, CollectionRowConnectionFields(self.clone())))
    }

    /// What is to be collected from each group, over all pages: a row for each currency, in the order of the rows. Those without a group are together, at the end.
    async fn groups(&self, context: &Context<'_>) -> Result<Vec<CollectionGroup>> {
        let plan = {
            let selected = Selected::here(context);
            selected.has("group").then(|| GroupPlan::of(&selected.field("group")))
        };
        let sums = self.sums(context).await?;
        let groups = match &plan {
            Some(plan) => {
                Group::by_id(request(context)?, sums.iter().filter_map(|sum| sum.group_id).collect(), plan).await?
            }
            None => std::collections::HashMap::new(),
        };
        let row = |sum: &GroupDue| -> Result<CollectionGroup> {
            let both = sum.due.plus(&sum.overdue).and_then(|both| both.total()).map_err(ServiceError::from)?;
            Ok(CollectionGroup {
                center: sum.meeting_place.clone(),
                group: sum.group_id.and_then(|id| groups.get(&id).cloned()),
                currency: CurrencyCode(sum.currency.code().to_owned()),
                count: Int64(sum.loans),
                due: Balances::of(&sum.due, sum.currency)?,
                overdue: Balances::of(&sum.overdue, sum.currency)?,
                total: money(both, sum.currency),
            })
        };
        sums.iter().map(row).collect()
    }

    /// What is to be collected in each currency, over all pages.
    async fn totals(&self, context: &Context<'_>) -> Result<Vec<CollectionTotals>> {
        let mut rows = Vec::new();
        for sum in totals(self.sums(context).await?)? {
            let both = sum.due.plus(&sum.overdue).and_then(|both| both.total()).map_err(ServiceError::from)?;
            rows.push(CollectionTotals {
                currency: CurrencyCode(sum.currency.code().to_owned()),
                count: Int64(sum.loans),
                due: Balances::of(&sum.due, sum.currency)?,
                overdue: Balances::of(&sum.overdue, sum.currency)?,
                total: money(both, sum.currency),
            });
        }
        Ok(rows)
    }
}

/// What a connection of a collection sheet's rows has beside its page.
pub struct CollectionRowConnectionFields(CollectionSheet);

/// What a connection of a collection sheet's rows has beside its page.
#[Object]
impl CollectionRowConnectionFields {
    /// How many there are, on all pages together.
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        Ok(self.0.sums(context).await?.iter().fold(0_i64, |sum, group| sum.saturating_add(group.loans)))
    }
}

/// Which relations of rows to fetch.
struct Wanted {
    group: Option<GroupPlan>,
    borrower: Option<BorrowerPlan>,
    loan: Option<LoanPlan>,
}

impl Wanted {
    fn of(selected: &Selected<'_>) -> Self {
        Self {
            group: selected.has("group").then(|| GroupPlan::of(&selected.field("group"))),
            borrower: selected.has("borrower").then(|| BorrowerPlan::of(&selected.field("borrower"))),
            loan: selected.has("loan").then(|| LoanPlan::of(&selected.field("loan"))),
        }
    }

    /// Rows with the relations that are wanted: one statement per relation.
    async fn rows(&self, context: &Context<'_>, on: chrono::NaiveDate, rows: Vec<Due>) -> Result<Vec<CollectionRow>> {
        let request = request(context)?;
        let groups = match &self.group {
            Some(plan) => Group::by_id(request, rows.iter().filter_map(|row| row.group_id).collect(), plan).await?,
            None => Default::default(),
        };
        let borrowers = match &self.borrower {
            Some(plan) => Borrower::by_id(request, ids(&rows, |row| row.borrower_id), plan).await?,
            None => Default::default(),
        };
        let loans = match &self.loan {
            Some(plan) => Loan::by_id(request, ids(&rows, |row| row.loan_id), plan).await?,
            None => Default::default(),
        };
        let row = |row: Due| -> Result<CollectionRow> {
            let both = row.due.plus(&row.overdue).and_then(|both| both.total()).map_err(ServiceError::from)?;
            Ok(CollectionRow {
                center: row.meeting_place,
                group: row.group_id.and_then(|id| groups.get(&id).cloned()),
                borrower: borrowers.get(&row.borrower_id).cloned(),
                loan_id: id(Kind::Loan, row.loan_id),
                loan: loans.get(&row.loan_id).cloned(),
                due: Balances::of(&row.due, row.currency)?,
                overdue: Balances::of(&row.overdue, row.currency)?,
                total: money(both, row.currency),
                credit: money(row.credit, row.currency),
                days_past_due: lending::loan::arrears::days_past_due(row.oldest_unpaid_due_on, on),
                next_due_on: row.next_due_on.map(Date),
            })
        };
        rows.into_iter().map(row).collect()
    }
}

fn ids(rows: &[Due], of: impl Fn(&Due) -> Uuid) -> Vec<Uuid> {
    rows.iter().map(of).collect()
}
