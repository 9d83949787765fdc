//! The schema keeps its conventions, and schema.graphql keeps up with it.

use std::fs;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use branch_loan_api::graphql::schema;

use super::sources;

fn types() -> Vec<TypeDefinition> {
    let document = parse_schema(schema::sdl()).unwrap();
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    });
    types.collect()
}

fn named(name: &str) -> TypeDefinition {
    types().into_iter().find(|definition| definition.name.node == name).unwrap_or_else(|| panic!("no type {name}"))
}

/// The fields of objects and interfaces.
fn fields(definition: &TypeDefinition) -> Vec<&FieldDefinition> {
    match &definition.kind {
        TypeKind::Object(object) => object.fields.iter().map(|field| &field.node).collect(),
        TypeKind::Interface(interface) => interface.fields.iter().map(|field| &field.node).collect(),
        _ => Vec::new(),
    }
}

/// The fields of input objects.
fn inputs(definition: &TypeDefinition) -> Vec<&InputValueDefinition> {
    match &definition.kind {
        TypeKind::InputObject(input) => input.fields.iter().map(|field| &field.node).collect(),
        _ => Vec::new(),
    }
}

/// The name inside lists and non-null marks.
fn innermost(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => innermost(inner),
    }
}

#[test]
fn the_committed_schema_is_up_to_date() {
    let committed = fs::read_to_string(sources::root().join("schema.graphql")).unwrap();
    let current = schema::sdl();
    let same = committed.lines().zip(current.lines()).take_while(|(one, other)| one == other).count();
    assert!(
        committed == current,
        "schema.graphql is out of date from line {} on. Mend it with `cargo run -- schema > schema.graphql` (or `just schema`) and commit it.",
        same + 1
    );
}

#[test]
fn everything_has_a_description() {
    let mut missing = Vec::new();
    let mut check = |place: String, description: Option<&str>| {
        if description.is_none_or(|text| text.trim().is_empty()) {
            missing.push(place);
        }
    };
    for definition in types() {
        let name = &definition.name.node;
        check(name.to_string(), definition.description.as_ref().map(|text| text.node.as_str()));
        for field in fields(&definition) {
            check(format!("{name}.{}", field.name.node), field.description.as_ref().map(|text| text.node.as_str()));
            for argument in &field.arguments {
                let place = format!("{name}.{}({})", field.name.node, argument.node.name.node);
                check(place, argument.node.description.as_ref().map(|text| text.node.as_str()));
            }
        }
        for input in inputs(&definition) {
            check(format!("{name}.{}", input.name.node), input.description.as_ref().map(|text| text.node.as_str()));
        }
        if let TypeKind::Enum(values) = &definition.kind {
            for value in &values.values {
                let place = format!("{name}.{}", value.node.value.node);
                check(place, value.node.description.as_ref().map(|text| text.node.as_str()));
            }
        }
    }
    assert!(missing.is_empty(), "without a description: {missing:#?}");
}

#[test]
fn names_follow_the_conventions() {
    let pascal = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let camel = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let upper = |name: &str| {
        let plain = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        plain && !name.starts_with('_') && !name.ends_with('_') && !name.contains("__")
    };
    for definition in types() {
        let name = definition.name.node.as_str();
        assert!(pascal(name), "type {name}");
        for field in fields(&definition) {
            let field_name = field.name.node.as_str();
            assert!(camel(field_name), "{name}.{field_name}");
            assert!(!field_name.starts_with("get"), "{name}.{field_name}: no get");
            assert_time_suffix(name, field_name, innermost(&field.ty.node));
            for argument in &field.arguments {
                assert!(camel(&argument.node.name.node), "{name}.{field_name}({})", argument.node.name.node);
            }
        }
        for input in inputs(&definition) {
            assert!(camel(&input.name.node), "{name}.{}", input.name.node);
        }
        if let TypeKind::Enum(values) = &definition.kind {
            for value in &values.values {
                assert!(upper(&value.node.value.node), "{name}.{}", value.node.value.node);
            }
        }
        if let TypeKind::InputObject(_) = &definition.kind {
            let known = ["Input", "Filter", "Order", "By"].iter().any(|ending| name.ends_with(ending));
            assert!(known, "an input is called …Input, …Filter, …Order or …By: {name}");
        }
    }
}

/// `…At` is a moment and nothing else is; `…On` is a business date, but for what an installment is leveled on.
fn assert_time_suffix(owner: &str, field: &str, of: &str) {
    assert_eq!(field.ends_with("At"), of == "DateTime", "{owner}.{field}: {of}");
    if field.ends_with("On") && field != "levelOn" {
        assert_eq!(of, "Date", "{owner}.{field}");
    }
}

#[test]
fn there_is_no_float() {
    for definition in types() {
        let name = &definition.name.node;
        assert_ne!(name.as_str(), "Float");
        for field in fields(&definition) {
            assert_ne!(innermost(&field.ty.node), "Float", "{name}.{}", field.name.node);
            for argument in &field.arguments {
                assert_ne!(innermost(&argument.node.ty.node), "Float", "{name}.{}", field.name.node);
            }
        }
        for input in inputs(&definition) {
            assert_ne!(innermost(&input.ty.node), "Float", "{name}.{}", input.name.node);
        }
    }
}

#[test]
fn every_mutation_takes_one_input_and_answers_with_a_payload() {
    let mutation = named("Mutation");
    for field in fields(&mutation) {
        let name = field.name.node.as_str();
        let pascal = name[..1].to_uppercase() + &name[1..];
        let arguments: Vec<String> =
            field.arguments.iter().map(|one| format!("{}: {}", one.node.name.node, one.node.ty.node)).collect();
        assert_eq!(arguments, [format!("input: {pascal}Input!")], "{name}");
        assert_eq!(field.ty.node.to_string(), format!("{pascal}Payload!"), "{name}");

        let payload = named(&format!("{pascal}Payload"));
        let of = |name: &str| {
            fields(&payload).into_iter().find(|one| one.name.node == name).map(|one| one.ty.node.to_string())
        };
        assert_eq!(of("userErrors").as_deref(), Some("[UserError!]!"), "{name}");
        let takes_key = inputs(&named(&format!("{pascal}Input"))).iter().any(|one| one.name.node == "idempotencyKey");
        let replayed = takes_key.then_some("Boolean!");
        assert_eq!(of("replayed").as_deref(), replayed, "{name}: replayed goes with idempotencyKey");
        for one in fields(&payload) {
            if let BaseType::List(inner) = &one.ty.node.base {
                assert!(!one.ty.node.nullable && !inner.nullable, "{name}: {} is [...!]!", one.name.node);
            } else if one.name.node != "replayed" {
                assert!(one.ty.node.nullable, "{name}: {} is null when something is to be mended", one.name.node);
            }
        }
    }
}

#[test]
fn every_list_is_paged_in_the_same_way() {
    let mut connections = 0;
    for definition in types() {
        for field in fields(&definition).into_iter().filter(|field| innermost(&field.ty.node).ends_with("Connection")) {
            connections += 1;
            let place = format!("{}.{}", definition.name.node, field.name.node);
            // A loan's own lists and a sheet's rows are in the one order that makes sense of them.
            let is_own = ["Loan", "CollectionSheet"].contains(&definition.name.node.as_str());
            let arguments: Vec<(&str, String)> =
                field.arguments.iter().map(|one| (one.node.name.node.as_str(), one.node.ty.node.to_string())).collect();
            for (name, of) in [("first", "Int"), ("after", "String"), ("last", "Int"), ("before", "String")] {
                assert!(arguments.contains(&(name, of.to_owned())), "{place} takes no {name}: {of}");
            }
            let node = innermost(&field.ty.node).trim_end_matches("Connection");
            assert!(is_own || arguments.contains(&("filter", format!("{node}Filter"))), "{place} takes no filter");
            assert!(is_own || arguments.contains(&("orderBy", format!("[{node}Order!]"))), "{place} takes no orderBy");
            let connection = named(innermost(&field.ty.node));
            let of = |name: &str| {
                let found = fields(&connection).into_iter().find(|one| one.name.node == name);
                found.map(|one| one.ty.node.to_string()).unwrap_or_default()
            };
            assert_eq!(of("edges"), format!("[{node}Edge!]!"), "{place}");
            assert_eq!(of("nodes"), format!("[{node}!]!"), "{place}");
            assert_eq!(of("pageInfo"), "PageInfo!", "{place}");
            assert_eq!(of("totalCount"), "Int!", "{place}");
        }
    }
    assert_eq!(connections, 12);
}

#[test]
fn whatever_has_an_id_of_its_own_is_a_node() {
    for definition in types() {
        let TypeKind::Object(object) = &definition.kind else { continue };
        let has_id = object.fields.iter().any(|field| field.node.name.node == "id");
        let is_node = object.implements.iter().any(|one| one.node == "Node");
        assert_eq!(has_id, is_node, "{}", definition.name.node);
    }
}

#[test]
fn links_that_an_authorization_decides_on_are_nullable() {
    let nodes = ["Branch", "Borrower", "LoanProduct", "Loan", "Group", "Node"];
    for definition in types() {
        let name = definition.name.node.as_str();
        let is_page = name.ends_with("Edge") || name.ends_with("Connection");
        for field in fields(&definition).into_iter().filter(|field| nodes.contains(&innermost(&field.ty.node))) {
            let nullable = match &field.ty.node.base {
                BaseType::Named(_) => field.ty.node.nullable,
                BaseType::List(inner) => inner.nullable,
            };
            assert!(nullable || is_page, "{name}.{}: another's row is null", field.name.node);
        }
    }
}

#[test]
fn scalars_say_what_specifies_them() {
    for definition in types().iter().filter(|definition| matches!(definition.kind, TypeKind::Scalar)) {
        let specified = definition.directives.iter().any(|directive| directive.node.name.node == "specifiedBy");
        assert!(specified, "{}", definition.name.node);
    }
}
