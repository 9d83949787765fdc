//! Which fields of the schema's roots an operation asks for. Metrics and traces know an operation by these alone: names of
//! operations and aliases are the client's, and so is a field that does not exist.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::Name;
use async_graphql_parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, TypeKind, TypeSystemDefinition,
};
use async_graphql_parser::{Error, parse_schema};

/// What every query root answers without saying so in the schema's text.
const META: [&str; 3] = ["__schema", "__type", "__typename"];

/// The names of the roots' fields.
#[derive(Debug, Default)]
pub(super) struct RootFields(BTreeMap<&'static str, BTreeSet<String>>);

impl RootFields {
    /// Of the schema that `sdl` describes; its roots have the usual names.
    pub(super) fn from_sdl(sdl: &str) -> Result<Self, Error> {
        let mut found = Self::default();
        for definition in parse_schema(sdl)?.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let TypeKind::Object(object) = &definition.node.kind else { continue };
            let Some(root) = ROOTS.into_iter().find(|root| definition.node.name.node.as_str() == *root) else {
                continue;
            };
            let names = object.fields.iter().map(|field| field.node.name.node.to_string());
            found.0.entry(root).or_default().extend(names);
        }
        Ok(found)
    }

    /// Those of an operation, each once, in the order of their names.
    pub(super) fn of(&self, document: &ExecutableDocument, operation: &OperationDefinition) -> Vec<Name> {
        let root = match operation.ty {
            OperationType::Query => ROOTS[0],
            OperationType::Mutation => ROOTS[1],
            OperationType::Subscription => ROOTS[2],
        };
        let mut asked = Asked { document, names: BTreeSet::new(), spread: BTreeSet::new() };
        asked.collect(&operation.selection_set.node);
        let known = self.0.get(root);
        let exists =
            |name: &Name| META.contains(&name.as_str()) || known.is_some_and(|known| known.contains(name.as_str()));
        asked.names.into_iter().filter(|name| exists(name)).cloned().collect()
    }
}

const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

struct Asked<'a> {
    document: &'a ExecutableDocument,
    names: BTreeSet<&'a Name>,
    spread: BTreeSet<&'a Name>,
}

impl<'a> Asked<'a> {
    fn collect(&mut self, set: &'a SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    self.names.insert(&field.node.name.node);
                }
                Selection::InlineFragment(fragment) => self.collect(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    // Once is enough, however often it is spread.
                    if let Some(fragment) = self.document.fragments.get(name).filter(|_| self.spread.insert(name)) {
                        self.collect(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use async_graphql_parser::parse_query;
    use async_graphql_parser::types::DocumentOperations;

    use super::*;

    fn asked(text: &str) -> Vec<String> {
        let schema = "type Query { loan: Int loans: Int } type Mutation { loans: Int pay: Int }";
        let document = parse_query(text).unwrap();
        let DocumentOperations::Single(operation) = &document.operations else { panic!("one operation is wanted") };
        let fields = RootFields::from_sdl(schema).unwrap().of(&document, &operation.node);
        fields.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_fields_of_the_schemas_root_count_each_once() {
        assert_eq!(asked("{ canary: loan other: loan loans }"), ["loan", "loans"]);
        assert_eq!(asked("mutation { pay loan }"), ["pay"]);
        assert_eq!(asked("{ canary }"), Vec::<String>::new());
        assert_eq!(asked("{ __typename }"), ["__typename"]);
    }

    #[test]
    fn fragments_are_looked_into() {
        let text = "{ ...a ... on Query { loan } ...a } fragment a on Query { ...b } fragment b on Query { loans }";
        assert_eq!(asked(text), ["loan", "loans"]);
    }
}
