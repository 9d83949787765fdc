//! Typed ids at the API's edge: written from database ids, read with a clear refusal when they belong to something else.

use async_graphql::{ID, Result};
use uuid::Uuid;

use crate::graphql::error::bad_input;
use crate::ids::{Kind, NodeId};
use crate::service::problem::{Problem, ProblemCode};

/// The id of a row as callers see it.
pub fn id(kind: Kind, uuid: Uuid) -> ID {
    ID(NodeId { kind, uuid }.to_string())
}

/// Reads the id in a query's argument.
///
/// # Errors
/// BAD_USER_INPUT, naming what the id belongs to.
pub fn read(text: &ID, kind: Kind) -> Result<Uuid> {
    NodeId::parse(text, kind).map_err(|error| bad_input(error.to_string()))
}

/// Collects the ids of a mutation's input, so that all wrong ones are reported together.
#[derive(Debug, Default)]
pub struct InputIds {
    problems: Vec<Problem>,
}

impl InputIds {
    /// Reads the id in `input.<field>`. A wrong one is noted and read as the nil id.
    pub fn read(&mut self, field: &str, text: &ID, kind: Kind) -> Uuid {
        NodeId::parse(text, kind).unwrap_or_else(|error| {
            self.problems.push(Problem::new(ProblemCode::InvalidId, &["input", field], error.to_string()));
            Uuid::nil()
        })
    }

    /// Refuses when an id was wrong.
    ///
    /// # Errors
    /// [`crate::service::ServiceError::Rejected`] with a problem for each.
    pub fn finish(self) -> Result<(), crate::service::ServiceError> {
        if self.problems.is_empty() { Ok(()) } else { Err(crate::service::ServiceError::Rejected(self.problems)) }
    }
}
