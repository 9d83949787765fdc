//! Loans: applying for them, deciding on applications, looking at them.

use branch_loan_api::auth::Role;
use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use super::world::{USER_ERRORS, World, borrower, change, create, mutation, object, product, refusals, refused, with};
use crate::support::api::Client;

const ALL: &str = "id number externalRef status allowedTransitions
    branch { code } borrower { name } product { code } officer
    terms { principal { amount currency } annualRate installments every unit }
    principal { amount currency } approved { amount currency } disbursed { amount currency }
    appliedOn appliedBy approvedOn approvedBy disbursedOn defaultedOn closedOn decisionReason
    version createdAt updatedAt";

/// The application's whole answer.
async fn apply(client: &Client, input: Json) -> Json {
    let text = mutation("applyForLoan", &format!("loan {{ {ALL} }} replayed {USER_ERRORS}"));
    client.data(&text, json!({"input": input})).await["applyForLoan"].take()
}

async fn count(world: &World) -> Json {
    world.api.data("{ loans { totalCount } }", json!({})).await["loans"]["totalCount"].take()
}

#[tokio::test]
async fn a_loan_is_applied_for() {
    let world = World::start().await;
    let officer = world.api.as_someone("amina", &[Role::Officer], &["NBO"]);
    let input = with(
        world.application("key-1", "12500"),
        json!({"annualRate": "28.5", "installments": 6, "appliedOn": "2026-02-27", "officer": "otieno", "externalRef": "core-1"}),
    );
    let answer = apply(&officer, input).await;
    assert_eq!(
        answer,
        json!({
            "replayed": false,
            "userErrors": [],
            "loan": {
                "id": "loan_01kjpwd6m0e008000000000009",
                "number": "L-000000001",
                "externalRef": "core-1",
                "status": "PENDING",
                "allowedTransitions": ["APPROVE", "REJECT", "WITHDRAW"],
                "branch": {"code": "NBO"},
                "borrower": {"name": "Wanjiru Kamau"},
                "product": {"code": "STANDARD-KES"},
                "officer": "otieno",
                "terms": {
                    "principal": {"amount": "12500.00", "currency": "KES"},
                    "annualRate": "28.5",
                    "installments": 6,
                    "every": 1,
                    "unit": "MONTH",
                },
                "principal": {"amount": "12500.00", "currency": "KES"},
                "approved": null,
                "disbursed": {"amount": "0.00", "currency": "KES"},
                "appliedOn": "2026-02-27",
                "appliedBy": "amina",
                "approvedOn": null,
                "approvedBy": null,
                "disbursedOn": null,
                "defaultedOn": null,
                "closedOn": null,
                "decisionReason": null,
                "version": 1,
                "createdAt": "2026-03-02T09:00:00.000Z",
                "updatedAt": "2026-03-02T09:00:00.000Z",
            },
        })
    );
    let query = format!("query($by: LoanBy!) {{ loan(by: $by) {{ {ALL} }} }}");
    for by in [json!({"id": answer["loan"]["id"]}), json!({"number": "L-000000001"}), json!({"externalRef": "core-1"})]
    {
        assert_eq!(officer.data(&query, json!({"by": by})).await["loan"], answer["loan"]);
    }
}

#[tokio::test]
async fn a_loan_that_does_not_exist_is_null() {
    let world = World::start().await;
    let query = "query($by: LoanBy!) { loan(by: $by) { id } }";
    let missing =
        [json!({"id": "loan_00000000000000000000000001"}), json!({"number": "L-1"}), json!({"externalRef": ""})];
    for by in missing {
        assert_eq!(world.api.data(query, json!({"by": by})).await, json!({"loan": null}));
    }
    let wrong = world.api.error(query, json!({"by": {"id": world.vnd}})).await;
    let sentence = "This is the id of a loan product; send the id of a loan, which starts with \"loan_\".";
    assert_eq!(wrong, json!({"code": "BAD_USER_INPUT", "message": sentence, "path": ["loan"]}));
    for by in [json!({}), json!({"number": "L-1", "externalRef": "x"}), json!({"number": null})] {
        assert_eq!(world.api.refused(query, json!({"by": by})).await["code"], "BAD_VARIABLES", "{by}");
    }
}

#[tokio::test]
async fn what_an_application_leaves_out_comes_from_elsewhere() {
    let world = World::start().await;
    // At 20:00 UTC it is already tomorrow in Ho Chi Minh City.
    world.api.clock.set("2026-03-02T20:00:00Z");
    let terms = json!({"loanProductId": world.vnd, "defaultAnnualRate": "26", "defaultInstallments": 4, "every": 2, "unit": "WEEK"});
    create(&world.api, "updateLoanProduct", terms).await;
    let loan = apply(&world.api, world.foreign_application("key-1", "8400")).await["loan"].take();
    assert_eq!(
        loan["terms"],
        json!({"principal": {"amount": "8400", "currency": "VND"}, "annualRate": "26", "installments": 4, "every": 2, "unit": "WEEK"})
    );
    assert_eq!(
        (&loan["branch"]["code"], &loan["appliedOn"], &loan["officer"], &loan["externalRef"]),
        (&json!("HCM"), &json!("2026-03-03"), &json!("dev-admin"), &Json::Null)
    );
}

/// The validation of the server this one replaces: 0 < amount ≤ 50,000, a currency that exists, a term of at least 1,
/// a rate from 0 to 100.
#[tokio::test]
async fn the_borders_of_the_default_product_are_inclusive() {
    let world = World::start().await;
    let cases = [
        (json!({"principal": {"amount": "0.01", "currency": "KES"}}), None),
        (json!({"principal": {"amount": "50000", "currency": "KES"}}), None),
        (json!({"principal": {"amount": "0", "currency": "KES"}}), Some("AMOUNT_OUT_OF_RANGE input.principal.amount")),
        (json!({"principal": {"amount": "-1", "currency": "KES"}}), Some("AMOUNT_OUT_OF_RANGE input.principal.amount")),
        (
            json!({"principal": {"amount": "50000.01", "currency": "KES"}}),
            Some("AMOUNT_OUT_OF_RANGE input.principal.amount"),
        ),
        (
            json!({"principal": {"amount": "0.001", "currency": "KES"}}),
            Some("TOO_MANY_DECIMALS input.principal.amount"),
        ),
        (
            json!({"principal": {"amount": "99999999999999999999", "currency": "KES"}}),
            Some("AMOUNT_OUT_OF_RANGE input.principal.amount"),
        ),
        (json!({"principal": {"amount": "5", "currency": "XXQ"}}), Some("UNKNOWN_CURRENCY input.principal.currency")),
        (json!({"principal": {"amount": "5", "currency": "KE"}}), Some("UNKNOWN_CURRENCY input.principal.currency")),
        (json!({"principal": {"amount": "5", "currency": "kes"}}), Some("UNKNOWN_CURRENCY input.principal.currency")),
        (json!({"principal": {"amount": "5", "currency": "USD"}}), Some("CURRENCY_MISMATCH input.principal.currency")),
        (json!({"installments": 1}), None),
        (json!({"installments": 600}), None),
        (json!({"installments": 0}), Some("NUMBER_OUT_OF_RANGE input.installments")),
        (json!({"installments": -1}), Some("NUMBER_OUT_OF_RANGE input.installments")),
        (json!({"installments": 601}), Some("NUMBER_OUT_OF_RANGE input.installments")),
        (json!({"annualRate": "0"}), None),
        (json!({"annualRate": "100"}), None),
        (json!({"annualRate": "28.1234"}), None),
        (json!({"annualRate": "-0.0001"}), Some("RATE_OUT_OF_RANGE input.annualRate")),
        (json!({"annualRate": "100.0001"}), Some("RATE_OUT_OF_RANGE input.annualRate")),
        (json!({"annualRate": "28.12345"}), Some("TOO_MANY_DECIMALS input.annualRate")),
        (json!({"annualRate": "9999999999999999"}), Some("RATE_OUT_OF_RANGE input.annualRate")),
    ];
    for (number, (changes, expected)) in cases.into_iter().enumerate() {
        let input = with(world.application(&format!("key-{number}"), "100"), changes);
        match expected {
            None => drop(create(&world.api, "applyForLoan", input).await),
            Some(expected) => {
                assert_eq!(refused(&world.api, "applyForLoan", input.clone()).await, [expected], "{input}")
            }
        }
    }
}

#[tokio::test]
async fn an_amount_out_of_range_names_the_range() {
    let world = World::start().await;
    assert_eq!(
        refusals(&world.api, "applyForLoan", world.application("key-1", "50000.01")).await,
        json!([{
            "__typename": "AmountOutOfRange",
            "code": "AMOUNT_OUT_OF_RANGE",
            "message": "Choose a principal from 0.01 KES to 50000.00 KES.",
            "path": ["input", "principal", "amount"],
            "min": {"amount": "0.01", "currency": "KES"},
            "max": {"amount": "50000.00", "currency": "KES"},
        }])
    );
}

#[tokio::test]
async fn every_problem_of_an_application_is_reported_at_once() {
    let world = World::start().await;
    let wrong = json!({
        "principal": {"amount": "50001", "currency": "KES"}, "annualRate": "100.5", "installments": 601,
        "officer": "o".repeat(201), "externalRef": "r".repeat(101),
    });
    let mut found = refused(&world.api, "applyForLoan", with(world.application("key-1", "1"), wrong)).await;
    found.sort();
    assert_eq!(
        found,
        [
            "AMOUNT_OUT_OF_RANGE input.principal.amount",
            "NUMBER_OUT_OF_RANGE input.installments",
            "RATE_OUT_OF_RANGE input.annualRate",
            "TOO_LONG input.externalRef",
            "TOO_LONG input.officer",
        ]
    );
    let nobody = json!({
        "borrowerId": "borrower_00000000000000000000000001", "productId": "product_00000000000000000000000001",
        "branchId": "branch_00000000000000000000000001",
    });
    assert_eq!(
        refused(&world.api, "applyForLoan", with(world.application("key-1", "1"), nobody)).await,
        ["NOT_FOUND input.borrowerId", "NOT_FOUND input.productId", "NOT_FOUND input.branchId"]
    );
    let mixed = json!({"borrowerId": world.kes, "productId": world.wanjiru, "branchId": ""});
    assert_eq!(
        refused(&world.api, "applyForLoan", with(world.application("key-1", "1"), mixed)).await,
        ["INVALID_ID input.borrowerId", "INVALID_ID input.productId", "INVALID_ID input.branchId"]
    );
    let closed = json!({"branchId": world.thika, "installments": 0});
    create(&world.api, "closeBranch", json!({"branchId": world.thika})).await;
    create(&world.api, "retireLoanProduct", json!({"loanProductId": world.kes})).await;
    assert_eq!(
        refused(&world.api, "applyForLoan", with(world.application("key-1", "1"), closed)).await,
        ["BRANCH_CLOSED input.branchId", "PRODUCT_RETIRED input.productId", "NUMBER_OUT_OF_RANGE input.installments"]
    );
    assert_eq!(count(&world).await, 0);
}

#[tokio::test]
async fn nobody_applies_in_the_future() {
    let world = World::start().await;
    let tomorrow = with(world.application("key-1", "1"), json!({"appliedOn": "2026-03-03"}));
    assert_eq!(
        refusals(&world.api, "applyForLoan", tomorrow).await,
        json!([{
            "__typename": "DateOutOfRange",
            "code": "DATE_OUT_OF_RANGE",
            "message": "Choose a date up to 2026-03-02, not 2026-03-03.",
            "path": ["input", "appliedOn"],
            "earliest": null,
            "latest": "2026-03-02",
        }])
    );
}

#[tokio::test]
async fn an_external_reference_is_unique() {
    let world = World::start().await;
    let reference = json!({"externalRef": "core-1"});
    create(&world.api, "applyForLoan", with(world.application("key-1", "1"), reference.clone())).await;
    let second = with(world.application("key-2", "1"), reference);
    assert_eq!(refused(&world.api, "applyForLoan", second).await, ["ALREADY_TAKEN input.externalRef"]);
}

#[tokio::test]
async fn the_same_key_and_input_is_the_same_application() {
    let world = World::start().await;
    let input = with(world.application("key-1", "100"), json!({"annualRate": "10"}));
    let first = apply(&world.api, input.clone()).await;
    create(&world.api, "approveLoan", json!({"loanId": first["loan"]["id"]})).await;
    world.api.clock.advance(TimeDelta::hours(71));
    let second = apply(&world.api, input.clone()).await;
    assert_eq!(second["replayed"], true);
    assert_eq!(second["loan"]["id"], first["loan"]["id"]);
    assert_eq!(second["loan"]["status"], "APPROVED", "the loan as it now is");
    // Another product of the day cannot turn the repetition into a refusal.
    create(&world.api, "retireLoanProduct", json!({"loanProductId": world.kes})).await;
    assert_eq!(apply(&world.api, input).await["replayed"], true);
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn the_same_key_with_another_input_is_refused() {
    let world = World::start().await;
    create(&world.api, "applyForLoan", world.application("key-1", "100")).await;
    world.api.clock.advance(TimeDelta::minutes(5));
    let mismatch = json!([{
        "__typename": "IdempotencyKeyMismatch",
        "code": "IDEMPOTENCY_KEY_MISMATCH",
        "message": "This key was used for another input before; use a new key for a new request.",
        "path": ["input", "idempotencyKey"],
        "firstUsedAt": "2026-03-02T09:00:00.000Z",
    }]);
    let others = [
        world.application("key-1", "101"),
        with(world.application("key-1", "100"), json!({"installments": 12})),
        with(world.application("key-1", "100"), json!({"externalRef": "core-1"})),
        world.foreign_application("key-1", "100"),
    ];
    for other in others {
        assert_eq!(refusals(&world.api, "applyForLoan", other).await, mismatch);
    }
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn keys_belong_to_their_caller() {
    let world = World::start().await;
    let one = world.api.as_someone("amina", &[Role::Officer], &["NBO"]);
    let other = world.api.as_someone("otieno", &[Role::Officer], &["NBO"]);
    let first = apply(&one, world.application("key-1", "100")).await;
    let second = apply(&other, world.application("key-1", "200")).await;
    assert_eq!((&second["replayed"], &second["userErrors"]), (&json!(false), &json!([])));
    assert_ne!(first["loan"]["id"], second["loan"]["id"]);
}

#[tokio::test]
async fn a_refused_application_does_not_use_its_key_up() {
    let world = World::start().await;
    refused(&world.api, "applyForLoan", world.application("key-1", "50001")).await;
    let mended = apply(&world.api, world.application("key-1", "50000")).await;
    assert_eq!((&mended["replayed"], &mended["loan"]["number"]), (&json!(false), &json!("L-000000001")));
}

#[tokio::test]
async fn a_key_has_one_to_sixty_four_characters() {
    let world = World::start().await;
    for (key, expected) in [
        (String::new(), "REQUIRED input.idempotencyKey"),
        (" ".to_owned(), "REQUIRED input.idempotencyKey"),
        ("k".repeat(65), "TOO_LONG input.idempotencyKey"),
    ] {
        assert_eq!(refused(&world.api, "applyForLoan", world.application(&key, "1")).await, [expected], "{key:?}");
    }
    create(&world.api, "applyForLoan", world.application(&"ü".repeat(64), "1")).await;
    let mut without = world.application("", "1");
    without.as_object_mut().unwrap().remove("idempotencyKey");
    let text = mutation("applyForLoan", "replayed");
    assert_eq!(world.api.refused(&text, json!({"input": without})).await["code"], "BAD_VARIABLES");
}

#[tokio::test]
async fn one_key_sent_many_times_at_once_is_one_application() {
    let world = World::start().await;
    let text = mutation("applyForLoan", "loan { id } replayed userErrors { code }");
    let answers = (0..8).map(|_| world.api.data(&text, json!({"input": world.application("key-1", "100")})));
    let answers = futures_util::future::join_all(answers).await;
    let first = answers.iter().filter(|answer| answer["applyForLoan"]["replayed"] == false);
    assert_eq!(first.count(), 1, "{answers:#?}");
    for answer in &answers {
        assert_eq!(answer["applyForLoan"]["loan"], answers[0]["applyForLoan"]["loan"]);
    }
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn a_loan_is_approved() {
    let world = World::start().await;
    let id = world.loan("key-1", "1000").await;
    let manager = world.api.as_someone("njeri", &[Role::Manager], &["NBO"]);
    world.api.clock.set("2026-03-05T09:00:00Z");
    let input = json!({"loanId": id, "amount": {"amount": "800.50", "currency": "KES"}, "on": "2026-03-04", "expectedVersion": 1});
    let approved = change(&manager, "approveLoan", input, ALL).await;
    let expected = json!({
        "status": "APPROVED", "approved": {"amount": "800.50", "currency": "KES"}, "approvedOn": "2026-03-04",
        "approvedBy": "njeri", "allowedTransitions": ["WITHDRAW", "UNDO_APPROVAL", "DISBURSE"], "version": 2,
        "updatedAt": "2026-03-05T09:00:00.000Z", "closedOn": null,
        "principal": {"amount": "1000.00", "currency": "KES"},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&approved[name], value, "{name}");
    }
    let whole = world.loan("key-2", "1000").await;
    let whole = change(&manager, "approveLoan", json!({"loanId": whole}), "approved { amount } approvedOn").await;
    assert_eq!(whole, json!({"approved": {"amount": "1000.00"}, "approvedOn": "2026-03-05"}));
}

#[tokio::test]
async fn a_loan_is_rejected_and_withdrawn() {
    let world = World::start().await;
    let selection = "status closedOn decisionReason allowedTransitions approved { amount } version";
    let rejected = world.loan("key-1", "1000").await;
    let rejected = json!({"loanId": rejected, "reason": " Income not shown. "});
    assert_eq!(
        change(&world.api, "rejectLoan", rejected, selection).await,
        json!({
            "status": "REJECTED", "closedOn": "2026-03-02", "decisionReason": "Income not shown.", "allowedTransitions": [],
            "approved": null, "version": 2,
        })
    );
    let withdrawn = world.loan("key-2", "1000").await;
    create(&world.api, "approveLoan", json!({"loanId": withdrawn})).await;
    assert_eq!(
        change(&world.api, "withdrawLoan", json!({"loanId": withdrawn, "reason": ""}), selection).await,
        json!({
            "status": "WITHDRAWN", "closedOn": "2026-03-02", "decisionReason": null, "allowedTransitions": [],
            "approved": {"amount": "1000.00"}, "version": 3,
        })
    );
    let pending = world.loan("key-3", "1000").await;
    let pending = change(&world.api, "withdrawLoan", json!({"loanId": pending}), selection).await;
    assert_eq!((&pending["status"], &pending["version"]), (&json!("WITHDRAWN"), &json!(2)));
}

#[tokio::test]
async fn a_step_that_the_status_does_not_allow_is_refused() {
    let world = World::start().await;
    let api = &world.api;
    let approved = world.loan("key-1", "1000").await;
    create(api, "approveLoan", json!({"loanId": approved})).await;
    let rejected = world.loan("key-2", "1000").await;
    create(api, "rejectLoan", json!({"loanId": rejected})).await;
    let withdrawn = world.loan("key-3", "1000").await;
    create(api, "withdrawLoan", json!({"loanId": withdrawn})).await;

    assert_eq!(
        refusals(api, "approveLoan", json!({"loanId": approved})).await,
        json!([{
            "__typename": "InvalidTransition",
            "code": "INVALID_TRANSITION",
            "message": "A loan that is APPROVED cannot take the step APPROVE; choose one of WITHDRAW, UNDO_APPROVAL, DISBURSE.",
            "path": ["input", "loanId"],
            "from": "APPROVED",
            "attempted": "APPROVE",
            "allowed": ["WITHDRAW", "UNDO_APPROVAL", "DISBURSE"],
        }])
    );
    let cases = [
        ("rejectLoan", &approved, "APPROVED", "REJECT", json!(["WITHDRAW", "UNDO_APPROVAL", "DISBURSE"])),
        ("approveLoan", &rejected, "REJECTED", "APPROVE", json!([])),
        ("rejectLoan", &rejected, "REJECTED", "REJECT", json!([])),
        ("withdrawLoan", &rejected, "REJECTED", "WITHDRAW", json!([])),
        ("approveLoan", &withdrawn, "WITHDRAWN", "APPROVE", json!([])),
        ("withdrawLoan", &withdrawn, "WITHDRAWN", "WITHDRAW", json!([])),
    ];
    for (mutation, loan, from, attempted, allowed) in cases {
        let error = refusals(api, mutation, json!({"loanId": loan})).await[0].take();
        let found = (&error["__typename"], &error["from"], &error["attempted"], &error["allowed"]);
        assert_eq!(found, (&json!("InvalidTransition"), &json!(from), &json!(attempted), &allowed), "{mutation}");
    }
    let query = "query($id: ID!) { loan(by: {id: $id}) { status version } }";
    let unchanged = api.data(query, json!({"id": rejected})).await;
    assert_eq!(unchanged["loan"], json!({"status": "REJECTED", "version": 2}));
}

#[tokio::test]
async fn an_approval_keeps_to_the_amount_applied_for() {
    let world = World::start().await;
    let id = world.loan("key-1", "1000").await;
    let of = |amount: &str, currency: &str| json!({"loanId": id, "amount": {"amount": amount, "currency": currency}});
    let range = json!([{
        "__typename": "AmountOutOfRange",
        "code": "AMOUNT_OUT_OF_RANGE",
        "message": "Choose an amount from 0.01 KES to 1000.00 KES.",
        "path": ["input", "amount"],
        "min": {"amount": "0.01", "currency": "KES"},
        "max": {"amount": "1000.00", "currency": "KES"},
    }]);
    for amount in ["1000.01", "0", "-5"] {
        assert_eq!(refusals(&world.api, "approveLoan", of(amount, "KES")).await, range, "{amount}");
    }
    for (amount, currency, expected) in [
        ("5", "USD", "CURRENCY_MISMATCH input.amount.currency"),
        ("5", "XXQ", "UNKNOWN_CURRENCY input.amount.currency"),
        ("5.001", "KES", "TOO_MANY_DECIMALS input.amount.amount"),
    ] {
        assert_eq!(refused(&world.api, "approveLoan", of(amount, currency)).await, [expected]);
    }
    create(&world.api, "approveLoan", of("1000", "KES")).await;
}

#[tokio::test]
async fn decisions_lie_between_the_application_and_today() {
    let world = World::start().await;
    let id = world.loan("key-1", "1000").await;
    world.api.clock.set("2026-03-05T09:00:00Z");
    for mutation in ["approveLoan", "rejectLoan", "withdrawLoan"] {
        for day in ["2026-03-01", "2026-03-06"] {
            assert_eq!(
                refusals(&world.api, mutation, json!({"loanId": id, "on": day})).await,
                json!([{
                    "__typename": "DateOutOfRange",
                    "code": "DATE_OUT_OF_RANGE",
                    "message": format!("Choose a date from 2026-03-02 to 2026-03-05, not {day}."),
                    "path": ["input", "on"],
                    "earliest": "2026-03-02",
                    "latest": "2026-03-05",
                }]),
                "{mutation}"
            );
        }
    }
    create(&world.api, "approveLoan", json!({"loanId": id, "on": "2026-03-04"})).await;
    let early = refusals(&world.api, "withdrawLoan", json!({"loanId": id, "on": "2026-03-03"})).await;
    assert_eq!(early[0]["earliest"], "2026-03-04");
    create(&world.api, "withdrawLoan", json!({"loanId": id, "on": "2026-03-05"})).await;
}

#[tokio::test]
async fn a_decision_is_refused() {
    let world = World::start().await;
    let id = world.loan("key-1", "1000").await;
    for mutation in ["approveLoan", "rejectLoan", "withdrawLoan"] {
        assert_eq!(
            refusals(&world.api, mutation, json!({"loanId": id, "expectedVersion": 2})).await,
            json!([{
                "__typename": "VersionConflict",
                "code": "VERSION_CONFLICT",
                "message": "This was changed by someone else and is now at version 1; read it again, then decide.",
                "path": ["input", "expectedVersion"],
                "current": 1,
            }])
        );
        let missing = json!({"loanId": "loan_00000000000000000000000001"});
        assert_eq!(refused(&world.api, mutation, missing).await, ["NOT_FOUND input.loanId"]);
        assert_eq!(refused(&world.api, mutation, json!({"loanId": world.nbo})).await, ["INVALID_ID input.loanId"]);
    }
    for mutation in ["rejectLoan", "withdrawLoan"] {
        let long = json!({"loanId": id, "reason": "ü".repeat(501)});
        assert_eq!(refused(&world.api, mutation, long).await, ["TOO_LONG input.reason"]);
    }
    create(&world.api, "rejectLoan", json!({"loanId": id, "reason": "ü".repeat(500)})).await;
}

#[tokio::test]
async fn where_two_must_agree_nobody_approves_their_own_application() {
    let world = World::start_with(&[("MAKER_CHECKER", "true")]).await;
    let njeri = world.api.as_someone("njeri", &[Role::Manager], &["NBO"]);
    let id = create(&njeri, "applyForLoan", world.application("key-1", "100")).await;
    assert_eq!(
        refusals(&njeri, "approveLoan", json!({"loanId": id})).await,
        json!([{
            "__typename": "InvalidInput",
            "code": "SAME_PERSON",
            "message": "Let someone other than the person who took the application take the step APPROVE.",
            "path": null,
        }])
    );
    let other = world.api.as_someone("kariuki", &[Role::Manager], &["NBO"]);
    create(&other, "approveLoan", json!({"loanId": id})).await;
}

#[tokio::test]
async fn of_two_decisions_at_once_one_wins() {
    let world = World::start().await;
    let id = world.loan("key-1", "1000").await;
    let text = |name: &str| mutation(name, &format!("{} {{ id }} {USER_ERRORS}", object(name)));
    let (approve, reject) = (text("approveLoan"), text("rejectLoan"));
    let input = json!({"input": {"loanId": id, "expectedVersion": 1}});
    let (approved, rejected) =
        tokio::join!(world.api.data(&approve, input.clone()), world.api.data(&reject, input.clone()));
    let outcomes = [&approved["approveLoan"], &rejected["rejectLoan"]];
    let won = outcomes.iter().filter(|outcome| outcome["loan"]["id"] == json!(id)).count();
    let lost: Vec<&Json> =
        outcomes.iter().map(|outcome| &outcome["userErrors"][0]["code"]).filter(|code| !code.is_null()).collect();
    assert_eq!((won, lost), (1, vec![&json!("VERSION_CONFLICT")]));
}

#[tokio::test]
async fn loans_in_any_currency_are_taken_under_products_of_that_currency() {
    let world = World::start().await;
    let dinar = product(&world.api, "STANDARD-BHD", "BHD").await;
    let person = borrower(&world.api, &world.nbo, "Fatima").await;
    let input = with(
        world.application("key-1", "1"),
        json!({"borrowerId": person, "productId": dinar, "principal": {"amount": "1.234", "currency": "BHD"}}),
    );
    let loan = change(&world.api, "applyForLoan", input, "principal { amount currency } disbursed { amount }").await;
    assert_eq!(loan, json!({"principal": {"amount": "1.234", "currency": "BHD"}, "disbursed": {"amount": "0.000"}}));
}
