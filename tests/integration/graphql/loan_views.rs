//! Loans with their figures: schedule, balances, arrears, transactions, history, quotes; as of a day and as known at a
//! moment; and how many statements that takes.

use branch_loan_api::auth::{Actor, BranchGrant, Role};
use branch_loan_api::ids::{Kind, NodeId};
use branch_loan_api::service::check::AmountInput;
use branch_loan_api::service::loan_books::{Record, What};
use chrono::NaiveDate;
use lending::loan::{ChargeKind, PaymentKind};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::world::{World, change, create, each, with};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn kes(amount: &str) -> AmountInput {
    AmountInput { amount: amount.to_owned(), currency: "KES".to_owned() }
}

pub fn pay(amount: &str) -> What {
    What::Pay { amount: kes(amount), kind: PaymentKind::Repayment }
}

/// Records something; gives the transaction's id.
pub async fn record(world: &World, loan: &str, on: &str, what: What) -> String {
    let actor = Actor {
        subject: "teller".to_owned(),
        roles: [Role::Admin].into(),
        branches: BranchGrant::All,
        request_id: None,
    };
    let input = Record {
        idempotency_key: Uuid::now_v7().to_string(),
        loan: NodeId::parse(loan, Kind::Loan).unwrap(),
        on: Some(day(on)),
        what,
        external_ref: None,
        expected_version: None,
    };
    let recorded = world.api.services().record(&actor, &input).await.unwrap();
    NodeId { kind: Kind::LoanTransaction, uuid: recorded.transaction }.to_string()
}

/// 12,000.00 KES at 12 % in six months, approved on 2026-03-02.
pub async fn approved(world: &World) -> String {
    let input = with(world.application("figures", "12000"), json!({"annualRate": "12", "installments": 6}));
    let loan = create(&world.api, "applyForLoan", input).await;
    change(&world.api, "approveLoan", json!({"loanId": loan}), "id").await;
    loan
}

/// The same, paid out that day: due on the 2nd of the next six months.
pub async fn running(world: &World) -> String {
    let loan = approved(world).await;
    record(world, &loan, "2026-03-02", What::Disburse { amount: None }).await;
    loan
}

/// What is selected of a loan.
pub async fn look(world: &World, loan: &str, arguments: &str, selection: &str) -> Json {
    let query = format!("query($id: ID!) {{ loan(by: {{id: $id}} {arguments}) {{ {selection} }} }}");
    world.api.data(&query, json!({"id": loan})).await["loan"].take()
}

const ROW: &str = "number startsOn dueOn principal { amount } interest { amount } fees { amount } penalties { amount }
    total { amount } paid { total { amount } } paidInAdvance { amount } paidLate { amount } waived { total { amount } }
    writtenOff { total { amount } } outstanding { principal { amount } interest { amount } total { amount } }
    principalBalanceAfter { amount } settledOn";

#[tokio::test]
async fn a_running_loan_shows_its_schedule_and_what_became_of_each_row() {
    let world = World::start().await;
    let loan = running(&world).await;
    world.api.clock.set("2026-05-10T09:00:00Z");
    record(&world, &loan, "2026-03-30", pay("2070.58")).await;
    record(&world, &loan, "2026-05-05", pay("1000")).await;
    let seen = look(
        &world,
        &loan,
        "",
        &format!(
            "asOf schedule {{ {ROW} }} balances {{ principal {{ amount }} interest {{ amount }} fees {{ amount }} penalties {{ amount }} total {{ amount currency }} }}
             overdue {{ total {{ amount }} }} creditBalance {{ amount }} daysPastDue delinquencyBucket {{ from to }} nextDueOn maturesOn disbursed {{ amount }} status chargedOffOn"
        ),
    )
    .await;
    assert_eq!(seen["asOf"], "2026-05-10");
    let rows = seen["schedule"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(
        rows[0],
        json!({
            "number": 1, "startsOn": "2026-03-02", "dueOn": "2026-04-02",
            "principal": {"amount": "1950.58"}, "interest": {"amount": "120.00"}, "fees": {"amount": "0.00"},
            "penalties": {"amount": "0.00"}, "total": {"amount": "2070.58"}, "paid": {"total": {"amount": "2070.58"}},
            "paidInAdvance": {"amount": "2070.58"}, "paidLate": {"amount": "0.00"},
            "waived": {"total": {"amount": "0.00"}}, "writtenOff": {"total": {"amount": "0.00"}},
            "outstanding": {"principal": {"amount": "0.00"}, "interest": {"amount": "0.00"}, "total": {"amount": "0.00"}},
            "principalBalanceAfter": {"amount": "10049.42"}, "settledOn": "2026-03-30",
        })
    );
    // Of the second row, due on 2 May, the late 1,000.00 paid the interest of 100.49 first.
    assert_eq!(rows[1]["paidLate"]["amount"], "1000.00");
    assert_eq!(rows[1]["outstanding"]["interest"]["amount"], "0.00");
    assert_eq!(rows[1]["outstanding"]["total"]["amount"], "1070.58");
    assert_eq!(rows[1]["settledOn"], Json::Null);
    assert_eq!(rows[5]["principalBalanceAfter"]["amount"], "0.00");
    assert_eq!(seen["overdue"]["total"]["amount"], "1070.58");
    assert_eq!(seen["daysPastDue"], 8);
    assert_eq!(seen["delinquencyBucket"], json!({"from": 4, "to": 30}));
    assert_eq!((&seen["nextDueOn"], &seen["maturesOn"]), (&json!("2026-06-02"), &json!("2026-09-02")));
    assert_eq!(seen["balances"]["total"]["currency"], "KES");
    let left = ["principal", "interest", "fees", "penalties"].map(|part| cents(&seen["balances"][part]));
    assert_eq!(left.iter().sum::<i64>(), cents(&seen["balances"]["total"]));
    let of_rows: i64 = rows.iter().map(|row| cents(&row["outstanding"]["total"])).sum();
    assert_eq!(of_rows, cents(&seen["balances"]["total"]));
    assert_eq!(seen["disbursed"]["amount"], "12000.00");
}

fn cents(money: &Json) -> i64 {
    money["amount"].as_str().unwrap().replace('.', "").parse().unwrap()
}

#[tokio::test]
async fn before_the_disbursement_the_schedule_is_the_expected_one() {
    let world = World::start().await;
    let selection = "schedule { dueOn total { amount } paid { total { amount } } } balances { total { amount } } maturesOn daysPastDue delinquencyBucket { from } interestLines { days } charges { sequence } transactions { totalCount nodes { id } } disclosure(rule: RBI_KFS) { rate } payoffQuote(on: \"2026-04-02\") { total { amount } }";
    let input = with(world.application("a", "12000"), json!({"annualRate": "12", "installments": 6}));
    let pending = create(&world.api, "applyForLoan", input).await;
    world.api.clock.set("2026-06-01T09:00:00Z");
    let seen = look(&world, &pending, "", selection).await;
    assert_eq!(seen["schedule"].as_array().unwrap().len(), 6);
    assert_eq!(
        seen["schedule"][0],
        json!({"dueOn": "2026-04-02", "total": {"amount": "2070.58"}, "paid": {"total": {"amount": "0.00"}}})
    );
    assert_eq!(seen["balances"]["total"]["amount"], "0.00");
    assert_eq!(
        (&seen["maturesOn"], &seen["daysPastDue"], &seen["delinquencyBucket"]),
        (&Json::Null, &json!(0), &Json::Null)
    );
    assert_eq!(seen["transactions"], json!({"totalCount": 0, "nodes": []}));
    assert_eq!(seen["disclosure"]["rate"], "12.00");
    assert_eq!(seen["payoffQuote"]["total"]["amount"], "0.00");
    // Less was approved than applied for, on a later day.
    change(
        &world.api,
        "approveLoan",
        json!({"loanId": pending, "amount": {"amount": "6000", "currency": "KES"}, "on": "2026-04-10"}),
        "id",
    )
    .await;
    let seen = look(&world, &pending, "", "schedule { dueOn total { amount } }").await;
    assert_eq!(seen["schedule"][0], json!({"dueOn": "2026-05-10", "total": {"amount": "1035.29"}}));
    // What comes to nothing has no schedule.
    change(&world.api, "withdrawLoan", json!({"loanId": pending}), "id").await;
    let seen = look(&world, &pending, "", "schedule { number } disclosure(rule: EU_APRC) { rate }").await;
    assert_eq!(seen, json!({"schedule": [], "disclosure": null}));
}

#[tokio::test]
async fn transactions_tell_where_every_cent_went_and_are_nodes() {
    let world = World::start().await;
    let loan = running(&world).await;
    world.api.clock.set("2026-04-20T09:00:00Z");
    let fee =
        record(&world, &loan, "2026-04-01", What::Charge { amount: kes("50"), kind: ChargeKind::Fee, due_on: None })
            .await;
    let payment = record(&world, &loan, "2026-04-02", pay("2200")).await;
    record(
        &world,
        &loan,
        "2026-04-20",
        What::Reverse { transaction: uuid(&payment), reason: Some("bounced".to_owned()) },
    )
    .await;
    record(&world, &loan, "2026-04-10", pay("100")).await;
    let selection = "id sequence kind amount { amount } on recordedAt recordedBy reversedAt reversedOn reversedBy reversalReason portions { fees { amount } interest { amount } principal { amount } total { amount } } toCredit { amount } balanceAfter { amount } allocations { installment component amount { amount } state rule }";
    let seen = look(&world, &loan, "", &format!("transactions {{ totalCount nodes {{ {selection} }} }} charges {{ transactionId sequence kind dueOn installment amount {{ amount }} waived {{ amount }} outstanding {{ amount }} lateFor }}")).await;
    assert_eq!(seen["transactions"]["totalCount"], 4);
    let nodes = &seen["transactions"]["nodes"];
    assert_eq!(each(nodes, "kind"), ["DISBURSEMENT", "CHARGE", "REPAYMENT", "REPAYMENT"]);
    let (reversed, standing) = (&nodes[2], &nodes[3]);
    assert_eq!(reversed["id"], json!(payment));
    assert_eq!(reversed["amount"]["amount"], "2200.00");
    assert_eq!(
        (&reversed["reversedOn"], &reversed["reversedBy"], &reversed["reversalReason"]),
        (&json!("2026-04-20"), &json!("teller"), &json!("bounced"))
    );
    assert_eq!((&reversed["balanceAfter"], &reversed["allocations"]), (&Json::Null, &json!([])));
    assert_eq!(standing["reversedAt"], Json::Null);
    assert_eq!(
        standing["allocations"],
        json!([
            {"installment": 1, "component": "FEE", "amount": {"amount": "50.00"}, "state": "PAST_DUE", "rule": 1},
            {"installment": 1, "component": "INTEREST", "amount": {"amount": "50.00"}, "state": "PAST_DUE", "rule": 2},
        ])
    );
    assert_eq!(standing["balanceAfter"]["amount"], "12000.00");
    assert_eq!(
        seen["charges"],
        json!([{"transactionId": fee, "sequence": 2, "kind": "FEE", "dueOn": "2026-04-01", "installment": 1, "amount": {"amount": "50.00"}, "waived": {"amount": "0.00"}, "outstanding": {"amount": "0.00"}, "lateFor": null}])
    );
    let query =
        format!("query($id: ID!) {{ node(id: $id) {{ __typename ... on LoanTransaction {{ {selection} }} }} }}");
    let node = world.api.data(&query, json!({"id": payment})).await["node"].take();
    assert_eq!(node["__typename"], "LoanTransaction");
    assert_eq!(node["reversalReason"], "bounced");
    // A foreign one and a missing one answer alike.
    let elsewhere = world.api.as_role(&[Role::Officer], &["HCM"]);
    assert_eq!(elsewhere.data(&query, json!({"id": payment})).await, json!({"node": null}));
    assert_eq!(world.api.data(&query, json!({"id": "loantx_00000000000000000000000001"})).await, json!({"node": null}));
}

fn uuid(id: &str) -> Uuid {
    NodeId::parse(id, Kind::LoanTransaction).unwrap()
}

#[tokio::test]
async fn a_loans_own_lists_are_paged_both_ways() {
    let world = World::start().await;
    let loan = running(&world).await;
    world.api.clock.set("2026-04-20T09:00:00Z");
    for cents in ["1", "2", "3", "4"] {
        record(&world, &loan, "2026-04-02", pay(cents)).await;
    }
    let page = |arguments: &str| {
        let cursor = if arguments.contains("$cursor") { ", $cursor: String" } else { "" };
        let shown = "nodes { amount { amount } } edges { cursor } totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor }";
        format!("query($id: ID!{cursor}) {{ loan(by: {{id: $id}}) {{ transactions({arguments}) {{ {shown} }} }} }}")
    };
    let first = world.api.data(&page("first: 2"), json!({"id": loan})).await["loan"]["transactions"].take();
    assert_eq!(first["totalCount"], 5);
    assert_eq!(
        (&first["pageInfo"]["hasNextPage"], &first["pageInfo"]["hasPreviousPage"]),
        (&json!(true), &json!(false))
    );
    let after = json!({"id": loan, "cursor": first["pageInfo"]["endCursor"]});
    let second = world.api.data(&page("first: 2, after: $cursor"), after.clone()).await["loan"]["transactions"].take();
    assert_eq!(second["nodes"], json!([{"amount": {"amount": "2.00"}}, {"amount": {"amount": "3.00"}}]));
    assert_eq!(
        (&second["pageInfo"]["hasNextPage"], &second["pageInfo"]["hasPreviousPage"]),
        (&json!(true), &json!(true))
    );
    let last = world.api.data(&page("last: 2"), json!({"id": loan})).await["loan"]["transactions"].take();
    assert_eq!(last["nodes"], json!([{"amount": {"amount": "3.00"}}, {"amount": {"amount": "4.00"}}]));
    let before = json!({"id": loan, "cursor": last["pageInfo"]["startCursor"]});
    let earlier = world.api.data(&page("last: 2, before: $cursor"), before).await["loan"]["transactions"].take();
    assert_eq!(earlier["nodes"], json!([{"amount": {"amount": "1.00"}}, {"amount": {"amount": "2.00"}}]));
    // A cursor of another list, of another loan, or of nobody.
    let other = "query($id: ID!, $cursor: String) { loan(by: {id: $id}) { history(after: $cursor) { totalCount } } }";
    assert_eq!(world.api.error(other, after.clone()).await["code"], "INVALID_CURSOR");
    let stranger = world.loan("b", "1").await;
    let foreign = with(after, json!({"id": stranger}));
    assert_eq!(world.api.error(&page("after: $cursor"), foreign).await["code"], "INVALID_CURSOR");
    let nobody = json!({"id": loan, "cursor": "x"});
    assert_eq!(world.api.error(&page("after: $cursor"), nobody).await["code"], "INVALID_CURSOR");
    assert_eq!(world.api.error(&page("first: 101"), json!({"id": loan})).await["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn history_tells_of_the_application_the_decisions_and_the_transactions() {
    let world = World::start().await;
    let loan = running(&world).await;
    world.api.clock.set("2026-04-20T09:00:00Z");
    let payment = record(&world, &loan, "2026-04-02", pay("10")).await;
    record(&world, &loan, "2026-04-20", What::Reverse { transaction: uuid(&payment), reason: None }).await;
    let payoff = look(&world, &loan, "", "payoffQuote(on: \"2026-04-20\") { on principal { amount } interest { amount } total { amount } credit { amount } }").await;
    // Fixed interest: all that is scheduled.
    assert_eq!(payoff["payoffQuote"]["principal"]["amount"], "12000.00");
    let total = payoff["payoffQuote"]["total"]["amount"].as_str().unwrap().to_owned();
    record(&world, &loan, "2026-04-20", pay(&total)).await;
    let seen = look(&world, &loan, "", "status closedOn balances { total { amount } } history { totalCount nodes { kind on recordedAt by reason transaction { id } } }").await;
    assert_eq!((&seen["status"], &seen["closedOn"]), (&json!("REPAID"), &json!("2026-04-20")));
    let nodes = &seen["history"]["nodes"];
    assert_eq!(each(nodes, "kind"), ["APPLIED", "APPROVED", "DISBURSED", "PAID", "PAID", "REVERSED", "REPAID"]);
    assert_eq!(nodes[0]["recordedAt"], "2026-03-02T09:00:00.000Z");
    assert_eq!(nodes[1]["recordedAt"], Json::Null);
    assert_eq!(nodes[5]["transaction"]["id"], json!(payment));
    assert_eq!(
        nodes[6],
        json!({"kind": "REPAID", "on": "2026-04-20", "recordedAt": null, "by": null, "reason": null, "transaction": null})
    );
}

#[tokio::test]
async fn a_loan_is_seen_as_of_a_day_and_as_known_at_a_moment() {
    let world = World::start().await;
    world.api.clock.set("2026-03-05T09:00:00Z");
    let input = with(
        world.application("a", "12000"),
        json!({"annualRate": "12", "installments": 6, "appliedOn": "2026-03-01"}),
    );
    let loan = create(&world.api, "applyForLoan", input).await;
    change(&world.api, "approveLoan", json!({"loanId": loan, "on": "2026-03-02"}), "id").await;
    world.api.clock.set("2026-03-06T09:00:00Z");
    record(&world, &loan, "2026-03-03", What::Disburse { amount: None }).await;
    world.api.clock.set("2026-04-10T09:00:00Z");
    let payment = record(&world, &loan, "2026-04-03", pay("2070.58")).await;
    world.api.clock.set("2026-04-12T09:00:00Z");
    record(&world, &loan, "2026-04-12", What::Reverse { transaction: uuid(&payment), reason: None }).await;
    let selection = "status disbursed { amount } approvedOn disbursedOn daysPastDue transactions { totalCount nodes { reversedAt } } overdue { total { amount } }";
    let status = async |arguments: &str| look(&world, &loan, arguments, selection).await;
    assert_eq!(status("asOf: \"2026-02-28\"").await, Json::Null);
    assert_eq!(status("asOf: \"2026-03-01\"").await["status"], "PENDING");
    let approved = status("asOf: \"2026-03-02\"").await;
    assert_eq!(
        (&approved["status"], &approved["disbursed"]["amount"], &approved["transactions"]["totalCount"]),
        (&json!("APPROVED"), &json!("0.00"), &json!(0))
    );
    let disbursed = status("asOf: \"2026-03-03\"").await;
    assert_eq!((&disbursed["status"], &disbursed["disbursedOn"]), (&json!("DISBURSED"), &json!("2026-03-03")));
    // By the value date the reversed payment never was; by what was known it was there for two days.
    let late = status("asOf: \"2026-04-11\"").await;
    assert_eq!((&late["daysPastDue"], &late["overdue"]["total"]["amount"]), (&json!(8), &json!("2070.58")));
    let known = status("asOf: \"2026-04-11\", knownAt: \"2026-04-11T00:00:00Z\"").await;
    assert_eq!((&known["daysPastDue"], &known["overdue"]["total"]["amount"]), (&json!(0), &json!("0.00")));
    assert_eq!(known["transactions"]["nodes"][1]["reversedAt"], Json::Null);
    let unknown = status("asOf: \"2026-04-11\", knownAt: \"2026-04-09T00:00:00Z\"").await;
    assert_eq!((&unknown["daysPastDue"], &unknown["transactions"]["totalCount"]), (&json!(8), &json!(1)));
    assert_eq!(status("knownAt: \"2026-03-05T08:00:00Z\"").await, Json::Null);
    // The future, if nothing else happens: it defaults.
    assert_eq!(status("asOf: \"2027-01-01\"").await["status"], "DEFAULTED");
    assert_eq!(status("asOf: \"9999-12-31\"").await["status"], "DEFAULTED");
}

#[tokio::test]
async fn interest_is_explained_and_costs_are_disclosed_by_each_rule() {
    let world = World::start().await;
    let loan = running(&world).await;
    let seen = look(
        &world,
        &loan,
        "",
        "interestLines { installment startsOn endsOn days balance { amount } annualRate exactInterest }
         a: disclosure(rule: REG_Z_APPENDIX_J) { rule rate financeCharge { amount } amountFinanced { amount } totalOfPayments { amount } }
         b: disclosure(rule: EU_APRC) { rule rate } c: disclosure(rule: RBI_KFS) { rule rate } d: disclosure(rule: BSP_EIR) { rule rate }",
    )
    .await;
    assert_eq!(seen["interestLines"].as_array().unwrap().len(), 6);
    assert_eq!(
        seen["interestLines"][0],
        json!({"installment": 1, "startsOn": "2026-03-02", "endsOn": "2026-04-02", "days": 31, "balance": {"amount": "12000.00"}, "annualRate": "12", "exactInterest": "120.00000000"})
    );
    assert_eq!(seen["a"]["rate"], "12.00");
    assert_eq!(seen["a"]["amountFinanced"]["amount"], "12000.00");
    assert_eq!(cents(&seen["a"]["totalOfPayments"]) - cents(&seen["a"]["financeCharge"]), 1_200_000);
    // (1 + 0.12/12)^12 − 1 = 12.68 %.
    assert_eq!(
        (&seen["b"]["rate"], &seen["c"]["rate"], &seen["d"]["rate"]),
        (&json!("12.7"), &json!("12.00"), &json!("12.68"))
    );
    // Paying late does not change what was agreed.
    world.api.clock.set("2026-08-10T09:00:00Z");
    let later = look(&world, &loan, "", "disclosure(rule: REG_Z_APPENDIX_J) { rule rate financeCharge { amount } amountFinanced { amount } totalOfPayments { amount } }").await;
    assert_eq!(later["disclosure"], seen["a"]);
}

#[tokio::test]
async fn figures_of_a_page_take_no_statement_a_loan() {
    let world = World::start().await;
    for key in 0..12 {
        let loan = create(&world.api, "applyForLoan", world.application(&format!("k{key}"), "100")).await;
        change(&world.api, "approveLoan", json!({"loanId": loan}), "id").await;
        record(&world, &loan, "2026-03-02", What::Disburse { amount: None }).await;
    }
    let statements = async |query: &str| {
        world.api.statements().reset();
        world.api.data(query, json!({})).await;
        world.api.statements().count()
    };
    assert_eq!(statements("{ loans(first: 100) { nodes { id status disbursed { amount } version } } }").await, 1);
    // The loans; their histories, their branches and those branches' holidays.
    for first in [1, 12] {
        let query = format!(
            "{{ loans(first: {first}) {{ nodes {{ daysPastDue schedule {{ dueOn }} balances {{ total {{ amount }} }} transactions {{ nodes {{ id }} }} history {{ totalCount }} payoffQuote(on: \"2026-05-01\") {{ total {{ amount }} }} }} }} }}"
        );
        assert_eq!(statements(&query).await, 4, "{:#?}", world.api.statements().texts());
    }
    // A loan that was not fetched with a page loads its view once, however many fields need it.
    let id = world.api.data("{ loans(first: 1) { nodes { id } } }", json!({})).await["loans"]["nodes"][0]["id"].take();
    let text =
        format!("{{ node(id: {id}) {{ ... on Loan {{ daysPastDue overdue {{ total {{ amount }} }} nextDueOn }} }} }}");
    assert_eq!(statements(&text).await, 4, "{:#?}", world.api.statements().texts());
}

#[tokio::test]
async fn the_journal_of_a_loan_is_for_those_who_may_read_ledgers() {
    let world = World::start().await;
    let loan = running(&world).await;
    world.api.clock.set("2026-04-20T09:00:00Z");
    let payment = record(&world, &loan, "2026-04-02", pay("500")).await;
    record(&world, &loan, "2026-04-20", What::Reverse { transaction: uuid(&payment), reason: None }).await;
    let selection = "id kind on recordedBy transactionId reverses lines { account side amount { amount } }";
    let seen = look(&world, &loan, "", &format!("journalEntries {{ totalCount nodes {{ {selection} }} }}")).await;
    let nodes = seen["journalEntries"]["nodes"].as_array().unwrap();
    assert_eq!(seen["journalEntries"]["totalCount"], json!(nodes.len()));
    assert_eq!(
        nodes[0]["lines"],
        json!([
            {"account": "LOANS_RECEIVABLE", "side": "DEBIT", "amount": {"amount": "12000.00"}},
            {"account": "CASH", "side": "CREDIT", "amount": {"amount": "12000.00"}},
        ])
    );
    let booked = nodes.iter().find(|one| one["kind"] == "REPAYMENT" && one["reverses"].is_null()).unwrap();
    let mirror = nodes.iter().find(|one| one["reverses"] == booked["id"]).unwrap();
    assert_eq!((&booked["transactionId"], &mirror["transactionId"]), (&json!(payment), &json!(payment)));
    let first = look(&world, &loan, "", "journalEntries(first: 1) { nodes { id } pageInfo { hasNextPage } }").await;
    assert_eq!(first["journalEntries"]["nodes"][0]["id"], nodes[0]["id"]);
    assert_eq!(first["journalEntries"]["pageInfo"]["hasNextPage"], true);
    let node = format!("query($id: ID!) {{ node(id: $id) {{ ... on JournalEntry {{ {selection} }} }} }}");
    assert_eq!(world.api.data(&node, json!({"id": booked["id"]})).await["node"], *booked);
    let query = "query($id: ID!) { loan(by: {id: $id}) { status journalEntries { totalCount } } }";
    let officer = world.api.as_role(&[Role::Officer], &["NBO"]);
    let answer = officer.query(query, json!({"id": loan})).await;
    assert_eq!(answer["data"]["loan"], json!({"status": "DISBURSED", "journalEntries": null}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn charges_of_one_installment_are_paid_in_the_order_they_fall_due() {
    let world = World::start().await;
    let loan = running(&world).await;
    world.api.clock.set("2026-04-20T09:00:00Z");
    let fee = |amount: &str, due_on: &str| What::Charge {
        amount: kes(amount),
        kind: ChargeKind::Fee,
        due_on: Some(day(due_on)),
    };
    record(&world, &loan, "2026-04-01", fee("50", "2026-03-20")).await;
    record(&world, &loan, "2026-04-01", fee("30", "2026-03-10")).await;
    let waived = record(&world, &loan, "2026-04-01", fee("20", "2026-03-25")).await;
    record(&world, &loan, "2026-04-01", What::WaiveCharge { charge: uuid(&waived), amount: Some(kes("5")) }).await;
    record(&world, &loan, "2026-04-02", pay("45")).await;
    let seen = look(&world, &loan, "", "charges { dueOn amount { amount } waived { amount } outstanding { amount } } schedule { outstanding { fees { amount } } }").await;
    let left: Vec<(&Json, &Json)> =
        seen["charges"].as_array().unwrap().iter().map(|one| (&one["dueOn"], &one["outstanding"]["amount"])).collect();
    let expected = [("2026-03-10", "0.00"), ("2026-03-20", "35.00"), ("2026-03-25", "15.00")]
        .map(|(due_on, left)| (json!(due_on), json!(left)));
    assert_eq!(left, expected.iter().map(|(due_on, left)| (due_on, left)).collect::<Vec<_>>());
    assert_eq!(seen["schedule"][0]["outstanding"]["fees"]["amount"], "50.00");
}
