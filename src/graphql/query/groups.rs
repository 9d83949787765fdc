//! Asking about groups.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};

use crate::graphql::error::Nullable;
use crate::graphql::request::request;
use crate::graphql::types::connection::{
    GroupConnection, GroupConnectionFields, Order, OrderDirection, apart, connection, page_request, sort_keys,
};
use crate::graphql::types::filters::{self, Conditions, DateTimeFilter, IdFilter, Inner, Nested, StringFilter};
use crate::graphql::types::group::{Group, GroupStatus, Weekday};
use crate::graphql::types::id;
use crate::graphql::types::selection::{GroupPlan, Selected};
use crate::ids::Kind;
use crate::service::groups::{self as service, GroupField, GroupKey, weekday_name};

/// The queries around groups.
#[derive(Default)]
pub struct GroupQuery;

/// How to name one group.
#[derive(OneofObject)]
pub enum GroupBy {
    /// By its id.
    Id(ID),
    /// By its number.
    Number(String),
    /// By its id in another system.
    ExternalRef(String),
}

/// Which groups to list. All conditions must hold.
#[derive(Default, InputObject)]
pub struct GroupFilter {
    /// All of these must hold too.
    pub and: Option<Vec<GroupFilter>>,
    /// At least one of these must hold too.
    pub or: Option<Vec<GroupFilter>>,
    /// This must not hold.
    pub not: Option<Box<GroupFilter>>,
    /// The branch that looks after it.
    pub branch: Option<IdFilter>,
    /// Whether the branches below count too.
    #[graphql(default = true)]
    pub include_sub_branches: bool,
    /// The status.
    pub status: Option<GroupStatus>,
    /// The day of the week it meets on.
    pub meeting_weekday: Option<Weekday>,
    /// The number.
    pub number: Option<StringFilter>,
    /// The id in another system.
    pub external_ref: Option<StringFilter>,
    /// When it was created.
    pub created_at: Option<DateTimeFilter>,
    /// Text in the name, the number or the external reference, in any case; at most 100 characters.
    pub search: Option<String>,
}

impl Nested for GroupFilter {
    type Field = GroupField;

    fn take_inner(&mut self) -> Inner<Self> {
        Inner { and: self.and.take(), or: self.or.take(), not: self.not.take() }
    }

    fn own(self) -> Result<Conditions<GroupField>> {
        let mut conditions = Conditions::default();
        conditions.branch(GroupField::Branch, self.branch, self.include_sub_branches)?;
        conditions.name(GroupField::Status, self.status.map(|status| service::GroupStatus::from(status).as_str()));
        conditions.name(GroupField::MeetingWeekday, self.meeting_weekday.map(|day| weekday_name(day.into())));
        conditions.text(GroupField::Number, self.number);
        conditions.text(GroupField::ExternalRef, self.external_ref);
        conditions.time(GroupField::CreatedAt, self.created_at);
        conditions.search(self.search)?;
        Ok(conditions)
    }
}

/// One key of the order of groups.
#[derive(InputObject)]
pub struct GroupOrder {
    /// What to sort by.
    pub field: GroupOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What groups can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum GroupOrderField {
    /// When it was created.
    CreatedAt,
    /// The number.
    Number,
    /// The name, in any case.
    Name,
}

impl Order for GroupOrder {
    type Key = GroupOrderField;

    fn key(&self) -> (GroupOrderField, OrderDirection) {
        (self.field, self.direction)
    }
}

impl From<GroupOrderField> for GroupField {
    fn from(field: GroupOrderField) -> Self {
        match field {
            GroupOrderField::CreatedAt => Self::CreatedAt,
            GroupOrderField::Number => Self::Number,
            GroupOrderField::Name => Self::Name,
        }
    }
}

#[Object]
impl GroupQuery {
    /// One group; null when there is no such group for the caller. Permission: ReadGroups.
    async fn group(&self, context: &Context<'_>, #[graphql(desc = "Which group.")] by: GroupBy) -> Nullable<Group> {
        let key = match by {
            GroupBy::Id(id) => id::read(&id, Kind::Group).map(GroupKey::Id),
            GroupBy::Number(number) => Ok(GroupKey::Number(number)),
            GroupBy::ExternalRef(reference) => Ok(GroupKey::ExternalRef(reference)),
        };
        let plan = GroupPlan::of(&Selected::here(context));
        let found = async {
            let request = request(context)?;
            let record = request.services.group(request.actor, &key?).await?;
            Ok(Group::fetch(request, record.into_iter().collect(), &plan).await?.pop())
        };
        found.await.transpose()
    }

    /// The groups of the caller's branches, oldest first unless ordered otherwise. Permission: ReadGroups.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn groups(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which groups.")] filter: Option<GroupFilter>,
        #[graphql(desc = "In which order: at most 3 keys; the id decides between equals.")] order_by: Option<
            Vec<GroupOrder>,
        >,
    ) -> Result<GroupConnection> {
        let plan = GroupPlan::of(&Selected::nodes(context));
        let request = request(context)?;
        let page_request = page_request(request.limits, first, after, last, before)?;
        let filter = Arc::new(filters::read(filter)?);
        let order = sort_keys(order_by.unwrap_or_default(), GroupField::CreatedAt)?;
        let page = request.services.groups(request.actor, &filter, &order, &page_request).await?;
        let (page, records) = apart(page);
        let nodes = Group::fetch(request, records, &plan).await?;
        Ok(connection(page, nodes, GroupConnectionFields::new(filter)))
    }
}
