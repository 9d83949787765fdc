//! Who belongs to a group, in the API.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result};
use uuid::Uuid;

use super::borrower::Borrower;
use super::scalars::Date;
use super::selection::{MemberPlan, Related};
use crate::graphql::error::Nullable;
use crate::graphql::request::Request;
use crate::service::group_members::MemberRecord;

/// Someone's time in a group.
#[derive(Clone)]
pub struct GroupMember {
    record: MemberRecord,
    borrower: Related<Borrower>,
}

/// What a member does for the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::group_members::MemberRole")]
pub enum MemberRole {
    /// Leads it.
    Chair,
    /// Keeps its records.
    Secretary,
    /// Keeps its money.
    Treasurer,
    /// Belongs to it.
    Member,
}

impl GroupMember {
    /// The members of groups, former ones too, by group, with the relations a plan asks for.
    pub async fn by_group(
        request: Request<'_>,
        groups: &[Uuid],
        plan: &MemberPlan,
    ) -> Result<HashMap<Uuid, Arc<Vec<Self>>>> {
        let records = request.services.members_of_groups(request.actor, groups).await?;
        let borrowers = match &plan.borrower {
            Some(plan) => {
                let ids = records.iter().map(|record| record.borrower_id).collect();
                Some(Borrower::by_id(request, ids, plan).await?)
            }
            None => None,
        };
        let mut members: HashMap<Uuid, Vec<Self>> = HashMap::new();
        for record in records {
            let borrower = Related::of(borrowers.as_ref(), record.borrower_id);
            members.entry(record.group_id).or_default().push(Self { record, borrower });
        }
        Ok(members.into_iter().map(|(group, members)| (group, Arc::new(members))).collect())
    }

    /// Whether they belong to the group now.
    pub fn is_current(&self) -> bool {
        self.record.left_on.is_none()
    }
}

/// Someone's time in a group.
#[Object]
impl GroupMember {
    /// Who; null where the caller may not see them.
    async fn borrower(&self, context: &Context<'_>) -> Nullable<Borrower> {
        self.borrower.or_load(|| Borrower::load(context, self.record.borrower_id)).await
    }

    /// What they do for the group, or did last.
    fn role(&self) -> MemberRole {
        self.record.role.into()
    }

    /// The first day.
    fn joined_on(&self) -> Date {
        Date(self.record.joined_on)
    }

    /// The last day; null while they belong to the group.
    fn left_on(&self) -> Option<Date> {
        self.record.left_on.map(Date)
    }
}
