//! The scalars over the wire: one spelling per value, and nothing that could lose digits.

use serde_json::{Value as Json, json};

use super::world::{World, mutation, refused, with};
use crate::support::api::TestApi;

#[tokio::test]
async fn a_decimal_is_a_string_without_exponent() {
    let world = World::start().await;
    let text = mutation("applyForLoan", "loan { id } userErrors { code }");
    let wrong = [
        json!(100),
        json!(100.5),
        json!("1e3"),
        json!("1E3"),
        json!("+5"),
        json!(" 5"),
        json!("5,0"),
        json!(".5"),
        json!("5."),
        json!("NaN"),
        json!(""),
        json!("٥"),
        json!(true),
    ];
    for amount in wrong {
        let input = with(world.application("k", "1"), json!({"principal": {"amount": amount, "currency": "KES"}}));
        let error = world.api.refused(&text, json!({"input": input})).await;
        assert_eq!(error["code"], "BAD_VARIABLES", "{amount}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("Variable `$input.principal.amount` is not a Decimal: Send "), "{message}");
    }
    assert_eq!(world.api.data("{ loans { totalCount } }", json!({})).await["loans"]["totalCount"], 0);
}

#[tokio::test]
async fn amounts_have_the_decimals_of_their_currency() {
    let world = World::start().await;
    let of = |amount: &str| world.foreign_application("k", amount);
    for amount in ["100.5", "100.0", "100.00"] {
        assert_eq!(
            refused(&world.api, "applyForLoan", of(amount)).await,
            ["TOO_MANY_DECIMALS input.principal.amount"],
            "{amount}"
        );
    }
    let overflow = of("99999999999999999999");
    assert_eq!(refused(&world.api, "applyForLoan", overflow).await, ["AMOUNT_OUT_OF_RANGE input.principal.amount"]);
    let body = world
        .api
        .data(&mutation("applyForLoan", "loan { principal { amount currency } }"), json!({"input": of("8400")}))
        .await;
    assert_eq!(body["applyForLoan"]["loan"]["principal"], json!({"amount": "8400", "currency": "VND"}));
    let shillings = world.application("l", "12500.5");
    let body = world
        .api
        .data(&mutation("applyForLoan", "loan { principal { amount currency } }"), json!({"input": shillings}))
        .await;
    assert_eq!(body["applyForLoan"]["loan"]["principal"], json!({"amount": "12500.50", "currency": "KES"}));
}

#[tokio::test]
async fn a_date_has_one_form() {
    let api = TestApi::start().await;
    let query = "query($day: Date) { loans(filter: {appliedOn: {eq: $day}}) { nodes { id } } }";
    for good in [json!("2028-02-29"), json!("0001-01-01"), json!("9999-12-31"), Json::Null] {
        api.data(query, json!({"day": good})).await;
    }
    let wrong = [
        json!("2026-02-29"),
        json!("2026-2-01"),
        json!("20260201"),
        json!("26-02-01"),
        json!("2026-02-01T00:00:00Z"),
        json!("01/02/2026"),
        json!("0000-01-01"),
        json!("+12026-01-01"),
        json!("today"),
        json!(""),
        json!(20_260_201),
        json!(1.5),
    ];
    for day in wrong {
        let error = api.refused(query, json!({"day": day})).await;
        assert_eq!(error["code"], "BAD_VARIABLES", "{day}");
        assert!(error["message"].as_str().unwrap().starts_with("Variable `$day` is not a Date: Send "), "{error}");
    }
}

#[tokio::test]
async fn a_moment_has_an_offset() {
    let api = TestApi::start().await;
    let query = "query($at: DateTime) { loans(filter: {createdAt: {lt: $at}}) { nodes { id } } }";
    for good in ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123456Z", "2026-01-31T12:30:00+03:00"] {
        api.data(query, json!({"at": good})).await;
    }
    for wrong in [
        json!("2026-01-31"),
        json!("2026-01-31T09:30:00"),
        json!("2026-13-31T09:30:00Z"),
        json!("now"),
        json!(1_769_851_800),
    ] {
        let error = api.refused(query, json!({"at": wrong})).await;
        assert_eq!(error["code"], "BAD_VARIABLES", "{wrong}");
        assert!(error["message"].as_str().unwrap().starts_with("Variable `$at` is not a DateTime: Send "), "{error}");
    }
}

#[tokio::test]
async fn a_moment_means_the_same_in_every_offset() {
    let world = World::start().await;
    world.loan("a", "1").await;
    let query = "query($at: DateTime!) { loans(filter: {createdAt: {gte: $at}}) { totalCount } }";
    for (at, count) in
        [("2026-03-02T12:00:00+03:00", 1), ("2026-03-02T12:00:00.001+03:00", 0), ("2026-03-02T09:00:00Z", 1)]
    {
        assert_eq!(world.api.data(query, json!({"at": at})).await["loans"]["totalCount"], count, "{at}");
    }
}

#[tokio::test]
async fn a_currency_exists() {
    let api = TestApi::start().await;
    let query = "query($code: CurrencyCode) { loans(filter: {currency: {eq: $code}}) { nodes { id } } }";
    api.data(query, json!({"code": "KES"})).await;
    for wrong in [json!("a currency that does not exist"), json!(404)] {
        assert_eq!(api.refused(query, json!({"code": wrong})).await["code"], "BAD_VARIABLES", "{wrong}");
    }
    for wrong in [json!("kes"), json!("KSH"), json!("KE"), json!("")] {
        let error = api.error(query, json!({"code": wrong})).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("BAD_USER_INPUT"), &json!(["loans"])), "{wrong}");
    }
}

/// Counts may grow past what a JSON number keeps.
#[tokio::test]
async fn long_counts_are_strings() {
    let api = TestApi::start().await;
    assert_eq!(api.data("{ portfolio { count } }", json!({})).await["portfolio"]["count"], "0");
}

/// Written into the document instead of a variable, a wrong value is told by the field that reads it.
#[tokio::test]
async fn a_wrong_literal_is_refused_where_it_stands() {
    let api = TestApi::start().await;
    let error = api.error("{ loans(filter: {appliedOn: {eq: \"2026-02-30\"}}) { nodes { id } } }", json!({})).await;
    assert_eq!((&error["code"], &error["path"]), (&json!("BAD_USER_INPUT"), &json!(["loans"])));
}
