//! Reports over HTTP: the portfolio's figures, collection sheets, the books, and the calendars of branches.

use branch_loan_api::auth::Role;
use serde_json::{Value as Json, json};

use super::world::{World, borrower, change, create, each, mutation, refused, with};
use crate::support::api::Client;

/// Applies, approves and pays out without interest; gives the loan's id.
async fn lend(world: &World, input: Json, on: &str) -> String {
    let plain = json!({"annualRate": "0", "installments": 4, "appliedOn": on});
    let loan = create(&world.api, "applyForLoan", with(input, plain)).await;
    create(&world.api, "approveLoan", json!({"loanId": loan, "on": on})).await;
    record(&world.api, "disburseLoan", &loan, json!({"on": on})).await;
    loan
}

async fn record(client: &Client, name: &str, loan: &str, more: Json) {
    let key = format!("{name}-{loan}-{more}").replace(['"', '{', '}'], "");
    let key: String = key.chars().rev().take(64).collect();
    let text = mutation(name, "loan { id } userErrors { code message }");
    let input = with(json!({"loanId": loan, "idempotencyKey": key}), more);
    let answer = client.data(&text, json!({"input": input})).await;
    assert_eq!(answer[name]["userErrors"], json!([]), "{name} {input}");
}

fn kes(amount: &str) -> Json {
    json!({"amount": amount, "currency": "KES"})
}

/// A group that meets in the market with a loan of 400 since 2026-01-02, due 100 on the 2nd of the next four months,
/// 50 paid; a loan of 800 of nobody's group, due 200 likewise; one elsewhere.
async fn lent() -> (World, String, String) {
    let world = World::start().await;
    let group = json!({"branchId": world.nbo, "name": "Umoja", "meetingPlace": "Market"});
    let group = create(&world.api, "createGroup", group).await;
    let otieno = borrower(&world.api, &world.nbo, "Otieno").await;
    create(&world.api, "addGroupMember", json!({"groupId": group, "borrowerId": otieno, "joinedOn": "2026-01-01"}))
        .await;
    let of_group = json!({"borrowerId": otieno, "groupId": group});
    let first = lend(&world, with(world.application("a", "400"), of_group), "2026-01-02").await;
    record(&world.api, "recordRepayment", &first, json!({"on": "2026-02-02", "amount": kes("50")})).await;
    lend(&world, world.application("b", "800"), "2026-01-02").await;
    lend(&world, world.foreign_application("c", "8400"), "2026-01-02").await;
    (world, group, first)
}

#[tokio::test]
async fn the_portfolio_has_figures_for_every_currency_and_group() {
    let (world, _, first) = lent().await;
    let figures = "currency outstanding { principal { amount } total { amount } } overdue { amount }
        risk: portfolioAtRisk(days: 27) { days amount { amount } ratio count } beyond: portfolioAtRisk { ratio }
        ageing { days { from to } amount { total { amount } } } rescheduled { count }
        collections(from: \"2026-02-01\", to: \"2026-02-28\") { expected { total { amount } } received { total { amount } } overpaid { amount } }
        disbursements(from: \"2026-01-01\", to: \"2026-01-31\") { count amount { amount } }
        repayments(from: \"2026-01-01\", to: \"2026-02-28\") { count amount { amount } portions { principal { amount } } recovered { amount } }";
    let query = format!(
        "query($f: LoanFilter, $d: Date) {{ portfolio(filter: $f, asOf: $d) {{ asOf count
            byCurrency {{ {figures} }} byOfficer {{ officer count totals {{ currency outstanding {{ total {{ amount }} }} }} }}
            byStatus {{ status totals {{ overdue {{ amount }} }} }} }}
            loans(filter: $f) {{ totals {{ currency outstanding {{ total {{ amount }} }} overdue {{ amount }} portfolioAtRisk(days: 27) {{ ratio }} }} }} }}"
    );
    let filter = json!({"f": {"branch": {"eq": world.hq}}});
    let data = world.api.data(&query, filter.clone()).await;
    let shillings = &data["portfolio"]["byCurrency"][0];
    // Two loans are 28 days past due with 50 and 200; 100 and 200 fall due today.
    assert_eq!(shillings["outstanding"], json!({"principal": {"amount": "1150.00"}, "total": {"amount": "1150.00"}}));
    assert_eq!(shillings["overdue"], json!({"amount": "250.00"}));
    assert_eq!(
        shillings["risk"],
        json!({"days": 27, "amount": {"amount": "1150.00"}, "ratio": "1.0000", "count": "2"})
    );
    assert_eq!(shillings["beyond"], json!({"ratio": "0.0000"}));
    let ageing = shillings["ageing"].as_array().unwrap();
    assert_eq!(ageing.len(), 10);
    assert_eq!(ageing[0], json!({"days": {"from": 0, "to": 0}, "amount": {"total": {"amount": "300.00"}}}));
    assert_eq!(ageing[2], json!({"days": {"from": 4, "to": 30}, "amount": {"total": {"amount": "250.00"}}}));
    assert_eq!(ageing[9]["days"], json!({"from": 241, "to": null}));
    let collections = json!({
        "expected": {"total": {"amount": "300.00"}}, "received": {"total": {"amount": "50.00"}}, "overpaid": {"amount": "0.00"},
    });
    assert_eq!(shillings["collections"], collections);
    assert_eq!(shillings["disbursements"], json!({"count": "2", "amount": {"amount": "1200.00"}}));
    let paid = json!({"count": "1", "amount": {"amount": "50.00"}, "portions": {"principal": {"amount": "50.00"}}, "recovered": {"amount": "0.00"}});
    assert_eq!(shillings["repayments"], paid);
    assert_eq!(data["portfolio"]["asOf"], Json::Null);
    assert_eq!(
        data["portfolio"]["byStatus"],
        json!([{"status": "DISBURSED", "totals": [{"overdue": {"amount": "250.00"}}]}])
    );
    let totals = json!([{"currency": "KES", "outstanding": {"total": {"amount": "1150.00"}}, "overdue": {"amount": "250.00"}, "portfolioAtRisk": {"ratio": "1.0000"}}]);
    assert_eq!(data["loans"]["totals"], totals);

    // The day of the first payment, and after that payment was reversed: as if it had never been.
    let then = json!({"f": {"branch": {"eq": world.hq}}, "d": "2026-02-02"});
    let past = world.api.data(&query, then.clone()).await["portfolio"].take();
    assert_eq!(past["asOf"], "2026-02-02");
    assert_eq!(past["byCurrency"][0]["outstanding"]["total"]["amount"], "1150.00");
    assert_eq!(past["byCurrency"][0]["overdue"]["amount"], "0.00");
    let text = "query($id: ID!) { loan(by: {id: $id}) { transactions { nodes { id kind } } } }";
    let transactions = world.api.data(text, json!({"id": first})).await["loan"]["transactions"]["nodes"].take();
    record(&world.api, "reverseTransaction", &first, json!({"transactionId": transactions[1]["id"]})).await;
    let past = world.api.data(&query, then).await["portfolio"].take();
    assert_eq!(past["byCurrency"][0]["outstanding"]["total"]["amount"], "1200.00");

    let error = world.api.error(&query, json!({"d": "2026-03-05"})).await;
    assert_eq!(error["code"], "BAD_USER_INPUT", "{error}");
    let backwards = "{ portfolio { byCurrency { repayments(from: \"2026-01-02\", to: \"2026-01-01\") { count } } } }";
    assert_eq!(world.api.error(backwards, json!({})).await["code"], "BAD_USER_INPUT");
    let negative = "{ portfolio { byCurrency { portfolioAtRisk(days: -1) { count } } } }";
    assert_eq!(world.api.error(negative, json!({})).await["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn loans_are_filtered_and_sorted_by_days_past_due() {
    let (world, _, _) = lent().await;
    world.loan("pending", "1").await;
    let query = "query($f: LoanFilter, $o: [LoanOrder!], $after: String) { loans(filter: $f, orderBy: $o, first: 2, after: $after) {
        nodes { principal { amount } daysPastDue } pageInfo { hasNextPage endCursor } totalCount } }";
    let late = world.api.data(query, json!({"f": {"daysPastDue": {"gt": 27}}})).await["loans"].take();
    assert_eq!(late["totalCount"], 3);
    let none = json!({"f": {"daysPastDue": {"eq": 0}}});
    assert_eq!(world.api.data(query, none).await["loans"]["totalCount"], 1);
    let order = json!([{"field": "DAYS_PAST_DUE", "direction": "DESC"}]);
    let first = world.api.data(query, json!({"o": order})).await["loans"].take();
    let after = &first["pageInfo"]["endCursor"];
    let second = world.api.data(query, json!({"o": order, "after": after})).await["loans"].take();
    let days: Vec<i64> = [&first, &second]
        .iter()
        .flat_map(|page| page["nodes"].as_array().unwrap())
        .map(|loan| loan["daysPastDue"].as_i64().unwrap())
        .collect();
    assert_eq!(days, [28, 28, 28, 0]);
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn a_collection_sheet_says_who_owes_what() {
    let (world, group, first) = lent().await;
    let rows = "rows(first: 1, after: $after) { totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes {
        center group { name } borrower { name } loanId loan { number } due { total { amount } } overdue { total { amount } }
        total { amount } credit { amount } daysPastDue nextDueOn } }";
    let query = format!(
        "query($id: ID!, $group: ID, $after: String) {{ collectionSheet(branch: $id, on: \"2026-03-02\", group: $group) {{
            on branch {{ code }} {rows}
            groups {{ center group {{ name }} currency count total {{ amount }} }}
            totals {{ currency count due {{ total {{ amount }} }} overdue {{ total {{ amount }} }} total {{ amount }} }} }} }}"
    );
    let sheet = world.api.data(&query, json!({"id": world.hq})).await["collectionSheet"].take();
    assert_eq!((&sheet["on"], &sheet["branch"]["code"]), (&json!("2026-03-02"), &json!("HQ")));
    let of_group = json!({
        "center": "Market", "group": {"name": "Umoja"}, "borrower": {"name": "Otieno"}, "loanId": first,
        "loan": {"number": "L-000000001"}, "due": {"total": {"amount": "100.00"}}, "overdue": {"total": {"amount": "50.00"}},
        "total": {"amount": "150.00"}, "credit": {"amount": "0.00"}, "daysPastDue": 28, "nextDueOn": "2026-04-02",
    });
    assert_eq!(sheet["rows"]["nodes"], json!([of_group]));
    assert_eq!(sheet["rows"]["totalCount"], 2);
    assert_eq!(
        sheet["groups"],
        json!([
            {"center": "Market", "group": {"name": "Umoja"}, "currency": "KES", "count": "1", "total": {"amount": "150.00"}},
            {"center": null, "group": null, "currency": "KES", "count": "1", "total": {"amount": "400.00"}},
        ])
    );
    let totals = json!([{"currency": "KES", "count": "2", "due": {"total": {"amount": "300.00"}}, "overdue": {"total": {"amount": "250.00"}}, "total": {"amount": "550.00"}}]);
    assert_eq!(sheet["totals"], totals);

    let after = sheet["rows"]["pageInfo"]["endCursor"].clone();
    let second = world.api.data(&query, json!({"id": world.hq, "after": after})).await["collectionSheet"].take();
    assert_eq!(second["rows"]["nodes"][0]["borrower"]["name"], "Wanjiru Kamau");
    let info = &second["rows"]["pageInfo"];
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(false), &json!(true)));
    // A cursor belongs to its sheet.
    let error = world.api.error(&query, json!({"id": world.nbo, "after": after})).await;
    assert_eq!(error["code"], "INVALID_CURSOR");

    let own = "query($id: ID!) { group(by: {id: $id}) { collectionSheet(on: \"2026-02-03\") { rows { nodes { total { amount } } } } } }";
    let own = world.api.data(own, json!({"id": group})).await["group"]["collectionSheet"].take();
    assert_eq!(own["rows"]["nodes"], json!([{"total": {"amount": "50.00"}}]), "nothing of March is due yet");
    let none = world.api.data(&query, json!({"id": world.thika})).await["collectionSheet"].take();
    assert_eq!((&none["rows"]["nodes"], &none["totals"]), (&json!([]), &json!([])));
    let foreign = json!({"id": world.hcm, "group": group});
    assert_eq!(world.api.data(&query, foreign).await["collectionSheet"]["rows"]["nodes"], json!([]));
    let local = world.api.as_role(&[Role::Officer], &["HCM"]);
    assert_eq!(local.data(&query, json!({"id": world.nbo})).await["collectionSheet"], Json::Null);
}

#[tokio::test]
async fn the_books_balance_and_can_be_read_line_by_line() {
    let (world, _, first) = lent().await;
    let query = "query($id: ID, $on: Date) { trialBalance(branch: $id, asOf: $on) { asOf balanced
        rows { account kind currency debit { amount } credit { amount } balance { amount } } totals { currency debit { amount } credit { amount } } } }";
    let books = world.api.data(query, json!({"id": world.nbo})).await["trialBalance"].take();
    assert_eq!((&books["asOf"], &books["balanced"]), (&json!("2026-03-02"), &json!(true)));
    let row = |account: &str, kind: &str, debit: &str, credit: &str, balance: &str| {
        let amount = |amount: &str| json!({"amount": amount});
        json!({"account": account, "kind": kind, "currency": "KES", "debit": amount(debit), "credit": amount(credit), "balance": amount(balance)})
    };
    assert_eq!(
        books["rows"],
        json!([
            row("CASH", "ASSET", "50.00", "1200.00", "-1150.00"),
            row("LOANS_RECEIVABLE", "ASSET", "1200.00", "50.00", "1150.00"),
        ])
    );
    assert_eq!(
        books["totals"],
        json!([{"currency": "KES", "debit": {"amount": "1250.00"}, "credit": {"amount": "1250.00"}}])
    );
    let before = world.api.data(query, json!({"id": world.hq, "on": "2026-02-01"})).await["trialBalance"].take();
    assert_eq!(before["rows"][0], row("CASH", "ASSET", "0.00", "1200.00", "-1200.00"));
    let all = world.api.data(query, json!({})).await["trialBalance"].take();
    assert_eq!(each(&all["totals"], "currency"), ["KES", "VND"]);

    let accounts = "query($id: ID) { ledgerAccounts(branch: $id) { account kind normalSide description balances { amount currency } } }";
    let accounts = world.api.data(accounts, json!({"id": world.nbo})).await["ledgerAccounts"].take();
    assert_eq!(accounts.as_array().unwrap().len(), 14);
    assert_eq!(accounts[0]["balances"], json!([{"amount": "-1150.00", "currency": "KES"}]));
    let income = accounts.as_array().unwrap().iter().find(|account| account["account"] == "INTEREST_INCOME").unwrap();
    assert_eq!((&income["normalSide"], &income["balances"]), (&json!("CREDIT"), &json!([])));

    let journal = "query($f: JournalEntryFilter, $o: [JournalEntryOrder!], $first: Int, $after: String) {
        journalEntries(filter: $f, orderBy: $o, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
            nodes { id kind on branch { code } loan { id } lines { account side amount { amount } loan { number } } } } }";
    let of = async |filter: Json| world.api.data(journal, json!({"f": filter})).await["journalEntries"].take();
    let paid = of(json!({"loan": {"eq": first}, "kind": "REPAYMENT"})).await;
    assert_eq!(paid["totalCount"], 1);
    let entry = &paid["nodes"][0];
    assert_eq!(
        (&entry["on"], &entry["branch"]["code"], &entry["loan"]["id"]),
        (&json!("2026-02-02"), &json!("NBO"), &json!(first))
    );
    let line = |account: &str, side: &str| json!({"account": account, "side": side, "amount": {"amount": "50.00"}, "loan": {"number": "L-000000001"}});
    assert_eq!(entry["lines"], json!([line("CASH", "DEBIT"), line("LOANS_RECEIVABLE", "CREDIT")]));
    assert_eq!(of(json!({"branch": {"eq": world.hq}})).await["totalCount"], 3);
    assert_eq!(of(json!({"branch": {"eq": world.hq}, "includeSubBranches": false})).await["totalCount"], 0);
    assert_eq!(of(json!({"account": "CASH", "on": {"gte": "2026-02-01"}})).await["totalCount"], 1);
    assert_eq!(of(json!({"account": "FEE_INCOME"})).await["totalCount"], 0);
    assert_eq!(of(json!({"not": {"account": "FEE_INCOME"}})).await["totalCount"], 4);
    let found = world.api.data("query($id: ID!) { node(id: $id) { id __typename } }", json!({"id": entry["id"]})).await;
    assert_eq!(found["node"], json!({"id": entry["id"], "__typename": "JournalEntry"}));

    let order = json!([{"field": "ON", "direction": "DESC"}]);
    let page = world.api.data(journal, json!({"o": order, "first": 3})).await["journalEntries"].take();
    assert_eq!(page["nodes"][0]["id"], entry["id"], "the latest first");
    let after = &page["pageInfo"]["endCursor"];
    let rest = world.api.data(journal, json!({"o": order, "first": 3, "after": after})).await["journalEntries"].take();
    assert_eq!((rest["nodes"].as_array().unwrap().len(), &rest["pageInfo"]["hasNextPage"]), (1, &json!(false)));

    let auditor = world.api.as_role(&[Role::Auditor], &["HCM"]);
    assert_eq!(auditor.data(query, json!({"id": world.nbo})).await["trialBalance"], Json::Null);
    let own = auditor.data(query, json!({})).await["trialBalance"].take();
    assert_eq!(each(&own["totals"], "currency"), ["VND"]);
}

#[tokio::test]
async fn a_branch_has_a_calendar_of_its_own() {
    let world = World::start().await;
    let calendar =
        "restDays closedThrough businessDate version holidays(from: \"2026-01-01\", to: \"2026-12-31\") { on name }";
    let manager = world.api.as_role(&[Role::Manager], &["NBO"]);
    let input = json!({"branchId": world.nbo, "restDays": ["SUNDAY", "SATURDAY", "SUNDAY"]});
    let rested = change(&manager, "setBranchRestDays", input, calendar).await;
    assert_eq!(rested["restDays"], json!(["SATURDAY", "SUNDAY"]));
    assert_eq!((&rested["closedThrough"], &rested["businessDate"]), (&Json::Null, &json!("2026-03-02")));
    let day = |on: &str, name: &str| json!({"on": on, "name": name});
    let days = json!([
        day("2026-12-12", "Jamhuri Day"),
        day("2026-06-01", "Madaraka"),
        day("2027-01-01", "New Year"),
        day("2026-06-01", "Madaraka Day")
    ]);
    let added = change(&manager, "addBranchHolidays", json!({"branchId": world.nbo, "holidays": days}), calendar).await;
    assert_eq!(added["holidays"], json!([day("2026-06-01", "Madaraka Day"), day("2026-12-12", "Jamhuri Day")]));
    let input =
        json!({"branchId": world.nbo, "days": ["2026-06-01", "2026-06-02"], "expectedVersion": added["version"]});
    let removed = change(&manager, "removeBranchHolidays", input.clone(), calendar).await;
    assert_eq!(removed["holidays"], json!([day("2026-12-12", "Jamhuri Day")]));
    let above = world
        .api
        .data("query($id: ID!) { branch(by: {id: $id}) { restDays holidays { on } } }", json!({"id": world.hq}))
        .await;
    assert_eq!(above["branch"], json!({"restDays": [], "holidays": []}), "neither is the branch's above");

    assert_eq!(refused(&manager, "removeBranchHolidays", input).await, ["VERSION_CONFLICT input.expectedVersion"]);
    let week = json!(["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]);
    let never = json!({"branchId": world.nbo, "restDays": week});
    assert_eq!(refused(&manager, "setBranchRestDays", never).await, ["INVALID_FORMAT input.restDays"]);
    let nameless = json!({"branchId": world.nbo, "holidays": [day("2026-06-01", " ")]});
    assert_eq!(refused(&manager, "addBranchHolidays", nameless).await, ["REQUIRED input.holidays.0.name"]);
    let nothing = json!({"branchId": world.nbo, "holidays": []});
    assert_eq!(refused(&manager, "addBranchHolidays", nothing).await, ["REQUIRED input.holidays"]);
    let foreign = json!({"branchId": world.hcm, "restDays": []});
    assert_eq!(refused(&manager, "setBranchRestDays", foreign).await, ["NOT_FOUND input.branchId"]);
}
