//! Branches: looking at them, opening, changing and closing them.

use branch_loan_api::auth::Role;
use serde_json::{Value as Json, json};

use super::world::{World, branch, change, create, refusals, refused, with};
use crate::support::api::TestApi;

const ALL: &str = "id code name parent { code } currency timeZone businessDate status version createdAt updatedAt";

fn nairobi() -> Json {
    json!({"code": "NBO", "name": "Nairobi", "currency": "KES", "timeZone": "Africa/Nairobi"})
}

#[tokio::test]
async fn a_branch_is_opened() {
    let api = TestApi::start().await;
    let opened = change(&api, "createBranch", nairobi(), ALL).await;
    assert_eq!(
        opened,
        json!({
            "id": "branch_01kjpwd6m0e008000000000001",
            "code": "NBO",
            "name": "Nairobi",
            "parent": null,
            "currency": "KES",
            "timeZone": "Africa/Nairobi",
            "businessDate": "2026-03-02",
            "status": "OPEN",
            "version": 1,
            "createdAt": "2026-03-02T09:00:00.000Z",
            "updatedAt": "2026-03-02T09:00:00.000Z",
        })
    );
    let found = api.data(&format!("{{ branch(by: {{code: \"NBO\"}}) {{ {ALL} }} }}"), json!({})).await;
    assert_eq!(found["branch"], opened);
}

#[tokio::test]
async fn surrounding_blanks_are_dropped() {
    let api = TestApi::start().await;
    let input = with(nairobi(), json!({"code": " NBO ", "name": "\tNairobi  "}));
    assert_eq!(change(&api, "createBranch", input, "code name").await, json!({"code": "NBO", "name": "Nairobi"}));
}

#[tokio::test]
async fn the_business_date_is_the_branchs_own() {
    let world = World::start().await;
    let dates = "{ nairobi: branch(by: {code: \"NBO\"}) { businessDate } saigon: branch(by: {code: \"HCM\"}) { businessDate } }";
    world.api.clock.set("2026-03-02T16:59:59.999Z");
    let both = world.api.data(dates, json!({})).await;
    assert_eq!(both, json!({"nairobi": {"businessDate": "2026-03-02"}, "saigon": {"businessDate": "2026-03-02"}}));
    world.api.clock.set("2026-03-02T17:00:00Z");
    let both = world.api.data(dates, json!({})).await;
    assert_eq!(both, json!({"nairobi": {"businessDate": "2026-03-02"}, "saigon": {"businessDate": "2026-03-03"}}));
}

#[tokio::test]
async fn every_problem_of_a_new_branch_is_reported_at_once() {
    let api = TestApi::start().await;
    let input = json!({"code": " ", "name": "\t", "currency": "KSH", "timeZone": "Nairobi"});
    assert_eq!(
        refused(&api, "createBranch", input).await,
        [
            "REQUIRED input.code",
            "REQUIRED input.name",
            "UNKNOWN_CURRENCY input.currency",
            "INVALID_FORMAT input.timeZone"
        ]
    );
    assert_eq!(api.data("{ branches { totalCount } }", json!({})).await["branches"]["totalCount"], 0);
}

#[tokio::test]
async fn a_new_branch_is_refused() {
    let world = World::start().await;
    let loan = world.loan("a", "100").await;
    create(&world.api, "closeBranch", json!({"branchId": world.thika})).await;
    let missing = "branch_00000000000000000000000001";
    let cases = [
        (json!({"code": "NBO 2"}), "INVALID_FORMAT input.code"),
        (json!({"code": "ÑBO"}), "INVALID_FORMAT input.code"),
        (json!({"code": "A".repeat(33)}), "TOO_LONG input.code"),
        (json!({"name": "ü".repeat(201)}), "TOO_LONG input.name"),
        (json!({"name": "Nai\u{7}robi"}), "INVALID_FORMAT input.name"),
        (json!({"name": "Nai\u{0}robi"}), "INVALID_FORMAT input.name"),
        (json!({"currency": "kes"}), "UNKNOWN_CURRENCY input.currency"),
        (json!({"currency": "KE"}), "UNKNOWN_CURRENCY input.currency"),
        (json!({"currency": "XXQ"}), "UNKNOWN_CURRENCY input.currency"),
        (json!({"timeZone": "EAT"}), "INVALID_FORMAT input.timeZone"),
        (json!({"code": "HQ"}), "ALREADY_TAKEN input.code"),
        (json!({"parentId": missing}), "NOT_FOUND input.parentId"),
        (json!({"parentId": world.thika}), "BRANCH_CLOSED input.parentId"),
        (json!({"parentId": loan}), "INVALID_ID input.parentId"),
        (json!({"parentId": "HQ"}), "INVALID_ID input.parentId"),
    ];
    for (changes, expected) in cases {
        let input = with(with(nairobi(), json!({"code": "NEW"})), changes);
        assert_eq!(refused(&world.api, "createBranch", input.clone()).await, [expected], "{input}");
    }
    let longest = json!({"code": "A".repeat(32), "name": "ü".repeat(200)});
    create(&world.api, "createBranch", with(nairobi(), longest)).await;
}

#[tokio::test]
async fn an_id_of_another_kind_is_refused_by_name() {
    let world = World::start().await;
    let errors = refusals(&world.api, "updateBranch", json!({"branchId": world.kes, "parentId": world.tran})).await;
    assert_eq!(
        errors,
        json!([
            {
                "__typename": "InvalidInput",
                "code": "INVALID_ID",
                "message": "This is the id of a loan product; send the id of a branch, which starts with \"branch_\".",
                "path": ["input", "branchId"],
            },
            {
                "__typename": "InvalidInput",
                "code": "INVALID_ID",
                "message": "This is the id of a borrower; send the id of a branch, which starts with \"branch_\".",
                "path": ["input", "parentId"],
            },
        ])
    );
}

#[tokio::test]
async fn a_branch_is_changed_where_the_input_says_so() {
    let world = World::start().await;
    let (api, of) = (&world.api, |changes| with(json!({"branchId": world.nbo}), changes));
    api.clock.set("2026-03-03T00:00:00Z");
    let selection = "code name timeZone parent { code } version createdAt updatedAt";
    let renamed = change(api, "updateBranch", of(json!({"name": "Nairobi West"})), selection).await;
    assert_eq!(
        renamed,
        json!({
            "code": "NBO", "name": "Nairobi West", "timeZone": "Africa/Nairobi", "parent": {"code": "HQ"}, "version": 2,
            "createdAt": "2026-03-02T09:00:00.000Z", "updatedAt": "2026-03-03T00:00:00.000Z",
        })
    );
    let moved =
        change(api, "updateBranch", of(json!({"parentId": null, "timeZone": "Africa/Kampala"})), selection).await;
    assert_eq!(moved["parent"], Json::Null);
    assert_eq!((&moved["name"], &moved["timeZone"]), (&json!("Nairobi West"), &json!("Africa/Kampala")));
    let back = change(api, "updateBranch", of(json!({"parentId": world.hq, "expectedVersion": 3})), selection).await;
    assert_eq!((&back["parent"]["code"], &back["version"]), (&json!("HQ"), &json!(4)));
}

#[tokio::test]
async fn a_change_of_a_branch_is_refused() {
    let world = World::start().await;
    let cases = [
        (json!({"name": " "}), "REQUIRED input.name"),
        (json!({"name": "n".repeat(201)}), "TOO_LONG input.name"),
        (json!({"timeZone": "Mars/Olympus"}), "INVALID_FORMAT input.timeZone"),
        (json!({"parentId": world.thika}), "BRANCH_CYCLE input.parentId"),
        (json!({"parentId": world.nbo}), "BRANCH_CYCLE input.parentId"),
        (json!({"parentId": "branch_00000000000000000000000001"}), "NOT_FOUND input.parentId"),
        (json!({"branchId": "branch_00000000000000000000000001"}), "NOT_FOUND input.branchId"),
    ];
    for (changes, expected) in cases {
        let input = with(json!({"branchId": world.nbo}), changes);
        assert_eq!(refused(&world.api, "updateBranch", input.clone()).await, [expected], "{input}");
    }
    let several = json!({"branchId": world.nbo, "name": "", "timeZone": ""});
    assert_eq!(refused(&world.api, "updateBranch", several).await, ["REQUIRED input.name", "REQUIRED input.timeZone"]);
    let data = world.api.data("{ branch(by: {code: \"NBO\"}) { name version parent { code } } }", json!({})).await;
    assert_eq!(data["branch"], json!({"name": "NBO", "version": 1, "parent": {"code": "HQ"}}));
}

#[tokio::test]
async fn a_stale_version_is_refused_and_named() {
    let world = World::start().await;
    for mutation in ["updateBranch", "closeBranch"] {
        let input = json!({"branchId": world.thika, "expectedVersion": 7});
        assert_eq!(
            refusals(&world.api, mutation, input).await,
            json!([{
                "__typename": "VersionConflict",
                "code": "VERSION_CONFLICT",
                "message": "This was changed by someone else and is now at version 1; read it again, then decide.",
                "path": ["input", "expectedVersion"],
                "current": 1,
            }])
        );
    }
}

#[tokio::test]
async fn only_who_works_everywhere_makes_a_branch_without_a_parent() {
    let world = World::start().await;
    let local = world.api.as_role(&[Role::Admin], &["NBO"]);
    assert_eq!(
        refused(&local, "createBranch", with(nairobi(), json!({"code": "N2"}))).await,
        ["REQUIRED input.parentId"]
    );
    let above = with(nairobi(), json!({"code": "N2", "parentId": world.hq}));
    assert_eq!(refused(&local, "createBranch", above).await, ["NOT_FOUND input.parentId"]);
    create(&local, "createBranch", with(nairobi(), json!({"code": "N2", "parentId": world.nbo}))).await;
    let detach = json!({"branchId": world.thika, "parentId": null});
    assert_eq!(refused(&local, "updateBranch", detach).await, ["REQUIRED input.parentId"]);
}

#[tokio::test]
async fn a_branch_is_closed_from_below() {
    let world = World::start().await;
    let api = &world.api;
    let in_use = |message: &str| {
        json!([{
            "__typename": "InvalidInput", "code": "BRANCH_IN_USE", "message": message, "path": ["input", "branchId"],
        }])
    };
    assert_eq!(
        refusals(api, "closeBranch", json!({"branchId": world.nbo})).await,
        in_use("Close the branches below this one first.")
    );
    let closed = change(api, "closeBranch", json!({"branchId": world.thika}), "status version").await;
    assert_eq!(closed, json!({"status": "CLOSED", "version": 2}));
    let again = change(api, "closeBranch", json!({"branchId": world.thika}), "status version").await;
    assert_eq!(again, closed);

    let loan = world.loan("a", "100").await;
    assert_eq!(
        refusals(api, "closeBranch", json!({"branchId": world.nbo})).await,
        in_use("Wait until all of this branch's loans have ended, or move them.")
    );
    create(api, "rejectLoan", json!({"loanId": loan})).await;
    change(api, "closeBranch", json!({"branchId": world.nbo, "expectedVersion": 1}), "id").await;
    assert_eq!(
        refused(api, "closeBranch", json!({"branchId": "branch_00000000000000000000000001"})).await,
        ["NOT_FOUND input.branchId"]
    );
    assert_eq!(refused(api, "closeBranch", json!({"branchId": loan})).await, ["INVALID_ID input.branchId"]);
}

#[tokio::test]
async fn a_closed_branch_takes_nobody_in() {
    let world = World::start().await;
    create(&world.api, "closeBranch", json!({"branchId": world.thika})).await;
    let person = json!({"branchId": world.thika, "name": "Otieno"});
    assert_eq!(refused(&world.api, "registerBorrower", person).await, ["BRANCH_CLOSED input.branchId"]);
    let application = with(world.application("a", "100"), json!({"branchId": world.thika}));
    assert_eq!(refused(&world.api, "applyForLoan", application).await, ["BRANCH_CLOSED input.branchId"]);
    let child = with(nairobi(), json!({"code": "N2", "parentId": world.thika}));
    assert_eq!(refused(&world.api, "createBranch", child).await, ["BRANCH_CLOSED input.parentId"]);
    let moved = json!({"branchId": world.hcm, "parentId": world.thika});
    assert_eq!(refused(&world.api, "updateBranch", moved).await, ["BRANCH_CLOSED input.parentId"]);
}

#[tokio::test]
async fn a_branch_is_looked_up() {
    let world = World::start().await;
    let query = "query($by: BranchBy!) { branch(by: $by) { code } }";
    let by = |by: Json| json!({"by": by});
    let found = json!({"branch": {"code": "NBO"}});
    assert_eq!(world.api.data(query, by(json!({"id": world.nbo}))).await, found);
    assert_eq!(world.api.data(query, by(json!({"code": "NBO"}))).await, found);
    for missing in [json!({"id": "branch_00000000000000000000000001"}), json!({"code": "nbo"}), json!({"code": ""})] {
        assert_eq!(world.api.data(query, by(missing)).await, json!({"branch": null}));
    }
    assert_eq!(
        world.api.error(query, by(json!({"id": world.tran}))).await,
        json!({
            "code": "BAD_USER_INPUT",
            "message": "This is the id of a borrower; send the id of a branch, which starts with \"branch_\".",
            "path": ["branch"],
        })
    );
    let malformed = world.api.error(query, by(json!({"id": "1"}))).await;
    assert_eq!(malformed["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_lookup_takes_exactly_one_key() {
    let api = TestApi::start().await;
    let query = "query($by: BranchBy!) { branch(by: $by) { code } }";
    for by in [json!({}), json!({"code": "A", "id": "B"}), json!({"code": null}), json!({"code": "A", "id": null})] {
        assert_eq!(api.refused(query, json!({"by": by})).await["code"], "BAD_VARIABLES", "{by}");
    }
    for by in ["{}", "{code: \"A\", id: \"B\"}", "{code: null}"] {
        let literal = format!("{{ branch(by: {by}) {{ code }} }}");
        assert_eq!(api.refused(&literal, json!({})).await["code"], "GRAPHQL_VALIDATION_FAILED", "{by}");
    }
}

#[tokio::test]
async fn the_tree_is_walked_upwards() {
    let world = World::start().await;
    branch(&world.api, "MATUU", Some(&world.thika)).await;
    let path = "{ branch(by: {code: \"MATUU\"}) { parent { code parent { code parent { code parent { code } } } } } }";
    let whole = json!({"code": "THIKA", "parent": {"code": "NBO", "parent": {"code": "HQ", "parent": null}}});
    assert_eq!(world.api.data(path, json!({})).await["branch"]["parent"], whole);
    let local = world.api.as_role(&[Role::Officer], &["THIKA"]);
    assert_eq!(local.data(path, json!({})).await["branch"]["parent"], json!({"code": "THIKA", "parent": null}));
}
