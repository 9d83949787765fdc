//! Why the GraphQL library is pinned to a release candidate (docs/adr/0001-async-graphql-8.md): what earlier versions
//! got wrong, held by tests. And how errors travel through a response.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};
use branch_loan_api::graphql::error::{ErrorCode, Nullable, error};
use serde_json::{Value as Json, json};

use super::world::{World, create, with};
use crate::support::api::{REQUEST_ID, TestApi};

#[tokio::test]
async fn an_omitted_variable_inside_an_input_leaves_the_field_alone() {
    let world = World::start().await;
    let text = "mutation($id: ID!, $ref: String, $born: Date, $name: String) {
        updateBorrower(input: {borrowerId: $id, externalRef: $ref, dateOfBirth: $born, name: $name}) {
            borrower { name externalRef dateOfBirth } userErrors { code }
        }
    }";
    let change = async |variables: Json| {
        let variables = with(json!({"id": world.wanjiru}), variables);
        world.api.data(text, variables).await["updateBorrower"]["borrower"].take()
    };
    let full = json!({"name": "Wanjiru", "externalRef": "crm-1", "dateOfBirth": "1990-01-01"});
    assert_eq!(change(json!({"ref": "crm-1", "born": "1990-01-01", "name": "Wanjiru"})).await, full);
    assert_eq!(change(json!({})).await, full, "omitted: kept");
    let without = json!({"name": "Wanjiru", "externalRef": null, "dateOfBirth": "1990-01-01"});
    assert_eq!(change(json!({"ref": null})).await, without, "null: cleared");
    assert_eq!(change(json!({"ref": "crm-1"})).await, full, "a value: set");
    // The same when the input is one variable.
    let whole = "mutation($input: UpdateBorrowerInput!) { updateBorrower(input: $input) { borrower { externalRef } } }";
    let sent = |input: Json| json!({"input": with(json!({"borrowerId": world.wanjiru}), input)});
    for (input, expected) in [(json!({}), json!("crm-1")), (json!({"externalRef": null}), Json::Null)] {
        let data = world.api.data(whole, sent(input)).await;
        assert_eq!(data["updateBorrower"]["borrower"]["externalRef"], expected);
    }
}

#[tokio::test]
async fn an_omitted_variable_takes_the_default_of_its_field() {
    let world = World::start().await;
    world.loan("a", "1").await;
    let query = "query($branch: ID!, $below: Boolean = true) { loans(filter: {branch: {eq: $branch}, includeSubBranches: $below}) { totalCount } }";
    let count = async |variables: Json| {
        world.api.data(query, with(json!({"branch": world.hq}), variables)).await["loans"]["totalCount"].take()
    };
    assert_eq!(count(json!({})).await, 1);
    assert_eq!(count(json!({"below": false})).await, 0);
}

#[tokio::test]
async fn a_nullable_field_that_fails_is_null_itself() {
    let world = World::start().await;
    create(
        &world.api,
        "updateBorrower",
        json!({"borrowerId": world.wanjiru, "phone": "+254 700 000 001", "nationalId": "1234567"}),
    )
    .await;
    // As if the number had been sealed with a key that is lost.
    world.api.sql("UPDATE borrowers SET phone_sealed = zeroblob(40) WHERE phone_sealed IS NOT NULL").await;
    let query =
        "query($id: ID!) { borrower(by: {id: $id}) { name branch { code } phone nationalId } viewer { subject } }";
    let body = world.api.query(query, json!({"id": world.wanjiru})).await;
    let masked = json!({
        "message": body["errors"][0]["message"],
        "locations": [{"line": 1, "column": 66}],
        "path": ["borrower", "phone"],
        "extensions": {"code": "UNREADABLE", "requestId": REQUEST_ID, "retryable": false},
    });
    assert_eq!(
        body,
        json!({
            "data": {
                "borrower": {"name": "Wanjiru Kamau", "branch": {"code": "NBO"}, "phone": null, "nationalId": "1234567"},
                "viewer": {"subject": "dev-admin"},
            },
            "errors": [masked],
        })
    );
    // In a list, only where it is.
    let body = world.api.query("{ borrowers { edges { node { name phone } } } }", json!({})).await;
    assert_eq!(
        body["data"]["borrowers"]["edges"],
        json!([
            {"node": {"name": "Wanjiru Kamau", "phone": null}},
            {"node": {"name": "Trần Thị Mai", "phone": null}},
        ])
    );
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
    assert_eq!(body["errors"][0]["path"], json!(["borrowers", "edges", 0, "node", "phone"]));
}

#[tokio::test]
async fn a_nullable_root_field_that_fails_leaves_its_neighbors_alone() {
    let world = World::start().await;
    let query = "query($wrong: ID!, $id: ID!) { a: loan(by: {id: $wrong}) { id } b: branch(by: {id: $id}) { code } c: node(id: $wrong) { id } }";
    let body = world.api.query(query, json!({"wrong": "nonsense", "id": world.nbo})).await;
    assert_eq!(body["data"], json!({"a": null, "b": {"code": "NBO"}, "c": null}));
    let paths: Vec<&Json> = body["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
    assert_eq!(paths, [&json!(["a"]), &json!(["c"])]);
}

#[tokio::test]
async fn a_required_field_that_fails_takes_what_requires_it_along() {
    let world = World::start().await;
    for key in ["a", "b"] {
        world.loan(key, "100").await;
    }
    // No amount that the API takes is so large; a database may hold one all the same.
    world.api.sql("UPDATE loans SET principal_minor = 9000000000000000000").await;
    // The sum does not fit: a defect is reported and no wrong number is.
    let body = world
        .api
        .query("{ viewer { subject } loans { nodes { number } totals { principal { amount } } } }", json!({}))
        .await;
    assert_eq!(body["data"], Json::Null);
    let error = &body["errors"][0];
    assert_eq!((&error["path"], &error["extensions"]["code"]), (&json!(["loans", "totals"]), &json!("INTERNAL")));
    let seen = error["message"].as_str().unwrap().to_lowercase();
    assert!(!seen.contains("overflow") && !seen.contains("sql"), "{seen}");
    // Without it, the rest is there.
    assert_eq!(world.api.data("{ loans { totalCount } }", json!({})).await["loans"]["totalCount"], 2);
}

#[derive(SimpleObject)]
struct Outer {
    name: &'static str,
    inner: Option<Inner>,
}

struct Inner;

#[Object]
impl Inner {
    async fn fine(&self) -> bool {
        true
    }

    async fn required(&self) -> async_graphql::Result<bool> {
        Err(error(ErrorCode::Internal, "no"))
    }

    async fn nullable(&self) -> Nullable<bool> {
        Some(Err(error(ErrorCode::Internal, "no")))
    }
}

struct Toy;

#[Object]
impl Toy {
    async fn outer(&self) -> Outer {
        Outer { name: "outer", inner: Some(Inner) }
    }
}

/// The library itself: no type of ours has a required field that fails below a nullable one.
#[tokio::test]
async fn null_climbs_to_the_nearest_nullable_field_and_no_further() {
    let toy = Schema::new(Toy, EmptyMutation, EmptySubscription);
    let run = async |query: &str| serde_json::to_value(toy.execute(query).await).unwrap();
    let required = run("{ outer { name inner { fine required } } }").await;
    assert_eq!(required["data"], json!({"outer": {"name": "outer", "inner": null}}));
    assert_eq!(required["errors"][0]["path"], json!(["outer", "inner", "required"]));
    let nullable = run("{ outer { name inner { fine nullable } } }").await;
    assert_eq!(nullable["data"], json!({"outer": {"name": "outer", "inner": {"fine": true, "nullable": null}}}));
    assert_eq!(nullable["errors"][0]["path"], json!(["outer", "inner", "nullable"]));
}

#[tokio::test]
async fn mutations_of_one_request_run_one_after_the_other() {
    let world = World::start().await;
    let text = "mutation($id: ID!) {
        first: updateBranch(input: {branchId: $id, name: \"One\", expectedVersion: 1}) { branch { version } }
        second: updateBranch(input: {branchId: $id, name: \"Two\", expectedVersion: 2}) { branch { version name } }
    }";
    let data = world.api.data(text, json!({"id": world.nbo})).await;
    assert_eq!(data, json!({"first": {"branch": {"version": 2}}, "second": {"branch": {"version": 3, "name": "Two"}}}));
}

/// The second sight of a document runs on another schema, which does not validate it again: the answer is the same.
#[tokio::test]
async fn first_and_later_answers_are_equal() {
    let world = World::start().await;
    world.loan("a", "1").await;
    let query = json!({"query": "query($n: Int) { loans(first: $n) { nodes { number branch { code } } totalCount } }", "variables": {"n": 1}});
    let (first, second) = (world.api.post(&query).await, world.api.post(&query).await);
    assert_eq!((first.status, &first.text), (200, &second.text));
    assert_eq!(second.body["data"]["loans"]["totalCount"], 1);
    let wrong = json!({"query": query["query"], "variables": {"n": "many"}});
    let (first, second) = (world.api.post(&wrong).await, world.api.post(&wrong).await);
    assert_eq!((first.status, &first.text), (400, &second.text));
}

#[tokio::test]
async fn fields_come_back_in_the_order_of_the_query() {
    let api = TestApi::start().await;
    let answer = api.post(&json!({"query": "{ b: viewer { subject } p: portfolio { count } a: viewer { roles s: subject subject } }"})).await;
    let expected = r#"{"data":{"b":{"subject":"dev-admin"},"p":{"count":"0"},"a":{"roles":["ADMIN"],"s":"dev-admin","subject":"dev-admin"}}}"#;
    assert_eq!(answer.text, expected);
}
