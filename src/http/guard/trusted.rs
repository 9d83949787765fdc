//! The documents an operator trusts: those of a manifest, checked as a whole before the server starts, found by their ids
//! and kept for as long as it runs. Whether others are let through is the setting's decision, made here, before anything
//! of their text is read.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Executor, Request};

use super::{
    documents::{CheckedDocument, DocumentKey},
    manifest::{ManifestError, hexadecimal, parse_id},
    refusal::Refusal,
};
use crate::config::TrustedDocumentsMode;

/// An operation's name that none can have.
const NO_OPERATION: &str = "none of these";

/// The trusted documents, and what becomes of the others.
#[derive(Debug, Default)]
pub struct TrustedDocuments {
    mode: TrustedDocumentsMode,
    /// `None` without a manifest.
    documents: Option<HashMap<DocumentKey, Arc<CheckedDocument>>>,
}

impl TrustedDocuments {
    pub(super) fn new(mode: TrustedDocumentsMode, documents: HashMap<DocumentKey, Arc<CheckedDocument>>) -> Self {
        Self { mode, documents: Some(documents) }
    }

    /// The document of a key, if it is trusted.
    pub(super) fn get(&self, key: &DocumentKey) -> Option<Arc<CheckedDocument>> {
        self.documents.as_ref()?.get(key).cloned()
    }

    /// The document that a request names instead of sending it.
    ///
    /// # Errors
    /// `DOCUMENT_ID_NOT_SUPPORTED` without a manifest, `DOCUMENT_NOT_FOUND` for an id that is not in it.
    pub(super) fn find(&self, id: &str) -> Result<Arc<CheckedDocument>, Refusal> {
        let Some(documents) = &self.documents else {
            let message = "This server has no manifest of documents: send the text in query instead of documentId.";
            return Err(Refusal::guard("DOCUMENT_ID_NOT_SUPPORTED", message));
        };
        parse_id(id).and_then(|key| documents.get(&key)).cloned().ok_or_else(|| {
            let message = "No document has the id in documentId: deploy the frontend's manifest to the server first.";
            Refusal::guard("DOCUMENT_NOT_FOUND", message)
        })
    }

    /// What becomes of a text that is not in the manifest: whether it is to be logged, unless it is refused.
    ///
    /// # Errors
    /// `DOCUMENT_NOT_TRUSTED`.
    pub(super) fn judge_stranger(&self) -> Result<bool, Refusal> {
        match self.mode {
            TrustedDocumentsMode::Off => Ok(false),
            TrustedDocumentsMode::Log => Ok(true),
            TrustedDocumentsMode::Enforce => {
                let message = "Only documents of the manifest run here: add this one to it, or send one that is there.";
                Err(Refusal::guard("DOCUMENT_NOT_TRUSTED", message))
            }
        }
    }

    /// Validates every document against a schema. None of them is run: each is asked for an operation that it does not
    /// have, which the executor notices after validation and before anything else.
    ///
    /// # Errors
    /// [`ManifestError::BadDocument`], for the first by id that does not fit.
    pub async fn validate(&self, schema: &impl Executor) -> Result<(), ManifestError> {
        let mut all: Vec<_> = self.documents.iter().flatten().collect();
        all.sort_by_key(|(key, _)| **key);
        for (key, document) in all {
            let mut request = Request::new("").operation_name(NO_OPERATION);
            request.set_parsed_query(document.document.clone());
            let answer = schema.execute(request).await;
            let mistake = answer.errors.iter().find(|error| !error.message.starts_with("Unknown operation named"));
            if let Some(error) = mistake {
                let reason = format!("{}.", error.message.trim_end_matches('.'));
                return Err(ManifestError::BadDocument { id: hexadecimal(key), reason });
            }
        }
        Ok(())
    }
}
