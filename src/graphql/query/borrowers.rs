//! Asking about borrowers.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};

use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::borrower::Borrower;
use crate::graphql::types::connection::{
    BorrowerConnection, BorrowerConnectionFields, Order, OrderDirection, apart, connection, page_request, sort_keys,
};
use crate::graphql::types::filters::{
    self, Conditions, DateFilter, DateTimeFilter, IdFilter, Inner, Nested, PersonalFilter, StringFilter,
};
use crate::graphql::types::id;
use crate::graphql::types::selection::{BorrowerPlan, Selected};
use crate::ids::Kind;
use crate::service::borrowers::{BorrowerField, BorrowerKey};

/// The queries around borrowers.
#[derive(Default)]
pub struct BorrowerQuery;

/// How to name one borrower.
#[derive(OneofObject)]
pub enum BorrowerBy {
    /// By their id.
    Id(ID),
    /// By their number.
    Number(String),
    /// By their id in another system.
    ExternalRef(String),
}

/// Which borrowers to list. All conditions must hold.
#[derive(Default, InputObject)]
pub struct BorrowerFilter {
    /// All of these must hold too.
    pub and: Option<Vec<BorrowerFilter>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<BorrowerFilter>>,
    /// This must not hold.
    pub not: Option<Box<BorrowerFilter>>,
    /// The branch that looks after them.
    pub branch: Option<IdFilter>,
    /// Whether the branches below count too.
    #[graphql(default = true)]
    pub include_sub_branches: bool,
    /// The number.
    pub number: Option<StringFilter>,
    /// The id in another system.
    pub external_ref: Option<StringFilter>,
    /// The telephone number, found by its keyed hash: exactly, but for punctuation. One in all of the filter; that it was looked for is on the audit trail.
    pub phone: Option<PersonalFilter>,
    /// The national id, found by its keyed hash: exactly, but for punctuation and case. One in all of the filter; that it was looked for is on the audit trail.
    pub national_id: Option<PersonalFilter>,
    /// The date of birth.
    pub date_of_birth: Option<DateFilter>,
    /// When they were registered.
    pub created_at: Option<DateTimeFilter>,
    /// Text in the name, the number or the external reference, in any case; at most 100 characters.
    pub search: Option<String>,
}

impl Nested for BorrowerFilter {
    type Field = BorrowerField;

    fn take_inner(&mut self) -> Inner<Self> {
        Inner { and: self.and.take(), or: self.or.take(), not: self.not.take() }
    }

    fn own(self) -> Result<Conditions<BorrowerField>> {
        let mut conditions = Conditions::default();
        conditions.branch(BorrowerField::Branch, self.branch, self.include_sub_branches)?;
        conditions.text(BorrowerField::Number, self.number);
        conditions.text(BorrowerField::ExternalRef, self.external_ref);
        conditions.personal(BorrowerField::Phone, self.phone);
        conditions.personal(BorrowerField::NationalId, self.national_id);
        conditions.date(BorrowerField::DateOfBirth, self.date_of_birth);
        conditions.time(BorrowerField::CreatedAt, self.created_at);
        conditions.search(self.search)?;
        Ok(conditions)
    }
}

/// One key of the order of borrowers.
#[derive(InputObject)]
pub struct BorrowerOrder {
    /// What to sort by.
    pub field: BorrowerOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What borrowers can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum BorrowerOrderField {
    /// When they were registered.
    CreatedAt,
    /// The number.
    Number,
    /// The name, in any case.
    Name,
}

impl Order for BorrowerOrder {
    type Key = BorrowerOrderField;

    fn key(&self) -> (BorrowerOrderField, OrderDirection) {
        (self.field, self.direction)
    }
}

impl From<BorrowerOrderField> for BorrowerField {
    fn from(field: BorrowerOrderField) -> Self {
        match field {
            BorrowerOrderField::CreatedAt => Self::CreatedAt,
            BorrowerOrderField::Number => Self::Number,
            BorrowerOrderField::Name => Self::Name,
        }
    }
}

#[Object]
impl BorrowerQuery {
    /// One borrower; null when there is no such borrower for the caller. Permission: ReadBorrowers.
    async fn borrower(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which borrower.")] by: BorrowerBy,
    ) -> Nullable<Borrower> {
        let key = match by {
            BorrowerBy::Id(id) => id::read(&id, Kind::Borrower).map(BorrowerKey::Id),
            BorrowerBy::Number(number) => Ok(BorrowerKey::Number(number)),
            BorrowerBy::ExternalRef(reference) => Ok(BorrowerKey::ExternalRef(reference)),
        };
        let plan = BorrowerPlan::of(&Selected::here(context));
        let found = async {
            let request = request(context)?;
            let record = request.services.borrower(request.actor, &key?).await?;
            Ok(Borrower::fetch(request, record.into_iter().collect(), &plan).await?.pop())
        };
        found.await.transpose()
    }

    /// The borrowers of the caller's branches, oldest registration first unless ordered otherwise. Permission: ReadBorrowers.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn borrowers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which borrowers.")] filter: Option<BorrowerFilter>,
        #[graphql(desc = "In which order: at most 3 keys; the id decides between equals.")] order_by: Option<
            Vec<BorrowerOrder>,
        >,
    ) -> Result<BorrowerConnection> {
        let plan = BorrowerPlan::of(&Selected::nodes(context));
        let request = request(context)?;
        let page_request = page_request(request.limits, first, after, last, before)?;
        let filter = Arc::new(filters::read(filter)?);
        let order = sort_keys(order_by.unwrap_or_default(), BorrowerField::CreatedAt)?;
        let page = request.services.borrowers(request.actor, &filter, &order, &page_request).await?;
        let (page, records) = apart(page);
        let nodes = Borrower::fetch(request, records, &plan).await?;
        Ok(connection(page, nodes, BorrowerConnectionFields::new(filter)))
    }
}
