//! Errors a caller cannot mend in its input, as they appear in a response's `errors`: a code and a fixed sentence. The
//! cause goes to the log; the HTTP layer adds the request id and whether trying again may help.

use async_graphql::{Error, ErrorExtensionValues};

use crate::service::ServiceError;

/// A nullable field that can fail. Returned in this order, a failure nulls the field itself, as the specification wants;
/// the other way round it would null the parent.
pub type Nullable<T> = Option<async_graphql::Result<T>>;

/// The codes of `errors[].extensions.code` that resolvers give. The list only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// An argument cannot be accepted as it is.
    BadUserInput,
    /// A cursor belongs to another list, order or filter.
    InvalidCursor,
    /// The caller's roles do not allow it.
    Forbidden,
    /// The database is out of reach, or too busy; trying again later may work.
    Unavailable,
    /// A personal value was sealed with a key the server does not have.
    Unreadable,
    /// A defect on the server's side.
    Internal,
}

impl ErrorCode {
    /// The code as callers see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::InvalidCursor => "INVALID_CURSOR",
            Self::Forbidden => "FORBIDDEN",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unreadable => "UNREADABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error with a code.
pub fn error(code: ErrorCode, message: impl Into<String>) -> Error {
    let mut error = Error::new(message);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code.as_str());
    error.extensions = Some(extensions);
    error
}

/// An argument that cannot be accepted.
pub fn bad_input(message: impl Into<String>) -> Error {
    error(ErrorCode::BadUserInput, message)
}

impl From<ServiceError> for Error {
    fn from(cause: ServiceError) -> Self {
        match cause {
            ServiceError::Rejected(problems) => {
                let sentences: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
                bad_input(sentences.join(" "))
            }
            ServiceError::BadInput => bad_input("Send text without NUL characters."),
            ServiceError::InvalidCursor => error(
                ErrorCode::InvalidCursor,
                "This cursor belongs to another list, order or filter; start again without a cursor.",
            ),
            ServiceError::Forbidden(action) => {
                tracing::info!(?action, "refused for lack of a role");
                error(ErrorCode::Forbidden, "Your roles do not allow this; ask an administrator for a role that does.")
            }
            ServiceError::Unavailable(cause) | ServiceError::Contended(cause) => {
                tracing::warn!(%cause, "the database did not answer in time");
                error(ErrorCode::Unavailable, "The database is busy or out of reach; try again in a few seconds.")
            }
            ServiceError::Unreadable => error(
                ErrorCode::Unreadable,
                "This value was sealed with a key the server does not have; ask its operator to add the key, or enter the value anew.",
            ),
            ServiceError::Internal(_) => {
                tracing::error!(?cause, "a use case failed");
                error(ErrorCode::Internal, "Something went wrong on our side; report the request id if it lasts.")
            }
        }
    }
}
