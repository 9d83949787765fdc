//! The portfolio: counts, sums and averages, exact and never across currencies.

use branch_loan_api::auth::Role;
use serde_json::{Value as Json, json};

use super::world::{World, create, product, with};
use crate::support::api::TestApi;

const ALL: &str = "query($filter: LoanFilter) {
    portfolio(filter: $filter) {
        count
        byCurrency { ...totals }
        byStatus { status count totals { ...totals } }
        byBranch { branch { code parent { code } } count totals { ...totals } }
        byProduct { product { code } count totals { ...totals } }
    }
}
fragment totals on CurrencyTotals { currency count principal { amount currency } averagePrincipal { amount currency } }";

fn totals(currency: &str, count: &str, sum: &str, average: &str) -> Json {
    json!({
        "currency": currency,
        "count": count,
        "principal": {"amount": sum, "currency": currency},
        "averagePrincipal": {"amount": average, "currency": currency},
    })
}

/// Two pending and one approved loan in shillings, one of them in Thika; a rejected one in dong.
async fn lend() -> World {
    let world = World::start().await;
    world.loan("a", "100").await;
    let approved = world.loan("b", "250.25").await;
    create(&world.api, "approveLoan", json!({"loanId": approved})).await;
    create(&world.api, "applyForLoan", with(world.application("c", "0.05"), json!({"branchId": world.thika}))).await;
    let rejected = world.foreign_loan("d", "8400").await;
    create(&world.api, "rejectLoan", json!({"loanId": rejected})).await;
    world
}

#[tokio::test]
async fn an_empty_portfolio_counts_nothing() {
    let api = TestApi::start().await;
    assert_eq!(
        api.data(ALL, json!({})).await["portfolio"],
        json!({"count": "0", "byCurrency": [], "byStatus": [], "byBranch": [], "byProduct": []})
    );
}

#[tokio::test]
async fn the_portfolio_is_counted_by_everything() {
    let world = lend().await;
    assert_eq!(
        world.api.data(ALL, json!({})).await["portfolio"],
        json!({
            "count": "4",
            "byCurrency": [totals("KES", "3", "350.30", "116.77"), totals("VND", "1", "8400", "8400")],
            "byStatus": [
                {"status": "PENDING", "count": "2", "totals": [totals("KES", "2", "100.05", "50.02")]},
                {"status": "APPROVED", "count": "1", "totals": [totals("KES", "1", "250.25", "250.25")]},
                {"status": "REJECTED", "count": "1", "totals": [totals("VND", "1", "8400", "8400")]},
            ],
            "byBranch": [
                {"branch": {"code": "NBO", "parent": {"code": "HQ"}}, "count": "2", "totals": [totals("KES", "2", "350.25", "175.12")]},
                {"branch": {"code": "THIKA", "parent": {"code": "NBO"}}, "count": "1", "totals": [totals("KES", "1", "0.05", "0.05")]},
                {"branch": {"code": "HCM", "parent": null}, "count": "1", "totals": [totals("VND", "1", "8400", "8400")]},
            ],
            "byProduct": [
                {"product": {"code": "STANDARD-KES"}, "count": "3", "totals": [totals("KES", "3", "350.30", "116.77")]},
                {"product": {"code": "STANDARD-VND"}, "count": "1", "totals": [totals("VND", "1", "8400", "8400")]},
            ],
        })
    );
}

#[tokio::test]
async fn a_group_with_several_currencies_has_a_row_for_each() {
    let world = World::start().await;
    let dollars = product(&world.api, "STANDARD-USD", "USD").await;
    world.loan("a", "100").await;
    let other = json!({"productId": dollars, "principal": {"amount": "7.10", "currency": "USD"}});
    create(&world.api, "applyForLoan", with(world.application("b", "1"), other)).await;
    let both = json!([totals("KES", "1", "100.00", "100.00"), totals("USD", "1", "7.10", "7.10")]);
    let portfolio = world.api.data(ALL, json!({})).await["portfolio"].take();
    assert_eq!(portfolio["byCurrency"], both);
    assert_eq!(portfolio["byStatus"], json!([{"status": "PENDING", "count": "2", "totals": both}]));
    let branch = json!({"code": "NBO", "parent": {"code": "HQ"}});
    assert_eq!(portfolio["byBranch"], json!([{"branch": branch, "count": "2", "totals": both}]));
}

#[tokio::test]
async fn averages_are_rounded_half_to_even() {
    let world = World::start().await;
    let average = "query($f: LoanFilter) { portfolio(filter: $f) { byCurrency { principal { amount } averagePrincipal { amount } } } }";
    let of = async |currency: &str| {
        let filter = json!({"f": {"currency": {"eq": currency}}});
        let row = world.api.data(average, filter).await["portfolio"]["byCurrency"][0].take();
        (
            row["principal"]["amount"].as_str().unwrap().to_owned(),
            row["averagePrincipal"]["amount"].as_str().unwrap().to_owned(),
        )
    };
    let exact = |sum: &str, average: &str| (sum.to_owned(), average.to_owned());
    world.loan("a", "0.02").await;
    world.loan("b", "0.03").await;
    assert_eq!(of("KES").await, exact("0.05", "0.02"), "0.025 goes down to the even one");
    world.loan("c", "0.03").await;
    world.loan("d", "0.06").await;
    assert_eq!(of("KES").await, exact("0.14", "0.04"), "0.035 goes up to the even one");
    world.foreign_loan("e", "8400").await;
    world.foreign_loan("f", "8401").await;
    assert_eq!(of("VND").await, exact("16801", "8400"), "8400.5, without decimals");
    world.foreign_loan("g", "3").await;
    assert_eq!(of("VND").await, exact("16804", "5601"), "5601.33…");
}

#[tokio::test]
async fn large_sums_are_exact() {
    let world = World::start().await;
    let huge = json!({"loanProductId": world.kes, "principalMax": {"amount": "45035996273704.97", "currency": "KES"}});
    create(&world.api, "updateLoanProduct", huge).await;
    // Twice 2^52 + 1 minor units: the sum has no exact floating point number below it.
    world.loan("a", "45035996273704.97").await;
    world.loan("b", "45035996273704.96").await;
    world.loan("c", "0.01").await;
    world.loan("d", "0.01").await;
    let sums = world.api.data("{ portfolio { byCurrency { principal { amount } } } }", json!({})).await;
    assert_eq!(sums["portfolio"]["byCurrency"], json!([{"principal": {"amount": "90071992547409.95"}}]));
}

#[tokio::test]
async fn a_portfolio_can_be_a_part() {
    let world = lend().await;
    let query = "query($filter: LoanFilter) { portfolio(filter: $filter) { count byCurrency { currency } byBranch { branch { code } } } }";
    let part = async |filter: Json| world.api.data(query, json!({"filter": filter})).await["portfolio"].take();
    let kes = |branches: &[&str], count: &str| {
        let groups: Vec<Json> = branches.iter().map(|code| json!({"branch": {"code": code}})).collect();
        json!({"count": count, "byCurrency": [{"currency": "KES"}], "byBranch": groups})
    };
    assert_eq!(part(json!({"branch": {"eq": world.nbo}})).await, kes(&["NBO", "THIKA"], "3"));
    assert_eq!(part(json!({"branch": {"eq": world.nbo}, "includeSubBranches": false})).await, kes(&["NBO"], "2"));
    assert_eq!(part(json!({"status": {"eq": "PENDING"}})).await, kes(&["NBO", "THIKA"], "2"));
    assert_eq!(part(json!({"search": "kamau"})).await["count"], "3");
    assert_eq!(part(json!({"or": []})).await["count"], "0");
    let error = world.api.error(query, json!({"filter": {"branch": {"eq": world.kes}}})).await;
    assert_eq!((&error["code"], &error["path"]), (&json!("BAD_USER_INPUT"), &json!(["portfolio"])));
    let error = world.api.error(query, json!({"filter": {"not": {"not": {"not": {"not": {}}}}}})).await;
    assert_eq!(error["message"], "Nest and, or and not at most 3 deep.");
}

#[tokio::test]
async fn a_portfolio_is_that_of_the_callers_branches() {
    let world = lend().await;
    let of = async |branches: &[&str]| {
        let client = world.api.as_role(&[Role::Auditor], branches);
        client.data("{ portfolio { count byCurrency { currency } byBranch { branch { code } } byProduct { product { code } } byStatus { status } } }", json!({})).await["portfolio"].take()
    };
    assert_eq!(
        of(&["HCM"]).await,
        json!({
            "count": "1", "byCurrency": [{"currency": "VND"}], "byBranch": [{"branch": {"code": "HCM"}}],
            "byProduct": [{"product": {"code": "STANDARD-VND"}}], "byStatus": [{"status": "REJECTED"}],
        })
    );
    assert_eq!(of(&["THIKA"]).await["count"], "1");
    assert_eq!(of(&["NBO"]).await["count"], "3");
    assert_eq!(of(&["NONE"]).await["count"], "0");
}
