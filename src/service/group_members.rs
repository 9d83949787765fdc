//! Use cases around the members of groups: who they are, who joins, who leaves and who does what. Members answer for each
//! other's loans, so nobody leaves with one of their own still open, and nobody belongs to two groups of a branch.

use chrono::NaiveDate;
use uuid::Uuid;

use super::audit::About;
use super::borrowers::refuse_erased;
use super::branches::branch_of;
use super::check::Check;
use super::error::ServiceError;
use super::groups::load;
use super::problem::{Problem, ProblemCode};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::borrowers::{self, BorrowerKey};
use crate::store::branches::BranchRecord;
use crate::store::database::Transaction;
use crate::store::find::Lock;
use crate::store::group_members as store;
use crate::store::groups::{self, GroupKey, GroupRecord, GroupStatus};
use crate::store::scope::Scope;

pub use crate::store::group_members::{MemberRecord, MemberRole};

/// A group has at most so many members at a time: people who answer for each other know each other, and a group's list
/// of members is not paged.
pub const MOST_MEMBERS: u64 = 50;

/// Someone to make a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddGroupMember {
    /// Which group.
    pub group: Uuid,
    /// Who joins.
    pub borrower: Uuid,
    /// What they do for the group.
    pub role: MemberRole,
    /// The first day; the branch's business date when missing.
    pub joined_on: Option<NaiveDate>,
    /// The version of the group that the caller saw.
    pub expected_version: Option<i64>,
}

/// A change of a member's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateGroupMember {
    /// Which group.
    pub group: Uuid,
    /// Which member.
    pub borrower: Uuid,
    /// What they do for the group from now on.
    pub role: MemberRole,
    /// The version of the group that the caller saw.
    pub expected_version: Option<i64>,
}

/// A member who leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveGroupMember {
    /// Which group.
    pub group: Uuid,
    /// Who leaves.
    pub borrower: Uuid,
    /// The last day; the branch's business date when missing.
    pub left_on: Option<NaiveDate>,
    /// The version of the group that the caller saw.
    pub expected_version: Option<i64>,
}

impl Services {
    /// All memberships of these groups that exist for the caller, ended ones too, in the order in which they began.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn members_of_groups(&self, actor: &Actor, groups: &[Uuid]) -> Result<Vec<MemberRecord>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadGroups)?;
        Ok(store::of_groups(self.database.reader(), &scope, groups).await?)
    }

    /// The memberships that these borrowers have now, in the caller's branches.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn memberships_of_borrowers(
        &self,
        actor: &Actor,
        borrowers: &[Uuid],
    ) -> Result<Vec<MemberRecord>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadGroups)?;
        Ok(store::active_of_borrowers(self.database.reader(), &scope, borrowers).await?)
    }

    /// Makes a borrower a member of a group.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with the problems of the input; [`ServiceError::Forbidden`].
    pub async fn add_group_member(&self, actor: &Actor, input: &AddGroupMember) -> Result<GroupRecord, ServiceError> {
        let about =
            About::of("addGroupMember", Kind::Group, input.group).with("borrower", Kind::Borrower, input.borrower);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::ChangeGroupMembers)?;
            let now = self.now();
            let id = self.ids.next(now);
            let scope = &scope;
            trail
                .write(|transaction| async move {
                    let group = load(&transaction, scope, input.group, input.expected_version).await?;
                    require_active(&group)?;
                    // Locked, so that of two groups that take the same borrower at once the second knows of the first.
                    let borrower =
                        borrowers::find(&*transaction, scope, &BorrowerKey::Id(input.borrower), Lock::ForUpdate)
                            .await?
                            .ok_or_else(|| Problem::not_found(&["input", "borrowerId"], "borrower"))?;
                    refuse_erased(&borrower)?;
                    let earlier = store::of_borrower(&*transaction, scope, input.borrower, group.branch_id).await?;
                    if let Some(current) = earlier.iter().find(|member| member.left_on.is_none()) {
                        return Err(already_in_group(&transaction, scope, current.group_id).await?.into());
                    }
                    if store::count_active(&*transaction, group.id).await? >= MOST_MEMBERS {
                        let message = format!("A group has at most {MOST_MEMBERS} members; remove one first.");
                        return Err(Problem::new(ProblemCode::GroupFull, &["input", "groupId"], message).into());
                    }
                    let today = business_date(&branch_of(&transaction, group.branch_id).await?, now);
                    let joined_on = input.joined_on.unwrap_or(today);
                    let mut check = Check::default();
                    let earliest = earlier.iter().filter_map(|member| member.left_on).max();
                    check.within(&["input", "joinedOn"], joined_on, earliest, today);
                    check.finish()?;
                    let member = MemberRecord {
                        id,
                        group_id: group.id,
                        branch_id: group.branch_id,
                        borrower_id: input.borrower,
                        role: input.role,
                        joined_on,
                        left_on: None,
                        created_at: now,
                    };
                    store::insert(&*transaction, &member).await?;
                    self.save_group(&transaction, group).await
                })
                .await
        })
        .await
    }

    /// Gives a member another role.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when the borrower is not a member; [`ServiceError::Forbidden`].
    pub async fn update_group_member(
        &self,
        actor: &Actor,
        input: &UpdateGroupMember,
    ) -> Result<GroupRecord, ServiceError> {
        let about =
            About::of("updateGroupMember", Kind::Group, input.group).with("borrower", Kind::Borrower, input.borrower);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::ChangeGroupMembers)?;
            let scope = &scope;
            trail
                .write(|transaction| async move {
                    let group = load(&transaction, scope, input.group, input.expected_version).await?;
                    let member = current_member(&transaction, scope, &group, input.borrower).await?;
                    store::set_role(&*transaction, member.id, input.role).await?;
                    self.save_group(&transaction, group).await
                })
                .await
        })
        .await
    }

    /// Ends a membership; it stays in the group's history.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] when the borrower is not a member or has a loan of the group that has not ended;
    /// [`ServiceError::Forbidden`].
    pub async fn remove_group_member(
        &self,
        actor: &Actor,
        input: &RemoveGroupMember,
    ) -> Result<GroupRecord, ServiceError> {
        let about =
            About::of("removeGroupMember", Kind::Group, input.group).with("borrower", Kind::Borrower, input.borrower);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::ChangeGroupMembers)?;
            let now = self.now();
            let scope = &scope;
            trail
                .write(|transaction| async move {
                    let group = load(&transaction, scope, input.group, input.expected_version).await?;
                    let member = current_member(&transaction, scope, &group, input.borrower).await?;
                    if groups::has_live_loan(&*transaction, group.id, Some(input.borrower)).await? {
                        return Err(Problem::new(
                            ProblemCode::MemberHasOpenLoan,
                            &["input", "borrowerId"],
                            "Wait until this member's loans of the group have ended: its members answer for them.",
                        )
                        .into());
                    }
                    let today = business_date(&branch_of(&transaction, group.branch_id).await?, now);
                    let left_on = input.left_on.unwrap_or(today);
                    let mut check = Check::default();
                    check.within(&["input", "leftOn"], left_on, Some(member.joined_on), today);
                    check.finish()?;
                    store::end(&*transaction, member.id, left_on).await?;
                    self.save_group(&transaction, group).await
                })
                .await
        })
        .await
    }
}

fn closed() -> Problem {
    Problem::new(ProblemCode::GroupClosed, &["input", "groupId"], "Choose a group that is active.")
}

fn require_active(group: &GroupRecord) -> Result<(), Problem> {
    match group.status {
        GroupStatus::Active => Ok(()),
        GroupStatus::Closed => Err(closed()),
    }
}

async fn already_in_group(transaction: &Transaction, scope: &Scope, id: Uuid) -> Result<Problem, ServiceError> {
    let group = groups::find(&**transaction, scope, &GroupKey::Id(id), Lock::None).await?;
    let which = group.map_or("a group".to_owned(), |group| format!("group {}", group.number));
    Ok(Problem::new(
        ProblemCode::AlreadyInGroup,
        &["input", "borrowerId"],
        format!("This borrower belongs to {which} of the branch already; remove them there first."),
    ))
}

fn not_a_member() -> Problem {
    Problem::new(
        ProblemCode::NotAMember,
        &["input", "borrowerId"],
        "This borrower does not belong to the group; choose one of its members, or add them first.",
    )
}

async fn find_member(
    transaction: &Transaction,
    scope: &Scope,
    group: &GroupRecord,
    borrower: Uuid,
) -> Result<Option<MemberRecord>, ServiceError> {
    let members = store::of_borrower(&**transaction, scope, borrower, group.branch_id).await?;
    Ok(members.into_iter().find(|member| member.group_id == group.id && member.left_on.is_none()))
}

async fn current_member(
    transaction: &Transaction,
    scope: &Scope,
    group: &GroupRecord,
    borrower: Uuid,
) -> Result<MemberRecord, ServiceError> {
    Ok(find_member(transaction, scope, group, borrower).await?.ok_or_else(not_a_member)?)
}

/// Notes what keeps a borrower from taking a loan as a member of a group at a branch. The group is locked, so that it is
/// not closed and the member not removed before the loan arrives.
pub(super) async fn check_member(
    check: &mut Check,
    transaction: &Transaction,
    scope: &Scope,
    group: Uuid,
    borrower: Uuid,
    branch: &BranchRecord,
) -> Result<(), ServiceError> {
    let path = ["input", "groupId"];
    let Some(group) = groups::find(&**transaction, scope, &GroupKey::Id(group), Lock::Shared).await? else {
        check.note(Problem::not_found(&path, "group"));
        return Ok(());
    };
    if group.branch_id != branch.id {
        let message = "Lend at the branch of the group, or choose a group of this branch.";
        check.note(Problem::new(ProblemCode::BranchMismatch, &path, message));
    }
    if group.status == GroupStatus::Closed {
        check.note(closed());
    } else if find_member(transaction, scope, &group, borrower).await?.is_none() {
        check.note(not_a_member());
    }
    Ok(())
}
