//! Why the GraphQL library is pinned to a release candidate (docs/adr/0001-async-graphql-8.md): what earlier versions
//! got wrong, held by tests.

use serde_json::json;

use crate::support::api::TestApi;

#[tokio::test]
async fn fields_come_back_in_the_order_of_the_query() {
    let api = TestApi::start().await;
    let answer = api.post(&json!({"query": "{ b: viewer { subject } a: viewer { roles subject } }"})).await;
    assert_eq!(answer.text, r#"{"data":{"b":{"subject":"dev-admin"},"a":{"roles":["ADMIN"],"subject":"dev-admin"}}}"#);
}
