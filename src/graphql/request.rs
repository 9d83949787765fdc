//! What every GraphQL request carries with it, put there by the HTTP layer.

/// The id a request is known by in its response headers, its errors and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);
