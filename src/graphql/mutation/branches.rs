//! Opening, changing and closing branches.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};

use super::payload;
use crate::graphql::request::request;
use crate::graphql::types::branch::Branch;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::scalars::CurrencyCode;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::branches::{CreateBranch, UpdateBranch};
use crate::service::check::Change;

/// The mutations around branches.
#[derive(Default)]
pub struct BranchMutation;

/// A branch to open.
#[derive(InputObject)]
pub struct CreateBranchInput {
    /// A short, unique code of letters, digits, - and _; at most 32 characters. It cannot be changed later.
    pub code: String,
    /// The name, at most 200 characters.
    pub name: String,
    /// The branch above it; only someone who works for all branches may leave it out.
    pub parent_id: Option<ID>,
    /// The currency it works in. It cannot be changed later.
    pub currency: CurrencyCode,
    /// Its IANA time zone, such as "Africa/Nairobi".
    pub time_zone: String,
}

/// Changes to a branch; what is left out stays.
#[derive(InputObject)]
pub struct UpdateBranchInput {
    /// Which branch.
    pub branch_id: ID,
    /// A new name, at most 200 characters.
    pub name: Option<String>,
    /// Another branch above it; null for none, which only someone who works for all branches may choose.
    pub parent_id: MaybeUndefined<ID>,
    /// Another IANA time zone.
    pub time_zone: Option<String>,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// A branch to close.
#[derive(InputObject)]
pub struct CloseBranchInput {
    /// Which branch.
    pub branch_id: ID,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

payload! {
    /// What came of opening a branch.
    CreateBranchPayload {
        /// The new branch.
        branch: Branch
    }
}
payload! {
    /// What came of changing a branch.
    UpdateBranchPayload {
        /// The branch as it now is.
        branch: Branch
    }
}
payload! {
    /// What came of closing a branch.
    CloseBranchPayload {
        /// The branch as it now is.
        branch: Branch
    }
}

impl CreateBranchInput {
    fn read(self) -> Result<CreateBranch, ServiceError> {
        let mut ids = InputIds::default();
        let parent = self.parent_id.map(|id| ids.read("parentId", &id, Kind::Branch));
        ids.finish()?;
        Ok(CreateBranch {
            code: self.code,
            name: self.name,
            parent,
            currency: self.currency.0,
            time_zone: self.time_zone,
        })
    }
}

impl UpdateBranchInput {
    fn read(self) -> Result<UpdateBranch, ServiceError> {
        let mut ids = InputIds::default();
        let id = ids.read("branchId", &self.branch_id, Kind::Branch);
        let parent = match self.parent_id {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(parent) => Change::Set(ids.read("parentId", &parent, Kind::Branch)),
        };
        ids.finish()?;
        Ok(UpdateBranch {
            id,
            name: self.name,
            parent,
            time_zone: self.time_zone,
            expected_version: self.expected_version,
        })
    }
}

#[Object]
impl BranchMutation {
    /// Opens a branch. Permission: CreateBranch. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, UNKNOWN_CURRENCY, ALREADY_TAKEN, NOT_FOUND, BRANCH_CLOSED.
    async fn create_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The branch to open.")] input: CreateBranchInput,
    ) -> Result<CreateBranchPayload> {
        let request = request(context)?;
        CreateBranchPayload::of(match input.read() {
            Ok(input) => request.services.create_branch(request.actor, &input).await,
            Err(refusal) => Err(request.unread("createBranch", refusal).await),
        })
    }

    /// Changes a branch. Permission: UpdateBranch. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, BRANCH_CLOSED, BRANCH_CYCLE, VERSION_CONFLICT.
    async fn update_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateBranchInput,
    ) -> Result<UpdateBranchPayload> {
        let request = request(context)?;
        UpdateBranchPayload::of(match input.read() {
            Ok(input) => request.services.update_branch(request.actor, &input).await,
            Err(refusal) => Err(request.unread("updateBranch", refusal).await),
        })
    }

    /// Closes a branch, which then takes no more applications. Closing a closed branch changes nothing. Permission: CloseBranch. User errors: INVALID_ID, NOT_FOUND, BRANCH_IN_USE, VERSION_CONFLICT.
    async fn close_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The branch to close.")] input: CloseBranchInput,
    ) -> Result<CloseBranchPayload> {
        let request = request(context)?;
        let mut ids = InputIds::default();
        let id = ids.read("branchId", &input.branch_id, Kind::Branch);
        CloseBranchPayload::of(match ids.finish() {
            Ok(()) => request.services.close_branch(request.actor, id, input.expected_version).await,
            Err(refusal) => Err(request.unread("closeBranch", refusal).await),
        })
    }
}
