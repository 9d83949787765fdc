//! Use cases around groups whose members answer for each other's loans: looking at them, creating, changing and closing
//! them. Who belongs to them is in [`super::group_members`].

use std::sync::Arc;

use chrono::Weekday;
use uuid::Uuid;

use super::audit::About;
use super::branches::{branch_of, taken};
use super::check::{Change, Check};
use super::error::ServiceError;
use super::list::COUNT_CAP;
use super::problem::{Problem, ProblemCode};
use super::{Services, business_date};
use crate::auth::Actor;
use crate::auth::policy::Action;
use crate::ids::Kind;
use crate::store::branches::{self, BranchKey, BranchStatus};
use crate::store::database::Transaction;
use crate::store::find::Lock;
use crate::store::numbers::{self, Sequence};
use crate::store::scope::Scope;
use crate::store::{group_members, groups as store, page};

pub use super::list::{Filter, Page, PageRequest, SortKey};
pub use crate::store::groups::{GroupField, GroupKey, GroupRecord, GroupStatus, weekday_name};

const NAME_LENGTH: usize = 200;
const PLACE_LENGTH: usize = 200;
const REFERENCE_LENGTH: usize = 100;

/// A group to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateGroup {
    /// The branch that will look after it.
    pub branch: Uuid,
    /// The name.
    pub name: String,
    /// The id in another system.
    pub external_ref: Option<String>,
    /// The day of the week it meets on.
    pub meeting_weekday: Option<Weekday>,
    /// Where it meets.
    pub meeting_place: Option<String>,
}

/// Changes to a group. The branch stays: members and loans belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateGroup {
    /// Which group.
    pub id: Uuid,
    /// A new name.
    pub name: Option<String>,
    /// The id in another system.
    pub external_ref: Change<String>,
    /// The day of the week it meets on.
    pub meeting_weekday: Change<Weekday>,
    /// Where it meets.
    pub meeting_place: Change<String>,
    /// The version the caller saw.
    pub expected_version: Option<i64>,
}

impl Services {
    /// One group, if it exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn group(&self, actor: &Actor, key: &GroupKey) -> Result<Option<Arc<GroupRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadGroups)?;
        let reader = self.database.reader();
        match key {
            GroupKey::Id(id) => Ok(self.gathered.groups.by_id::<GroupField>(reader, &scope, *id).await?),
            _ => Ok(store::find(reader, &scope, key, Lock::None).await?.map(Arc::new)),
        }
    }

    /// Groups in the order of the ids; `None` where none exists for the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn groups_by_id(
        &self,
        actor: &Actor,
        ids: &[Uuid],
    ) -> Result<Vec<Option<Arc<GroupRecord>>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadGroups)?;
        Ok(self.gathered.groups.by_ids::<GroupField>(self.database.reader(), &scope, ids).await?)
    }

    /// Part of the list of groups.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidCursor`]; whatever the database answers.
    pub async fn groups(
        &self,
        actor: &Actor,
        filter: &Filter<GroupField>,
        order: &[SortKey<GroupField>],
        request: &PageRequest,
    ) -> Result<Page<Arc<GroupRecord>>, ServiceError> {
        let scope = self.authorize(actor, Action::ReadGroups)?;
        Ok(self.gathered.groups.page(self.database.reader(), &scope, filter, order, request).await?)
    }

    /// How many groups match, counted up to [`COUNT_CAP`].
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; whatever the database answers.
    pub async fn count_groups(&self, actor: &Actor, filter: &Filter<GroupField>) -> Result<u64, ServiceError> {
        let scope = self.authorize(actor, Action::ReadGroups)?;
        Ok(page::count(self.database.reader(), &scope, filter, COUNT_CAP).await?)
    }

    /// Creates a group at an open branch, without members.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with every problem of the input; [`ServiceError::Forbidden`].
    pub async fn create_group(&self, actor: &Actor, input: &CreateGroup) -> Result<GroupRecord, ServiceError> {
        let about = About::of("createGroup", Kind::Branch, input.branch);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::CreateGroup)?;
            let record = self.new_group(input)?;
            let (scope, record) = (&scope, &record);
            trail
                .write(|transaction| async move {
                    let path = ["input", "branchId"];
                    let branch = branches::find(&*transaction, scope, &BranchKey::Id(record.branch_id), Lock::Shared)
                        .await?
                        .ok_or_else(|| Problem::not_found(&path, "branch"))?;
                    if branch.status == BranchStatus::Closed {
                        return Err(Problem::new(ProblemCode::BranchClosed, &path, "Choose an open branch.").into());
                    }
                    let numbers = numbers::take(&*transaction, Sequence::Group, 1).await?;
                    let number = numbers.into_iter().next().unwrap_or_default();
                    let record = GroupRecord { number, ..record.clone() };
                    store::insert(&*transaction, &record).await?;
                    Ok(record)
                })
                .await
                .map_err(|error| taken(error, &["input", "externalRef"]))
        })
        .await
    }

    fn new_group(&self, input: &CreateGroup) -> Result<GroupRecord, ServiceError> {
        let now = self.now();
        let mut check = Check::default();
        let name = check.text(&["input", "name"], &input.name, NAME_LENGTH);
        let external_ref =
            check.optional_text(&["input", "externalRef"], input.external_ref.as_deref(), REFERENCE_LENGTH);
        let meeting_place =
            check.optional_text(&["input", "meetingPlace"], input.meeting_place.as_deref(), PLACE_LENGTH);
        check.finish()?;
        Ok(GroupRecord {
            id: self.ids.next(now),
            branch_id: input.branch,
            number: String::new(),
            name: name.ok_or(ServiceError::BadInput)?,
            external_ref,
            status: GroupStatus::Active,
            meeting_weekday: input.meeting_weekday,
            meeting_place,
            closed_on: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Changes a group; what is not named stays.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] with the problems of the input; [`ServiceError::Forbidden`].
    pub async fn update_group(&self, actor: &Actor, input: &UpdateGroup) -> Result<GroupRecord, ServiceError> {
        let about = About::of("updateGroup", Kind::Group, input.id);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::UpdateGroup)?;
            let mut check = Check::default();
            let name = input.name.as_deref().and_then(|name| check.text(&["input", "name"], name, NAME_LENGTH));
            let external_ref = check.text_change(&["input", "externalRef"], &input.external_ref, REFERENCE_LENGTH);
            let meeting_place = check.text_change(&["input", "meetingPlace"], &input.meeting_place, PLACE_LENGTH);
            check.finish()?;
            let (scope, name, external_ref, meeting_place) = (&scope, &name, &external_ref, &meeting_place);
            trail
                .write(|transaction| async move {
                    let mut record = load(&transaction, scope, input.id, input.expected_version).await?;
                    if let Some(name) = name {
                        record.name.clone_from(name);
                    }
                    external_ref.apply(&mut record.external_ref);
                    input.meeting_weekday.apply(&mut record.meeting_weekday);
                    meeting_place.apply(&mut record.meeting_place);
                    self.save_group(&transaction, record).await
                })
                .await
                .map_err(|error| taken(error, &["input", "externalRef"]))
        })
        .await
    }

    /// Closes a group whose loans have all ended, and ends its memberships. Closing a closed group changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::Rejected`] while a loan of the group is open; [`ServiceError::Forbidden`].
    pub async fn close_group(
        &self,
        actor: &Actor,
        id: Uuid,
        expected_version: Option<i64>,
    ) -> Result<GroupRecord, ServiceError> {
        let about = About::of("closeGroup", Kind::Group, id);
        self.audited(actor, &about, |trail| async move {
            let scope = self.authorize(actor, Action::CloseGroup)?;
            let now = self.now();
            let scope = &scope;
            trail
                .write(|transaction| async move {
                    let mut record = load(&transaction, scope, id, expected_version).await?;
                    if record.status == GroupStatus::Closed {
                        return Ok(record);
                    }
                    if store::has_live_loan(&*transaction, id, None).await? {
                        let message = "Wait until all of this group's loans have ended.";
                        return Err(Problem::new(ProblemCode::GroupInUse, &["input", "groupId"], message).into());
                    }
                    let today = business_date(&branch_of(&transaction, record.branch_id).await?, now);
                    group_members::end_all(&*transaction, id, today).await?;
                    record.status = GroupStatus::Closed;
                    record.closed_on = Some(today);
                    self.save_group(&transaction, record).await
                })
                .await
        })
        .await
    }

    /// Writes a group that was changed, or whose members were.
    pub(super) async fn save_group(
        &self,
        transaction: &Transaction,
        mut record: GroupRecord,
    ) -> Result<GroupRecord, ServiceError> {
        record.version += 1;
        record.updated_at = self.now();
        store::update(&**transaction, &record).await?;
        Ok(record)
    }
}

/// Loads and locks the group of an input, which keeps its members and the arrival of loans still.
pub(super) async fn load(
    transaction: &Transaction,
    scope: &Scope,
    id: Uuid,
    expected_version: Option<i64>,
) -> Result<GroupRecord, ServiceError> {
    let record = store::find(&**transaction, scope, &GroupKey::Id(id), Lock::ForUpdate)
        .await?
        .ok_or_else(|| Problem::not_found(&["input", "groupId"], "group"))?;
    Problem::expect_version(expected_version, record.version)?;
    Ok(record)
}
