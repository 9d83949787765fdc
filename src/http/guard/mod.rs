//! What a GraphQL request must pass before any schema sees it. The steps, cheapest first; the first four are paid once
//! per document, the rest once per request. The guard is synchronous and pure: it reads text and variables, and knows
//! neither the caller nor the database.
//!
//! | step | refuses |
//! |---|---|
//! | `lexical` | text the parser must not be given: size, tokens, nesting |
//! | parser | what is not GraphQL |
//! | `fragments`, `surface`, `precheck` | cycles, directives, literals, depth, aliases, roots, repeated mutations |
//! | `cost` (compile), `documents` (keep) | |
//! | operation | an unknown name, or none where there are several |
//! | `variables` | what does not fit the declared types |
//! | `cost` (evaluate) | what asks too much of the database |
//! | `engine` | validation at first sight, then execution |

pub mod cost;
mod cost_plan;
pub mod documents;
pub mod engine;
mod fragments;
mod input_model;
pub mod lexical;
pub mod limits;
pub mod precheck;
pub mod refusal;
mod root_fields;
mod surface;
#[cfg(test)]
mod tests;
pub mod variables;

use std::sync::Arc;

use async_graphql::{Name, Variables};
use async_graphql_parser::{parse_query, types::OperationType};

pub use self::{
    cost::CostModel,
    documents::{CheckedDocument, Documents},
    engine::Engine,
    input_model::{InputModel, ScalarCheck},
    limits::Limits,
    refusal::{Refusal, RefusalKind},
};
use root_fields::RootFields;

/// Everything the guard judges by.
pub struct Guard {
    limits: Limits,
    cost_model: CostModel,
    input_model: InputModel,
    root_fields: RootFields,
    documents: Documents,
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
            limits,
        })
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

    /// Judges a request.
    ///
    /// # Errors
    /// A [`Refusal`] with its code, status, and a sentence that says what to do.
    pub fn admit(&self, query: &str, operation_name: Option<&str>, variables: &Variables) -> Result<Admitted, Refusal> {
        lexical::check_size(query, &self.limits)?;
        let document = self.document(query)?;
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
            document: Arc::clone(&document),
        })
    }

    fn document(&self, query: &str) -> Result<Arc<CheckedDocument>, Refusal> {
        let key = Documents::key(query);
        if let Some(document) = self.documents.get(&key) {
            return Ok(document);
        }
        let document = Arc::new(self.check(query)?);
        self.documents.insert(key, Arc::clone(&document));
        Ok(document)
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
        Ok(CheckedDocument::new(document, cost, &nested, scan.tokens).with_root_fields(&self.root_fields))
    }
}

fn unknown_operation(name: Option<&str>) -> Refusal {
    let message = match name {
        Some(_) => "The document has no operation of the name in `operationName`: send the name of one it has.",
        None => "The document holds several operations: name the one to run in `operationName`.",
    };
    Refusal::request("OPERATION_NOT_FOUND", message)
}
