//! What a caller can mend, in a mutation's payload: one interface, and a type for each kind of detail.

use async_graphql::{Enum, ID, Interface, SimpleObject};

use super::id::id;
use super::loan::LoanStatus;
use super::money::Money;
use super::scalars::{Date, DateTime};
use crate::ids::Kind;
use crate::service::problem::{Detail, Problem};
use crate::service::{self, ServiceError};

/// What kind of problem it is. The list only ever grows: treat an unknown code like INVALID_FORMAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::problem::ProblemCode")]
pub enum UserErrorCode {
    /// The value is missing or blank.
    Required,
    /// The value is longer than allowed.
    TooLong,
    /// The value does not have the form it needs.
    InvalidFormat,
    /// The id is malformed or belongs to something else.
    InvalidId,
    /// No such thing exists for this caller.
    NotFound,
    /// The value must be unique and is in use.
    AlreadyTaken,
    /// There is no such ISO 4217 currency.
    UnknownCurrency,
    /// The amount is in another currency than it must be.
    CurrencyMismatch,
    /// The amount has more decimals than its currency, or the rate more than four.
    TooManyDecimals,
    /// The amount is outside its limits.
    AmountOutOfRange,
    /// The rate is outside its limits.
    RateOutOfRange,
    /// The number is outside its limits.
    NumberOutOfRange,
    /// The date is outside its limits.
    DateOutOfRange,
    /// The upper limit is below the lower one.
    MaximumBelowMinimum,
    /// The list lacks something it must name, or names it twice.
    IncompleteList,
    /// The value and another one exclude each other.
    Contradiction,
    /// The branch is closed.
    BranchClosed,
    /// The branch still has open branches below it, or loans that have not ended.
    BranchInUse,
    /// The branch would lie below itself.
    BranchCycle,
    /// The product is retired.
    ProductRetired,
    /// Another borrower has the same telephone number or national id.
    PossibleDuplicate,
    /// The borrower has loans that have not ended, that have credit, or that were written off and not recovered.
    BorrowerHasOpenLoans,
    /// The borrower was erased; nothing more can be done with them or recorded on their loans.
    BorrowerErased,
    /// The borrower belongs to a group of the branch already.
    AlreadyInGroup,
    /// The borrower does not belong to the group.
    NotAMember,
    /// The member has a loan of the group that has not ended.
    MemberHasOpenLoan,
    /// The group is closed.
    GroupClosed,
    /// The group has loans that have not ended.
    GroupInUse,
    /// The group has as many members as one may have.
    GroupFull,
    /// The group belongs to another branch than the loan.
    BranchMismatch,
    /// The loan's status does not allow the step.
    InvalidTransition,
    /// Someone else must take this step.
    SamePerson,
    /// The caller's roles may not approve so much.
    ApprovalLimit,
    /// There is nothing of what the step is about: no credit to refund, no interest to waive.
    NothingToDo,
    /// The transaction was reversed before.
    AlreadyReversed,
    /// Other transactions rest on this one; reverse them first.
    StillNeeded,
    /// The row changed since it was read.
    VersionConflict,
    /// The idempotency key was used for another input.
    IdempotencyKeyMismatch,
    /// The first request with this idempotency key is still being processed.
    IdempotencyInProgress,
}

/// Defines the types of user errors, which share their first three fields.
macro_rules! user_errors {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$field_doc:meta])+ $field:ident: $type:ty,)* })+) => {
        $(
            $(#[$doc])+
            #[derive(Debug, Clone, SimpleObject)]
            pub struct $name {
                /// What kind of problem it is.
                pub code: UserErrorCode,
                /// What to do about it, in a sentence.
                pub message: String,
                /// The input it is about, from the argument inwards, such as ["input", "principal", "amount"]; null when it is about none in particular.
                pub path: Option<Vec<String>>,
                $($(#[$field_doc])+ pub $field: $type,)*
            }
        )+
    };
}

user_errors! {
    /// An input that cannot be accepted as it is.
    InvalidInput {}

    /// A step that the loan's status does not allow.
    InvalidTransition {
        /// The loan's status.
        from: LoanStatus,
        /// The step that was attempted: APPROVE, RECORD_REPAYMENT, ….
        attempted: String,
        /// What is allowed now, by the same names.
        allowed: Vec<String>,
        /// The status the attempted step leads to; null for a step that is recorded without leading anywhere.
        to: Option<LoanStatus>,
    }

    /// An amount outside its limits.
    AmountOutOfRange {
        /// The least it may be; null when there is no lower limit.
        min: Option<Money>,
        /// The most it may be; null when there is no upper limit.
        max: Option<Money>,
    }

    /// A date outside its limits.
    DateOutOfRange {
        /// The first possible date; null when there is none.
        earliest: Option<Date>,
        /// The last possible date; null when there is none.
        latest: Option<Date>,
    }

    /// The row changed since it was read.
    VersionConflict {
        /// The version it has now.
        current: i64,
    }

    /// Someone who may be known already: others hold the same telephone number or national id.
    DuplicateBorrower {
        /// Who, among the borrowers the caller may see; at most 20 borrowers.
        matches: Vec<DuplicateMatch>,
    }

    /// A borrower who cannot be erased yet: not all of their loans are done with.
    BorrowerHasOpenLoans {
        /// How many are open, those in branches of others included.
        count: i64,
        /// Those the caller may see.
        loans: Vec<OpenLoan>,
    }

    /// The idempotency key was used for another input.
    IdempotencyKeyMismatch {
        /// When it was first used.
        first_used_at: DateTime,
    }
}

/// A personal value that borrowers are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::problem::PersonalField")]
pub enum PersonalField {
    /// The telephone number.
    Phone,
    /// The national id.
    NationalId,
}

/// A borrower who holds the same personal value.
#[derive(Debug, Clone, SimpleObject)]
pub struct DuplicateMatch {
    /// The borrower's id.
    pub borrower_id: ID,
    /// The borrower's number, such as "B-000000001".
    pub number: String,
    /// What is the same.
    pub field: PersonalField,
}

impl From<service::problem::DuplicateMatch> for DuplicateMatch {
    fn from(found: service::problem::DuplicateMatch) -> Self {
        Self { borrower_id: id(Kind::Borrower, found.borrower), number: found.number, field: found.field.into() }
    }
}

/// A loan that keeps its borrower from being erased.
#[derive(Debug, Clone, SimpleObject)]
pub struct OpenLoan {
    /// The loan's id.
    pub loan_id: ID,
    /// The loan's number, such as "L-000000001".
    pub number: String,
    /// The loan's status; REPAID when there is credit to pay back, WRITTEN_OFF when not all of it was recovered.
    pub status: LoanStatus,
}

impl From<service::problem::OpenLoan> for OpenLoan {
    fn from(open: service::problem::OpenLoan) -> Self {
        Self { loan_id: id(Kind::Loan, open.loan), number: open.number, status: open.status.into() }
    }
}

/// A problem that the caller can mend.
#[derive(Debug, Clone, Interface)]
#[graphql(
    field(name = "code", ty = "&UserErrorCode", desc = "What kind of problem it is."),
    field(name = "message", ty = "&String", desc = "What to do about it, in a sentence."),
    field(
        name = "path",
        ty = "&Option<Vec<String>>",
        desc = "The input it is about, from the argument inwards, such as [\"input\", \"principal\", \"amount\"]; null when it is about none in particular."
    )
)]
pub enum UserError {
    /// See the type.
    InvalidInput(InvalidInput),
    /// See the type.
    InvalidTransition(InvalidTransition),
    /// See the type.
    AmountOutOfRange(AmountOutOfRange),
    /// See the type.
    DateOutOfRange(DateOutOfRange),
    /// See the type.
    VersionConflict(VersionConflict),
    /// See the type.
    DuplicateBorrower(DuplicateBorrower),
    /// See the type.
    BorrowerHasOpenLoans(BorrowerHasOpenLoans),
    /// See the type.
    IdempotencyKeyMismatch(IdempotencyKeyMismatch),
}

impl From<Problem> for UserError {
    fn from(problem: Problem) -> Self {
        let (code, message) = (problem.code.into(), problem.message);
        let path = (!problem.path.is_empty()).then_some(problem.path);
        match problem.detail {
            Detail::None => Self::InvalidInput(InvalidInput { code, message, path }),
            Detail::Step { from, attempted, allowed } => Self::InvalidTransition(InvalidTransition {
                code,
                message,
                path,
                from: from.into(),
                attempted: attempted.to_owned(),
                allowed: allowed.into_iter().map(str::to_owned).collect(),
                to: lending::loan::Transition::parse(attempted).map(|step| step.target().into()),
            }),
            Detail::Amount { min, max } => Self::AmountOutOfRange(AmountOutOfRange {
                code,
                message,
                path,
                min: min.map(Money::from),
                max: max.map(Money::from),
            }),
            Detail::Date { earliest, latest } => Self::DateOutOfRange(DateOutOfRange {
                code,
                message,
                path,
                earliest: earliest.map(Date),
                latest: latest.map(Date),
            }),
            Detail::Version { current } => Self::VersionConflict(VersionConflict { code, message, path, current }),
            Detail::Duplicates { matches } => Self::DuplicateBorrower(DuplicateBorrower {
                code,
                message,
                path,
                matches: matches.into_iter().map(DuplicateMatch::from).collect(),
            }),
            Detail::OpenLoans { count, loans } => Self::BorrowerHasOpenLoans(BorrowerHasOpenLoans {
                code,
                message,
                path,
                count: i64::try_from(count).unwrap_or(i64::MAX),
                loans: loans.into_iter().map(OpenLoan::from).collect(),
            }),
            Detail::FirstUse { at } => Self::IdempotencyKeyMismatch(IdempotencyKeyMismatch {
                code,
                message,
                path,
                first_used_at: DateTime(at),
            }),
        }
    }
}

/// Splits what a use case answered into the payload's object and its user errors.
///
/// # Errors
/// Whatever the caller cannot mend.
pub fn split<T>(outcome: Result<T, ServiceError>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match outcome {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(ServiceError::Rejected(problems)) => Ok((None, problems.into_iter().map(UserError::from).collect())),
        Err(other) => Err(other.into()),
    }
}
