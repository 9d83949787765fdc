//! Rows that are written in one go are what the library makes of them, byte for byte.

use branch_loan_api::app;
use serde_json::{Value as Json, json};

use crate::support::fill::fill;
use crate::support::random::Dice;
use crate::support::sdl::{SDL, innermost};
use crate::support::server::{Server, Setup};

/// The fields of a type that take no arguments, each with everything below it up to so many objects deep, one at a time.
/// Lists of objects are the library's.
fn fields(owner: &str, depth: usize) -> Vec<String> {
    let mut found = vec!["__typename".to_owned()];
    for field in SDL.fields(owner) {
        let name = &field.name.node;
        let ty = innermost(&field.ty.node);
        let below = SDL.fields(ty);
        if !field.arguments.is_empty() {
            continue;
        }
        match (below.is_empty(), depth) {
            (true, _) => found.push(name.to_string()),
            (false, 0) => {}
            (false, _) => found.extend(fields(ty, depth - 1).iter().map(|below| format!("{name} {{ {below} }}"))),
        }
    }
    found
}

/// The same query, answered by the library alone: it selects an object twice in one place, which takes the library, and the
/// answer is the same.
fn by_library(query: &str) -> String {
    query.replacen(VIEWER, &format!("{VIEWER} {VIEWER}"), 1)
}

const VIEWER: &str = "viewer { subject }";

async fn assert_same(server: &Server, query: &str) -> String {
    let (written, library) = (text(server, query).await, text(server, &by_library(query)).await);
    assert_eq!(written, library, "{query}");
    written
}

async fn filled() -> Server {
    let server = Setup::development().start().await;
    let database = app::open_database(&server.config, None).await.unwrap();
    fill(&database, &mut Dice::new(), 60).await;
    database.close().await;
    server
}

async fn text(server: &Server, query: &str) -> String {
    let reply = server.ask_with(query, json!({})).await;
    assert_eq!(reply.status, 200, "{query}\n{}", reply.text);
    reply.text
}

#[tokio::test]
async fn every_field_of_every_list_is_what_the_library_makes_of_it() {
    let server = filled().await;
    let mut compared = 0;
    for (list, of) in [
        ("loans", "Loan"),
        ("branches", "Branch"),
        ("borrowers", "Borrower"),
        ("loanProducts", "LoanProduct"),
        ("groups", "Group"),
        ("auditEvents", "AuditEvent"),
    ] {
        for field in fields(of, 2) {
            assert_same(
                &server,
                &format!(
                    "{{ {VIEWER} {list}(first: 30) {{ nodes {{ {field} }} edges {{ cursor node {{ {field} }} }} }} }}"
                ),
            )
            .await;
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

#[tokio::test]
async fn whole_rows_are_written_where_they_are_asked_for_one_by_one() {
    let server = filled().await;
    let query = format!(
        "{{ {VIEWER} loans(first: 50) {{ nodes {{ id number externalRef status allowedTransitions officer version createdAt \
         updatedAt principal {{ amount currency }} approved {{ amount }} disbursed {{ currency }} appliedOn closedOn \
         terms {{ annualRate unit every firstDueOn }} branch {{ code name restDays closedThrough }} \
         borrower {{ id name branch {{ code }} }} product {{ code status principalMax {{ amount }} }} group {{ name }} }} \
         pageInfo {{ hasNextPage }} }} }}"
    );
    assert_same(&server, &query).await;
}

#[tokio::test]
async fn an_object_that_is_selected_twice_has_all_that_was_selected() {
    let server = filled().await;
    for (selected, asked) in [
        ("nodes { number } nodes { branch { code } }", ["/number", "/branch/code"]),
        ("nodes { branch { name } } ...Again", ["/branch/name", "/branch/code"]),
        ("nodes { principal { amount } principal { currency } }", ["/principal/amount", "/principal/currency"]),
    ] {
        let again = if selected.contains("...") {
            "fragment Again on LoanConnection { nodes { branch { code } } }"
        } else {
            ""
        };
        let answer = text(&server, &format!("{{ loans(first: 5) {{ {selected} }} }} {again}")).await;
        let answer: Json = serde_json::from_str(&answer).unwrap();
        let row = &answer["data"]["loans"]["nodes"][0];
        assert!(asked.iter().all(|place| row.pointer(place).is_some_and(Json::is_string)), "{selected}: {row}");
    }
}
