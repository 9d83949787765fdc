//! How many SQL statements a request takes: one a relation, however long the page; and nothing for what is not selected.

use branch_loan_api::auth::Role;
use serde_json::{Value as Json, json};

use super::world::{World, borrower, branch, each, with};
use crate::support::api::Client;
use crate::support::sdl::{SDL, innermost};

/// Runs a query and counts the statements it took.
async fn cost(world: &World, client: &Client, query: &str, variables: Json) -> (usize, Json) {
    world.api.statements().reset();
    let data = client.data(query, variables).await;
    (world.api.statements().count(), data)
}

/// The statements of a query that must take so many.
async fn takes(world: &World, expected: usize, query: &str) {
    let (statements, _) = cost(world, &world.api, query, json!({})).await;
    assert_eq!(statements, expected, "{query}\n{:#?}", world.api.statements().texts());
}

/// A hundred loans by twenty borrowers at ten branches.
async fn lend() -> World {
    let world = World::start().await;
    for place in 0..10 {
        let below = branch(&world.api, &format!("B{place}"), Some(&world.nbo)).await;
        for person in 0..2 {
            let borrower = borrower(&world.api, &below, &format!("Person {place}{person}")).await;
            for loan in 0..5 {
                let key = format!("{place}{person}{loan}");
                let input = with(world.application(&key, "100"), json!({"borrowerId": borrower}));
                super::world::create(&world.api, "applyForLoan", input).await;
            }
        }
    }
    world
}

const NESTED: &str = "query($first: Int!) {
    loans(first: $first) {
        nodes {
            id status principal { amount currency }
            branch { code parent { code parent { code } } }
            borrower { name branch { code } }
            product { code }
        }
    }
}";

#[tokio::test]
async fn a_page_takes_one_statement_and_one_a_relation() {
    let world = lend().await;
    // Loans; branches, their parents, theirs; borrowers, their branches; products. Branches that are asked for at the same
    // moment go together.
    for (first, rows) in [(1, 1), (5, 5), (100, 100)] {
        let (statements, data) = cost(&world, &world.api, NESTED, json!({"first": first})).await;
        assert!((5..=7).contains(&statements), "{:#?}", world.api.statements().texts());
        let loans = data["loans"]["nodes"].as_array().unwrap();
        assert_eq!(loans.len(), rows);
        for loan in loans {
            assert_eq!(loan["branch"]["parent"]["code"], "NBO");
            assert_eq!(loan["branch"]["parent"]["parent"]["code"], "HQ");
            assert_eq!(loan["borrower"]["branch"]["code"], loan["branch"]["code"]);
            assert_eq!(loan["product"]["code"], "STANDARD-KES");
        }
    }
    // The scope is part of each statement and adds none.
    let local = world.api.as_role(&[Role::Officer], &["NBO"]);
    let (statements, data) = cost(&world, &local, NESTED, json!({"first": 100})).await;
    assert!((5..=7).contains(&statements), "{:#?}", world.api.statements().texts());
    assert_eq!(data["loans"]["nodes"][0]["branch"]["parent"], json!({"code": "NBO", "parent": null}));
}

#[tokio::test]
async fn a_relation_is_fetched_once_however_it_is_selected() {
    let world = lend().await;
    takes(&world, 1, "{ loans(first: 100) { nodes { id number status } } }").await;
    takes(&world, 2, "{ loans(first: 100) { nodes { branch { id } } edges { node { branch { code } } } } }").await;
    takes(&world, 2, "{ loans(first: 100) { nodes { a: branch { id } b: branch { code } } } }").await;
    takes(
        &world,
        4,
        "{ loans(first: 100) { ...page } }
         fragment page on LoanConnection { nodes { ...loan ... on Loan { borrower { id } } } }
         fragment loan on Loan { branch { parent { id } } }",
    )
    .await;
    takes(
        &world,
        1,
        "{ loans(first: 100) { nodes { id branch @skip(if: true) { code } product @include(if: false) { code } } } }",
    )
    .await;
    takes(&world, 3, "{ borrowers(first: 100) { nodes { name phone branch { parent { code } } } } }").await;
    takes(&world, 2, "{ branches(first: 100) { edges { cursor node { code parent { code } } } } }").await;
    takes(&world, 1, "{ loanProducts(first: 100) { nodes { code principalMax { amount } } } }").await;
}

/// A field of a row for which the page did not read enough would load it row by row.
#[tokio::test]
async fn no_field_of_a_loan_is_read_row_by_row() {
    let world = lend().await;
    let mut asked = 0;
    for field in SDL.fields("Loan").into_iter().filter(|field| field.arguments.is_empty()) {
        let below = !SDL.fields(innermost(&field.ty.node)).is_empty();
        let name = &field.name.node;
        let selected = if below { format!("{name} {{ __typename }}") } else { name.to_string() };
        let query = format!("{{ loans(first: 40) {{ nodes {{ {selected} }} }} }}");
        let (statements, _) = cost(&world, &world.api, &query, json!({})).await;
        assert!(statements <= 5, "{query}: {statements}\n{:#?}", world.api.statements().texts());
        asked += 1;
    }
    assert!(asked > 35, "{asked}");
    // Of what was decided about a loan nothing is missing on the page.
    for decided in [
        "terms { every }",
        "approved { amount }",
        "disbursed { amount }",
        "appliedBy",
        "approvedOn",
        "approvedBy",
        "defaultedOn",
        "closedOn",
        "decisionReason",
    ] {
        takes(&world, 1, &format!("{{ loans(first: 40) {{ nodes {{ {decided} }} }} }}")).await;
    }
    // Only what is shown of most loans, unless more is selected.
    for (selected, is_whole) in
        [("id number status disbursedOn", false), ("approvedOn", true), ("balances { total { amount } }", true)]
    {
        cost(&world, &world.api, &format!("{{ loans {{ nodes {{ {selected} }} }} }}"), json!({})).await;
        let page = world.api.statements().texts().iter().any(|text| text.contains("\"loans\".\"conditions\""));
        assert_eq!(page, is_whole, "{selected}");
    }
}

#[tokio::test]
async fn counts_and_totals_cost_only_where_they_are_selected() {
    let world = lend().await;
    let counting =
        |texts: Vec<String>| texts.iter().filter(|text| text.contains("COUNT(") || text.contains("SUM(")).count();
    takes(&world, 1, "{ loans { nodes { id } pageInfo { hasNextPage } } }").await;
    assert_eq!(counting(world.api.statements().texts()), 0);
    takes(&world, 2, "{ loans { nodes { id } totalCount } }").await;
    takes(&world, 2, "{ loans { nodes { id } totals { count } } }").await;
    takes(
        &world,
        3,
        "{ loans { nodes { id } totalCount totals { principal { amount } averagePrincipal { amount } } } }",
    )
    .await;
    for list in ["branches", "borrowers", "loanProducts"] {
        takes(&world, 1, &format!("{{ {list} {{ nodes {{ id }} }} }}")).await;
        assert_eq!(counting(world.api.statements().texts()), 0);
        takes(&world, 2, &format!("{{ {list} {{ nodes {{ id }} totalCount }} }}")).await;
    }
}

#[tokio::test]
async fn a_portfolio_takes_one_statement_a_grouping() {
    let world = lend().await;
    takes(&world, 0, "{ portfolio { __typename } }").await;
    takes(&world, 1, "{ portfolio { count } }").await;
    takes(&world, 1, "{ portfolio { byCurrency { count principal { amount } averagePrincipal { amount } } } }").await;
    takes(&world, 1, "{ portfolio { byStatus { status count totals { count } } } }").await;
    takes(&world, 1, "{ portfolio { byBranch { count totals { count } } } }").await;
    takes(&world, 1, "{ portfolio { byProduct { count totals { count } } } }").await;
    // The objects they are grouped by, where they are selected.
    takes(&world, 2, "{ portfolio { byBranch { branch { code } count } } }").await;
    takes(&world, 3, "{ portfolio { byBranch { branch { parent { code } } } } }").await;
    takes(&world, 2, "{ portfolio { byProduct { product { code } } } }").await;
}

#[tokio::test]
async fn nodes_take_one_statement_a_kind() {
    let world = lend().await;
    let lists = world
        .api
        .data("{ loans(first: 70) { nodes { id } } borrowers(first: 20) { nodes { id } } branches(first: 8) { nodes { id } } loanProducts { nodes { id } } }", json!({}))
        .await;
    let of = |list: &str| each(&lists[list]["nodes"], "id");
    let mut all = [of("loans"), of("borrowers"), of("branches"), of("loanProducts")].concat();
    assert_eq!(all.len(), 100);
    // Mixed, so that the order of the answer is that of the question and of nothing else.
    all.sort_by_key(|id| id.bytes().rev().collect::<Vec<_>>());
    let few =
        [of("loans")[0].clone(), of("borrowers")[0].clone(), of("branches")[0].clone(), of("loanProducts")[0].clone()];
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    for ids in [&few[..], &all] {
        let (statements, data) = cost(&world, &world.api, query, json!({"ids": ids})).await;
        assert_eq!(statements, 4, "{:#?}", world.api.statements().texts());
        assert_eq!(each(&data["nodes"], "id"), ids);
    }
    let related = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Loan { branch { code } borrower { name } product { code } } } }";
    for ids in [&of("loans")[..1], &of("loans")] {
        let (statements, _) = cost(&world, &world.api, related, json!({"ids": ids})).await;
        assert_eq!(statements, 4, "{:#?}", world.api.statements().texts());
    }
    let (statements, _) = cost(&world, &world.api, query, json!({"ids": []})).await;
    assert_eq!(statements, 0);
}

#[tokio::test]
async fn a_lookup_takes_one_statement_and_one_a_relation() {
    let world = World::start().await;
    world.loan("a", "1").await;
    takes(&world, 1, "{ loan(by: {number: \"L-000000001\"}) { id } }").await;
    takes(
        &world,
        5,
        "{ loan(by: {number: \"L-000000001\"}) { branch { parent { code } } borrower { name } product { code } } }",
    )
    .await;
    takes(&world, 1, "{ loan(by: {number: \"L-9\"}) { branch { code } } }").await;
    takes(&world, 0, "{ viewer { subject roles permissions } }").await;
    takes(&world, 0, "{ __typename }").await;
}
