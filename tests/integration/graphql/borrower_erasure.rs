//! Erasing a borrower over HTTP: what the answer tells, and what the rest of the API shows of them afterwards.

use branch_loan_api::auth::Role;
use serde_json::{Value as Json, json};

use super::world::{World, change, create, mutation, refusals, refused};
use crate::support::engines::Engine;

both_engines!(what_is_left_of_a_borrower, what_keeps_a_borrower_from_being_erased, who_was_erased_is_done_with);

const ALL: &str = "id number name externalRef phone nationalId dateOfBirth erasedAt version updatedAt group { id }";

async fn achieng(world: &World) -> String {
    let person = json!({
        "branchId": world.nbo,
        "name": "Achieng Odhiambo",
        "externalRef": "crm-17",
        "phone": "+254 700 000 017",
        "nationalId": "12345678",
        "dateOfBirth": "1990-05-17",
    });
    create(&world.api, "registerBorrower", person).await
}

async fn what_is_left_of_a_borrower(engine: Engine) {
    let world = World::on(&engine).await;
    let id = achieng(&world).await;
    let group = create(&world.api, "createGroup", json!({"branchId": world.nbo, "name": "Umoja"})).await;
    create(&world.api, "addGroupMember", json!({"groupId": group, "borrowerId": id})).await;
    assert_eq!(
        change(&world.api, "updateBorrower", json!({"borrowerId": id}), "erasedAt").await["erasedAt"],
        Json::Null
    );
    let admin = world.api.as_role(&[Role::Admin], &["NBO"]);
    let text = mutation("eraseBorrower", &format!("borrower {{ {ALL} }} userErrors {{ code }}"));
    let input = json!({"borrowerId": id, "reason": "RETENTION_ENDED", "expectedVersion": 2});
    world.api.clock.set("2026-03-04T00:00:00Z");
    let left = json!({
        "id": id, "number": "B-000000003", "name": "[erased]", "externalRef": null, "phone": null, "nationalId": null,
        "dateOfBirth": null, "erasedAt": "2026-03-04T00:00:00.000Z", "version": 3,
        "updatedAt": "2026-03-04T00:00:00.000Z", "group": null,
    });
    let first = admin.data(&text, json!({"input": input})).await;
    assert_eq!(first["eraseBorrower"], json!({"borrower": left, "userErrors": []}));
    world.api.clock.set("2026-03-05T00:00:00Z");
    let again = admin.data(&text, json!({"input": input})).await;
    assert_eq!(again["eraseBorrower"], json!({"borrower": left, "userErrors": []}));

    // By id and number, in the list, as a former member; not by anything that was known of them.
    let query = format!(
        "query($id: ID!, $group: ID!) {{
            byId: borrower(by: {{id: $id}}) {{ {ALL} }}
            byReference: borrower(by: {{externalRef: \"crm-17\"}}) {{ id }}
            group(by: {{id: $group}}) {{ members(includeFormer: true) {{ leftOn borrower {{ name erasedAt }} }} }}
            listed: borrowers {{ nodes {{ name }} }}
            byName: borrowers(filter: {{search: \"achieng\"}}) {{ totalCount }}
            byPhone: borrowers(filter: {{phone: {{eq: \"254700000017\"}}}}) {{ totalCount }}
        }}"
    );
    let seen = admin.data(&query, json!({"id": id, "group": group})).await;
    let nobody = json!({"name": "[erased]", "erasedAt": left["erasedAt"]});
    assert_eq!(
        seen,
        json!({
            "byId": left,
            "byReference": null,
            "group": {"members": [{"leftOn": "2026-03-04", "borrower": nobody}]},
            "listed": {"nodes": [{"name": "Wanjiru Kamau"}, {"name": "[erased]"}]},
            "byName": {"totalCount": 0},
            "byPhone": {"totalCount": 0},
        })
    );
}

async fn what_keeps_a_borrower_from_being_erased(engine: Engine) {
    let world = World::on(&engine).await;
    let input = json!({"borrowerId": world.wanjiru});
    let loan = world.loan("a", "1000").await;
    assert_eq!(
        refusals(&world.api, "eraseBorrower", input.clone()).await,
        json!([{
            "__typename": "BorrowerHasOpenLoans",
            "code": "BORROWER_HAS_OPEN_LOANS",
            "message": "Settle every loan of this borrower first, pay back its credit, and recover what was written off: 1 open (L-000000001).",
            "path": ["input", "borrowerId"],
            "count": 1,
            "loans": [{"loanId": loan, "number": "L-000000001", "status": "PENDING"}],
        }])
    );
    create(&world.api, "rejectLoan", json!({"loanId": loan, "reason": "Wanjiru has another loan."})).await;
    for (input, expected) in [
        (json!({"borrowerId": world.wanjiru, "expectedVersion": 7}), "VERSION_CONFLICT input.expectedVersion"),
        (json!({"borrowerId": "borrower_00000000000000000000000001"}), "NOT_FOUND input.borrowerId"),
        (json!({"borrowerId": loan}), "INVALID_ID input.borrowerId"),
    ] {
        assert_eq!(refused(&world.api, "eraseBorrower", input).await, [expected]);
    }
    let foreign = world.api.as_role(&[Role::Admin], &["HCM"]);
    assert_eq!(refused(&foreign, "eraseBorrower", input.clone()).await, ["NOT_FOUND input.borrowerId"]);
    let manager = world.api.as_role(&[Role::Manager], &["NBO"]);
    let text = mutation("eraseBorrower", "borrower { id }");
    assert_eq!(manager.error(&text, json!({"input": input})).await["code"], "FORBIDDEN");

    change(&world.api, "eraseBorrower", input, "id").await;
    let query =
        "query($id: ID!) { loan(by: {id: $id}) { status borrower { name number } history { nodes { reason } } } }";
    let seen = world.api.data(query, json!({"id": loan})).await["loan"].take();
    assert_eq!(seen["borrower"], json!({"name": "[erased]", "number": "B-000000001"}));
    assert_eq!(
        (&seen["status"], &seen["history"]["nodes"]),
        (&json!("REJECTED"), &json!([{"reason": null}, {"reason": null}]))
    );
}

async fn who_was_erased_is_done_with(engine: Engine) {
    let world = World::on(&engine).await;
    let id = achieng(&world).await;
    let money = |amount: &str| json!({"amount": amount, "currency": "KES"});
    let application = json!({
        "idempotencyKey": "a", "borrowerId": id, "productId": world.kes, "principal": money("100.00"), "annualRate": "0",
    });
    let loan = create(&world.api, "applyForLoan", application).await;
    create(&world.api, "approveLoan", json!({"loanId": loan})).await;
    create(&world.api, "disburseLoan", json!({"loanId": loan, "idempotencyKey": "d"})).await;
    let paid = mutation("recordRepayment", "loan { status } transaction { id } userErrors { code }");
    let payment = json!({"loanId": loan, "idempotencyKey": "p", "amount": money("100.00")});
    let paid = world.api.data(&paid, json!({"input": payment})).await["recordRepayment"].take();
    assert_eq!(paid["loan"]["status"], "REPAID", "{paid}");
    create(&world.api, "eraseBorrower", json!({"borrowerId": id})).await;

    let group = create(&world.api, "createGroup", json!({"branchId": world.nbo, "name": "Umoja"})).await;
    let reversal = json!({"loanId": loan, "idempotencyKey": "r", "transactionId": paid["transaction"]["id"]});
    let again = json!({
        "idempotencyKey": "b", "borrowerId": id, "productId": world.kes, "principal": money("100.00"),
    });
    for (mutation, input, path) in [
        ("updateBorrower", json!({"borrowerId": id, "name": "Achieng"}), "input.borrowerId"),
        ("applyForLoan", again, "input.borrowerId"),
        ("addGroupMember", json!({"groupId": group, "borrowerId": id}), "input.borrowerId"),
        ("reverseTransaction", reversal, "input.loanId"),
        ("disburseLoan", json!({"loanId": loan, "idempotencyKey": "e"}), "input.loanId"),
    ] {
        assert_eq!(refused(&world.api, mutation, input).await, [format!("BORROWER_ERASED {path}")], "{mutation}");
    }
    let clean = world.api.data("{ verifyBooks { clean count } }", json!({})).await;
    assert_eq!(clean["verifyBooks"], json!({"clean": true, "count": 0}));
}
