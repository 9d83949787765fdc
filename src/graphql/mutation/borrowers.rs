//! Registering borrowers, changing what is known of them, and erasing it.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, Result};

use super::{change, payload};
use crate::graphql::request::request;
use crate::graphql::types::borrower::Borrower;
use crate::graphql::types::id::InputIds;
use crate::graphql::types::scalars::Date;
use crate::ids::Kind;
use crate::service::ServiceError;
use crate::service::borrower_erasure::EraseBorrower;
use crate::service::borrowers::{RegisterBorrower, UpdateBorrower};

/// The mutations around borrowers.
#[derive(Default)]
pub struct BorrowerMutation;

/// A borrower to register.
#[derive(InputObject)]
pub struct RegisterBorrowerInput {
    /// The branch that will look after them; it must be open.
    pub branch_id: ID,
    /// The name, at most 200 characters.
    pub name: String,
    /// The id in another system, unique; at most 100 characters.
    pub external_ref: Option<String>,
    /// The telephone number: 4 to 15 digits, with the usual punctuation. Stored encrypted.
    pub phone: Option<String>,
    /// The national id, at most 64 characters. Stored encrypted.
    pub national_id: Option<String>,
    /// The date of birth, not in the future.
    pub date_of_birth: Option<Date>,
    /// Register them even if another borrower has the telephone number or national id.
    #[graphql(default = false)]
    pub allow_duplicate: bool,
}

/// Changes to a borrower; what is left out stays, null removes.
#[derive(InputObject)]
pub struct UpdateBorrowerInput {
    /// Which borrower.
    pub borrower_id: ID,
    /// A new name, at most 200 characters.
    pub name: Option<String>,
    /// The id in another system, unique; at most 100 characters.
    pub external_ref: MaybeUndefined<String>,
    /// The telephone number.
    pub phone: MaybeUndefined<String>,
    /// The national id.
    pub national_id: MaybeUndefined<String>,
    /// The date of birth, not in the future.
    pub date_of_birth: MaybeUndefined<Date>,
    /// Make the change even if another borrower has the telephone number or national id.
    #[graphql(default = false)]
    pub allow_duplicate: bool,
    /// The version that was read; the change is refused when it is another by now.
    pub expected_version: Option<i64>,
}

/// Why a borrower's person is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::borrower_erasure::ErasureReason")]
pub enum ErasureReason {
    /// They asked for it.
    Requested,
    /// The time is over for which the lender has to keep it.
    RetentionEnded,
}

/// A borrower to erase.
#[derive(InputObject)]
pub struct EraseBorrowerInput {
    /// Which borrower.
    pub borrower_id: ID,
    /// Why; it is told on the audit trail and nowhere else.
    pub reason: Option<ErasureReason>,
    /// The version that was read; the borrower is not erased when it is another by now.
    pub expected_version: Option<i64>,
}

payload! {
    /// What came of registering a borrower.
    RegisterBorrowerPayload {
        /// The new borrower.
        borrower: Borrower
    }
}
payload! {
    /// What came of changing a borrower.
    UpdateBorrowerPayload {
        /// The borrower as they now are.
        borrower: Borrower
    }
}

payload! {
    /// What came of erasing a borrower.
    EraseBorrowerPayload {
        /// What is left of the borrower.
        borrower: Borrower
    }
}

impl RegisterBorrowerInput {
    fn read(self) -> Result<RegisterBorrower, ServiceError> {
        let mut ids = InputIds::default();
        let branch = ids.read("branchId", &self.branch_id, Kind::Branch);
        ids.finish()?;
        Ok(RegisterBorrower {
            branch,
            name: self.name,
            external_ref: self.external_ref,
            phone: self.phone,
            national_id: self.national_id,
            date_of_birth: self.date_of_birth.map(|date| date.0),
            allow_duplicate: self.allow_duplicate,
        })
    }
}

impl UpdateBorrowerInput {
    fn read(self) -> Result<UpdateBorrower, ServiceError> {
        let mut ids = InputIds::default();
        let id = ids.read("borrowerId", &self.borrower_id, Kind::Borrower);
        ids.finish()?;
        Ok(UpdateBorrower {
            id,
            name: self.name,
            external_ref: change(self.external_ref),
            phone: change(self.phone),
            national_id: change(self.national_id),
            date_of_birth: change(self.date_of_birth.map_value(|date| date.0)),
            allow_duplicate: self.allow_duplicate,
            expected_version: self.expected_version,
        })
    }
}

impl EraseBorrowerInput {
    fn read(self) -> Result<EraseBorrower, ServiceError> {
        let mut ids = InputIds::default();
        let id = ids.read("borrowerId", &self.borrower_id, Kind::Borrower);
        ids.finish()?;
        Ok(EraseBorrower { id, reason: self.reason.map(Into::into), expected_version: self.expected_version })
    }
}

#[Object]
impl BorrowerMutation {
    /// Registers a borrower. Permission: RegisterBorrower. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, BRANCH_CLOSED, ALREADY_TAKEN, DATE_OUT_OF_RANGE, POSSIBLE_DUPLICATE.
    async fn register_borrower(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The borrower to register.")] input: RegisterBorrowerInput,
    ) -> Result<RegisterBorrowerPayload> {
        let request = request(context)?;
        RegisterBorrowerPayload::of(match input.read() {
            Ok(input) => request.services.register_borrower(request.actor, &input).await,
            Err(refusal) => Err(request.unread("registerBorrower", refusal).await),
        })
    }

    /// Changes what is known of a borrower. Permission: UpdateBorrower. User errors: REQUIRED, TOO_LONG, INVALID_FORMAT, INVALID_ID, NOT_FOUND, ALREADY_TAKEN, DATE_OUT_OF_RANGE, POSSIBLE_DUPLICATE, BORROWER_ERASED, VERSION_CONFLICT.
    async fn update_borrower(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateBorrowerInput,
    ) -> Result<UpdateBorrowerPayload> {
        let request = request(context)?;
        UpdateBorrowerPayload::of(match input.read() {
            Ok(input) => request.services.update_borrower(request.actor, &input).await,
            Err(refusal) => Err(request.unread("updateBorrower", refusal).await),
        })
    }

    /// Erases everything personal about a borrower whose loans are all done with, and ends their memberships; loans and books stay, as those of nobody. It cannot be undone; doing it again changes nothing. Permission: EraseBorrower. User errors: INVALID_ID, NOT_FOUND, BORROWER_HAS_OPEN_LOANS, VERSION_CONFLICT.
    async fn erase_borrower(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The borrower to erase.")] input: EraseBorrowerInput,
    ) -> Result<EraseBorrowerPayload> {
        let request = request(context)?;
        let outcome = match input.read() {
            Ok(input) => request.services.erase_borrower(request.actor, &input).await,
            Err(refusal) => Err(request.unread("eraseBorrower", refusal).await),
        };
        EraseBorrowerPayload::of(outcome.map(|erased| erased.borrower))
    }
}
