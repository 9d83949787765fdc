//! Reads a GraphQL request out of a POST body or a query string, strictly. It knows nothing of the GraphQL language: the
//! query text is handed on untouched.

use async_graphql::Variables;
use axum::extract::Query;
use axum::http::{StatusCode, Uri};
use serde_json::{Map, Value};

use super::errors::HttpError;

/// What a request wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// This text.
    Text(String),
    /// The document that the server knows by this id.
    Id(String),
}

/// One GraphQL request, as it came. `extensions` are checked to be an object and then ignored: none is supported.
#[derive(Debug)]
pub struct GraphqlRequest {
    /// The document, or its id.
    pub document: Document,
    /// Which of the document's operations to run.
    pub operation_name: Option<String>,
    /// Values for the operation's variables.
    pub variables: Variables,
}

/// The members a request may have; anything else is ignored, so that clients may add their own.
const QUERY: &str = "query";
pub(super) const DOCUMENT_ID: &str = "documentId";
const OPERATION_NAME: &str = "operationName";
const VARIABLES: &str = "variables";
const EXTENSIONS: &str = "extensions";

impl Document {
    /// From the two members that can bring it; `None` when neither does.
    ///
    /// # Errors
    /// Both do: which of them is meant would be a guess.
    pub fn of(query: Option<String>, id: Option<String>) -> Result<Option<Self>, HttpError> {
        match (query, id) {
            (Some(_), Some(_)) => Err(HttpError::bad_request("Send either query or documentId, not both.")),
            (Some(query), None) => Ok(Some(Self::Text(query))),
            (None, Some(id)) => Ok(Some(Self::Id(id))),
            (None, None) => Ok(None),
        }
    }
}

impl GraphqlRequest {
    /// From the body of a POST.
    pub fn from_json(body: &[u8]) -> Result<Self, HttpError> {
        // What serde would say may quote the body, and the body may hold a borrower's data.
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Self::from_members(members),
            Ok(Value::Array(_)) => Err(HttpError::new(
                StatusCode::BAD_REQUEST,
                "BATCH_NOT_SUPPORTED",
                "Send one operation per request; a JSON array of operations is not accepted.",
            )),
            Ok(_) => Err(HttpError::bad_request("Send a JSON object with a query member as the request body.")),
            Err(error) => Err(HttpError::bad_request(format!(
                "The request body is not valid JSON (line {}, column {}). Send a JSON object with a query member.",
                error.line(),
                error.column()
            ))),
        }
    }

    /// From the query string of a GET, where `variables` and `extensions` are JSON texts.
    pub fn from_uri(uri: &Uri) -> Result<Self, HttpError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| HttpError::bad_request("The query string is not valid; encode each parameter for a URL."))?;
        let mut members = Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                QUERY | DOCUMENT_ID | OPERATION_NAME => Value::String(text),
                VARIABLES | EXTENSIONS if text.is_empty() => continue,
                VARIABLES | EXTENSIONS => serde_json::from_str(&text)
                    .map_err(|_| HttpError::bad_request(format!("The parameter {name} is not a valid JSON object.")))?,
                _ => continue,
            };
            if members.insert(name.clone(), value).is_some() {
                return Err(HttpError::bad_request(format!("Send the parameter {name} once.")));
            }
        }
        Self::from_members(members)
    }

    fn from_members(mut members: Map<String, Value>) -> Result<Self, HttpError> {
        let extensions = object(&mut members, EXTENSIONS)?;
        let (query, id) = (string(&mut members, QUERY)?, string(&mut members, DOCUMENT_ID)?);
        let document = match Document::of(query, id)? {
            Some(document) => document,
            // Apollo Client sends only a hash first and falls back to the text on exactly this code.
            None if extensions.is_some_and(|extensions| extensions.contains_key("persistedQuery")) => {
                return Err(HttpError::new(
                    StatusCode::BAD_REQUEST,
                    "PERSISTED_QUERY_NOT_SUPPORTED",
                    "Send the query text; persisted queries are not supported.",
                ));
            }
            None => {
                return Err(HttpError::bad_request("The member query is missing; send the operation's text in it."));
            }
        };
        let operation_name = string(&mut members, OPERATION_NAME)?.filter(|name| !name.is_empty());
        let variables = match object(&mut members, VARIABLES)? {
            Some(variables) => serde_json::from_value(Value::Object(variables)).map_err(|_| {
                HttpError::bad_request("The member variables cannot be read; send an object of values.")
            })?,
            None => Variables::default(),
        };
        Ok(Self { document, operation_name, variables })
    }
}

fn string(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, HttpError> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(HttpError::bad_request(format!("The member {name} must be a string."))),
    }
}

fn object(members: &mut Map<String, Value>, name: &str) -> Result<Option<Map<String, Value>>, HttpError> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(HttpError::bad_request(format!("The member {name} must be an object."))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(body: &str) -> (&'static str, String) {
        let error = GraphqlRequest::from_json(body.as_bytes()).unwrap_err();
        assert_eq!(error.status, StatusCode::BAD_REQUEST);
        (error.code, error.message.into_owned())
    }

    #[test]
    fn reads_the_members_and_ignores_the_rest() {
        let body = r#"{"query":"{a}","operationName":"A","variables":{"x":[1]},"extensions":{"y":1},"id":7}"#;
        let request = GraphqlRequest::from_json(body.as_bytes()).unwrap();
        assert_eq!(request.document, Document::Text("{a}".to_owned()));
        assert_eq!(request.operation_name.as_deref(), Some("A"));
        assert_eq!(serde_json::to_value(&request.variables).unwrap(), serde_json::json!({"x": [1]}));
        let body = r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#;
        assert!(GraphqlRequest::from_json(body.as_bytes()).unwrap().operation_name.is_none());
    }

    #[test]
    fn refuses_wrong_shapes_without_quoting_them() {
        for body in ["", "{ \"not a JSON", "7", "null", "{}", r#"{"query":null}"#] {
            assert_eq!(refused(body).0, "BAD_REQUEST", "{body}");
        }
        for member in ["query", "documentId", "operationName", "variables", "extensions"] {
            for value in ["0", "false", "[\"+254700000000\"]"] {
                let (code, message) = refused(&format!(r#"{{"query":"{{a}}","{member}":{value}}}"#));
                assert_eq!(code, "BAD_REQUEST");
                assert!(message.contains(member) && !message.contains("254700000000"), "{message}");
            }
        }
        assert!(!refused(r#"{"query": "+254700000000" ?"#).1.contains("254700000000"));
    }

    #[test]
    fn refuses_batches_and_persisted_queries_by_name() {
        assert_eq!(refused(r#"[{"query":"{a}"}]"#).0, "BATCH_NOT_SUPPORTED");
        let hash = r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}"#;
        assert_eq!(refused(hash).0, "PERSISTED_QUERY_NOT_SUPPORTED");
    }

    #[test]
    fn a_document_is_sent_or_named_and_never_both() {
        let named = GraphqlRequest::from_json(br#"{"documentId":"sha256:x","query":null}"#).unwrap();
        assert_eq!(named.document, Document::Id("sha256:x".to_owned()));
        for body in [r#"{"query":"{a}","documentId":"x"}"#, r#"{"query":"","documentId":""}"#] {
            let (code, message) = refused(body);
            assert_eq!((code, message.as_str()), ("BAD_REQUEST", "Send either query or documentId, not both."));
        }
        let uri: Uri = "/graphql?documentId=sha256:x".parse().unwrap();
        assert_eq!(GraphqlRequest::from_uri(&uri).unwrap().document, Document::Id("sha256:x".to_owned()));
        for bad in ["/graphql?documentId=a&documentId=b", "/graphql?documentId=a&query=b"] {
            let uri: Uri = bad.parse().unwrap();
            assert_eq!(GraphqlRequest::from_uri(&uri).unwrap_err().code, "BAD_REQUEST", "{bad}");
        }
    }

    #[test]
    fn deep_json_is_refused_and_not_recursed_into() {
        assert_eq!(refused(&"[".repeat(200_000)).0, "BAD_REQUEST");
    }

    #[test]
    fn reads_a_query_string() {
        let uri: Uri = "/graphql?query=%7Ba%7D&variables=%7B%22x%22:1%7D&operationName=&other=1".parse().unwrap();
        let request = GraphqlRequest::from_uri(&uri).unwrap();
        assert_eq!(request.document, Document::Text("{a}".to_owned()));
        assert!(request.operation_name.is_none());
        assert_eq!(serde_json::to_value(&request.variables).unwrap(), serde_json::json!({"x": 1}));
        for bad in
            ["/graphql", "/graphql?query=a&variables=7", "/graphql?query=a&variables=%7B", "/graphql?query=a&query=b"]
        {
            let uri: Uri = bad.parse().unwrap();
            assert_eq!(GraphqlRequest::from_uri(&uri).unwrap_err().code, "BAD_REQUEST", "{bad}");
        }
    }
}
