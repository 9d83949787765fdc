//! Asking about branches.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};

use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::branch::{Branch, BranchStatus};
use crate::graphql::types::connection::{
    BranchConnection, BranchConnectionFields, Order, OrderDirection, apart, connection, page_request, sort_keys,
};
use crate::graphql::types::filters::{self, Conditions, CurrencyFilter, DateTimeFilter, IdFilter, Inner, Nested};
use crate::graphql::types::id;
use crate::graphql::types::selection::{BranchPlan, Selected};
use crate::ids::Kind;
use crate::service::branches::{self as service, BranchField, BranchKey};

/// The queries around branches.
#[derive(Default)]
pub struct BranchQuery;

/// How to name one branch.
#[derive(OneofObject)]
pub enum BranchBy {
    /// By its id.
    Id(ID),
    /// By its code.
    Code(String),
}

/// Which branches to list. All conditions must hold.
#[derive(Default, InputObject)]
pub struct BranchFilter {
    /// All of these must hold too.
    pub and: Option<Vec<BranchFilter>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<BranchFilter>>,
    /// This must not hold.
    pub not: Option<Box<BranchFilter>>,
    /// The branch directly above.
    pub parent: Option<IdFilter>,
    /// These branches and all branches below them.
    pub under: Option<IdFilter>,
    /// The status.
    pub status: Option<BranchStatus>,
    /// The currency.
    pub currency: Option<CurrencyFilter>,
    /// When it was created.
    pub created_at: Option<DateTimeFilter>,
    /// Text in the code or the name, in any case; at most 100 characters.
    pub search: Option<String>,
}

impl Nested for BranchFilter {
    type Field = BranchField;

    fn take_inner(&mut self) -> Inner<Self> {
        Inner { and: self.and.take(), or: self.or.take(), not: self.not.take() }
    }

    fn own(self) -> Result<Conditions<BranchField>> {
        let mut conditions = Conditions::default();
        conditions.id(BranchField::Parent, self.parent, Kind::Branch)?;
        conditions.branch(BranchField::Parent, self.under, true)?;
        conditions.name(BranchField::Status, self.status.map(|status| service::BranchStatus::from(status).as_str()));
        conditions.currency(BranchField::Currency, self.currency)?;
        conditions.time(BranchField::CreatedAt, self.created_at);
        conditions.search(self.search)?;
        Ok(conditions)
    }
}

/// One key of the order of branches.
#[derive(InputObject)]
pub struct BranchOrder {
    /// What to sort by.
    pub field: BranchOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What branches can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum BranchOrderField {
    /// When it was created.
    CreatedAt,
    /// The code.
    Code,
    /// The name, in any case.
    Name,
}

impl Order for BranchOrder {
    type Key = BranchOrderField;

    fn key(&self) -> (BranchOrderField, OrderDirection) {
        (self.field, self.direction)
    }
}

impl From<BranchOrderField> for BranchField {
    fn from(field: BranchOrderField) -> Self {
        match field {
            BranchOrderField::CreatedAt => Self::CreatedAt,
            BranchOrderField::Code => Self::Code,
            BranchOrderField::Name => Self::Name,
        }
    }
}

#[Object]
impl BranchQuery {
    /// One branch; null when there is no such branch for the caller. Permission: ReadBranches.
    async fn branch(&self, context: &Context<'_>, #[graphql(desc = "Which branch.")] by: BranchBy) -> Nullable<Branch> {
        let key = match by {
            BranchBy::Id(id) => id::read(&id, Kind::Branch).map(BranchKey::Id),
            BranchBy::Code(code) => Ok(BranchKey::Code(code)),
        };
        let plan = BranchPlan::of(&Selected::here(context));
        let found = async {
            let request = request(context)?;
            let record = request.services.branch(request.actor, &key?).await?;
            Ok(Branch::fetch(request, record.into_iter().collect(), &plan).await?.pop())
        };
        found.await.transpose()
    }

    /// The branches the caller works for, oldest first unless ordered otherwise. Permission: ReadBranches.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn branches(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which branches.")] filter: Option<BranchFilter>,
        #[graphql(desc = "In which order: at most 3 keys; the id decides between equals.")] order_by: Option<
            Vec<BranchOrder>,
        >,
    ) -> Result<BranchConnection> {
        let plan = BranchPlan::of(&Selected::nodes(context));
        let request = request(context)?;
        let page_request = page_request(request.limits, first, after, last, before)?;
        let filter = Arc::new(filters::read(filter)?);
        let order = sort_keys(order_by.unwrap_or_default(), BranchField::CreatedAt)?;
        let page = request.services.branches(request.actor, &filter, &order, &page_request).await?;
        let (page, records) = apart(page);
        let nodes = Branch::fetch(request, records, &plan).await?;
        Ok(connection(page, nodes, BranchConnectionFields::new(filter)))
    }
}
