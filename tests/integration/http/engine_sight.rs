//! A document is validated at first sight and executed without from then on. Whoever asks must not be able to tell:
//! first and later answers are the same, byte for byte, whatever the variables of the first or the later were.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use branch_loan_api::graphql::schema;
use branch_loan_api::http::guard::{Engine, Guard, Limits};
use serde_json::{Value as Json, json};

use super::attacks_values::world;
use crate::support::server::{Reply, Server, Setup};

async fn answer(server: &Server, query: &str, variables: &Json) -> (u16, String) {
    let reply: Reply = server.ask_with(query, variables.clone()).await;
    (reply.status, reply.text)
}

/// A document with the variables to send it with, each a case of its own.
fn documents() -> Vec<(&'static str, Vec<Json>)> {
    let none = || vec![json!({})];
    vec![
        ("{ viewer { subject roles } branches { totalCount nodes { code name } } }", none()),
        ("{ loans { unknownField } }", none()),
        ("{ unknownField }", none()),
        ("{ loans(first: \"x\") { totalCount } }", none()),
        ("{ loans(filter: { status: { eq: NONSENSE } }) { totalCount } }", none()),
        ("{ loans { nodes } }", none()),
        ("{ viewer { subject { x } } }", none()),
        ("{ ...Missing }", none()),
        ("{ viewer { subject } } fragment Unused on Query { __typename }", none()),
        ("query($unused: Int) { viewer { subject } }", none()),
        ("query($x: Nonsense) { viewer { subject } }", none()),
        ("{ loans(first: $undeclared) { totalCount } }", none()),
        ("{ branch(by: { id: \"x\", code: \"y\" }) { id } }", none()),
        ("{ branch(by: {}) { id } }", none()),
        ("{ viewer { a: subject a: roles } }", none()),
        ("{ not closed", none()),
        (
            "query($n: Int) { branches(first: $n) { nodes { code } } }",
            vec![
                json!({"n": 1}),
                json!({}),
                json!({"n": null}),
                json!({"n": "x"}),
                json!({"n": 1.5}),
                json!({"n": 0}),
                json!({"n": 1000}),
            ],
        ),
        (
            "query($by: BranchBy!) { branch(by: $by) { code } }",
            vec![
                json!({"by": {"code": "NBO"}}),
                json!({}),
                json!({"by": null}),
                json!({"by": {}}),
                json!({"by": {"code": "NBO", "id": "x"}}),
                json!({"by": {"code": null}}),
                json!({"by": {"kode": "NBO"}}),
                json!({"by": {"id": "nonsense"}}),
                json!({"by": "NBO"}),
            ],
        ),
        (
            "query($s: LoanStatus) { loans(filter: { status: { eq: $s } }) { totalCount } }",
            vec![
                json!({"s": "PENDING"}),
                json!({"s": "NONSENSE"}),
                json!({"s": 1}),
                json!({"s": null}),
                json!({}),
                json!({"s": "pending"}),
            ],
        ),
        (
            "query($f: LoanFilter) { loans(filter: $f) { totalCount } }",
            vec![
                json!({"f": {"status": {"eq": "PENDING"}}}),
                json!({"f": {"status": {"eq": "NONSENSE"}}}),
                json!({"f": {"nonsense": 1}}),
                json!({"f": {"appliedOn": {"gte": "not a date"}}}),
                json!({"f": {"principal": {"gte": {"amount": 5, "currency": "KES"}}}}),
                json!({"f": {"includeSubBranches": null}}),
                json!({}),
            ],
        ),
        (
            "query($c: CurrencyCode!) { loans(filter: { currency: { in: [$c] } }) { totalCount } }",
            vec![json!({"c": "KES"}), json!({"c": "XYZ"}), json!({"c": 7}), json!({"c": null}), json!({})],
        ),
        (
            "query($d: OrderDirection! = ASC) { branches(orderBy: [{ field: CODE, direction: $d }]) { nodes { code } } }",
            vec![json!({}), json!({"d": "DESC"}), json!({"d": null}), json!({"d": "UP"})],
        ),
        (
            "query($d: OrderDirection = ASC) { branches(orderBy: [{ field: CODE, direction: $d }]) { nodes { code } } }",
            vec![json!({"d": "DESC"}), json!({"d": null}), json!({})],
        ),
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }",
            vec![
                json!({"ids": []}),
                json!({"ids": ["BRANCH"]}),
                json!({"ids": [null]}),
                json!({"ids": "BRANCH"}),
                json!({"ids": [1]}),
                json!({"ids": ["nonsense"]}),
            ],
        ),
        (
            "query($skip: Boolean!) { viewer { subject @skip(if: $skip) __typename } }",
            vec![json!({"skip": true}), json!({"skip": false}), json!({"skip": "yes"}), json!({})],
        ),
        (
            "mutation($code: String!, $currency: CurrencyCode!) { createBranch(input: { code: $code, name: \"x\",
                currency: $currency, timeZone: \"Africa/Nairobi\" }) { branch { code } userErrors { code path } } }",
            vec![
                json!({"code": "NBO", "currency": "KES"}),
                json!({"code": "not a code", "currency": "KES"}),
                json!({"code": "A", "currency": "nonsense"}),
                json!({"code": "A"}),
                json!({"code": null, "currency": "KES"}),
            ],
        ),
    ]
}

async fn prepared() -> (Server, Json) {
    let server = Setup::development().start().await;
    let world = world(&server).await;
    (server, world)
}

fn with_ids(variables: &Json, world: &Json) -> Json {
    serde_json::from_str(&variables.to_string().replace("BRANCH", world["branch"].as_str().unwrap())).unwrap()
}

/// What a server says to each case that has seen none of the documents before.
#[tokio::test]
async fn first_and_later_sight_answer_alike() {
    let (server, world) = prepared().await;
    let mut compared = 0;
    for (query, cases) in documents() {
        let cases: Vec<Json> = cases.iter().map(|variables| with_ids(variables, &world)).collect();
        for (at, first) in cases.iter().enumerate() {
            // A comment makes it a document nobody has seen; all are of one length, because errors point at places.
            let unseen = format!("{query} # shared {at:02}   ");
            let at_first_sight = answer(&server, &unseen, first).await;
            for (other, variables) in cases.iter().enumerate() {
                let alone = format!("{query} # alone {at:02} {other:02} ");
                let fresh = answer(&server, &alone, variables).await;
                let later = answer(&server, &unseen, variables).await;
                assert_eq!(later, fresh, "{query}\nfirst with {first}, then with {variables}");
                compared += 1;
            }
            assert_eq!(answer(&server, &unseen, first).await, at_first_sight, "{query} with {first}");
        }
    }
    assert!(compared > 200, "{compared}");
}

/// An operation that is in order does not vouch for another in the same document.
#[tokio::test]
async fn each_operation_is_validated_for_itself() {
    let (server, _) = prepared().await;
    let query = "query Good { viewer { subject } } query Bad { viewer { nonsense } }";
    let ask = async |name: &str| {
        let reply = Reply::of(server.post(json!({"query": query, "operationName": name}).to_string())).await;
        (reply.status, reply.text)
    };
    let (good, bad) = (ask("Good").await, ask("Bad").await);
    for _ in 0..3 {
        assert_eq!((ask("Good").await, ask("Bad").await), (good.clone(), bad.clone()));
    }
    assert_eq!(bad.0, 400, "{}", bad.1);
}

/// The second sight really is another way through: found in the cache, and not validated again.
#[tokio::test]
async fn the_second_sight_is_a_hit() {
    let (server, _) = prepared().await;
    let schemas = schema::build(Arc::clone(&server.services), limits_of_the_api());
    let guard = Arc::new(Guard::from_sdl(Limits::default(), &schema::sdl()).unwrap());
    let engine = Engine::new(Arc::clone(&guard), schemas.strict, schemas.fast);
    let counts = || (guard.documents().hits(), guard.documents().misses());

    let request = || {
        Request::new("query($v: Boolean!) { __typename ... @skip(if: $v) { __typename } }")
            .variables(Variables::from_json(json!({"v": false})))
    };
    for (sight, expected) in [(1, (0, 1)), (2, (1, 1)), (3, (2, 1))] {
        let admitted = engine.admit(&request()).unwrap();
        assert_eq!((admitted.is_validated(), counts()), (sight > 1, expected));
        let answer = engine.execute_admitted(&admitted, request()).await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    }
    let wrong = || Request::new("{ unknownField }");
    for sight in 1..=3 {
        let admitted = engine.admit(&wrong()).unwrap();
        assert!(!admitted.is_validated(), "sight {sight} of a document that is wrong");
        let answer = engine.execute_admitted(&admitted, wrong()).await;
        assert_eq!(answer.errors.len(), 1);
    }
    assert!(engine.admit(&Request::new("{ not closed")).is_err());
    assert_eq!(guard.documents().len(), 2, "what does not parse is not kept");
}

fn limits_of_the_api() -> branch_loan_api::graphql::request::ApiLimits {
    branch_loan_api::graphql::request::ApiLimits { largest_page: 100 }
}
