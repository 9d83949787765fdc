//! Who may not introspect the schema cannot guess it either: no refusal tells a name that was not in the question, however
//! near the question was, and none suggests one.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::support::sdl::{SDL, innermost};
use crate::support::server::{Server, Setup};

/// A name that is nearly another.
fn nearly(name: &str) -> String {
    format!("{}zq", &name[..name.len() - 1])
}

fn words(text: &str) -> BTreeSet<&str> {
    let is_word = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    text.split(|letter| !is_word(letter)).filter(|word| !word.is_empty()).collect()
}

/// The names that a message tells beyond the question. The fields of a schema are words that a sentence may have, too: those
/// count in quotation marks, or when they are no plain word.
fn told(message: &str, question: &str) -> Vec<String> {
    let asked = words(question);
    let quoted: String = message.split(['"', '`']).skip(1).step_by(2).collect::<Vec<_>>().join(" ");
    let (names, types) = (SDL.names(), SDL.type_names());
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase());
    let tells = |word: &&&str| !is_plain(word) || types.contains(**word) || words(&quoted).contains(**word);
    let found = words(message);
    found
        .iter()
        .filter(|word| names.contains(**word) && !asked.contains(**word))
        .filter(tells)
        .map(|word| (*word).to_owned())
        .collect()
}

/// Asks what must be refused, and looks at every word of the refusal.
async fn learns_nothing(server: &Server, query: &str, variables: &Json) {
    let reply = server.ask_with(query, variables.clone()).await;
    let body = reply.json();
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("not refused: {query}\n{}", reply.text));
    assert!(!errors.is_empty() && body.get("data").is_none_or(Json::is_null), "{query}\n{}", reply.text);
    for error in errors {
        let message = error["message"].as_str().unwrap();
        assert!(!message.to_lowercase().contains("did you mean"), "{query}\n{message}");
        let told = told(message, &format!("{query} {variables}"));
        assert!(told.is_empty(), "{query} learns {told:?}:\n{message}");
    }
}

async fn production() -> Server {
    Setup::strict("production").start().await
}

/// `{ a { b { … } } }`
fn within(path: &[String], inner: &str) -> String {
    path.iter().rev().fold(format!("{{ {inner} }}"), |inner, field| format!("{{ {field} {inner} }}"))
}

#[tokio::test]
async fn fields_and_arguments_cannot_be_guessed() {
    let server = production().await;
    let reachable = SDL.reachable();
    assert!(reachable.len() > 60, "the walk has lost its way: {:?}", reachable.keys());
    for (owner, path) in &reachable {
        for field in SDL.fields(owner) {
            let name = field.name.node.as_str();
            learns_nothing(&server, &within(path, &nearly(name)), &json!({})).await;
            if let Some(argument) = field.arguments.first() {
                let argument = nearly(&argument.node.name.node);
                learns_nothing(&server, &within(path, &format!("{name}({argument}: 1)")), &json!({})).await;
            }
            // A selection where there is none to make, and none where there must be one.
            let is_object = !SDL.fields(innermost(&field.ty.node)).is_empty();
            let mistaken = if is_object { name.to_owned() } else { format!("{name} {{ x }}") };
            learns_nothing(&server, &within(path, &mistaken), &json!({})).await;
        }
    }
}

#[tokio::test]
async fn types_cannot_be_guessed() {
    let server = production().await;
    for name in SDL.type_names() {
        let near = nearly(&name);
        learns_nothing(&server, &format!("{{ ... on {near} {{ id }} }}"), &json!({})).await;
        learns_nothing(&server, &format!("{{ ...F }} fragment F on {near} {{ id }}"), &json!({})).await;
        learns_nothing(&server, &format!("query($x: {near}) {{ loans(filter: $x) {{ totalCount }} }}"), &json!({}))
            .await;
        // A type that there is, where it does not fit.
        if name != "LoanFilter" {
            let misplaced = format!("query($x: {name}) {{ loans(filter: $x) {{ totalCount }} }}");
            learns_nothing(&server, &misplaced, &json!({"x": {"zq": 1}})).await;
        }
    }
}

#[tokio::test]
async fn inputs_cannot_be_guessed() {
    let server = production().await;
    for field in SDL.fields("Query").iter().chain(&SDL.fields("Mutation")) {
        for argument in &field.arguments {
            let (name, ty) = (argument.node.name.node.as_str(), innermost(&argument.node.ty.node));
            let root = if SDL.is_mutation(&field.name.node) { "mutation" } else { "query" };
            let literal = |value: &str| format!("{root} {{ {}({name}: {value}) {{ __typename }} }}", field.name.node);
            let declared =
                format!("{root}($x: {}) {{ {}({name}: $x) {{ __typename }} }}", argument.node.ty.node, field.name.node);
            for inner in SDL.input_fields(ty) {
                let near = nearly(inner);
                learns_nothing(&server, &literal(&format!("{{{near}: 1}}")), &json!({})).await;
                learns_nothing(&server, &declared, &json!({"x": {near: 1}})).await;
                learns_nothing(&server, &declared, &json!({"x": {inner: [[{"zq": "zq"}]]}})).await;
            }
            if !SDL.input_fields(ty).is_empty() {
                learns_nothing(&server, &literal("7"), &json!({})).await;
                learns_nothing(&server, &literal("ZQ"), &json!({})).await;
                learns_nothing(&server, &declared, &json!({"x": 7})).await;
            }
            if !argument.node.ty.node.nullable {
                let without = format!("{root} {{ {} {{ __typename }} }}", field.name.node);
                learns_nothing(&server, &without, &json!({})).await;
                learns_nothing(&server, &literal("null"), &json!({})).await;
                learns_nothing(&server, &declared, &json!({})).await;
            }
        }
    }
}

#[tokio::test]
async fn enum_values_and_operations_cannot_be_guessed() {
    let server = production().await;
    for (query, variables) in [
        ("{ loans(orderBy: [{field: NUMBR}]) { totalCount } }", json!({})),
        ("{ loans(orderBy: [{field: NUMBER, direction: DSC}]) { totalCount } }", json!({})),
        ("{ loans(filter: {status: {eq: APROVED}}) { totalCount } }", json!({})),
        ("{ loans(filter: {status: {in: [PENDING, APROVED]}}) { totalCount } }", json!({})),
        ("query($f: LoanFilter) { loans(filter: $f) { totalCount } }", json!({"f": {"status": {"eq": "APROVED"}}})),
        ("query($s: LoanStatus) { loans(filter: {status: {eq: $s}}) { totalCount } }", json!({"s": "APROVED"})),
        ("query($s: String) { loans(filter: {status: {eq: $s}}) { totalCount } }", json!({"s": "APROVED"})),
        ("{ loans(filter: {principal: {eq: {amount: 5, currency: \"KES\"}}}) { totalCount } }", json!({})),
        ("{ loans(filter: {principal: {eq: {amount: \"5\"}}}) { totalCount } }", json!({})),
        ("{ loan(by: {}) { id } }", json!({})),
        ("{ loan(by: {id: \"a\", number: \"b\"}) { id } }", json!({})),
        ("query($by: LoanBy!) { loan(by: $by) { id } }", json!({"by": {}})),
        ("{ node(id: \"x\") { ... on Loan { id } ... on Money { amount } } }", json!({})),
        ("{ viewer { ... on Loan { id } } }", json!({})),
        ("mutation { approveLoan(input: {loanId: 1.5}) { loan { id } } }", json!({})),
        ("mutation { aproveLoan { id } }", json!({})),
        ("subscription { loans }", json!({})),
        ("{ loans @incldue(if: true) { totalCount } }", json!({})),
        ("{ loans @include(fi: true) { totalCount } }", json!({})),
        ("{ loans { totalCount } loans: viewer { subject } }", json!({})),
    ] {
        learns_nothing(&server, query, &variables).await;
    }
}

/// In development the same questions are answered in full.
#[tokio::test]
async fn whoever_may_introspect_is_told_names() {
    let server = Setup::development().start().await;
    let message = server.ask("{ loans { nodes { bogus } } }").await.json()["errors"][0]["message"].take();
    assert_eq!(message, "Unknown field \"bogus\" on type \"Loan\".");
    let reply = production().await.ask("{ loans { nodes { bogus } } }").await.json()["errors"][0]["message"].take();
    assert_eq!(reply, "Unknown field \"bogus\" on type \"…\".");
}

#[test]
fn this_test_knows_a_name_when_it_sees_one() {
    assert_eq!(told("Unknown field \"x\" on type \"Loan\".", "{ x }"), ["Loan"]);
    assert_eq!(told("Send a LoanFilter, as of `status`.", "{ x }"), ["LoanFilter", "status"]);
    assert!(told("The field has the wrong type: send the number of the loan.", "{ x }").is_empty());
    assert_eq!(told("Try totalCount.", "{ x }"), ["totalCount"]);
}
