//! What others have, changes no answer: everything that can be selected from every root field is asked for by every role,
//! before and after others' branches are filled, and the answers must be the same to the letter. Rows, edges, links,
//! counts, totals and cursors that told of others would differ.

use std::collections::BTreeMap;

use branch_loan_api::auth::Role;
use branch_loan_api::ids::Kind;
use serde_json::{Value as Json, json};

use super::fields::matrix;
use super::sides::Side;
use crate::graphql::world::World;
use crate::support::sdl::{SDL, innermost};

/// How many objects deep a selection goes.
const DEPTH: usize = 4;

/// Everything at once is more than a caller may ask for.
const GENEROUS: [(&str, &str); 10] = [
    ("BODY_LIMIT_BYTES", "1000000"),
    ("QUERY_LIMIT_BYTES", "1000000"),
    ("QUERY_TOKENS", "100000"),
    ("QUERY_NESTING", "100"),
    ("QUERY_DEPTH", "30"),
    ("QUERY_SELECTIONS", "10000"),
    ("QUERY_COST", "1000000000"),
    ("DATABASE_ACQUIRE_TIMEOUT_MS", "60000"),
    ("DATABASE_STATEMENT_TIMEOUT_MS", "60000"),
    ("REQUEST_DEADLINE_MS", "120000"),
];

/// What a root field is asked about: each is one question.
fn arguments(field: &str, own: &Side) -> Vec<String> {
    let by = |id: &str| vec![format!("(by: {{id: \"{id}\"}})")];
    match field {
        "branch" => by(&own.branch),
        "borrower" => by(&own.borrower),
        "group" => by(&own.group),
        "loan" => by(&own.loan),
        "loanProduct" => by(&own.product),
        "node" => own.all().iter().map(|id| format!("(id: \"{id}\")")).collect(),
        "nodes" => own.all().iter().map(|id| format!("(ids: [\"{id}\"])")).collect(),
        "collectionSheet" => vec![format!("(branch: \"{}\", on: \"2026-12-31\")", own.branch)],
        "simulateLoan" => {
            let principal = "principal: {amount: \"100\", currency: \"KES\"}";
            vec![format!("(input: {{productId: \"{}\", {principal}}})", own.product)]
        }
        _ => vec![String::new()],
    }
}

/// The object of the schema that an id of this kind stands for.
fn type_of(id: &str) -> String {
    let kind = Kind::ALL.into_iter().find(|kind| id.contains(&format!("\"{}_", kind.prefix()))).unwrap();
    format!("{kind:?}")
}

/// Everything that can be selected from every root field of queries.
fn questions(own: &Side) -> Vec<(String, String)> {
    let mut questions = Vec::new();
    for field in SDL.fields("Query") {
        let (name, ty) = (field.name.node.as_str(), innermost(&field.ty.node));
        let optional = |argument: &&async_graphql_parser::types::InputValueDefinition| {
            argument.ty.node.nullable || argument.default_value.is_some()
        };
        for given in arguments(name, own) {
            let mut needed = field.arguments.iter().map(|argument| &argument.node);
            assert!(!given.is_empty() || needed.all(|argument| optional(&argument)), "say what to ask {name} about");
            let everything = match ty {
                "Node" => {
                    let of = type_of(&given);
                    format!("__typename ... on {of} {{ {} }}", SDL.everything(&of, 2))
                }
                ty => SDL.everything(ty, DEPTH),
            };
            questions.push((name.to_owned(), format!("{{ {name}{given} {{ {everything} }} }}")));
        }
    }
    questions
}

type Answers = BTreeMap<(String, &'static str), String>;

async fn answers(world: &World, questions: &[(String, String)]) -> Answers {
    let mut answers = Answers::new();
    for role in Role::ALL {
        let client = world.api.as_role(&[role], &["NBO"]);
        for (_, text) in questions {
            let answer = client.post(&json!({"query": text})).await;
            assert_eq!(answer.status, 200, "{text}\n{}", answer.text);
            answers.insert((text.clone(), role.as_str()), answer.text);
        }
    }
    answers
}

/// A field answers those whose role the policy allows it, and is forbidden to all others.
fn obeys_the_policy(field: &str, role: Role, text: &str) {
    let body: Json = serde_json::from_str(text).unwrap();
    for error in body["errors"].as_array().into_iter().flatten() {
        assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{field} by {role}: {text}");
    }
    // What a node needs depends on what it is; the matrix of ids tells.
    if field.starts_with("node") {
        return;
    }
    let action = matrix().into_iter().find(|row| row.field == field).unwrap().action;
    let allowed = action.is_none_or(|action| action.roles().contains(&role));
    let answered = body["data"].is_object() && !body["data"][field].is_null();
    assert_eq!(answered, allowed, "{field} by {role}: {text}");
}

#[tokio::test]
async fn what_others_have_changes_no_answer() {
    let world = World::start_with(&GENEROUS).await;
    let own = Side::own(&world).await;
    let questions = questions(&own);
    let before = answers(&world, &questions).await;
    let foreign = Side::foreign(&world).await;
    let above = Side::above(&world).await;
    let after = answers(&world, &questions).await;

    let mut theirs: Vec<&str> = [&foreign, &above].iter().flat_map(|side| side.all()).collect();
    theirs.retain(|id| *id != world.nbo);
    theirs.extend([world.tran.as_str(), "Trần", "HCM", "\"HQ\"", "Member foreign", "Group above"]);
    for (field, text) in &questions {
        for role in Role::ALL {
            let key = (text.clone(), role.as_str());
            let (before, after) = (&before[&key], &after[&key]);
            obeys_the_policy(field, role, after);
            assert_eq!(before, after, "{field} by {role} tells of what others have:\n{text}");
            for id in &theirs {
                assert!(!after.contains(id), "{field} tells {role} of {id}:\n{after}");
            }
            let speaks_of_all = ["loanProduct", "loanProducts"].contains(&field.as_str());
            assert!(speaks_of_all || !after.contains("VND"), "{field} tells {role} of another currency:\n{after}");
        }
    }
    let administrator = &after[&(questions.iter().find(|(field, _)| field == "loans").unwrap().1.clone(), "ADMIN")];
    assert!(administrator.contains(&own.loan) && administrator.contains("KES"), "{administrator}");
}
