//! Whether the variables of a request fit the operation that declares them. Validation in the executor only sees the
//! variables of a document's first request, so every request is judged here, by the declared types alone. It changes
//! nothing: a variable that was left out stays left out, because resolvers tell "absent" from "null".

use std::fmt;

use async_graphql::{Name, Value, Variables};
use async_graphql_parser::types::{BaseType, Type};

use super::{
    cost::Definitions,
    input_model::{InputModel, InputObject, InputType},
    limits::Limits,
    refusal::Refusal,
    surface::{Fault, check_const},
};

/// Names from the request that are longer than this, or that are no names, are not repeated in an error.
const SHOWN_NAME: usize = 64;

/// Bounds every variable that was sent, declared or not.
///
/// # Errors
/// `VARIABLES_TOO_DEEP`, `LIST_TOO_LONG`.
pub fn check_size(variables: &Variables, limits: &Limits) -> Result<(), Refusal> {
    for (name, value) in variables.iter() {
        if let Err(fault) = check_const(value, 0, limits) {
            let name = shown(name).unwrap_or("…");
            return Err(match fault {
                Fault::TooDeep(limit) => Refusal::guard(
                    "VARIABLES_TOO_DEEP",
                    format!("Variable `${name}` nests more than {limit} lists and objects: flatten it."),
                ),
                Fault::TooLong(limit) => Refusal::guard(
                    "LIST_TOO_LONG",
                    format!("Variable `${name}` holds a list of more than {limit} items: send it in several requests."),
                ),
            });
        }
    }
    Ok(())
}

/// Refuses a document that declares a variable of a type the schema does not have; the executor's own rule panics on
/// a list of such a type.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED`.
pub fn check_definitions(definitions: &Definitions, model: &InputModel) -> Result<(), Refusal> {
    for definition in definitions {
        let name = base_name(&definition.node.var_type.node);
        if model.get(name).is_none() {
            let variable = &definition.node.name.node;
            let message = format!("Unknown type \"{name}\": declare `${variable}` with an input type of the schema.");
            return Err(Refusal::request("GRAPHQL_VALIDATION_FAILED", message).at(definition.pos));
        }
    }
    Ok(())
}

/// Judges the variables of a request by the operation's definitions. Undeclared ones are ignored.
///
/// # Errors
/// `BAD_VARIABLES`, naming the path of the first one that does not fit.
pub fn check(definitions: &Definitions, variables: &Variables, model: &InputModel) -> Result<(), Refusal> {
    for definition in definitions {
        let name = &definition.node.name.node;
        let ty = &definition.node.var_type.node;
        let path = Path { parent: None, segment: Segment::Name(name) };
        let outcome = match variables.get(name) {
            Some(value) => check_type(ty, value, model, &path),
            None if ty.nullable || definition.node.default_value.is_some() => Ok(()),
            None => Err(path.problem(format_args!("is required: send a value of type {ty}."))),
        };
        if let Err(problem) = outcome {
            return Err(Refusal::request("BAD_VARIABLES", problem).at(definition.pos));
        }
    }
    Ok(())
}

fn check_type(ty: &Type, value: &Value, model: &InputModel, path: &Path<'_>) -> Result<(), String> {
    match (&ty.base, value) {
        (_, Value::Null) if ty.nullable => Ok(()),
        (_, Value::Null) => Err(path.problem(format_args!("must not be null: send a value of type {ty}."))),
        (BaseType::List(item), Value::List(values)) => values.iter().enumerate().try_for_each(|(index, value)| {
            check_type(item, value, model, &Path { parent: Some(path), segment: Segment::Index(index) })
        }),
        // One value stands for a list of one.
        (BaseType::List(item), value) => check_type(item, value, model, path),
        (BaseType::Named(name), value) => match model.get(name) {
            Some(kind) => check_named(kind, name, value, model, path),
            None => Ok(()),
        },
    }
}

fn check_named(
    kind: &InputType,
    name: &Name,
    value: &Value,
    model: &InputModel,
    path: &Path<'_>,
) -> Result<(), String> {
    let fits = match (kind, value) {
        (InputType::Int, Value::Number(number)) => match number.as_i64() {
            Some(integer) if i32::try_from(integer).is_err() => {
                return Err(path.problem(format_args!("does not fit in 32 bits: send a smaller Int.")));
            }
            integer => integer.is_some(),
        },
        (InputType::Id, Value::Number(number)) => number.is_i64(),
        (InputType::Float, Value::Number(_))
        | (InputType::String | InputType::Id, Value::String(_))
        | (InputType::Boolean, Value::Boolean(_))
        | (InputType::Custom(None) | InputType::Output, _) => true,
        (InputType::Custom(Some(check)), value) => {
            return check(value).map_err(|what| path.problem(format_args!("is not a {name}: {what}")));
        }
        (InputType::Enum(values), Value::String(text)) => return check_enum(values.contains(text), name, path),
        (InputType::Enum(values), Value::Enum(text)) => return check_enum(values.contains(text.as_str()), name, path),
        (InputType::Object(object), Value::Object(fields)) => return check_object(object, name, fields, model, path),
        _ => false,
    };
    match fits {
        true => Ok(()),
        false => Err(path.problem(format_args!("has the wrong type: send a value of type {name}."))),
    }
}

fn check_enum(known: bool, name: &Name, path: &Path<'_>) -> Result<(), String> {
    match known {
        true => Ok(()),
        false => Err(path.problem(format_args!("is not a value of the enum {name}: send one of its values."))),
    }
}

type Fields = async_graphql_value::indexmap::IndexMap<Name, Value>;

fn check_object(
    object: &InputObject,
    name: &Name,
    fields: &Fields,
    model: &InputModel,
    path: &Path<'_>,
) -> Result<(), String> {
    if object.one_of && (fields.len() != 1 || fields.values().any(|value| *value == Value::Null)) {
        return Err(path.problem(format_args!("takes exactly one field of {name}, not null: send only that one.")));
    }
    for (key, value) in fields {
        let Some(field) = object.fields.get(key.as_str()) else {
            let key = shown(key).map_or_else(|| "such a field".to_owned(), |key| format!("field \"{key}\""));
            return Err(path.problem(format_args!("has no {key}: send only the fields of {name}.")));
        };
        check_type(&field.ty, value, model, &Path { parent: Some(path), segment: Segment::Name(key) })?;
    }
    for required in &object.required {
        if !fields.contains_key(required.as_str()) {
            let required = Name::new(required);
            let path = Path { parent: Some(path), segment: Segment::Name(&required) };
            return Err(path.problem(format_args!("is required: send it with the other fields of {name}.")));
        }
    }
    Ok(())
}

fn base_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => base_name(inner),
    }
}

fn shown(name: &Name) -> Option<&str> {
    let text = name.as_str();
    let plain = text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    (plain && text.len() <= SHOWN_NAME).then_some(text)
}

/// Where in the variables a value stands; built on the way down, written only for an error.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Name(&'a Name),
    Index(usize),
}

impl Path<'_> {
    fn problem(&self, what: fmt::Arguments<'_>) -> String {
        format!("Variable `{self}` {what}")
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.parent, self.segment) {
            (None, Segment::Name(name)) => write!(formatter, "${name}"),
            (None, Segment::Index(index)) => write!(formatter, "${index}"),
            (Some(parent), Segment::Name(name)) => write!(formatter, "{parent}.{name}"),
            (Some(parent), Segment::Index(index)) => write!(formatter, "{parent}[{index}]"),
        }
    }
}
