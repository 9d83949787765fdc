//! The input types of the schema, as far as the guard needs them to judge variables: which names exist, which fields
//! an input object has and requires, which values an enum has. Read from the SDL once, never changed.

use std::collections::{HashMap, HashSet};

use async_graphql::Value;
use async_graphql_parser::{
    parse_schema,
    types::{InputObjectType, Type, TypeDefinition, TypeKind, TypeSystemDefinition},
};

/// Says whether a value is one of a scalar's, and if not what to send. It must not repeat the value.
pub type ScalarCheck = fn(&Value) -> Result<(), String>;

/// The input types of a schema, by name.
#[derive(Debug, Clone)]
pub struct InputModel {
    types: HashMap<String, InputType>,
}

#[derive(Debug, Clone)]
pub(super) enum InputType {
    Int,
    Float,
    String,
    Boolean,
    Id,
    /// A scalar of the schema's own. Without a check any value passes here, and its Rust type judges it at execution.
    Custom(Option<ScalarCheck>),
    Enum(HashSet<String>),
    Object(InputObject),
    /// An object, interface or union, which no variable may have: validation says so.
    Output,
}

#[derive(Debug, Clone)]
pub(super) struct InputObject {
    pub(super) one_of: bool,
    pub(super) fields: HashMap<String, InputField>,
    /// The fields that must be there, in the order of the schema.
    pub(super) required: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct InputField {
    pub(super) ty: Type,
}

impl InputModel {
    /// Reads the model out of the schema's SDL.
    ///
    /// # Errors
    /// The parser's, for text that is not a schema.
    pub fn from_sdl(sdl: &str) -> Result<Self, async_graphql_parser::Error> {
        let mut types = HashMap::from([
            ("Int".to_owned(), InputType::Int),
            ("Float".to_owned(), InputType::Float),
            ("String".to_owned(), InputType::String),
            ("Boolean".to_owned(), InputType::Boolean),
            ("ID".to_owned(), InputType::Id),
        ]);
        for definition in parse_schema(sdl)?.definitions {
            if let TypeSystemDefinition::Type(definition) = definition {
                let name = definition.node.name.node.to_string();
                types.entry(name).or_insert_with(|| input_type(definition.node));
            }
        }
        Ok(Self { types })
    }

    /// The same model, in which the values of these scalars are checked too.
    #[must_use]
    pub fn checking(mut self, checks: &[(&str, ScalarCheck)]) -> Self {
        for (name, check) in checks {
            if let Some(InputType::Custom(known)) = self.types.get_mut(*name) {
                *known = Some(*check);
            }
        }
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&InputType> {
        self.types.get(name)
    }
}

fn input_type(definition: TypeDefinition) -> InputType {
    match definition.kind {
        TypeKind::Scalar => InputType::Custom(None),
        TypeKind::Enum(values) => {
            InputType::Enum(values.values.into_iter().map(|value| value.node.value.node.to_string()).collect())
        }
        TypeKind::InputObject(object) => {
            let one_of = definition.directives.iter().any(|directive| directive.node.name.node == "oneOf");
            InputType::Object(input_object(object, one_of))
        }
        TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_) => InputType::Output,
    }
}

fn input_object(object: InputObjectType, one_of: bool) -> InputObject {
    let mut model = InputObject { one_of, fields: HashMap::new(), required: Vec::new() };
    for field in object.fields {
        let name = field.node.name.node.to_string();
        let ty = field.node.ty.node;
        if !ty.nullable && field.node.default_value.is_none() {
            model.required.push(name.clone());
        }
        model.fields.insert(name, InputField { ty });
    }
    model
}
