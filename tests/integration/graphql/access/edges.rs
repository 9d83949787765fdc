//! What lies at the edges of the matrix: numbers and references, links, roles that add up, grants of nothing.

use branch_loan_api::auth::{Action, Actor, BranchGrant, Role};
use serde_json::json;

use crate::graphql::world::{World, create, mutation, refusals, with};

#[tokio::test]
async fn a_refusal_names_no_more_than_itself() {
    let world = World::start().await;
    let officer = world.api.as_role(&[Role::Officer], &["NBO"]);
    let loan = world.loan("a", "1").await;
    let text = mutation("approveLoan", "loan { id } userErrors { code }");
    let error = officer.error(&text, json!({"input": {"loanId": loan}})).await;
    assert_eq!(
        error,
        json!({
            "code": "FORBIDDEN",
            "message": "Your roles do not allow this; ask an administrator for a role that does.",
            "path": ["approveLoan"],
        })
    );
    let status = world.api.data("{ loans { nodes { status version } } }", json!({})).await;
    assert_eq!(status["loans"]["nodes"], json!([{"status": "PENDING", "version": 1}]));
}

#[tokio::test]
async fn roles_add_up() {
    let world = World::start().await;
    let loan = world.loan("a", "1").await;
    let both = world.api.as_role(&[Role::Auditor, Role::Manager], &["NBO"]);
    create(&both, "approveLoan", json!({"loanId": loan})).await;
}

#[tokio::test]
async fn numbers_and_references_find_no_more_than_ids_do() {
    let world = World::start().await;
    let reference = with(world.foreign_application("a", "1"), json!({"externalRef": "core-1"}));
    create(&world.api, "applyForLoan", reference).await;
    create(&world.api, "updateBorrower", json!({"borrowerId": world.tran, "externalRef": "crm-1"})).await;
    let local = world.api.as_role(&[Role::Admin], &["NBO"]);
    let queries = [
        "{ found: loan(by: {number: \"L-000000001\"}) { id } }",
        "{ found: loan(by: {externalRef: \"core-1\"}) { id } }",
        "{ found: borrower(by: {number: \"B-000000002\"}) { id } }",
        "{ found: borrower(by: {externalRef: \"crm-1\"}) { id } }",
        "{ found: branch(by: {code: \"HCM\"}) { id } }",
        "{ found: branch(by: {code: \"HQ\"}) { id } }",
    ];
    for query in queries {
        assert!(world.api.data(query, json!({})).await["found"].is_object(), "{query}");
        assert_eq!(local.data(query, json!({})).await, json!({"found": null}), "{query}");
    }
    let text =
        "{ loans(filter: {search: \"core\"}) { totalCount } borrowers(filter: {search: \"crm\"}) { totalCount } }";
    assert_eq!(local.data(text, json!({})).await, json!({"loans": {"totalCount": 0}, "borrowers": {"totalCount": 0}}));
}

#[tokio::test]
async fn a_link_to_another_branchs_row_is_null() {
    let world = World::start().await;
    let loan = with(world.application("a", "1"), json!({"branchId": world.thika}));
    create(&world.api, "applyForLoan", loan).await;
    let local = world.api.as_role(&[Role::Officer], &["THIKA"]);
    let seen =
        json!({"branch": {"code": "THIKA", "parent": null}, "borrower": null, "product": {"code": "STANDARD-KES"}});
    let selection = "branch { code parent { code } } borrower { name } product { code }";
    let data = local
        .data(
            &format!(
                "{{ loans {{ nodes {{ {selection} }} }} loan(by: {{number: \"L-000000001\"}}) {{ {selection} }} }}"
            ),
            json!({}),
        )
        .await;
    assert_eq!(data, json!({"loans": {"nodes": [seen]}, "loan": seen}));
}

/// What a row does not tell of another branch, no question about it tells either.
#[tokio::test]
async fn nothing_is_found_by_what_is_linked_to_and_not_seen() {
    let world = World::start().await;
    let loan = with(world.application("a", "1"), json!({"branchId": world.thika}));
    create(&world.api, "applyForLoan", loan).await;
    let text = "query($borrower: ID!, $parent: ID!, $search: String!) {
        borrower: loans(filter: {borrower: {eq: $borrower}}) { nodes { number } totalCount totals { count } }
        search: loans(filter: {search: $search}) { nodes { number } totalCount totals { count } }
        others: loans(filter: {not: {borrower: {in: [$borrower]}}}) { totalCount }
        portfolio(filter: {borrower: {eq: $borrower}}) { count }
        children: branches(filter: {parent: {in: [$parent]}}) { nodes { code } totalCount }
        orphans: branches(filter: {not: {parent: {eq: $parent}}}) { nodes { code } totalCount }
    }";
    let about = json!({"borrower": world.wanjiru, "parent": world.nbo, "search": "wanjiru"});
    let nothing = json!({"nodes": [], "totalCount": 0});
    let no_loans = json!({"nodes": [], "totalCount": 0, "totals": []});
    assert_eq!(
        world.api.as_role(&[Role::Manager], &["THIKA"]).data(text, about.clone()).await,
        json!({
            "borrower": no_loans, "search": no_loans, "others": {"totalCount": 1}, "portfolio": {"count": "0"},
            "children": nothing, "orphans": {"nodes": [{"code": "THIKA"}], "totalCount": 1},
        })
    );
    let found = json!({"nodes": [{"number": "L-000000001"}], "totalCount": 1, "totals": [{"count": "1"}]});
    assert_eq!(
        world.api.as_role(&[Role::Manager], &["NBO"]).data(text, about).await,
        json!({
            "borrower": found, "search": found, "others": {"totalCount": 0}, "portfolio": {"count": "1"},
            "children": {"nodes": [{"code": "THIKA"}], "totalCount": 1},
            "orphans": {"nodes": [{"code": "NBO"}], "totalCount": 1},
        })
    );
}

#[tokio::test]
async fn who_works_nowhere_sees_nothing() {
    let world = World::start().await;
    world.loan("a", "1").await;
    let actor = Actor {
        subject: "nowhere".to_owned(),
        roles: [Role::Admin].into(),
        branches: BranchGrant::Codes(Vec::new()),
        request_id: None,
    };
    let data = world
        .api
        .as_actor(&actor)
        .data("{ branches { totalCount } borrowers { totalCount } loans { totalCount } portfolio { count } viewer { allBranches branchCodes } }", json!({}))
        .await;
    assert_eq!(
        data,
        json!({
            "branches": {"totalCount": 0}, "borrowers": {"totalCount": 0}, "loans": {"totalCount": 0}, "portfolio": {"count": "0"},
            "viewer": {"allBranches": false, "branchCodes": []},
        })
    );
}

/// An idempotency key cannot be used to look at what the caller may no longer see.
#[tokio::test]
async fn a_repetition_shows_only_what_the_caller_may_see_now() {
    let world = World::start().await;
    let before = world.api.as_someone("amina", &[Role::Officer], &["NBO"]);
    create(&before, "applyForLoan", world.application("key", "1")).await;
    let after = world.api.as_someone("amina", &[Role::Officer], &["HCM"]);
    let errors = refusals(&after, "applyForLoan", world.application("key", "1")).await;
    assert_eq!((&errors[0]["code"], errors.as_array().unwrap().len()), (&json!("NOT_FOUND"), 1));
}

#[tokio::test]
async fn the_viewer_knows_what_it_may_do() {
    let world = World::start().await;
    let officer = world.api.as_someone("amina", &[Role::Officer], &["NBO", "HCM"]);
    let query = "{ viewer { subject roles allBranches branchCodes permissions } }";
    assert_eq!(
        officer.data(query, json!({})).await["viewer"],
        json!({
            "subject": "amina",
            "roles": ["OFFICER"],
            "allBranches": false,
            "branchCodes": ["HCM", "NBO"],
            "permissions": [
                "ReadBranches", "ReadBorrowers", "ReadGroups", "ReadProducts", "ReadLoans", "ReadPortfolio",
                "RegisterBorrower", "UpdateBorrower", "CreateGroup", "UpdateGroup", "ChangeGroupMembers",
                "ApplyForLoan", "WithdrawLoan", "RecordRepayment", "AddLoanCharge", "RecordRecovery"
            ],
        })
    );
    let administrator = world.api.data(query, json!({})).await["viewer"].take();
    assert_eq!((&administrator["allBranches"], &administrator["branchCodes"]), (&json!(true), &json!([])));
    assert_eq!(administrator["permissions"].as_array().unwrap().len(), Action::ALL.len());
}
