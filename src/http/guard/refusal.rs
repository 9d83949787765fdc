//! What the guard answers when it does not let a document through: a code, a sentence that says what to do, and the
//! HTTP status. It never repeats a value from the request, because values may be personal data.

use ::http::StatusCode;
use async_graphql::{Pos, Response, ServerError, Value};

/// What sort of refusal it is; the transport chooses the status by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The text is not a GraphQL document. `application/json` reports it with 200, the newer media type with 400.
    Syntax,
    /// The document does not fit the request or the schema (unknown operation, wrong variables). Reported like a
    /// validation error, that is like [`RefusalKind::Syntax`].
    Request,
    /// A limit of the server. Always a 4xx, whatever the media type.
    Guard,
}

/// Why a document was not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The code for `extensions.code`, in UPPER_SNAKE.
    pub code: &'static str,
    /// One sentence that says what to do.
    pub message: String,
    /// 413 for too large a text, otherwise 400.
    pub status: StatusCode,
    /// Where in the document, if anywhere.
    pub locations: Vec<Pos>,
    /// How the transport reports it.
    pub kind: RefusalKind,
}

impl Refusal {
    /// A refusal by a limit of the server.
    pub fn guard(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            status: StatusCode::BAD_REQUEST,
            locations: Vec::new(),
            kind: RefusalKind::Guard,
        }
    }

    /// A refusal of what the document asks for, reported like a validation error.
    pub fn request(code: &'static str, message: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Request, ..Self::guard(code, message) }
    }

    /// A refusal of text that is not GraphQL.
    pub fn syntax(message: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Syntax, ..Self::guard("GRAPHQL_PARSE_FAILED", message) }
    }

    /// The same refusal, pointing at a place in the document.
    #[must_use]
    pub fn at(mut self, pos: Pos) -> Self {
        self.locations.push(pos);
        self
    }

    /// Whether the text was not a GraphQL document at all.
    pub fn is_syntax(&self) -> bool {
        self.kind == RefusalKind::Syntax
    }
}

impl From<async_graphql_parser::Error> for Refusal {
    /// The parser's message shows the offending line, which may hold a literal; only what was expected is kept.
    fn from(error: async_graphql_parser::Error) -> Self {
        use async_graphql_parser::Error;
        let locations: Vec<Pos> = error.positions().collect();
        let mut refusal = match &error {
            Error::Syntax { message, start, .. } => {
                let what = match message.lines().last().map(str::trim_start) {
                    Some(line) if line.starts_with("= ") => line.trim_start_matches("= ").replace('_', " "),
                    _ => "a value is out of range".to_owned(),
                };
                let what = what.replace("EOI", "the end of the document");
                Self::syntax(format!("Syntax error at {start}: {what}. Correct the document there."))
            }
            Error::RecursionLimitExceeded => Self::guard(
                "NESTED_TOO_DEEP",
                "The document nests selections deeper than the parser allows: flatten it, or split it.",
            ),
            Error::MissingOperation => {
                Self::syntax("The document holds no operation: add a query, a mutation or a subscription.")
            }
            Error::MultipleOperations { .. } => {
                Self::syntax("The document mixes an anonymous operation with others: name every operation.")
            }
            Error::OperationDuplicated { .. } => {
                Self::syntax("Two operations have the same name: give each operation a name of its own.")
            }
            Error::FragmentDuplicated { .. } => {
                Self::syntax("Two fragments have the same name: give each fragment a name of its own.")
            }
            _ => Self::syntax("The document is not a GraphQL request: send operations and fragments only."),
        };
        refusal.locations = locations;
        refusal
    }
}

impl From<Refusal> for ServerError {
    fn from(refusal: Refusal) -> Self {
        let mut error = ServerError::new(refusal.message, None);
        error.locations = refusal.locations;
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", refusal.code);
        extensions.set("retryable", Value::Boolean(false));
        error
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        Response::from_errors(vec![refusal.into()])
    }
}
