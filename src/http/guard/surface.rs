//! What can be read off the document as it is written, without expanding anything: directives, and the lists and
//! objects written in its arguments. It also notes which variables stand inside such literals, which decides whether
//! one validation of the document holds for other variables too.

use std::collections::HashSet;

use async_graphql::{Name, Pos, Positioned, Value as ConstValue};
use async_graphql_parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql_value::Value;

use super::{fragments::NamedFragment, limits::Limits, precheck::operations, refusal::Refusal};

/// The variables of a document that stand inside a list or an object literal.
pub type NestedVariables = HashSet<Name>;

/// Counts directives and measures literals.
///
/// # Errors
/// `TOO_MANY_DIRECTIVES`, `GRAPHQL_VALIDATION_FAILED` for what validation would pass over, `LIST_TOO_LONG`,
/// `NESTED_TOO_DEEP`.
pub fn check(
    document: &ExecutableDocument,
    order: &[NamedFragment<'_>],
    limits: &Limits,
) -> Result<NestedVariables, Refusal> {
    let mut surface = Surface { limits, directives: 0, mistake: None, nested: HashSet::new() };
    for operation in operations(document) {
        surface.directives(&operation.directives)?;
        for definition in &operation.variable_definitions {
            surface.directives(&definition.node.directives)?;
            if let Some(default) = &definition.node.default_value {
                check_const(&default.node, 0, limits).map_err(|fault| fault.refusal().at(default.pos))?;
            }
        }
        surface.selections(&operation.selection_set.node)?;
    }
    for (_, fragment) in order {
        surface.directives(&fragment.directives)?;
        surface.selections(&fragment.selection_set.node)?;
    }
    match surface.mistake {
        Some(refusal) => Err(refusal),
        None => Ok(surface.nested),
    }
}

/// The schema has no directives of its own; one that gets some must name them here.
const DIRECTIVES: [&str; 2] = ["include", "skip"];

/// The library's validation passes over everything on `__typename`, and over the same directive twice anywhere.
fn check_directives(directives: &[Positioned<Directive>]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for directive in directives {
        let name = directive.node.name.node.as_str();
        if !DIRECTIVES.contains(&name) {
            return Err(mistake("There is no such directive: check its name.", directive.pos));
        }
        if !seen.insert(name) {
            return Err(mistake(format!("@{name} stands in one place twice: keep one of them."), directive.pos));
        }
        let takes_if = match directive.node.arguments.as_slice() {
            [(argument, value)] => {
                argument.node == "if" && matches!(value.node, Value::Boolean(_) | Value::Variable(_))
            }
            _ => false,
        };
        if !takes_if {
            return Err(mistake(format!("@{name} takes one argument, a Boolean named if."), directive.pos));
        }
    }
    Ok(())
}

fn check_type_name(field: &Field, pos: Pos) -> Result<(), Refusal> {
    match field.arguments.is_empty() && field.selection_set.node.items.is_empty() {
        true => Ok(()),
        false => Err(mistake("__typename takes no arguments and has no fields: remove them.", pos)),
    }
}

fn mistake(message: impl Into<String>, pos: Pos) -> Refusal {
    Refusal::request("GRAPHQL_VALIDATION_FAILED", message).at(pos)
}

struct Surface<'a> {
    limits: &'a Limits,
    directives: usize,
    /// The first mistake that validation would pass over: told last, since a limit weighs more than a mistake.
    mistake: Option<Refusal>,
    nested: NestedVariables,
}

impl Surface<'_> {
    fn selections(&mut self, set: &SelectionSet) -> Result<(), Refusal> {
        for selection in &set.items {
            self.directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => {
                    if field.node.name.node == "__typename" {
                        self.note(check_type_name(&field.node, field.pos));
                    }
                    self.arguments(&field.node.arguments)?;
                    self.selections(&field.node.selection_set.node)?;
                }
                Selection::InlineFragment(inline) => self.selections(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn note(&mut self, outcome: Result<(), Refusal>) {
        if self.limits.strict_surface && self.mistake.is_none() {
            self.mistake = outcome.err();
        }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), Refusal> {
        let Some(first) = directives.first() else { return Ok(()) };
        self.directives = self.directives.saturating_add(directives.len());
        let refuse = |message| Err(Refusal::guard("TOO_MANY_DIRECTIVES", message).at(first.pos));
        if directives.len() > self.limits.directives_per_field {
            let limit = self.limits.directives_per_field;
            return refuse(format!("One place holds more than {limit} directives: remove some."));
        }
        if self.directives > self.limits.directives_per_document {
            let limit = self.limits.directives_per_document;
            return refuse(format!("The document holds more than {limit} directives: remove some."));
        }
        self.note(check_directives(directives));
        directives.iter().try_for_each(|directive| self.arguments(&directive.node.arguments))
    }

    fn arguments(&mut self, arguments: &[(Positioned<Name>, Positioned<Value>)]) -> Result<(), Refusal> {
        arguments.iter().try_for_each(|(_, value)| self.literal(&value.node, value.pos, 0))
    }

    fn literal(&mut self, value: &Value, pos: Pos, depth: usize) -> Result<(), Refusal> {
        match value {
            Value::Variable(name) if depth > 0 => {
                self.nested.insert(name.clone());
                Ok(())
            }
            Value::List(items) => {
                check_container(items.len(), depth, self.limits).map_err(|fault| fault.refusal().at(pos))?;
                items.iter().try_for_each(|item| self.literal(item, pos, depth.saturating_add(1)))
            }
            Value::Object(fields) => {
                check_container(0, depth, self.limits).map_err(|fault| fault.refusal().at(pos))?;
                fields.values().try_for_each(|item| self.literal(item, pos, depth.saturating_add(1)))
            }
            _ => Ok(()),
        }
    }
}

/// How a literal or a variable exceeds its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Lists and objects inside each other beyond this many.
    TooDeep(usize),
    /// A list of more than this many items.
    TooLong(usize),
}

impl Fault {
    /// The refusal, without a place.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::TooDeep(limit) => Refusal::guard(
                "NESTED_TOO_DEEP",
                format!("A value nests more than {limit} lists and objects: flatten it."),
            ),
            Self::TooLong(limit) => Refusal::guard(
                "LIST_TOO_LONG",
                format!("A list holds more than {limit} items: send it in several requests."),
            ),
        }
    }
}

/// Measures a value without variables; `depth` is how many lists and objects it already stands in.
///
/// # Errors
/// The first fault found.
pub fn check_const(value: &ConstValue, depth: usize, limits: &Limits) -> Result<(), Fault> {
    match value {
        ConstValue::List(items) => {
            check_container(items.len(), depth, limits)?;
            items.iter().try_for_each(|item| check_const(item, depth.saturating_add(1), limits))
        }
        ConstValue::Object(fields) => {
            check_container(0, depth, limits)?;
            fields.values().try_for_each(|item| check_const(item, depth.saturating_add(1), limits))
        }
        _ => Ok(()),
    }
}

fn check_container(items: usize, depth: usize, limits: &Limits) -> Result<(), Fault> {
    if depth >= limits.variables_depth {
        Err(Fault::TooDeep(limits.variables_depth))
    } else if items > limits.list_items {
        Err(Fault::TooLong(limits.list_items))
    } else {
        Ok(())
    }
}
