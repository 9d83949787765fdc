//! The schema's text, walked: its root fields, every argument that takes an id, and everything that can be selected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{BaseType, FieldDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition};
use branch_loan_api::graphql::schema;
use serde_json::{Value as Json, json};

/// The schema under test.
pub static SDL: LazyLock<Sdl> = LazyLock::new(|| Sdl::parse(&schema::sdl()));

/// A schema's types by name.
pub struct Sdl {
    types: BTreeMap<String, TypeDefinition>,
}

/// An argument that takes an id, or a field of an input object that an argument leads to.
#[derive(Debug, Clone)]
pub struct IdArgument {
    /// `Type.field(argument.path)`.
    pub name: String,
    /// `Type.field`.
    pub of: String,
    /// From the argument to the id.
    pub steps: Vec<Step>,
}

/// An argument or a field of an input object.
#[derive(Debug, Clone)]
pub struct Step {
    name: String,
    /// It takes a list.
    list: bool,
}

impl IdArgument {
    /// It takes several ids.
    pub fn is_list(&self) -> bool {
        self.steps.last().unwrap().list
    }

    /// These ids among a field's arguments, where this argument has its place; what stands beside it stays.
    pub fn place(&self, arguments: &Json, ids: &[&str]) -> Json {
        let mut placed = arguments.clone();
        place(&mut placed, &self.steps, ids);
        placed
    }

    /// Whether something stands in its place already.
    pub fn is_given(&self, arguments: &Json) -> bool {
        let inner = |value: Option<&Json>, step: &Step| {
            let value = value?.get(&step.name)?;
            let value = if value.is_array() { value.get(0)? } else { value };
            Some(value.clone())
        };
        let mut value = Some(arguments.clone());
        for step in &self.steps {
            value = inner(value.as_ref(), step);
        }
        value.is_some_and(|value| value.is_string())
    }
}

fn place(at: &mut Json, steps: &[Step], ids: &[&str]) {
    let (step, rest) = steps.split_first().unwrap();
    let slot = &mut at[&step.name];
    if rest.is_empty() {
        *slot = if step.list { json!(ids) } else { json!(ids[0]) };
    } else if step.list {
        if !slot.is_array() {
            *slot = json!([{}]);
        }
        place(&mut slot[0], rest, ids);
    } else {
        if !slot.is_object() {
            *slot = json!({});
        }
        place(slot, rest, ids);
    }
}

impl Sdl {
    pub fn parse(text: &str) -> Self {
        let mut types = BTreeMap::new();
        for definition in parse_schema(text).unwrap().definitions {
            if let TypeSystemDefinition::Type(definition) = definition {
                types.insert(definition.node.name.node.to_string(), definition.node);
            }
        }
        Self { types }
    }

    /// The fields of an object or an interface.
    pub fn fields(&self, owner: &str) -> Vec<&FieldDefinition> {
        let fields = match self.types.get(owner).map(|definition| &definition.kind) {
            Some(TypeKind::Object(object)) => &object.fields,
            Some(TypeKind::Interface(interface)) => &interface.fields,
            _ => return Vec::new(),
        };
        fields.iter().map(|field| &field.node).collect()
    }

    /// Every name there is but those that all schemas have: of types, fields, arguments, input fields and enum values.
    pub fn names(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.type_names();
        for definition in self.types.values() {
            let (fields, inputs) = match &definition.kind {
                TypeKind::Object(object) => (object.fields.as_slice(), [].as_slice()),
                TypeKind::Interface(interface) => (interface.fields.as_slice(), [].as_slice()),
                TypeKind::InputObject(input) => ([].as_slice(), input.fields.as_slice()),
                TypeKind::Enum(values) => {
                    names.extend(values.values.iter().map(|value| value.node.value.node.to_string()));
                    continue;
                }
                TypeKind::Scalar | TypeKind::Union(_) => continue,
            };
            for field in fields {
                names.insert(field.node.name.node.to_string());
                names.extend(field.node.arguments.iter().map(|argument| argument.node.name.node.to_string()));
            }
            names.extend(inputs.iter().map(|field| field.node.name.node.to_string()));
        }
        names
    }

    /// The names of the types but of the roots.
    pub fn type_names(&self) -> BTreeSet<String> {
        let roots = ["Query", "Mutation", "Subscription"];
        self.types.keys().filter(|name| !roots.contains(&name.as_str())).cloned().collect()
    }

    /// The names of an input object's fields.
    pub fn input_fields(&self, name: &str) -> Vec<&str> {
        match self.types.get(name).map(|definition| &definition.kind) {
            Some(TypeKind::InputObject(input)) => {
                input.fields.iter().map(|field| field.node.name.node.as_str()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Where an object can be selected: for every type a query can reach, the beginning of one that does.
    pub fn reachable(&self) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::from([("Query".to_owned(), Vec::new())]);
        let mut open = vec!["Query".to_owned()];
        while let Some(owner) = open.pop() {
            for field in self.fields(&owner) {
                let ty = innermost(&field.ty.node);
                if found.contains_key(ty) || self.fields(ty).is_empty() {
                    continue;
                }
                let Some(arguments) = samples(field) else { continue };
                let mut path: Vec<String> = found[&owner].clone();
                path.push(format!("{}{arguments}", field.name.node));
                found.insert(ty.to_owned(), path);
                open.push(ty.to_owned());
            }
        }
        found
    }

    /// The names of all root fields.
    pub fn root_fields(&self) -> BTreeSet<String> {
        let roots = ["Query", "Mutation", "Subscription"];
        roots.iter().flat_map(|root| self.fields(root)).map(|field| field.name.node.to_string()).collect()
    }

    /// Whether a root field changes something.
    pub fn is_mutation(&self, name: &str) -> bool {
        self.fields("Mutation").iter().any(|field| field.name.node == name)
    }

    /// An argument's type as it is written, for the declaration of a variable.
    pub fn argument_type(&self, of: &str, argument: &str) -> String {
        let (owner, field) = of.split_once('.').unwrap();
        let fields = self.fields(owner);
        let field = fields.iter().find(|own| own.name.node == field).unwrap_or_else(|| panic!("no {of}"));
        let found = field.arguments.iter().find(|own| own.node.name.node == argument);
        found.unwrap_or_else(|| panic!("no {of}({argument})")).node.ty.node.to_string()
    }

    /// Every argument that takes an id, of every field of every type.
    pub fn id_arguments(&self) -> Vec<IdArgument> {
        let mut found = Vec::new();
        for owner in self.types.keys() {
            for field in self.fields(owner) {
                let of = format!("{owner}.{}", field.name.node);
                for argument in &field.arguments {
                    let ty = &argument.node.ty.node;
                    let step = Step { name: argument.node.name.node.to_string(), list: is_list(ty) };
                    self.walk(&of, ty, &mut vec![step], &mut Vec::new(), &mut found);
                }
            }
        }
        found
    }

    fn walk(&self, of: &str, ty: &Type, steps: &mut Vec<Step>, open: &mut Vec<String>, found: &mut Vec<IdArgument>) {
        let name = innermost(ty);
        if name == "ID" {
            let path: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
            let name = format!("{of}({})", path.join("."));
            found.push(IdArgument { name, of: of.to_owned(), steps: steps.clone() });
            return;
        }
        let Some(TypeKind::InputObject(object)) = self.types.get(name).map(|definition| &definition.kind) else {
            return;
        };
        // `and`, `or` and `not` lead to the same fields again.
        if open.iter().any(|own| own == name) {
            return;
        }
        open.push(name.to_owned());
        for field in &object.fields {
            let ty = &field.node.ty.node;
            steps.push(Step { name: field.node.name.node.to_string(), list: is_list(ty) });
            self.walk(of, ty, steps, open, found);
            steps.pop();
        }
        open.pop();
    }

    /// A selection of everything an object has, so many objects deep; rows are seen once, as `nodes`.
    pub fn everything(&self, owner: &str, depth: usize) -> String {
        let mut text = "__typename".to_owned();
        self.select(owner, depth, &mut vec![owner.to_owned()], &mut text);
        text
    }

    fn select(&self, owner: &str, depth: usize, open: &mut Vec<String>, text: &mut String) {
        for field in self.fields(owner) {
            let (name, ty) = (field.name.node.as_str(), innermost(&field.ty.node));
            let arguments = samples(field).unwrap_or_else(|| panic!("say what to send for {owner}.{name}"));
            if self.fields(ty).is_empty() {
                let _ = write!(text, " {name}{arguments}");
            } else if name == "edges" {
                text.push_str(" edges { cursor }");
            } else if depth > 0 && !open.iter().any(|own| own == ty) {
                open.push(ty.to_owned());
                let _ = write!(text, " {name}{arguments} {{ __typename");
                self.select(ty, depth - 1, open, text);
                text.push_str(" }");
                open.pop();
            }
        }
    }
}

/// A value for every argument that a field cannot do without; `None` where none is known for one of them.
fn samples(field: &FieldDefinition) -> Option<String> {
    let needed = field.arguments.iter().map(|argument| &argument.node);
    let needed = needed.filter(|argument| !argument.ty.node.nullable && argument.default_value.is_none());
    let given = needed.map(|argument| {
        let value = match argument.name.node.as_str() {
            "on" => "\"2026-03-02\"",
            "from" => "\"2026-01-01\"",
            "to" => "\"2026-12-31\"",
            "rule" => "EU_APRC",
            "events" => "[{repayment: {on: \"2026-03-02\", amount: {amount: \"1\", currency: \"KES\"}}}]",
            "by" => "{id: \"x\"}",
            "id" | "branch" => "\"x\"",
            "ids" => "[\"x\"]",
            _ => return None,
        };
        Some(format!("{}: {value}", argument.name.node))
    });
    let given: Vec<String> = given.collect::<Option<_>>()?;
    Some(if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) })
}

/// The name of the type within lists and exclamation marks.
pub fn innermost(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => innermost(inner),
    }
}

fn is_list(ty: &Type) -> bool {
    matches!(ty.base, BaseType::List(_))
}

#[test]
fn the_walk_finds_ids_wherever_they_are_taken() {
    let sdl = Sdl::parse(
        "type Query { plain(id: ID!): Int, many(ids: [ID!]!): Int, deep(filter: Filter, text: String): Thing }
         type Thing { within(by: By!, id: String): Int }
         input By @oneOf { id: ID, name: String }
         input Filter { and: [Filter!], not: Filter, of: IdFilter, events: [Event!]! }
         input Event { thing: ID }
         input IdFilter { eq: ID, in: [ID!] }",
    );
    let found = sdl.id_arguments();
    let names: Vec<&str> = found.iter().map(|argument| argument.name.as_str()).collect();
    let expected = [
        "Query.plain(id)",
        "Query.many(ids)",
        "Query.deep(filter.of.eq)",
        "Query.deep(filter.of.in)",
        "Query.deep(filter.events.thing)",
        "Thing.within(by.id)",
    ];
    assert_eq!(names, expected);
    let beside = json!({"filter": {"of": {"eq": "a"}, "events": [{"on": 1}]}});
    assert_eq!(found[1].place(&json!({}), &["x", "y"]), json!({"ids": ["x", "y"]}));
    assert_eq!(found[2].place(&beside, &["x"]), json!({"filter": {"of": {"eq": "x"}, "events": [{"on": 1}]}}));
    assert_eq!(
        found[4].place(&beside, &["x"]),
        json!({"filter": {"of": {"eq": "a"}, "events": [{"on": 1, "thing": "x"}]}})
    );
    assert_eq!(
        (found[2].is_given(&beside), found[3].is_given(&beside), found[4].is_given(&beside)),
        (true, false, false)
    );
    assert_eq!(sdl.argument_type("Thing.within", "by"), "By!");
}
