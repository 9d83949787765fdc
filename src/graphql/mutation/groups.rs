//! Creating, changing and closing groups, and changing who belongs to them.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};

use super::{change, payload};
use crate::graphql::request::request;
use crate::graphql::types::group::{Group, Weekday};
use crate::graphql::types::group_member::MemberRole;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::scalars::Date;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::group_members::{AddGroupMember, RemoveGroupMember, UpdateGroupMember};
use crate::service::groups::{CreateGroup, UpdateGroup};

/// The mutations around groups.
#[derive(Default)]
pub struct GroupMutation;

/// A group to create.
#[derive(InputObject)]
pub struct CreateGroupInput {
    /// The branch that will look after it; it must be open. It cannot be changed later.
    pub branch_id: ID,
    /// The name, at most 200 characters.
    pub name: String,
    /// The id in another system, unique; at most 100 characters.
    pub external_ref: Option<String>,
    /// The day of the week it meets on.
    pub meeting_weekday: Option<Weekday>,
    /// Where it meets: the center; at most 200 characters.
    pub meeting_place: Option<String>,
}

/// Changes to a group; what is left out stays, null removes.
#[derive(InputObject)]
pub struct UpdateGroupInput {
    /// Which group.
    pub group_id: ID,
    /// A new name, at most 200 characters.
    pub name: Option<String>,
    /// The id in another system, unique; at most 100 characters.
    pub external_ref: MaybeUndefined<String>,
    /// The day of the week it meets on.
    pub meeting_weekday: MaybeUndefined<Weekday>,
    /// Where it meets: the center; at most 200 characters.
    pub meeting_place: MaybeUndefined<String>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// Someone to make a member of a group.
#[derive(InputObject)]
pub struct AddGroupMemberInput {
    /// Which group; it must be active.
    pub group_id: ID,
    /// Who joins; they must not belong to a group of the same branch.
    pub borrower_id: ID,
    /// What they do for the group.
    #[graphql(default_with = "MemberRole::Member")]
    pub role: MemberRole,
    /// The first day, not in the future and not before they left their last group of the branch; the branch's business date if omitted.
    pub joined_on: Option<Date>,
    /// The version of the group that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// A member whose role changes.
#[derive(InputObject)]
pub struct UpdateGroupMemberInput {
    /// Which group.
    pub group_id: ID,
    /// Which member.
    pub borrower_id: ID,
    /// What they do for the group from now on.
    pub role: MemberRole,
    /// The version of the group that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// A member who leaves a group.
#[derive(InputObject)]
pub struct RemoveGroupMemberInput {
    /// Which group.
    pub group_id: ID,
    /// Who leaves; their loans of the group must have ended.
    pub borrower_id: ID,
    /// The last day, from the day they joined to the business date; the business date if omitted.
    pub left_on: Option<Date>,
    /// The version of the group that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// A group to close.
#[derive(InputObject)]
pub struct CloseGroupInput {
    /// Which group; its loans must have ended.
    pub group_id: ID,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

payload! {
    /// What came of creating a group.
    CreateGroupPayload {
        /// The new group.
        group: Group
    }
}
payload! {
    /// What came of changing a group.
    UpdateGroupPayload {
        /// The group as it now is.
        group: Group
    }
}
payload! {
    /// What came of adding a member.
    AddGroupMemberPayload {
        /// The group as it now is.
        group: Group
    }
}
payload! {
    /// What came of changing a member's role.
    UpdateGroupMemberPayload {
        /// The group as it now is.
        group: Group
    }
}
payload! {
    /// What came of removing a member.
    RemoveGroupMemberPayload {
        /// The group as it now is.
        group: Group
    }
}
payload! {
    /// What came of closing a group.
    CloseGroupPayload {
        /// The group as it now is.
        group: Group
    }
}

/// The ids of a group and of one of its members.
fn membership(group: &ID, borrower: &ID) -> Result<(uuid::Uuid, uuid::Uuid), ServiceError> {
    let mut ids = InputIds::default();
    let pair = (ids.read("groupId", group, Kind::Group), ids.read("borrowerId", borrower, Kind::Borrower));
    ids.finish()?;
    Ok(pair)
}

fn group_only(group: &ID) -> Result<uuid::Uuid, ServiceError> {
    let mut ids = InputIds::default();
    let group = ids.read("groupId", group, Kind::Group);
    ids.finish()?;
    Ok(group)
}

impl CreateGroupInput {
    fn read(self) -> Result<CreateGroup, ServiceError> {
        let mut ids = InputIds::default();
        let branch = ids.read("branchId", &self.branch_id, Kind::Branch);
        ids.finish()?;
        Ok(CreateGroup {
            branch,
            name: self.name,
            external_ref: self.external_ref,
            meeting_weekday: self.meeting_weekday.map(Into::into),
            meeting_place: self.meeting_place,
        })
    }
}

impl UpdateGroupInput {
    fn read(self) -> Result<UpdateGroup, ServiceError> {
        Ok(UpdateGroup {
            id: group_only(&self.group_id)?,
            name: self.name,
            external_ref: change(self.external_ref),
            meeting_weekday: change(self.meeting_weekday.map_value(Into::into)),
            meeting_place: change(self.meeting_place),
            expected_version: self.expected_version,
        })
    }
}

#[Object]
impl GroupMutation {
    /// Creates a group without members. Permission: CreateGroup. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, BRANCH_CLOSED, ALREADY_TAKEN.
    async fn create_group(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The group to create.")] input: CreateGroupInput,
    ) -> Result<CreateGroupPayload> {
        let request = request(context)?;
        CreateGroupPayload::of(match input.read() {
            Ok(input) => request.services.create_group(request.actor, &input).await,
            Err(refusal) => Err(request.unread("createGroup", refusal).await),
        })
    }

    /// Changes a group. Permission: UpdateGroup. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, ALREADY_TAKEN, VERSION_CONFLICT.
    async fn update_group(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateGroupInput,
    ) -> Result<UpdateGroupPayload> {
        let request = request(context)?;
        UpdateGroupPayload::of(match input.read() {
            Ok(input) => request.services.update_group(request.actor, &input).await,
            Err(refusal) => Err(request.unread("updateGroup", refusal).await),
        })
    }

    /// Makes a borrower a member of a group. Permission: ChangeGroupMembers. User errors: INVALID_ID, NOT_FOUND, BORROWER_ERASED, GROUP_CLOSED, ALREADY_IN_GROUP, GROUP_FULL, DATE_OUT_OF_RANGE, VERSION_CONFLICT.
    async fn add_group_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who joins which group.")] input: AddGroupMemberInput,
    ) -> Result<AddGroupMemberPayload> {
        let request = request(context)?;
        AddGroupMemberPayload::of(match membership(&input.group_id, &input.borrower_id) {
            Ok((group, borrower)) => {
                let joined_on = input.joined_on.map(|date| date.0);
                let (role, expected_version) = (input.role.into(), input.expected_version);
                let input = AddGroupMember { group, borrower, role, joined_on, expected_version };
                request.services.add_group_member(request.actor, &input).await
            }
            Err(refusal) => Err(request.unread("addGroupMember", refusal).await),
        })
    }

    /// Gives a member of a group another role. Permission: ChangeGroupMembers. User errors: INVALID_ID, NOT_FOUND, NOT_A_MEMBER, VERSION_CONFLICT.
    async fn update_group_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The member and the role.")] input: UpdateGroupMemberInput,
    ) -> Result<UpdateGroupMemberPayload> {
        let request = request(context)?;
        UpdateGroupMemberPayload::of(match membership(&input.group_id, &input.borrower_id) {
            Ok((group, borrower)) => {
                let (role, expected_version) = (input.role.into(), input.expected_version);
                let input = UpdateGroupMember { group, borrower, role, expected_version };
                request.services.update_group_member(request.actor, &input).await
            }
            Err(refusal) => Err(request.unread("updateGroupMember", refusal).await),
        })
    }

    /// Ends a membership, which stays in the group's history. Permission: ChangeGroupMembers. User errors: INVALID_ID, NOT_FOUND, NOT_A_MEMBER, MEMBER_HAS_OPEN_LOAN, DATE_OUT_OF_RANGE, VERSION_CONFLICT.
    async fn remove_group_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who leaves which group.")] input: RemoveGroupMemberInput,
    ) -> Result<RemoveGroupMemberPayload> {
        let request = request(context)?;
        RemoveGroupMemberPayload::of(match membership(&input.group_id, &input.borrower_id) {
            Ok((group, borrower)) => {
                let left_on = input.left_on.map(|date| date.0);
                let input = RemoveGroupMember { group, borrower, left_on, expected_version: input.expected_version };
                request.services.remove_group_member(request.actor, &input).await
            }
            Err(refusal) => Err(request.unread("removeGroupMember", refusal).await),
        })
    }

    /// Closes a group and ends its memberships. Closing a closed group changes nothing. Permission: CloseGroup. User errors: INVALID_ID, NOT_FOUND, GROUP_IN_USE, VERSION_CONFLICT.
    async fn close_group(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The group to close.")] input: CloseGroupInput,
    ) -> Result<CloseGroupPayload> {
        let request = request(context)?;
        CloseGroupPayload::of(match group_only(&input.group_id) {
            Ok(group) => request.services.close_group(request.actor, group, input.expected_version).await,
            Err(refusal) => Err(request.unread("closeGroup", refusal).await),
        })
    }
}
