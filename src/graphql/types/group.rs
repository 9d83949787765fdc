//! Groups in the API, and their members.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use uuid::Uuid;

use super::branch::Branch;
use super::collection::CollectionSheet;
use super::connection::LoanConnection;
use super::group_member::GroupMember;
use super::id::id;
use super::loan_filter::LoanFilter;
use super::scalars::{Date, DateTime};
use super::selection::{GroupPlan, Related};
use super::written::written;
use crate::graphql::error::Nullable;
use crate::graphql::query::loans::{LoanOrder, loans_page};
use crate::graphql::request::{Request, request};
use crate::ids::Kind;
use crate::service::groups::{GroupKey, GroupRecord};
use crate::service::list::{Filter, Scalar, Test};
use crate::service::loans::LoanField;

/// Borrowers who answer for each other's loans.
#[derive(Clone)]
pub struct Group {
    record: Arc<GroupRecord>,
    branch: Related<Branch>,
    members: Related<Arc<Vec<GroupMember>>>,
}

/// Whether a group does business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::groups::GroupStatus")]
pub enum GroupStatus {
    /// It takes members and loans.
    Active,
    /// It has come to an end; its history stays visible.
    Closed,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl From<chrono::Weekday> for Weekday {
    fn from(weekday: chrono::Weekday) -> Self {
        match weekday {
            chrono::Weekday::Mon => Self::Monday,
            chrono::Weekday::Tue => Self::Tuesday,
            chrono::Weekday::Wed => Self::Wednesday,
            chrono::Weekday::Thu => Self::Thursday,
            chrono::Weekday::Fri => Self::Friday,
            chrono::Weekday::Sat => Self::Saturday,
            chrono::Weekday::Sun => Self::Sunday,
        }
    }
}

impl From<Weekday> for chrono::Weekday {
    fn from(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl From<GroupRecord> for Group {
    fn from(record: GroupRecord) -> Self {
        Self::from(Arc::new(record))
    }
}

impl From<Arc<GroupRecord>> for Group {
    fn from(record: Arc<GroupRecord>) -> Self {
        Self { record, branch: Related::Later, members: Related::Later }
    }
}

impl Group {
    /// Groups with the relations a plan asks for, in the order of the records: one statement per relation.
    pub fn fetch<'a>(
        request: Request<'a>,
        records: Vec<Arc<GroupRecord>>,
        plan: &'a GroupPlan,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Self>>> + Send + 'a>> {
        Box::pin(async move {
            let branches = match &plan.branch {
                Some(plan) => {
                    let ids = records.iter().map(|record| record.branch_id).collect();
                    Some(Branch::by_id(request, ids, plan).await?)
                }
                None => None,
            };
            let members = match &plan.members {
                Some(plan) => {
                    let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
                    Some(GroupMember::by_group(request, &ids, plan).await?)
                }
                None => None,
            };
            Ok(records
                .into_iter()
                .map(|record| Self {
                    branch: Related::of(branches.as_ref(), record.branch_id),
                    members: Related::of(members.as_ref(), record.id),
                    record,
                })
                .collect())
        })
    }

    /// The groups with these ids, by id, with the relations a plan asks for.
    pub async fn by_id(request: Request<'_>, mut ids: Vec<Uuid>, plan: &GroupPlan) -> Result<HashMap<Uuid, Self>> {
        ids.sort_unstable();
        ids.dedup();
        let records = request.services.groups_by_id(request.actor, &ids).await?;
        let groups = Self::fetch(request, records.into_iter().flatten().collect(), plan).await?;
        Ok(groups.into_iter().map(|group| (group.record.id, group)).collect())
    }

    /// The one group with this id, loaded on its own.
    pub async fn load(context: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let request = request(context)?;
        let record = request.services.group(request.actor, &GroupKey::Id(id)).await?;
        Ok(record.map(Self::from))
    }

    /// The groups that borrowers belong to now at the branches that look after them, by borrower. The pairs are of a
    /// borrower and that branch.
    pub async fn of_borrowers(
        request: Request<'_>,
        borrowers: &[(Uuid, Uuid)],
        plan: &GroupPlan,
    ) -> Result<HashMap<Uuid, Self>> {
        let ids: Vec<Uuid> = borrowers.iter().map(|(borrower, _)| *borrower).collect();
        let mut memberships = request.services.memberships_of_borrowers(request.actor, &ids).await?;
        memberships.retain(|member| borrowers.contains(&(member.borrower_id, member.branch_id)));
        let groups = Self::by_id(request, memberships.iter().map(|member| member.group_id).collect(), plan).await?;
        let group = |id: &Uuid| groups.get(id).cloned();
        Ok(memberships.iter().filter_map(|member| Some((member.borrower_id, group(&member.group_id)?))).collect())
    }
}

/// Borrowers who answer for each other's loans.
#[Object]
impl Group {
    /// The id, such as "group_01k…".
    pub async fn id(&self) -> ID {
        id(Kind::Group, self.record.id)
    }

    /// The number people read out, such as "G-000000001".
    fn number(&self) -> &str {
        &self.record.number
    }

    /// The name.
    fn name(&self) -> &str {
        &self.record.name
    }

    /// The id in another system.
    fn external_ref(&self) -> Option<&str> {
        self.record.external_ref.as_deref()
    }

    /// The branch that looks after it; null where the caller may not see it.
    async fn branch(&self, context: &Context<'_>) -> Nullable<Branch> {
        self.branch.or_load(|| Branch::load(context, self.record.branch_id)).await
    }

    /// Whether it does business.
    fn status(&self) -> GroupStatus {
        self.record.status.into()
    }

    /// The day of the week it meets on.
    fn meeting_weekday(&self) -> Option<Weekday> {
        self.record.meeting_weekday.map(Weekday::from)
    }

    /// Where it meets: the center.
    fn meeting_place(&self) -> Option<&str> {
        self.record.meeting_place.as_deref()
    }

    /// Its members, at most 50, whoever joined first coming first.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether those who have left are listed too.", default = false)] include_former: bool,
    ) -> Result<Vec<GroupMember>> {
        let all = match &self.members {
            Related::Fetched(members) => members.clone().unwrap_or_default(),
            Related::Later => {
                let plan = super::selection::MemberPlan::default();
                let own = [self.record.id];
                let mut found = Box::pin(GroupMember::by_group(request(context)?, &own, &plan)).await?;
                found.remove(&self.record.id).unwrap_or_default()
            }
        };
        Ok(all.iter().filter(|member| include_former || member.is_current()).cloned().collect())
    }

    /// The loans its members took as members, oldest application first unless ordered otherwise. In a list of groups this is a statement for each. Permission: ReadLoans; the totals need ReadPortfolio.
    #[allow(clippy::too_many_arguments)] // the arguments of a connection, as callers know them
    async fn loans(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many from the start, 1 to 100; 20 if omitted.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of its loans.")] filter: Option<LoanFilter>,
        #[graphql(desc = "In which order: at most 3 keys; the id decides between equals.")] order_by: Option<
            Vec<LoanOrder>,
        >,
    ) -> Result<LoanConnection> {
        let own = Filter::Field(LoanField::Group, Test::Is(Scalar::Id(self.record.id)));
        Box::pin(loans_page(context, (first, after, last, before), Some(own), filter, order_by)).await
    }

    /// Who of its members owes what by a day on loans of the group, as the books stand now; null when its branch does not exist for the caller. Permission: ReadLoans.
    async fn collection_sheet(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day: what falls due on it, and what fell due before it.")] on: Date,
    ) -> Nullable<CollectionSheet> {
        let found = async {
            let request = request(context)?;
            let (branch, group) = (self.record.branch_id, Some(self.record.id));
            let sheet = request.services.collection_sheet(request.actor, branch, on.0, group).await?;
            Ok(sheet.map(CollectionSheet::from))
        };
        found.await.transpose()
    }

    /// The day it was closed.
    fn closed_on(&self) -> Option<Date> {
        self.record.closed_on.map(Date)
    }

    /// Grows by one with every change, of its members too.
    fn version(&self) -> i64 {
        self.record.version
    }

    /// When it was created.
    fn created_at(&self) -> DateTime {
        DateTime(self.record.created_at)
    }

    /// When it or its members last changed.
    fn updated_at(&self) -> DateTime {
        DateTime(self.record.updated_at)
    }
}

written!(Group {
    "id": value |it, _| id(Kind::Group, it.record.id),
    "number": value |it, context| it.number(context),
    "name": value |it, context| it.name(context),
    "externalRef": value |it, context| it.external_ref(context),
    "branch": object |it, _| &it.branch,
    "status": value |it, context| it.status(context),
    "meetingWeekday": value |it, context| it.meeting_weekday(context),
    "meetingPlace": value |it, context| it.meeting_place(context),
    "closedOn": value |it, context| it.closed_on(context),
    "version": value |it, context| it.version(context),
    "createdAt": value |it, context| it.created_at(context),
    "updatedAt": value |it, context| it.updated_at(context),
});
