//! Loan products: looking at them, creating, changing and retiring them.

use serde_json::{Value as Json, json};

use super::world::{World, change, create, refusals, refused, with};
use crate::support::api::TestApi;

const ALL: &str = "id code name currency principalMin { amount currency } principalMax { amount currency }
    annualRateMin annualRateMax installmentsMin installmentsMax defaultAnnualRate defaultInstallments every unit
    status version createdAt updatedAt";

fn standard() -> Json {
    json!({"code": "STANDARD", "name": "Standard", "currency": "KES"})
}

fn kes(amount: &str) -> Json {
    json!({"amount": amount, "currency": "KES"})
}

#[tokio::test]
async fn a_product_by_default_lends_up_to_fifty_thousand() {
    let api = TestApi::start().await;
    let created = change(&api, "createLoanProduct", standard(), ALL).await;
    assert_eq!(
        created,
        json!({
            "id": "product_01kjpwd6m0e008000000000001",
            "code": "STANDARD",
            "name": "Standard",
            "currency": "KES",
            "principalMin": {"amount": "0.01", "currency": "KES"},
            "principalMax": {"amount": "50000.00", "currency": "KES"},
            "annualRateMin": "0",
            "annualRateMax": "100",
            "installmentsMin": 1,
            "installmentsMax": 600,
            "defaultAnnualRate": "0",
            "defaultInstallments": 12,
            "every": 1,
            "unit": "MONTH",
            "status": "ACTIVE",
            "version": 1,
            "createdAt": "2026-03-02T09:00:00.000Z",
            "updatedAt": "2026-03-02T09:00:00.000Z",
        })
    );
    let query = format!("query($by: LoanProductBy!) {{ loanProduct(by: $by) {{ {ALL} }} }}");
    for by in [json!({"id": created["id"]}), json!({"code": "STANDARD"})] {
        assert_eq!(api.data(&query, json!({"by": by})).await["loanProduct"], created);
    }
    assert_eq!(api.data(&query, json!({"by": {"code": "NONE"}})).await, json!({"loanProduct": null}));
    let wrong = api.error(&query, json!({"by": {"id": "loan_00000000000000000000000001"}})).await;
    assert_eq!((&wrong["code"], &wrong["path"]), (&json!("BAD_USER_INPUT"), &json!(["loanProduct"])));
}

#[tokio::test]
async fn limits_follow_the_decimals_of_the_currency() {
    let api = TestApi::start().await;
    for (currency, least, most) in [("VND", "1", "50000"), ("BHD", "0.001", "50000.000"), ("JPY", "1", "50000")] {
        let input = json!({"code": currency, "name": currency, "currency": currency});
        let limits = change(&api, "createLoanProduct", input, "principalMin { amount } principalMax { amount }").await;
        assert_eq!(limits, json!({"principalMin": {"amount": least}, "principalMax": {"amount": most}}));
    }
}

#[tokio::test]
async fn a_product_has_the_terms_it_was_given() {
    let api = TestApi::start().await;
    let input = with(
        standard(),
        json!({
            "principalMin": kes("500"), "principalMax": kes("2000.50"), "annualRateMin": "12.5", "annualRateMax": "36.75",
            "installmentsMin": 4, "installmentsMax": 26, "defaultAnnualRate": "28.1234", "defaultInstallments": 8,
            "every": 2, "unit": "WEEK",
        }),
    );
    let selection = "principalMin { amount } principalMax { amount } annualRateMin annualRateMax installmentsMin
        installmentsMax defaultAnnualRate defaultInstallments every unit";
    assert_eq!(
        change(&api, "createLoanProduct", input, selection).await,
        json!({
            "principalMin": {"amount": "500.00"}, "principalMax": {"amount": "2000.50"}, "annualRateMin": "12.5",
            "annualRateMax": "36.75", "installmentsMin": 4, "installmentsMax": 26, "defaultAnnualRate": "28.1234",
            "defaultInstallments": 8, "every": 2, "unit": "WEEK",
        })
    );
    // Defaults that the limits leave no room for move to the nearest possible value.
    let input = with(standard(), json!({"code": "B", "annualRateMin": "12.5", "installmentsMax": 6}));
    assert_eq!(
        change(&api, "createLoanProduct", input, "defaultAnnualRate defaultInstallments").await,
        json!({"defaultAnnualRate": "12.5", "defaultInstallments": 6})
    );
}

#[tokio::test]
async fn every_problem_of_a_new_product_is_reported_at_once() {
    let api = TestApi::start().await;
    let input = json!({
        "code": "a b", "name": " ", "currency": "KES", "principalMin": {"amount": "1", "currency": "VND"},
        "principalMax": kes("1.001"), "annualRateMax": "1.00001", "installmentsMin": 0, "installmentsMax": 601,
    });
    assert_eq!(
        refused(&api, "createLoanProduct", input).await,
        [
            "INVALID_FORMAT input.code",
            "REQUIRED input.name",
            "CURRENCY_MISMATCH input.principalMin.currency",
            "TOO_MANY_DECIMALS input.principalMax.amount",
            "TOO_MANY_DECIMALS input.annualRateMax",
            "NUMBER_OUT_OF_RANGE input.installmentsMin",
            "NUMBER_OUT_OF_RANGE input.installmentsMax",
        ]
    );
    assert_eq!(api.data("{ loanProducts { totalCount } }", json!({})).await["loanProducts"]["totalCount"], 0);
}

#[tokio::test]
async fn a_new_product_is_refused() {
    let api = TestApi::start().await;
    create(&api, "createLoanProduct", with(standard(), json!({"code": "TAKEN"}))).await;
    let cases = [
        (json!({"code": "TAKEN"}), "ALREADY_TAKEN input.code"),
        (json!({"code": ""}), "REQUIRED input.code"),
        (json!({"code": "c".repeat(33)}), "TOO_LONG input.code"),
        (json!({"name": "n".repeat(201)}), "TOO_LONG input.name"),
        (json!({"currency": "ZZZ"}), "UNKNOWN_CURRENCY input.currency"),
        (json!({"principalMin": kes("0")}), "AMOUNT_OUT_OF_RANGE input.principalMin"),
        (json!({"principalMin": kes("-5")}), "AMOUNT_OUT_OF_RANGE input.principalMin"),
        (json!({"principalMin": kes("50000.01")}), "MAXIMUM_BELOW_MINIMUM input.principalMax"),
        (json!({"principalMax": kes("92233720368547758.08")}), "AMOUNT_OUT_OF_RANGE input.principalMax.amount"),
        (json!({"principalMax": {"amount": "1", "currency": "KSH"}}), "UNKNOWN_CURRENCY input.principalMax.currency"),
        (json!({"annualRateMin": "-0.0001"}), "RATE_OUT_OF_RANGE input.annualRateMin"),
        (json!({"annualRateMax": "1000.0001"}), "RATE_OUT_OF_RANGE input.annualRateMax"),
        (json!({"annualRateMin": "50", "annualRateMax": "49"}), "MAXIMUM_BELOW_MINIMUM input.annualRateMax"),
        (json!({"defaultAnnualRate": "100.5"}), "RATE_OUT_OF_RANGE input.defaultAnnualRate"),
        (json!({"installmentsMax": -1}), "NUMBER_OUT_OF_RANGE input.installmentsMax"),
        (json!({"installmentsMin": 7, "installmentsMax": 6}), "MAXIMUM_BELOW_MINIMUM input.installmentsMax"),
        (json!({"defaultInstallments": 601}), "NUMBER_OUT_OF_RANGE input.defaultInstallments"),
        (json!({"every": 0}), "NUMBER_OUT_OF_RANGE input.every"),
        (json!({"every": 13}), "NUMBER_OUT_OF_RANGE input.every"),
        (json!({"every": 54, "unit": "WEEK"}), "NUMBER_OUT_OF_RANGE input.every"),
    ];
    for (changes, expected) in cases {
        let input = with(standard(), changes);
        assert_eq!(refused(&api, "createLoanProduct", input.clone()).await, [expected], "{input}");
    }
}

#[tokio::test]
async fn a_change_touches_what_it_names_and_no_loan() {
    let world = World::start().await;
    let loan = world.loan("a", "40000").await;
    world.api.clock.set("2026-03-05T00:00:00Z");
    let changes = json!({"loanProductId": world.kes, "name": "Small", "principalMax": kes("1000"), "annualRateMin": "10", "expectedVersion": 1});
    let selection = "code name principalMin { amount } principalMax { amount } annualRateMin annualRateMax defaultAnnualRate defaultInstallments version updatedAt";
    assert_eq!(
        change(&world.api, "updateLoanProduct", changes, selection).await,
        json!({
            "code": "STANDARD-KES", "name": "Small", "principalMin": {"amount": "0.01"}, "principalMax": {"amount": "1000.00"},
            "annualRateMin": "10", "annualRateMax": "100", "defaultAnnualRate": "10", "defaultInstallments": 12, "version": 2,
            "updatedAt": "2026-03-05T00:00:00.000Z",
        })
    );
    let query = "query($id: ID!) { loan(by: {id: $id}) { version terms { principal { amount } annualRate } } }";
    assert_eq!(
        world.api.data(query, json!({"id": loan})).await["loan"],
        json!({"version": 1, "terms": {"principal": {"amount": "40000.00"}, "annualRate": "0"}})
    );
    assert_eq!(
        refused(&world.api, "applyForLoan", world.application("b", "1000.01")).await,
        ["AMOUNT_OUT_OF_RANGE input.principal.amount"]
    );
}

#[tokio::test]
async fn a_change_of_a_product_is_refused() {
    let world = World::start().await;
    let cases = [
        (json!({"name": " "}), "REQUIRED input.name"),
        (json!({"principalMax": {"amount": "5", "currency": "VND"}}), "CURRENCY_MISMATCH input.principalMax.currency"),
        (json!({"principalMin": kes("60000")}), "MAXIMUM_BELOW_MINIMUM input.principalMax"),
        (json!({"annualRateMax": "1001"}), "RATE_OUT_OF_RANGE input.annualRateMax"),
        (json!({"installmentsMin": 601}), "NUMBER_OUT_OF_RANGE input.installmentsMin"),
        (json!({"unit": "DAY", "every": 367}), "NUMBER_OUT_OF_RANGE input.every"),
        (json!({"expectedVersion": 2}), "VERSION_CONFLICT input.expectedVersion"),
        (json!({"loanProductId": "product_00000000000000000000000001"}), "NOT_FOUND input.loanProductId"),
        (json!({"loanProductId": world.hq}), "INVALID_ID input.loanProductId"),
    ];
    for (changes, expected) in cases {
        let input = with(json!({"loanProductId": world.kes}), changes);
        let found = refused(&world.api, "updateLoanProduct", input.clone()).await;
        assert_eq!(found.first().map(String::as_str), Some(expected), "{input}");
    }
    let data = world.api.data("{ loanProduct(by: {code: \"STANDARD-KES\"}) { version } }", json!({})).await;
    assert_eq!(data["loanProduct"]["version"], 1);
}

#[tokio::test]
async fn a_retired_product_is_no_longer_offered() {
    let world = World::start().await;
    let loan = world.loan("a", "100").await;
    assert_eq!(
        refusals(&world.api, "retireLoanProduct", json!({"loanProductId": world.kes, "expectedVersion": 9})).await[0]["current"],
        1
    );
    let retired = change(&world.api, "retireLoanProduct", json!({"loanProductId": world.kes}), "status version").await;
    assert_eq!(retired, json!({"status": "RETIRED", "version": 2}));
    let again = change(&world.api, "retireLoanProduct", json!({"loanProductId": world.kes}), "status version").await;
    assert_eq!(again, retired);
    assert_eq!(
        refused(&world.api, "applyForLoan", world.application("b", "100")).await,
        ["PRODUCT_RETIRED input.productId"]
    );
    // What was applied for before goes on.
    create(&world.api, "approveLoan", json!({"loanId": loan})).await;
    let missing = json!({"loanProductId": "product_00000000000000000000000001"});
    assert_eq!(refused(&world.api, "retireLoanProduct", missing).await, ["NOT_FOUND input.loanProductId"]);
    assert_eq!(
        refused(&world.api, "retireLoanProduct", json!({"loanProductId": loan})).await,
        ["INVALID_ID input.loanProductId"]
    );
}
