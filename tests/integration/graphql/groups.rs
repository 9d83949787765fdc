//! Groups: looking at them, their members and their loans; and the warning that a borrower may be known already.

use branch_loan_api::auth::Role;
use serde_json::{Value as Json, json};

use super::world::{World, borrower, change, create, each, refusals, refused, with};

const ALL: &str = "id number name externalRef branch { code } status meetingWeekday meetingPlace
    members { borrower { name } role joinedOn leftOn } closedOn version createdAt updatedAt";

fn umoja(world: &World) -> Json {
    json!({
        "branchId": world.nbo,
        "name": "Umoja",
        "externalRef": "grp-7",
        "meetingWeekday": "WEDNESDAY",
        "meetingPlace": "Kibera market",
    })
}

/// A group of Nairobi with Wanjiru in its chair.
async fn group(world: &World) -> String {
    let id = create(&world.api, "createGroup", umoja(world)).await;
    let chair = json!({"groupId": id, "borrowerId": world.wanjiru, "role": "CHAIR"});
    create(&world.api, "addGroupMember", chair).await;
    id
}

fn lent(world: &World, key: &str, group: &str) -> Json {
    with(world.application(key, "100"), json!({"groupId": group}))
}

#[tokio::test]
async fn a_group_is_created_joined_and_looked_up() {
    let world = World::start().await;
    let created = change(&world.api, "createGroup", umoja(&world), ALL).await;
    let expected = json!({
        "id": created["id"],
        "number": "G-000000001",
        "name": "Umoja",
        "externalRef": "grp-7",
        "branch": {"code": "NBO"},
        "status": "ACTIVE",
        "meetingWeekday": "WEDNESDAY",
        "meetingPlace": "Kibera market",
        "members": [],
        "closedOn": null,
        "version": 1,
        "createdAt": "2026-03-02T09:00:00.000Z",
        "updatedAt": "2026-03-02T09:00:00.000Z",
    });
    assert_eq!(created, expected);
    assert!(created["id"].as_str().unwrap().starts_with("group_"), "{created}");
    let join = json!({"groupId": created["id"], "borrowerId": world.wanjiru});
    let joined = change(&world.api, "addGroupMember", join.clone(), ALL).await;
    let member = |role: &str| json!({"borrower": {"name": "Wanjiru Kamau"}, "role": role, "joinedOn": "2026-03-02", "leftOn": null});
    assert_eq!(joined, with(expected.clone(), json!({"members": [member("MEMBER")], "version": 2})));
    let raise = with(join, json!({"role": "TREASURER", "expectedVersion": 2}));
    let raised = change(&world.api, "updateGroupMember", raise, ALL).await;
    assert_eq!(raised, with(expected, json!({"members": [member("TREASURER")], "version": 3})));
    let query = format!("query($by: GroupBy!) {{ group(by: $by) {{ {ALL} }} }}");
    for by in [json!({"id": created["id"]}), json!({"number": "G-000000001"}), json!({"externalRef": "grp-7"})] {
        assert_eq!(world.api.data(&query, json!({"by": by})).await["group"], raised);
    }
    for by in [json!({"id": "group_00000000000000000000000001"}), json!({"number": "G-9"}), json!({"externalRef": "x"})]
    {
        assert_eq!(world.api.data(&query, json!({"by": by})).await, json!({"group": null}));
    }
    let wrong = world.api.error(&query, json!({"by": {"id": world.nbo}})).await;
    assert_eq!((&wrong["code"], &wrong["path"]), (&json!("BAD_USER_INPUT"), &json!(["group"])));
    let node = "query($id: ID!) { node(id: $id) { ... on Group { number members { borrower { name } } } } }";
    let node = world.api.data(node, json!({"id": created["id"]})).await;
    assert_eq!(node["node"], json!({"number": "G-000000001", "members": [{"borrower": {"name": "Wanjiru Kamau"}}]}));
}

#[tokio::test]
async fn members_leave_and_the_group_closes() {
    let world = World::start().await;
    let id = group(&world).await;
    let other = borrower(&world.api, &world.nbo, "Otieno").await;
    create(&world.api, "addGroupMember", json!({"groupId": id, "borrowerId": other, "joinedOn": "2026-02-01"})).await;
    let listed = "members { borrower { name } } all: members(includeFormer: true) { borrower { name } role leftOn }";
    let leave = json!({"groupId": id, "borrowerId": other, "leftOn": "2026-02-28"});
    let left = change(&world.api, "removeGroupMember", leave, listed).await;
    assert_eq!(
        left,
        json!({
            "members": [{"borrower": {"name": "Wanjiru Kamau"}}],
            "all": [
                {"borrower": {"name": "Otieno"}, "role": "MEMBER", "leftOn": "2026-02-28"},
                {"borrower": {"name": "Wanjiru Kamau"}, "role": "CHAIR", "leftOn": null},
            ],
        })
    );
    let update = json!({"groupId": id, "name": "Pamoja", "meetingWeekday": null, "externalRef": null});
    let updated = change(&world.api, "updateGroup", update, "name meetingWeekday meetingPlace externalRef").await;
    assert_eq!(
        updated,
        json!({"name": "Pamoja", "meetingWeekday": null, "meetingPlace": "Kibera market", "externalRef": null})
    );
    let closed = change(&world.api, "closeGroup", json!({"groupId": id}), "status closedOn members { role }").await;
    assert_eq!(closed, json!({"status": "CLOSED", "closedOn": "2026-03-02", "members": []}));
}

#[tokio::test]
async fn what_a_group_does_not_allow_is_refused_by_name() {
    let world = World::start().await;
    let id = group(&world).await;
    let second = create(&world.api, "createGroup", with(umoja(&world), json!({"externalRef": null}))).await;
    let dormant = create(&world.api, "createGroup", with(umoja(&world), json!({"externalRef": null}))).await;
    create(&world.api, "closeGroup", json!({"groupId": dormant})).await;
    let loan = create(&world.api, "applyForLoan", lent(&world, "a", &id)).await;
    let other = borrower(&world.api, &world.nbo, "Otieno").await;
    let wanjiru = &world.wanjiru;
    let cases = [
        ("createGroup", umoja(&world), "ALREADY_TAKEN input.externalRef"),
        ("createGroup", with(umoja(&world), json!({"name": " "})), "REQUIRED input.name"),
        ("createGroup", with(umoja(&world), json!({"branchId": id})), "INVALID_ID input.branchId"),
        ("updateGroup", json!({"groupId": id, "expectedVersion": 1}), "VERSION_CONFLICT input.expectedVersion"),
        ("updateGroup", json!({"groupId": loan}), "INVALID_ID input.groupId"),
        ("addGroupMember", json!({"groupId": second, "borrowerId": wanjiru}), "ALREADY_IN_GROUP input.borrowerId"),
        ("addGroupMember", json!({"groupId": dormant, "borrowerId": other}), "GROUP_CLOSED input.groupId"),
        ("addGroupMember", json!({"groupId": id, "borrowerId": loan}), "INVALID_ID input.borrowerId"),
        (
            "addGroupMember",
            json!({"groupId": id, "borrowerId": other, "joinedOn": "2026-03-03"}),
            "DATE_OUT_OF_RANGE input.joinedOn",
        ),
        (
            "updateGroupMember",
            json!({"groupId": id, "borrowerId": other, "role": "CHAIR"}),
            "NOT_A_MEMBER input.borrowerId",
        ),
        ("removeGroupMember", json!({"groupId": id, "borrowerId": other}), "NOT_A_MEMBER input.borrowerId"),
        ("removeGroupMember", json!({"groupId": id, "borrowerId": wanjiru}), "MEMBER_HAS_OPEN_LOAN input.borrowerId"),
        ("closeGroup", json!({"groupId": id}), "GROUP_IN_USE input.groupId"),
        ("applyForLoan", lent(&world, "b", &second), "NOT_A_MEMBER input.borrowerId"),
        ("applyForLoan", lent(&world, "b", &dormant), "GROUP_CLOSED input.groupId"),
        ("applyForLoan", lent(&world, "b", &world.nbo), "INVALID_ID input.groupId"),
        (
            "applyForLoan",
            with(lent(&world, "b", &id), json!({"branchId": world.thika})),
            "BRANCH_MISMATCH input.groupId",
        ),
    ];
    for (name, input, expected) in cases {
        assert_eq!(refused(&world.api, name, input.clone()).await, [expected], "{name} {input}");
    }
    let errors = refusals(&world.api, "addGroupMember", json!({"groupId": second, "borrowerId": wanjiru})).await;
    assert!(errors[0]["message"].as_str().unwrap().contains("G-000000001"), "{errors}");
}

#[tokio::test]
async fn loans_know_their_group_and_groups_their_loans() {
    let world = World::start().await;
    let id = group(&world).await;
    let selection = "number group { number }";
    let made = change(&world.api, "applyForLoan", lent(&world, "a", &id), selection).await;
    assert_eq!(made, json!({"number": "L-000000001", "group": {"number": "G-000000001"}}));
    create(&world.api, "applyForLoan", lent(&world, "b", &id)).await;
    world.loan("c", "100").await;
    let query = "query($id: ID!) {
        group(by: {id: $id}) {
            page: loans(first: 1) { nodes { number } pageInfo { hasNextPage endCursor } totalCount totals { count } }
            none: loans(filter: {status: {eq: REPAID}}) { totalCount }
            last: loans(orderBy: [{field: NUMBER, direction: DESC}], first: 1) { nodes { number } }
        }
        ours: loans(filter: {group: {eq: $id}}) { nodes { number } }
        others: loans(filter: {not: {group: {eq: $id}}}) { nodes { number group { number } } }
        borrowers(first: 1) { nodes { name group { number members { borrower { name group { number } } } } } }
    }";
    let data = world.api.data(query, json!({"id": id})).await;
    let page = &data["group"]["page"];
    assert_eq!((each(&page["nodes"], "number"), &page["totalCount"]), (vec!["L-000000001".to_owned()], &json!(2)));
    assert_eq!((&page["pageInfo"]["hasNextPage"], &page["totals"]), (&json!(true), &json!([{"count": "2"}])));
    assert_eq!(data["group"]["none"], json!({"totalCount": 0}));
    assert_eq!(each(&data["group"]["last"]["nodes"], "number"), ["L-000000002"]);
    assert_eq!(each(&data["ours"]["nodes"], "number"), ["L-000000001", "L-000000002"]);
    assert_eq!(data["others"]["nodes"], json!([{"number": "L-000000003", "group": null}]));
    let own = json!({"number": "G-000000001", "members": [{"borrower": {"name": "Wanjiru Kamau", "group": {"number": "G-000000001"}}}]});
    assert_eq!(data["borrowers"]["nodes"], json!([{"name": "Wanjiru Kamau", "group": own}]));
    let next = "query($id: ID!, $after: String) { group(by: {id: $id}) { loans(first: 1, after: $after) { nodes { number } pageInfo { hasNextPage } } } }";
    let next = world.api.data(next, json!({"id": id, "after": page["pageInfo"]["endCursor"]})).await;
    assert_eq!(
        next["group"]["loans"],
        json!({"nodes": [{"number": "L-000000002"}], "pageInfo": {"hasNextPage": false}})
    );
}

#[tokio::test]
async fn groups_are_ordered_and_found() {
    let world = World::start().await;
    group(&world).await;
    let wema = json!({"branchId": world.thika, "name": "wema", "meetingWeekday": "MONDAY"});
    let wema = create(&world.api, "createGroup", wema).await;
    create(&world.api, "createGroup", json!({"branchId": world.hcm, "name": "Đoàn Kết"})).await;
    create(&world.api, "closeGroup", json!({"groupId": wema})).await;
    let names = async |arguments: &str| {
        let data = world.api.data(&format!("{{ groups{arguments} {{ nodes {{ name }} }} }}"), json!({})).await;
        each(&data["groups"]["nodes"], "name")
    };
    assert_eq!(names("").await, ["Umoja", "wema", "Đoàn Kết"]);
    assert_eq!(names("(orderBy: [{field: NUMBER, direction: DESC}], first: 2)").await, ["Đoàn Kết", "wema"]);
    assert_eq!(names("(orderBy: [{field: NAME}], last: 1)").await, ["Đoàn Kết"]);
    assert_eq!(names("(filter: {search: \"đOÀN\"})").await, ["Đoàn Kết"]);
    assert_eq!(names("(filter: {search: \"g-000000002\"})").await, ["wema"]);
    assert_eq!(names("(filter: {search: \"GRP\"})").await, ["Umoja"]);
    assert_eq!(names("(filter: {status: CLOSED})").await, ["wema"]);
    assert_eq!(names("(filter: {meetingWeekday: WEDNESDAY})").await, ["Umoja"]);
    assert_eq!(names("(filter: {not: {meetingWeekday: WEDNESDAY}})").await, ["wema", "Đoàn Kết"]);
    assert_eq!(names("(filter: {number: {eq: \"G-000000001\"}})").await, ["Umoja"]);
    let under = format!("(filter: {{branch: {{eq: \"{}\"}}}})", world.nbo);
    assert_eq!(names(&under).await, ["Umoja", "wema"]);
    let only = format!("(filter: {{branch: {{eq: \"{}\"}}, includeSubBranches: false}})", world.nbo);
    assert_eq!(names(&only).await, ["Umoja"]);
    let counted = "{ groups(first: 1) { totalCount pageInfo { hasNextPage hasPreviousPage } } }";
    assert_eq!(
        world.api.data(counted, json!({})).await["groups"],
        json!({"totalCount": 3, "pageInfo": {"hasNextPage": true, "hasPreviousPage": false}})
    );
}

#[tokio::test]
async fn a_page_of_groups_takes_one_statement_and_one_a_relation() {
    let world = World::start().await;
    for place in 0..6 {
        let input = with(umoja(&world), json!({"externalRef": null}));
        let id = create(&world.api, "createGroup", input).await;
        for person in 0..3 {
            let member = borrower(&world.api, &world.nbo, &format!("Person {place}{person}")).await;
            create(&world.api, "addGroupMember", json!({"groupId": id, "borrowerId": member})).await;
            let input = with(lent(&world, &format!("{place}{person}"), &id), json!({"borrowerId": member}));
            create(&world.api, "applyForLoan", input).await;
        }
    }
    let takes = async |expected: usize, query: &str| {
        for first in [1, 100] {
            world.api.statements().reset();
            world.api.data(&query.replace("FIRST", &first.to_string()), json!({})).await;
            assert_eq!(world.api.statements().count(), expected, "{query}\n{:#?}", world.api.statements().texts());
        }
    };
    takes(1, "{ groups(first: FIRST) { nodes { number status } } }").await;
    takes(3, "{ groups(first: FIRST) { nodes { branch { code } members { role } } } }").await;
    takes(4, "{ groups(first: FIRST) { nodes { members { borrower { name branch { code } } } } } }").await;
    // Borrowers, their memberships, the groups of these, the members, who they are.
    takes(5, "{ borrowers(last: FIRST) { nodes { group { number members { borrower { name } } } } } }").await;
    takes(2, "{ loans(first: FIRST) { nodes { group { number } } } }").await;
    takes(2, "{ group(by: {number: \"G-000000001\"}) { loans(first: FIRST) { nodes { number } } } }").await;
}

#[tokio::test]
async fn a_group_shows_no_more_than_the_callers_branches() {
    let world = World::start().await;
    let abroad = create(&world.api, "createGroup", json!({"branchId": world.thika, "name": "Thika"})).await;
    create(&world.api, "addGroupMember", json!({"groupId": abroad, "borrowerId": world.wanjiru})).await;
    let local = world.api.as_role(&[Role::Officer], &["THIKA"]);
    let query = "{ groups { nodes { name branch { code } members { role borrower { name } } } } }";
    assert_eq!(
        local.data(query, json!({})).await["groups"]["nodes"],
        json!([{"name": "Thika", "branch": {"code": "THIKA"}, "members": [{"role": "MEMBER", "borrower": null}]}])
    );
    // She belongs to a group of Thika's, and to none of the branch that looks after her.
    let hers = "query($id: ID!) { borrower(by: {id: $id}) { group { name } } }";
    assert_eq!(world.api.data(hers, json!({"id": world.wanjiru})).await, json!({"borrower": {"group": null}}));
    let foreign = world.api.as_role(&[Role::Officer], &["HCM"]);
    assert_eq!(foreign.data("{ groups { totalCount } }", json!({})).await, json!({"groups": {"totalCount": 0}}));
}

#[tokio::test]
async fn a_possible_duplicate_is_told_with_who_it_is() {
    let world = World::start().await;
    let known =
        json!({"branchId": world.nbo, "name": "Achieng", "phone": "+254 700 000 017", "nationalId": "12345678"});
    let first = create(&world.api, "registerBorrower", known.clone()).await;
    let same = |field: &str| json!({"borrowerId": first, "number": "B-000000003", "field": field});
    let warning = |matches: Json| {
        json!([{
            "__typename": "DuplicateBorrower",
            "code": "POSSIBLE_DUPLICATE",
            "message": "Someone else has this telephone number or national id: look at the matches, and send allowDuplicate: true if it is another person.",
            "path": ["input"],
            "matches": matches,
        }])
    };
    let officer = world.api.as_role(&[Role::Officer], &["NBO"]);
    let both = refusals(&officer, "registerBorrower", known.clone()).await;
    assert_eq!(both, warning(json!([same("PHONE"), same("NATIONAL_ID")])));
    let call = json!({"borrowerId": world.wanjiru, "phone": "254-700-000-017"});
    assert_eq!(refusals(&officer, "updateBorrower", call.clone()).await, warning(json!([same("PHONE")])));
    // Elsewhere nobody learns of her.
    let abroad = world.api.as_role(&[Role::Officer], &["HCM"]);
    create(&abroad, "registerBorrower", with(known.clone(), json!({"branchId": world.hcm}))).await;
    let sure = json!({"allowDuplicate": true});
    create(&officer, "updateBorrower", with(call, sure.clone())).await;
    create(&officer, "registerBorrower", with(known, sure)).await;
}
