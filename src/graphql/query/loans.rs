//! Asking about loans.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};

use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::at_hand::AtHand;
use crate::graphql::types::connection::{
    LoanConnection, LoanConnectionFields, Order, OrderDirection, apart, connection, page_request, sort_keys,
};
use crate::graphql::types::filters;
use crate::graphql::types::id;
use crate::graphql::types::loan::{Loan, Rows};
use crate::graphql::types::loan_filter::LoanFilter;
use crate::graphql::types::scalars::{Date, DateTime};
use crate::graphql::types::selection::{LoanPlan, Selected};
use crate::ids::Kind;
use crate::service::loan_faces::LoanFace;
use crate::service::loans::{Filter, LoanField, LoanKey};

/// The queries around loans.
#[derive(Default)]
pub struct LoanQuery;

/// How to name one loan.
#[derive(OneofObject)]
pub enum LoanBy {
    /// By its id.
    Id(ID),
    /// By its number.
    Number(String),
    /// By its id in another system.
    ExternalRef(String),
}

/// One key of the order of loans.
#[derive(InputObject)]
pub struct LoanOrder {
    /// What to sort by.
    pub field: LoanOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What loans can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum LoanOrderField {
    /// When the application was taken.
    CreatedAt,
    /// The day of the application.
    AppliedOn,
    /// The number.
    Number,
    /// The amount applied for, in minor units whatever the currency: filter by currency for an order that means something.
    Principal,
    /// How many days the oldest installment with anything left of it is past due. Among loans that are not late, the one whose next installment is further off comes first, and first of all what has none.
    DaysPastDue,
    /// The next due date; loans without one come last.
    NextDueOn,
}

impl Order for LoanOrder {
    type Key = LoanOrderField;

    /// The more days past due, the earlier the due date.
    fn key(&self) -> (LoanOrderField, OrderDirection) {
        let direction = match (self.field, self.direction) {
            (LoanOrderField::DaysPastDue, OrderDirection::Asc) => OrderDirection::Desc,
            (LoanOrderField::DaysPastDue, OrderDirection::Desc) => OrderDirection::Asc,
            (_, direction) => direction,
        };
        (self.field, direction)
    }
}

impl From<LoanOrderField> for LoanField {
    fn from(field: LoanOrderField) -> Self {
        match field {
            LoanOrderField::CreatedAt => Self::CreatedAt,
            LoanOrderField::AppliedOn => Self::AppliedOn,
            LoanOrderField::Number => Self::Number,
            LoanOrderField::Principal => Self::Principal,
            LoanOrderField::DaysPastDue => Self::OldestUnpaidDueOn,
            LoanOrderField::NextDueOn => Self::NextDueOn,
        }
    }
}

#[Object]
impl LoanQuery {
    /// One loan; null when there is no such loan for the caller, or when it was not applied for by the day or the moment asked for. Permission: ReadLoans.
    async fn loan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which loan.")] by: LoanBy,
        #[graphql(
            desc = "The loan as it was, or will be if nothing else happens, on this day: its status, its figures and what was dated until then; the branch's business date if omitted. Version, officer and the like are today's."
        )]
        as_of: Option<Date>,
        #[graphql(
            desc = "As the books knew it at this moment: transactions and reversals recorded later are left out. Of decisions about the application only the day is known, not when they were recorded."
        )]
        known_at: Option<DateTime>,
    ) -> Nullable<AtHand<Loan>> {
        let key = match by {
            LoanBy::Id(id) => id::read(&id, Kind::Loan).map(LoanKey::Id),
            LoanBy::Number(number) => Ok(LoanKey::Number(number)),
            LoanBy::ExternalRef(reference) => Ok(LoanKey::ExternalRef(reference)),
        };
        let plan = LoanPlan::of(&Selected::here(context));
        let found = async {
            let request = request(context)?;
            if as_of.is_some() || known_at.is_some() {
                let (as_of, known_at) = (as_of.map(|day| day.0), known_at.map(|moment| moment.0));
                return match request.services.loan_view(request.actor, &key?, as_of, known_at).await? {
                    Some(view) => Loan::seen(request, view, &plan).await,
                    None => Ok(None),
                };
            }
            let key = key?;
            if let LoanKey::Id(id) = &key {
                return Ok(Loan::by_id(request, vec![*id], &plan).await?.remove(id));
            }
            let record = request.services.loan(request.actor, &key).await?;
            Ok(Loan::fetch(request, record.into_iter().collect::<Vec<_>>(), &plan).await?.pop())
        };
        Box::pin(found).await.transpose().map(AtHand::of)
    }

    /// The loans of the caller's branches, oldest application first unless ordered otherwise. Permission: ReadLoans; the totals need ReadPortfolio.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn loans(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which loans.")] filter: Option<LoanFilter>,
        #[graphql(desc = "In which order: at most 3 keys; the id decides between equals.")] order_by: Option<
            Vec<LoanOrder>,
        >,
    ) -> Result<LoanConnection> {
        Box::pin(loans_page(context, (first, after, last, before), None, filter, order_by)).await
    }
}

/// The four paging arguments of a connection: `first`, `after`, `last`, `before`.
pub type PageArguments = (Option<i32>, Option<String>, Option<i32>, Option<String>);

/// A page of loans for whichever field has them; `within` narrows the list before the caller's filter does.
///
/// # Errors
/// BAD_USER_INPUT, INVALID_CURSOR, FORBIDDEN; whatever the database answers.
pub async fn loans_page(
    context: &Context<'_>,
    (first, after, last, before): PageArguments,
    within: Option<Filter<LoanField>>,
    filter: Option<LoanFilter>,
    order_by: Option<Vec<LoanOrder>>,
) -> Result<LoanConnection> {
    let plan = LoanPlan::of(&Selected::nodes(context));
    let request = request(context)?;
    let page_request = page_request(request.limits, first, after, last, before)?;
    let filter = filters::read(filter)?;
    let filter = Arc::new(match within {
        Some(within) => Filter::All(vec![within, filter]),
        None => filter,
    });
    let order = sort_keys(order_by.unwrap_or_default(), LoanField::CreatedAt)?;
    let faces_will_do = !plan.whole && order.iter().all(|key| LoanFace::has(key.field));
    let (page, rows): (_, Rows) = match faces_will_do {
        true => {
            let (page, faces) =
                apart(request.services.loan_faces(request.actor, &filter, &order, &page_request).await?);
            (page, faces.into())
        }
        false => {
            let (page, records) = apart(request.services.loans(request.actor, &filter, &order, &page_request).await?);
            (page, records.into())
        }
    };
    let nodes = Loan::fetch(request, rows, &plan).await?;
    Ok(connection(page, nodes, LoanConnectionFields::new(filter)))
}
