//! What a caller can mend: each problem has a code, a sentence that says what to do, and the path of the input it is
//! about. A use case reports all the problems it can see at once, and has then written nothing.

use chrono::{DateTime, NaiveDate, Utc};
use lending::loan::{LoanStatus, TransitionError, admission};
use lending::money::Money;
use uuid::Uuid;

/// The kind of a problem. The list only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemCode {
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
    /// No such ISO 4217 currency.
    UnknownCurrency,
    /// The amount is in another currency than it must be.
    CurrencyMismatch,
    /// The amount has more decimals than its currency.
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
    /// Another borrower holds the same personal value.
    PossibleDuplicate,
    /// The borrower has loans that are open.
    BorrowerHasOpenLoans,
    /// The borrower's person was erased.
    BorrowerErased,
    /// The borrower belongs to a group of the branch.
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
    /// Two things that must be of one branch are not.
    BranchMismatch,
    /// The loan's status does not allow the step.
    InvalidTransition,
    /// Someone else must take this step.
    SamePerson,
    /// The caller's roles may not approve so much.
    ApprovalLimit,
    /// There is nothing of what the step is about.
    NothingToDo,
    /// The transaction was reversed before.
    AlreadyReversed,
    /// Other transactions rest on this one.
    StillNeeded,
    /// The row changed since it was read.
    VersionConflict,
    /// The idempotency key was used for another input.
    IdempotencyKeyMismatch,
    /// The first request with this idempotency key is still being processed.
    IdempotencyInProgress,
}

impl ProblemCode {
    /// The code as callers know it, such as `NOT_FOUND`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        name
    }
}

/// A personal value that borrowers are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalField {
    /// The telephone number.
    Phone,
    /// The national id.
    NationalId,
}

/// A borrower who holds the same personal value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateMatch {
    /// The borrower's id.
    pub borrower: Uuid,
    /// The borrower's number.
    pub number: String,
    /// What is the same.
    pub field: PersonalField,
}

/// A loan that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLoan {
    /// The loan's id.
    pub loan: Uuid,
    /// The loan's number.
    pub number: String,
    /// The loan's status.
    pub status: LoanStatus,
}

/// What a problem knows beyond its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    None,
    /// The step, and what would be allowed now.
    Step {
        /// The loan's status.
        from: LoanStatus,
        /// What was attempted.
        attempted: &'static str,
        /// What is allowed.
        allowed: Vec<&'static str>,
    },
    /// The limits of an amount, inclusive.
    Amount {
        /// The least.
        min: Option<Money>,
        /// The most.
        max: Option<Money>,
    },
    /// The limits of a date, inclusive.
    Date {
        /// The first.
        earliest: Option<NaiveDate>,
        /// The last.
        latest: Option<NaiveDate>,
    },
    /// The version the row has now.
    Version {
        /// That version.
        current: i64,
    },
    /// Who holds the same personal values.
    Duplicates {
        /// One for each borrower and value.
        matches: Vec<DuplicateMatch>,
    },
    /// Loans that are open.
    OpenLoans {
        /// How many there are, the caller's or not.
        count: usize,
        /// Those the caller may see.
        loans: Vec<OpenLoan>,
    },
    /// When the idempotency key was first used.
    FirstUse {
        /// That moment.
        at: DateTime<Utc>,
    },
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: ProblemCode,
    /// What to do about it.
    pub message: String,
    /// The input it is about, from the argument inwards; empty when it is about none in particular.
    pub path: Vec<String>,
    /// Typed detail.
    pub detail: Detail,
}

impl Problem {
    /// A problem without further detail.
    pub fn new(code: ProblemCode, path: &[&str], message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: path.iter().map(|&part| part.to_owned()).collect(),
            detail: Detail::None,
        }
    }

    /// Adds typed detail.
    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// What was asked for does not exist, or not for this caller: the two are not told apart.
    #[must_use]
    pub fn not_found(path: &[&str], noun: &str) -> Self {
        Self::new(
            ProblemCode::NotFound,
            path,
            format!("There is no such {noun} for you; check the id and your branches."),
        )
    }

    /// Nothing can be changed about a borrower whose person was erased, and nothing can be lent to them.
    #[must_use]
    pub fn borrower_erased(path: &[&str]) -> Self {
        Self::new(
            ProblemCode::BorrowerErased,
            path,
            "This borrower was erased: nothing more is changed about them, lent to them or recorded on their loans; if they come back, register them anew.",
        )
    }

    /// Refuses when the caller expected another version than the row has.
    ///
    /// # Errors
    /// [`ProblemCode::VersionConflict`].
    pub fn expect_version(expected: Option<i64>, current: i64) -> Result<(), Self> {
        match expected {
            Some(expected) if expected != current => Err(Self::version_conflict(current)),
            _ => Ok(()),
        }
    }

    /// The row is not of the version the caller expected.
    #[must_use]
    pub fn version_conflict(current: i64) -> Self {
        Self::new(
            ProblemCode::VersionConflict,
            &["input", "expectedVersion"],
            format!("This was changed by someone else and is now at version {current}; read it again, then decide."),
        )
        .with(Detail::Version { current })
    }

    /// A refused step in the life of a loan that may be charged off. The paths name the inputs that hold its date and its amount.
    #[must_use]
    pub fn transition(error: &TransitionError, charged_off: bool, date: &[&str], amount: &[&str]) -> Self {
        let message = error.to_string();
        match error {
            TransitionError::InvalidTransition { from, attempted, .. } => {
                Self::new(ProblemCode::InvalidTransition, &["input", "loanId"], message).with(Detail::Step {
                    from: *from,
                    attempted: attempted.as_str(),
                    allowed: admission::allowed_now(*from, charged_off),
                })
            }
            TransitionError::DateOutOfRange { earliest, latest, .. } => {
                Self::new(ProblemCode::DateOutOfRange, date, message)
                    .with(Detail::Date { earliest: *earliest, latest: Some(*latest) })
            }
            TransitionError::AmountNotPositive { min } => Self::new(ProblemCode::AmountOutOfRange, amount, message)
                .with(Detail::Amount { min: Some(*min), max: None }),
            TransitionError::AmountOutOfRange { min, max } => Self::new(ProblemCode::AmountOutOfRange, amount, message)
                .with(Detail::Amount { min: Some(*min), max: Some(*max) }),
            TransitionError::CurrencyMismatch { .. } => {
                Self::new(ProblemCode::CurrencyMismatch, &[amount, &["currency"]].concat(), message)
            }
            TransitionError::SamePerson { .. } => Self::new(ProblemCode::SamePerson, &[], message),
        }
    }
}
