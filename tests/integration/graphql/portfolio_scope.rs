//! Whose loans are in a figure: those of the caller's branches and no others, whatever is asked and for which day.

use branch_loan_api::auth::Role;
use serde_json::{Value as Json, json};

use super::book_desk::{BookDesk, LENT_ON};
use super::world::{borrower, change, create, with};
use crate::support::api::Client;
use crate::support::engines::Engine;

both_engines!(a_foreign_branchs_loans_are_in_no_figure, odd_text_in_a_filter_finds_nothing_and_breaks_nothing);

const FIGURES: &str = "currency count principal { amount } outstanding { principal { amount } total { amount } } overdue { amount }
    creditBalance { amount } rescheduled { count outstanding { total { amount } } } ageing { days { from } amount { total { amount } } }
    portfolioAtRisk(days: 1) { amount { amount } ratio count }
    collections(from: \"2026-01-01\", to: \"2026-03-02\") { expected { total { amount } } received { total { amount } } overpaid { amount } }
    disbursements(from: \"2026-01-01\", to: \"2026-03-02\") { count amount { amount } }
    repayments(from: \"2026-01-01\", to: \"2026-03-02\") { count amount { amount } }";

/// One loan at each of three branches, paid out in January, 20 paid of each.
async fn lent(engine: &Engine) -> BookDesk {
    let desk = BookDesk::open(engine).await;
    let karanja = borrower(&desk.world.api, &desk.world.thika, "Karanja").await;
    let applications = [
        desk.world.application("nbo", "400"),
        with(desk.world.application("thika", "800"), json!({"borrowerId": karanja})),
        desk.world.foreign_application("hcm", "8400"),
    ];
    for application in applications {
        let currency = application["principal"]["currency"].clone();
        let more = json!({"annualRate": "12", "installments": 4, "appliedOn": LENT_ON, "officer": "amina"});
        let loan = create(&desk.world.api, "applyForLoan", with(application, more)).await;
        desk.record("approveLoan", &loan, json!({"on": LENT_ON})).await;
        desk.record("disburseLoan", &loan, json!({"on": LENT_ON})).await;
        let paid = json!({"amount": "20", "currency": currency});
        desk.record("recordRepayment", &loan, json!({"on": "2026-02-10", "amount": paid})).await;
        desk.record("rescheduleLoan", &loan, json!({"extraInstallments": 1})).await;
    }
    desk
}

async fn told(client: &Client, filter: Json, as_of: Json) -> Json {
    let mut told = Json::Null;
    let groups = [
        ("byCurrency", format!("{{ {FIGURES} }}")),
        ("byStatus", format!("{{ status totals {{ {FIGURES} }} }}")),
        ("byBranch", format!("{{ branch {{ code }} totals {{ {FIGURES} }} }}")),
        ("byProduct", format!("{{ product {{ code }} totals {{ {FIGURES} }} }}")),
        ("byOfficer", format!("{{ officer totals {{ {FIGURES} }} }}")),
    ];
    for (group, selection) in groups {
        let text = format!(
            "query($f: LoanFilter, $d: Date) {{ portfolio(filter: $f, asOf: $d) {{ count {group} {selection} }} }}"
        );
        told[group] = client.data(&text, json!({"f": filter, "d": as_of})).await["portfolio"].take();
    }
    let text = format!("query($f: LoanFilter) {{ loans(filter: $f) {{ totalCount totals {{ {FIGURES} }} }} }}");
    told["loans"] = client.data(&text, json!({"f": filter})).await["loans"].take();
    told
}

async fn a_foreign_branchs_loans_are_in_no_figure(engine: Engine) {
    let desk = lent(&engine).await;
    let world = &desk.world;
    for (code, branch, count) in [("NBO", &world.nbo, "2"), ("THIKA", &world.thika, "1"), ("HCM", &world.hcm, "1")] {
        let officer = world.api.as_role(&[Role::Officer], &[code]);
        for as_of in [Json::Null, json!("2026-02-20")] {
            let own = told(&officer, json!({}), as_of.clone()).await;
            let all = told(&world.api, json!({"branch": {"eq": branch}}), as_of.clone()).await;
            assert_eq!(own, all, "{code} on {as_of}");
            assert_eq!(own["byCurrency"]["count"], count, "{code} on {as_of}");
        }
    }
    let local = world.api.as_role(&[Role::Officer], &["HCM"]);
    let nowhere = world.api.as_role(&[Role::Officer], &["NOWHERE"]);
    let nothing = told(&nowhere, json!({}), Json::Null).await;
    assert_eq!(nothing["byCurrency"], json!({"count": "0", "byCurrency": []}));
    for foreign in [&world.nbo, &world.hq, &world.thika] {
        assert_eq!(told(&local, json!({"branch": {"eq": foreign}}), Json::Null).await, nothing);
        let sheet = "query($id: ID!) { collectionSheet(branch: $id, on: \"2026-03-02\") { totals { currency } } }";
        assert_eq!(local.data(sheet, json!({"id": foreign})).await["collectionSheet"], Json::Null);
    }
    let manager = world.api.as_role(&[Role::Manager], &["THIKA"]);
    let books = "{ trialBalance { balanced totals { currency debit { amount } } } journalEntries(first: 100) { nodes { branch { code } } } }";
    let books = manager.data(books, json!({})).await;
    // 800 paid out, 20 paid in, and the 8 of interest that were earned by then.
    assert_eq!(books["trialBalance"]["totals"], json!([{"currency": "KES", "debit": {"amount": "828.00"}}]));
    let entries = books["journalEntries"]["nodes"].as_array().unwrap();
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry["branch"]["code"] == "THIKA"));
    change(&world.api, "closeBusinessDay", json!({"branchId": world.hq}), "id").await;
    let own = told(&local, json!({}), Json::Null).await;
    assert_eq!(own, told(&world.api, json!({"branch": {"eq": world.hcm}}), Json::Null).await);
}

async fn odd_text_in_a_filter_finds_nothing_and_breaks_nothing(engine: Engine) {
    let desk = lent(&engine).await;
    for odd in ["%", "_", "\\", "'; DROP TABLE loans; --", "\"", "\u{1f600}", "\u{202e}x", "a\u{301}", "[a-z]*", "{}"] {
        for filter in [json!({"search": odd}), json!({"officer": {"eq": odd}}), json!({"externalRef": {"in": [odd]}})] {
            let found = told(&desk.world.api, filter.clone(), Json::Null).await;
            assert_eq!(found["byOfficer"], json!({"count": "0", "byOfficer": []}), "{filter}");
            assert_eq!(found["loans"]["totalCount"], 0, "{filter}");
        }
    }
    let text = "query($f: LoanFilter) { portfolio(filter: $f) { count } }";
    let nul = json!({"f": {"search": "a\u{0}b"}});
    assert_eq!(desk.world.api.error(text, nul).await["code"], "BAD_USER_INPUT");
    let everyone = told(&desk.world.api, json!({"officer": {"eq": "amina"}}), Json::Null).await;
    assert_eq!(everyone["byOfficer"]["count"], "3");
}
