//! Asking the API where a refusal is a finding to be reported, and not the end of the test.

use serde_json::{Value as Json, json};

use crate::graphql::world::mutation;
use crate::support::api::Client;

/// What a query or a mutation without errors answers, or its errors.
pub async fn ask(client: &Client, query: &str, variables: Json) -> Result<Json, String> {
    let mut answer = client.post(&json!({"query": query, "variables": variables})).await;
    match answer.body.get("errors") {
        None if answer.status == 200 => Ok(answer.body["data"].take()),
        None => Err(format!("status {}: {}", answer.status, answer.text)),
        Some(errors) => Err(format!("{errors}")),
    }
}

/// What is selected of a mutation's payload, or why it was refused.
pub async fn mutate(client: &Client, name: &str, input: &Json, selection: &str) -> Result<Json, String> {
    let text = mutation(name, &format!("{selection} userErrors {{ code message path }}"));
    let mut payload = ask(client, &text, json!({"input": input})).await?[name].take();
    if payload["userErrors"] == json!([]) {
        payload.as_object_mut().unwrap().remove("userErrors");
        return Ok(payload);
    }
    let told = payload["userErrors"].as_array().unwrap().iter().map(|error| {
        let path: Vec<&str> = error["path"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        format!("{} {}: {}", text_of(&error["code"]), path.join("."), text_of(&error["message"]))
    });
    Err(told.collect::<Vec<_>>().join("; "))
}

/// The text of a value that is one.
pub fn text_of(value: &Json) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}
