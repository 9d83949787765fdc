//! What a GraphQL request must pass before any schema sees it. The steps, cheapest first; those before the operation are paid
//! once per document, the rest once per request. The guard is synchronous and pure: it reads text and variables, and knows
//! neither the caller nor the database.
//!
//! | step | refuses |
//! |---|---|
//! | `trusted` | a text that is not in the operator's manifest, where only those run |
//! | `lexical` | text the parser must not be given: size, tokens, nesting |
//! | parser | what is not GraphQL |
//! | `fragments`, `surface`, `precheck` | cycles, directives, literals, depth, aliases, roots, repeated mutations |
//! | `cost` (compile), `documents` (keep) | |
//! | operation | an unknown name, or none where there are several |
//! | `variables` | what does not fit the declared types |
//! | `cost` (evaluate) | what asks too much of the database |
//! | `engine` | validation at first sight, then execution |
//!
//! Where introspection is off, `names` takes out of every refusal what the question did not have.

pub mod cost;
mod cost_plan;
pub mod documents;
pub mod engine;
mod fragments;
mod input_model;
pub mod lexical;
pub mod limits;
pub mod manifest;
mod names;
pub mod precheck;
pub mod refusal;
mod repeats;
mod root_fields;
mod surface;
#[cfg(test)]
mod tests;
pub mod trusted;
pub mod variables;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Name, Response, Variables};
use async_graphql_parser::{parse_query, types::OperationType};

pub use self::{
    cost::CostModel,
    documents::{CheckedDocument, Documents},
    engine::Engine,
    input_model::{InputModel, ScalarCheck},
    limits::Limits,
    manifest::{Manifest, ManifestError},
    refusal::{Refusal, RefusalKind},
    trusted::TrustedDocuments,
};
use self::{documents::DocumentKey, names::Names, root_fields::RootFields};
use crate::config::TrustedDocumentsMode;

/// Everything the guard judges by.
pub struct Guard {
    limits: Limits,
    cost_model: CostModel,
    input_model: InputModel,
    root_fields: RootFields,
    documents: Documents,
    trusted: TrustedDocuments,
    /// What must not be told; `None` where anybody may ask for it.
    names: Option<Names>,
}

/// An operation that may run.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The document it stands in.
    pub document: Arc<CheckedDocument>,
    /// Query, mutation or subscription.
    pub operation_type: OperationType,
    /// The operation's name in the document, if it has one.
    pub operation_name: Option<String>,
    /// Its cost in points, at least 1.
    pub cost: u64,
    /// The key of a text that is not in the manifest and ought to be, for the log.
    pub stranger: Option<DocumentKey>,
    operation: usize,
    proves: bool,
    needs_validation: bool,
}

impl Admitted {
    /// Whether validation may be left out: it has passed, and these variables cannot change that.
    pub fn is_validated(&self) -> bool {
        let operation = self.document.operation(self.operation);
        !self.needs_validation && operation.is_some_and(documents::Operation::is_validated)
    }

    /// The fields of the schema's root that it asks for.
    pub fn root_fields(&self) -> &[Name] {
        self.document.operation(self.operation).map_or(&[], |operation| operation.root_fields.as_slice())
    }

    /// Notes that strict validation passed, if these variables let it look everywhere.
    fn mark_validated(&self) {
        if let Some(operation) = self.document.operation(self.operation).filter(|_| self.proves) {
            operation.mark_validated();
        }
    }
}

impl Guard {
    /// A guard for the schema that `sdl` describes.
    ///
    /// # Errors
    /// The parser's, for text that is not a schema.
    pub fn from_sdl(limits: Limits, sdl: &str) -> Result<Self, async_graphql_parser::Error> {
        Ok(Self {
            cost_model: CostModel::from_sdl(sdl)?,
            input_model: InputModel::from_sdl(sdl)?,
            root_fields: RootFields::from_sdl(sdl)?,
            documents: Documents::new(limits.cache_bytes, limits.cache_entries),
            trusted: TrustedDocuments::default(),
            names: if limits.introspection { None } else { Some(Names::from_sdl(sdl)?) },
            limits,
        })
    }

    /// The same guard, which knows the documents of a manifest. Each is put through every check that does not need the
    /// schema itself; [`TrustedDocuments::validate`] does the rest.
    ///
    /// # Errors
    /// [`ManifestError::BadDocument`], for the first by id that would be refused.
    pub fn trusting(mut self, mode: TrustedDocumentsMode, manifest: &Manifest) -> Result<Self, ManifestError> {
        let mut checked = HashMap::with_capacity(manifest.len());
        for (key, text) in &manifest.texts {
            let document = self.check(text).map_err(|refusal| ManifestError::bad_document(key, &refusal))?;
            checked.insert(*key, Arc::new(document));
        }
        self.trusted = TrustedDocuments::new(mode, checked);
        Ok(self)
    }

    /// The same guard, which also judges the values of these scalars in variables, so that a wrong one is refused before
    /// anything runs.
    #[must_use]
    pub fn checking(mut self, checks: &[(&str, ScalarCheck)]) -> Self {
        self.input_model = self.input_model.checking(checks);
        self
    }

    /// The limits it judges by.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The cache of checked documents, for its counters.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// The documents of the manifest.
    pub fn trusted(&self) -> &TrustedDocuments {
        &self.trusted
    }

    /// Judges a request that brings its document.
    ///
    /// # Errors
    /// A [`Refusal`] with its code, status, and a sentence that says what to do.
    pub fn admit(&self, query: &str, operation_name: Option<&str>, variables: &Variables) -> Result<Admitted, Refusal> {
        let admitted = self.document(query).and_then(|(document, stranger)| {
            let admitted = self.judge(document, operation_name, variables)?;
            Ok(Admitted { stranger, ..admitted })
        });
        admitted.map_err(|refusal| self.discreet(refusal, query, variables))
    }

    /// Judges a request that names a document of the manifest.
    ///
    /// # Errors
    /// As [`Guard::admit`]; `DOCUMENT_NOT_FOUND`, `DOCUMENT_ID_NOT_SUPPORTED`.
    pub fn admit_by_id(
        &self,
        id: &str,
        operation_name: Option<&str>,
        variables: &Variables,
    ) -> Result<Admitted, Refusal> {
        let document = self.trusted.find(id)?;
        let text = Arc::clone(&document);
        self.judge(document, operation_name, variables).map_err(|refusal| self.discreet(refusal, &text.text, variables))
    }

    /// Takes out of an answer's errors what the question did not have, as far as they are about the document: what
    /// resolvers say is either ours, and has a code, or masked before anybody sees it.
    fn hide_names(&self, admitted: &Admitted, response: &mut Response) {
        let Some(names) = &self.names else { return };
        for error in response.errors.iter_mut().filter(|error| engine::is_about_document(error)) {
            error.message = names.hide(&error.message, &[&admitted.document.text]);
        }
    }

    fn discreet(&self, refusal: Refusal, query: &str, variables: &Variables) -> Refusal {
        match &self.names {
            Some(names) => {
                let message = names.hide(&refusal.message, &[query, &variables.to_string()]);
                Refusal { message, ..refusal }
            }
            None => refusal,
        }
    }

    /// Everything that depends on the request.
    fn judge(
        &self,
        document: Arc<CheckedDocument>,
        operation_name: Option<&str>,
        variables: &Variables,
    ) -> Result<Admitted, Refusal> {
        let Some((index, operation)) = document.find(operation_name) else {
            return Err(unknown_operation(operation_name));
        };
        let definition = document.definition(operation).ok_or_else(|| unknown_operation(operation_name))?;
        variables::check_size(variables, &self.limits)?;
        variables::check(&definition.variable_definitions, variables, &self.input_model)?;
        let cost = document.cost.evaluate(operation.name.as_ref(), &definition.variable_definitions, variables);
        if cost > self.limits.cost {
            let message = format!(
                "The query costs {cost} points, more than {}: ask for smaller pages or fewer fields.",
                self.limits.cost
            );
            return Err(Refusal::guard("QUERY_TOO_COMPLEX", message).at(definition.selection_set.pos));
        }
        Ok(Admitted {
            operation_type: operation.ty,
            operation_name: operation.name.as_ref().map(ToString::to_string),
            cost,
            operation: index,
            proves: operation.proves(variables),
            needs_validation: operation.needs_validation(variables),
            stranger: None,
            document: Arc::clone(&document),
        })
    }

    /// The checked document of a text, and its key when the log is to tell of it.
    fn document(&self, query: &str) -> Result<(Arc<CheckedDocument>, Option<DocumentKey>), Refusal> {
        lexical::check_size(query, &self.limits)?;
        let key = Documents::key(query);
        if let Some(document) = self.trusted.get(&key) {
            return Ok((document, None));
        }
        let stranger = self.trusted.judge_stranger()?.then_some(key);
        if let Some(document) = self.documents.get(&key) {
            return Ok((document, stranger));
        }
        let document = Arc::new(self.check(query)?);
        self.documents.insert(key, Arc::clone(&document));
        Ok((document, stranger))
    }

    /// Everything that depends on the text alone.
    fn check(&self, query: &str) -> Result<CheckedDocument, Refusal> {
        let scan = lexical::scan(query, &self.limits)?;
        let document = parse_query(query)?;
        let order = fragments::leaf_first(&document)?;
        let nested = surface::check(&document, &order, &self.limits)?;
        precheck::check(&document, &order, &self.limits)?;
        for operation in precheck::operations(&document) {
            variables::check_definitions(&operation.variable_definitions, &self.input_model)?;
        }
        let cost = self.cost_model.compile(&document, &order);
        Ok(CheckedDocument::new(query, document, cost, &nested, scan.tokens).with_root_fields(&self.root_fields))
    }
}

fn unknown_operation(name: Option<&str>) -> Refusal {
    let message = match name {
        Some(_) => "The document has no operation of the name in `operationName`: send the name of one it has.",
        None => "The document holds several operations: name the one to run in `operationName`.",
    };
    Refusal::request("OPERATION_NOT_FOUND", message)
}
