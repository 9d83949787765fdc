//! Borrowers: looking at them, registering them, changing what is known of them.

use branch_loan_api::auth::Role;
use sea_orm::ConnectionTrait;
use serde_json::{Value as Json, json};

use super::world::{World, change, create, refusals, refused, with};
use crate::support::engines::{Engine, Schema};

const ALL: &str = "id number name externalRef branch { code } phone nationalId dateOfBirth version createdAt updatedAt";

fn achieng(world: &World) -> Json {
    json!({
        "branchId": world.nbo,
        "name": "Achieng Odhiambo",
        "externalRef": "crm-17",
        "phone": "+254 700 000 017",
        "nationalId": "12345678",
        "dateOfBirth": "1990-05-17",
    })
}

#[tokio::test]
async fn a_borrower_is_registered() {
    let world = World::start().await;
    let registered = change(&world.api, "registerBorrower", achieng(&world), ALL).await;
    assert_eq!(
        registered,
        json!({
            "id": "borrower_01kjpwd6m0e008000000000009",
            "number": "B-000000003",
            "name": "Achieng Odhiambo",
            "externalRef": "crm-17",
            "branch": {"code": "NBO"},
            "phone": "+254 700 000 017",
            "nationalId": "12345678",
            "dateOfBirth": "1990-05-17",
            "version": 1,
            "createdAt": "2026-03-02T09:00:00.000Z",
            "updatedAt": "2026-03-02T09:00:00.000Z",
        })
    );
    let query = format!("query($by: BorrowerBy!) {{ borrower(by: $by) {{ {ALL} }} }}");
    for by in [json!({"id": registered["id"]}), json!({"number": "B-000000003"}), json!({"externalRef": "crm-17"})] {
        assert_eq!(world.api.data(&query, json!({"by": by})).await["borrower"], registered);
    }
    for by in
        [json!({"id": "borrower_00000000000000000000000001"}), json!({"number": "B-9"}), json!({"externalRef": "x"})]
    {
        assert_eq!(world.api.data(&query, json!({"by": by})).await, json!({"borrower": null}));
    }
    let wrong = world.api.error(&query, json!({"by": {"id": world.nbo}})).await;
    assert_eq!((&wrong["code"], &wrong["path"]), (&json!("BAD_USER_INPUT"), &json!(["borrower"])));
    for by in [json!({}), json!({"number": "B-1", "externalRef": "x"})] {
        assert_eq!(world.api.refused(&query, json!({"by": by})).await["code"], "BAD_VARIABLES");
    }
}

#[tokio::test]
async fn what_is_blank_counts_as_missing() {
    let world = World::start().await;
    let blank = json!({"externalRef": "  ", "phone": "", "nationalId": "\t", "dateOfBirth": null});
    let registered = change(&world.api, "registerBorrower", with(achieng(&world), blank), ALL).await;
    for field in ["externalRef", "phone", "nationalId", "dateOfBirth"] {
        assert_eq!(registered[field], Json::Null, "{field}");
    }
}

#[tokio::test]
async fn every_problem_of_a_new_borrower_is_reported_at_once() {
    let world = World::start().await;
    let wrong =
        json!({"name": " \t", "externalRef": "x".repeat(101), "phone": "call me", "nationalId": "9".repeat(65)});
    assert_eq!(
        refused(&world.api, "registerBorrower", with(achieng(&world), wrong)).await,
        [
            "REQUIRED input.name",
            "TOO_LONG input.externalRef",
            "INVALID_FORMAT input.phone",
            "TOO_LONG input.nationalId"
        ]
    );
}

#[tokio::test]
async fn a_new_borrower_is_refused() {
    let world = World::start().await;
    create(&world.api, "registerBorrower", achieng(&world)).await;
    let cases = [
        (json!({"name": ""}), "REQUIRED input.name"),
        (json!({"name": "n".repeat(201)}), "TOO_LONG input.name"),
        (json!({"externalRef": "crm-17", "allowDuplicate": true}), "ALREADY_TAKEN input.externalRef"),
        (json!({}), "POSSIBLE_DUPLICATE input"),
        (json!({"phone": "123"}), "INVALID_FORMAT input.phone"),
        (json!({"phone": "1234567890123456"}), "INVALID_FORMAT input.phone"),
        (json!({"phone": "+254x700"}), "INVALID_FORMAT input.phone"),
        (json!({"branchId": "branch_00000000000000000000000001"}), "NOT_FOUND input.branchId"),
        (json!({"branchId": world.tran}), "INVALID_ID input.branchId"),
        (json!({"dateOfBirth": "2026-03-03"}), "DATE_OUT_OF_RANGE input.dateOfBirth"),
    ];
    for (changes, expected) in cases {
        let input = with(with(achieng(&world), json!({"externalRef": null})), changes);
        assert_eq!(refused(&world.api, "registerBorrower", input.clone()).await, [expected], "{input}");
    }
    // Refusals leave no gap in the numbers.
    let next = with(achieng(&world), json!({"externalRef": null, "allowDuplicate": true}));
    assert_eq!(change(&world.api, "registerBorrower", next, "number").await["number"], "B-000000004");
}

#[tokio::test]
async fn refusals_repeat_no_personal_data() {
    let world = World::start().await;
    let wrong = json!({"phone": "+254-secret-phone", "nationalId": "SECRET-ID".repeat(10)});
    let errors = refusals(&world.api, "registerBorrower", with(achieng(&world), wrong)).await;
    assert!(!errors.to_string().to_lowercase().contains("secret"), "{errors}");
}

#[tokio::test]
async fn a_birth_lies_in_the_past_of_the_branch() {
    let world = World::start().await;
    world.api.clock.set("2026-03-02T18:00:00Z");
    let tomorrow = json!({"externalRef": null, "dateOfBirth": "2026-03-03"});
    assert_eq!(
        refusals(&world.api, "registerBorrower", with(achieng(&world), tomorrow.clone())).await,
        json!([{
            "__typename": "DateOutOfRange",
            "code": "DATE_OUT_OF_RANGE",
            "message": "Send a date no later than 2026-03-02.",
            "path": ["input", "dateOfBirth"],
            "earliest": null,
            "latest": "2026-03-02",
        }])
    );
    // In Ho Chi Minh City it is that day already.
    create(&world.api, "registerBorrower", with(with(achieng(&world), tomorrow), json!({"branchId": world.hcm}))).await;
}

#[tokio::test]
async fn a_borrower_is_changed_where_the_input_says_so() {
    let world = World::start().await;
    let id = create(&world.api, "registerBorrower", achieng(&world)).await;
    world.api.clock.set("2026-03-04T00:00:00Z");
    let selection = "name externalRef phone nationalId dateOfBirth version updatedAt";
    let of = |changes| with(json!({"borrowerId": id}), changes);
    let renamed = change(&world.api, "updateBorrower", of(json!({"name": "Achieng Otieno"})), selection).await;
    assert_eq!(
        renamed,
        json!({
            "name": "Achieng Otieno", "externalRef": "crm-17", "phone": "+254 700 000 017", "nationalId": "12345678",
            "dateOfBirth": "1990-05-17", "version": 2, "updatedAt": "2026-03-04T00:00:00.000Z",
        })
    );
    let cleared = json!({"externalRef": null, "phone": null, "nationalId": null, "dateOfBirth": null});
    let cleared = change(&world.api, "updateBorrower", of(cleared), selection).await;
    assert_eq!(
        cleared,
        json!({
            "name": "Achieng Otieno", "externalRef": null, "phone": null, "nationalId": null, "dateOfBirth": null,
            "version": 3, "updatedAt": "2026-03-04T00:00:00.000Z",
        })
    );
    let set = json!({"externalRef": "crm-18", "phone": "0700", "nationalId": "A1", "dateOfBirth": "2000-01-01", "expectedVersion": 3});
    let set = change(&world.api, "updateBorrower", of(set), selection).await;
    assert_eq!(
        (&set["externalRef"], &set["phone"], &set["nationalId"]),
        (&json!("crm-18"), &json!("0700"), &json!("A1"))
    );
}

#[tokio::test]
async fn a_change_of_a_borrower_is_refused() {
    let world = World::start().await;
    create(&world.api, "registerBorrower", achieng(&world)).await;
    let cases = [
        (json!({"name": ""}), "REQUIRED input.name"),
        (json!({"name": "n".repeat(201)}), "TOO_LONG input.name"),
        (json!({"externalRef": "crm-17"}), "ALREADY_TAKEN input.externalRef"),
        (json!({"externalRef": "x".repeat(101)}), "TOO_LONG input.externalRef"),
        (json!({"phone": "none"}), "INVALID_FORMAT input.phone"),
        (json!({"nationalId": "9".repeat(65)}), "TOO_LONG input.nationalId"),
        (json!({"dateOfBirth": "2030-01-01"}), "DATE_OUT_OF_RANGE input.dateOfBirth"),
        (json!({"expectedVersion": 0}), "VERSION_CONFLICT input.expectedVersion"),
        (json!({"borrowerId": "borrower_00000000000000000000000001"}), "NOT_FOUND input.borrowerId"),
        (json!({"borrowerId": world.kes}), "INVALID_ID input.borrowerId"),
    ];
    for (changes, expected) in cases {
        let input = with(json!({"borrowerId": world.wanjiru}), changes);
        assert_eq!(refused(&world.api, "updateBorrower", input.clone()).await, [expected], "{input}");
    }
    let conflict =
        refusals(&world.api, "updateBorrower", json!({"borrowerId": world.wanjiru, "expectedVersion": 2})).await;
    assert_eq!((&conflict[0]["__typename"], &conflict[0]["current"]), (&json!("VersionConflict"), &json!(1)));
}

#[tokio::test]
async fn personal_data_is_masked_for_those_who_may_not_read_it() {
    let world = World::start().await;
    let id = create(&world.api, "registerBorrower", achieng(&world)).await;
    let short = json!({"externalRef": null, "phone": "12345", "nationalId": "A1"});
    let brief = create(&world.api, "registerBorrower", with(achieng(&world), short)).await;
    let query = "query($id: ID!) { borrower(by: {id: $id}) { phone nationalId } node(id: $id) { ... on Borrower { phone } } borrowers(last: 2) { nodes { phone } } }";
    for role in [Role::Manager, Role::Admin, Role::Auditor] {
        let data = world.api.as_role(&[role], &["NBO"]).data(query, json!({"id": id})).await;
        assert_eq!(data["borrower"], json!({"phone": "+254 700 000 017", "nationalId": "12345678"}), "{role}");
    }
    for role in [Role::Officer, Role::Service] {
        let client = world.api.as_role(&[role], &["NBO"]);
        let data = client.data(query, json!({"id": id})).await;
        assert_eq!(data["borrower"], json!({"phone": "•••••017", "nationalId": "•••••678"}), "{role}");
        assert_eq!(data["node"], json!({"phone": "•••••017"}));
        assert_eq!(data["borrowers"]["nodes"], json!([{"phone": "•••••017"}, {"phone": "•••••"}]));
        let data = client.data(query, json!({"id": brief})).await;
        assert_eq!(data["borrower"], json!({"phone": "•••••", "nationalId": "•••••"}));
    }
    // What an officer writes comes back masked too.
    let officer = world.api.as_role(&[Role::Officer], &["NBO"]);
    let written =
        change(&officer, "updateBorrower", json!({"borrowerId": id, "phone": "+254 711 111 111"}), "phone").await;
    assert_eq!(written, json!({"phone": "•••••111"}));
}

#[tokio::test]
async fn a_borrower_is_found_by_telephone_number_or_national_id() {
    let world = World::start().await;
    create(&world.api, "registerBorrower", achieng(&world)).await;
    let officer = world.api.as_role(&[Role::Officer], &["NBO"]);
    let query = "query($filter: BorrowerFilter) { borrowers(filter: $filter) { totalCount nodes { name phone } } }";
    let achieng = json!({"totalCount": 1, "nodes": [{"name": "Achieng Odhiambo", "phone": "•••••017"}]});
    let nobody = json!({"totalCount": 0, "nodes": []});
    for (filter, expected) in [
        (json!({"phone": {"eq": "+254 700 000 017"}}), &achieng),
        (json!({"phone": {"eq": "(254)700-000-017"}}), &achieng),
        (json!({"nationalId": {"eq": "12 345 678"}}), &achieng),
        (json!({"phone": {"eq": "254700000017"}, "nationalId": {"eq": "12345678"}}), &achieng),
        (json!({"phone": {"isNull": false}}), &achieng),
        (json!({"phone": {"eq": "254700000017"}, "nationalId": {"eq": "12345679"}}), &nobody),
        (json!({"phone": {"eq": "700000017"}}), &nobody),
        (json!({"phone": {"eq": "12345678"}}), &nobody),
        (json!({"phone": {"eq": ""}}), &nobody),
        (json!({"not": {"phone": {"eq": "254700000017"}}, "phone": {"isNull": false}}), &nobody),
    ] {
        let data = officer.data(query, json!({"filter": filter})).await;
        assert_eq!(data["borrowers"], *expected, "{filter}");
    }
    let elsewhere = world.api.as_role(&[Role::Manager], &["HCM"]);
    let data = elsewhere.data(query, json!({"filter": {"phone": {"eq": "254700000017"}}})).await;
    assert_eq!(data["borrowers"], nobody);
    let several = json!({"or": [{"phone": {"eq": "254700000017"}}, {"phone": {"eq": "254700000018"}}]});
    let refused = officer.error(query, json!({"filter": several})).await;
    assert_eq!(
        (&refused["code"], &refused["message"]),
        (&json!("BAD_USER_INPUT"), &json!("Look for one telephone number and one national id at a time."))
    );
}

#[tokio::test]
async fn a_value_that_cannot_be_read_costs_its_own_field_only() {
    let engine = Engine::sqlite(Schema::Migrated).await;
    let world = World::on(&engine).await;
    create(&world.api, "registerBorrower", achieng(&world)).await;
    let other = json!({"externalRef": null, "phone": "0711 222 333", "nationalId": "87654321"});
    create(&world.api, "registerBorrower", with(achieng(&world), other)).await;
    let raw = engine.raw().await;
    raw.execute_unprepared("UPDATE borrowers SET phone_sealed = zeroblob(44) WHERE external_ref = 'crm-17'")
        .await
        .unwrap();
    let body = world.api.query("{ borrowers(last: 2) { nodes { phone nationalId } } }", json!({})).await;
    assert_eq!(
        body["data"]["borrowers"]["nodes"],
        json!([{"phone": null, "nationalId": "12345678"}, {"phone": "0711 222 333", "nationalId": "87654321"}])
    );
    let errors = body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{body:#}");
    assert_eq!(errors[0]["path"], json!(["borrowers", "nodes", 0, "phone"]));
    assert_eq!(errors[0]["extensions"]["code"], "UNREADABLE");
    assert!(errors[0]["message"].as_str().unwrap().contains("a key the server does not have"), "{body:#}");
}
