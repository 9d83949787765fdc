//! Every root field obeys the policy for every role, about one's own things, others' and nobody's.

use std::collections::BTreeSet;

use branch_loan_api::auth::{Action, Role};
use serde_json::{Value as Json, json};

use super::fields::{Row, Scoped, matrix};
use super::things::{Things, Whose, things};
use crate::graphql::world::{World, object};
use crate::support::api::{Answer, Client};
use crate::support::sdl::SDL;

#[test]
fn the_matrix_knows_every_root_field() {
    let known: BTreeSet<String> = matrix().iter().map(|row| row.field.to_owned()).collect();
    assert_eq!(
        known,
        SDL.root_fields(),
        "tests/integration/graphql/access/fields.rs: say who may use a new root field"
    );
}

#[test]
fn every_action_is_behind_a_field() {
    let used: BTreeSet<Action> = matrix().iter().filter_map(|row| row.action).collect();
    // Behind two fields of Borrower, and behind a kind of payment; each has a test of its own.
    let rest: Vec<&Action> = Action::ALL.iter().filter(|action| !used.contains(action)).collect();
    assert_eq!(rest, [&Action::ReadPersonalData, &Action::GrantGoodwill]);
}

/// How a request ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Absent,
    Forbidden,
}

fn outcome(field: &str, answer: &Answer) -> Outcome {
    assert_eq!(answer.status, 200, "{field}: {}", answer.text);
    if let Some(errors) = answer.body["errors"].as_array() {
        assert!(answer.body["data"].is_null() || answer.body["data"][field].is_null(), "{}", answer.text);
        for error in errors {
            assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{}", answer.text);
        }
        return Outcome::Forbidden;
    }
    let value = &answer.body["data"][field];
    let absent = match field {
        "nodes" => value[0].is_null(),
        "portfolio" => value["count"] == "0",
        _ if value["totalCount"].is_i64() => value["totalCount"] == 0 && value["nodes"] == json!([]),
        _ if value["userErrors"].is_array() => {
            let codes: Vec<&Json> =
                value["userErrors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
            assert!(codes.is_empty() || codes == [&json!("NOT_FOUND")], "{}", answer.text);
            assert_eq!(codes.is_empty(), !value[object(field)].is_null(), "{}", answer.text);
            !codes.is_empty()
        }
        _ => value.is_null(),
    };
    if absent { Outcome::Absent } else { Outcome::Done }
}

async fn ask(client: &Client, row: &Row, world: &World, of: &Things) -> (Outcome, String) {
    let (text, variables) = (row.ask)(world, of);
    let answer = client.post(&json!({"query": text, "variables": variables})).await;
    let mut shown = answer.text.clone();
    for id in [&of.branch, &of.borrower, &of.loan, &of.product, &of.group, &of.joiner, &of.member] {
        shown = shown.replace(id.as_str(), "ID");
    }
    (outcome(row.field, &answer), shown)
}

#[tokio::test]
async fn every_field_obeys_the_policy_for_every_role() {
    let world = World::start().await;
    let mut cell = 0;
    for row in matrix() {
        for role in Role::ALL {
            let allowed = row.action.is_none_or(|action| action.roles().contains(&role));
            let mut client = world.api.as_role(&[role], &["NBO"]);
            if row.is_for_all_branches() {
                cell += 1;
                let of = things(&world, row.field, Whose::Own, cell, true).await;
                let (found, shown) = ask(&client, &row, &world, &of).await;
                assert_eq!(found, Outcome::Forbidden, "{} by {role} of one branch: {shown}", row.field);
                client = world.api.as_role(&[role], &[]);
            }
            let whose = match row.scoped {
                Scoped::ByBranch => &[Whose::Own, Whose::Foreign, Whose::Missing][..],
                Scoped::ByExistence => &[Whose::Own, Whose::Missing],
                Scoped::Not => &[Whose::Own],
            };
            let mut others = BTreeSet::new();
            for whose in whose {
                cell += 1;
                let of = things(
                    &world,
                    row.field,
                    *whose,
                    cell,
                    SDL.is_mutation(row.field) || row.field == "journalEntries",
                )
                .await;
                let (found, shown) = ask(&client, &row, &world, &of).await;
                let expected = match (allowed, whose) {
                    (false, _) => Outcome::Forbidden,
                    (true, Whose::Own) => Outcome::Done,
                    (true, Whose::Foreign | Whose::Missing) => Outcome::Absent,
                };
                assert_eq!(found, expected, "{} by {role}, {whose:?}: {shown}", row.field);
                if *whose != Whose::Own {
                    others.insert(shown);
                }
            }
            assert!(others.len() <= 1, "{} tells {role} a foreign thing from a missing one: {others:#?}", row.field);
        }
    }
}
