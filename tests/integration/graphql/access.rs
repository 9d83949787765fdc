//! Who may do what, where: a matrix over every root field of the schema, every role, and things of one's own, of others
//! and of nobody.

use std::collections::BTreeSet;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{TypeKind, TypeSystemDefinition};
use branch_loan_api::auth::{Action, Actor, BranchGrant, Role};
use branch_loan_api::graphql::schema;
use serde_json::{Value as Json, json};

use super::world::{World, branch, create, mutation, object, refusals, with};
use crate::support::api::{Answer, Client};

/// Whose things a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    Foreign,
    Missing,
}

/// The things a request can be about.
pub(super) struct Things {
    pub(super) branch: String,
    pub(super) borrower: String,
    pub(super) loan: String,
    pub(super) product: String,
    pub(super) group: String,
    /// Someone who may join the group, and someone who belongs to it.
    pub(super) joiner: String,
    pub(super) member: String,
    /// A transaction of the loan, where the field is about one.
    pub(super) transaction: String,
    /// A number that no other cell of the matrix has.
    pub(super) cell: usize,
}

pub(super) type Ask = fn(&World, &Things) -> (String, Json);

/// A root field: which action it needs, whose things it can be asked about, how to ask.
pub(super) struct Row {
    pub(super) field: &'static str,
    pub(super) action: Option<Action>,
    pub(super) scoped: Scoped,
    pub(super) ask: Ask,
}

impl Row {
    /// Products belong to the lender as a whole: whoever works for some branches only may not change them.
    pub(super) fn is_for_all_branches(&self) -> bool {
        is_mutation(self.field) && self.field.ends_with("LoanProduct")
    }
}

/// What a field's answer depends on, beside the role.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scoped {
    /// On the branch that its things belong to.
    ByBranch,
    /// On whether they exist.
    ByExistence,
    /// On nothing.
    Not,
}

fn query(text: &str, id: &str) -> (String, Json) {
    (format!("query Ask($id: ID!) {{ {text} }}"), json!({"id": id}))
}

fn change(name: &str, input: Json) -> (String, Json) {
    let selection = format!("{} {{ __typename }} userErrors {{ code path message }}", object(name));
    (mutation(name, &selection), json!({"input": input}))
}

pub(super) fn matrix() -> Vec<Row> {
    use Scoped::{ByBranch, ByExistence, Not};
    let row = |field, action, scoped, ask: Ask| Row { field, action, scoped, ask };
    vec![
        row("viewer", None, Not, |_, _| ("{ viewer { __typename } }".to_owned(), json!({}))),
        row("node", Some(Action::ReadLoans), ByBranch, |_, of| query("node(id: $id) { __typename }", &of.loan)),
        row("nodes", Some(Action::ReadBorrowers), ByBranch, |_, of| {
            query("nodes(ids: [$id]) { __typename }", &of.borrower)
        }),
        row("branch", Some(Action::ReadBranches), ByBranch, |_, of| {
            query("branch(by: {id: $id}) { __typename }", &of.branch)
        }),
        row("branches", Some(Action::ReadBranches), ByBranch, |_, of| {
            query("branches(filter: {under: {eq: $id}}) { nodes { __typename } totalCount }", &of.branch)
        }),
        row("borrower", Some(Action::ReadBorrowers), ByBranch, |_, of| {
            query("borrower(by: {id: $id}) { __typename }", &of.borrower)
        }),
        row("borrowers", Some(Action::ReadBorrowers), ByBranch, |_, of| {
            query("borrowers(filter: {branch: {eq: $id}}) { nodes { __typename } totalCount }", &of.branch)
        }),
        row("group", Some(Action::ReadGroups), ByBranch, |_, of| {
            query("group(by: {id: $id}) { __typename members { role } loans { totalCount } }", &of.group)
        }),
        row("groups", Some(Action::ReadGroups), ByBranch, |_, of| {
            query("groups(filter: {branch: {eq: $id}}) { nodes { __typename } totalCount }", &of.branch)
        }),
        row("loanProduct", Some(Action::ReadProducts), ByExistence, |_, of| {
            query("loanProduct(by: {id: $id}) { __typename }", &of.product)
        }),
        row("loanProducts", Some(Action::ReadProducts), Not, |_, _| {
            ("{ loanProducts { nodes { __typename } totalCount } }".to_owned(), json!({}))
        }),
        row("loan", Some(Action::ReadLoans), ByBranch, |_, of| query("loan(by: {id: $id}) { __typename }", &of.loan)),
        row("loans", Some(Action::ReadLoans), ByBranch, |_, of| {
            query(
                "loans(filter: {borrower: {eq: $id}}) { nodes { __typename } totalCount totals { count } }",
                &of.borrower,
            )
        }),
        row("portfolio", Some(Action::ReadPortfolio), ByBranch, |_, of| {
            query(
                "portfolio(filter: {branch: {eq: $id}}) { count byStatus { count } byBranch { count } byProduct { count } byCurrency { count } }",
                &of.branch,
            )
        }),
        row("collectionSheet", Some(Action::ReadLoans), ByBranch, |_, of| {
            let sheet = "collectionSheet(branch: $id, on: \"2026-01-15\") { on rows { totalCount } totals { count } groups { count } }";
            query(sheet, &of.branch)
        }),
        row("trialBalance", Some(Action::ReadLedger), ByBranch, |_, of| {
            query("trialBalance(branch: $id) { balanced rows { account } totals { currency } }", &of.branch)
        }),
        row("ledgerAccounts", Some(Action::ReadLedger), ByBranch, |_, of| {
            query("ledgerAccounts(branch: $id) { account balances { amount } }", &of.branch)
        }),
        row("journalEntries", Some(Action::ReadLedger), ByBranch, |_, of| {
            query("journalEntries(filter: {loan: {eq: $id}}) { nodes { __typename } totalCount }", &of.loan)
        }),
        row("setBranchRestDays", Some(Action::ChangeCalendar), ByBranch, |_, of| {
            change("setBranchRestDays", json!({"branchId": of.branch, "restDays": ["SUNDAY"]}))
        }),
        row("addBranchHolidays", Some(Action::ChangeCalendar), ByBranch, |_, of| {
            let holidays = json!([{"on": "2026-12-12", "name": "Jamhuri Day"}]);
            change("addBranchHolidays", json!({"branchId": of.branch, "holidays": holidays}))
        }),
        row("removeBranchHolidays", Some(Action::ChangeCalendar), ByBranch, |_, of| {
            change("removeBranchHolidays", json!({"branchId": of.branch, "days": ["2026-12-12"]}))
        }),
        row("simulateLoan", Some(Action::ReadProducts), ByExistence, |_, of| {
            let text = "query Ask($input: SimulateLoanInput!) { simulateLoan(input: $input) { balances { __typename } userErrors { code path message } } }";
            let input = json!({"productId": of.product, "principal": {"amount": "100", "currency": "KES"}});
            (text.to_owned(), json!({"input": input}))
        }),
        row("createBranch", Some(Action::CreateBranch), ByBranch, |_, of| {
            let input = json!({"code": format!("C{}", of.cell), "name": "New", "currency": "KES", "timeZone": "Africa/Nairobi", "parentId": of.branch});
            change("createBranch", input)
        }),
        row("updateBranch", Some(Action::UpdateBranch), ByBranch, |_, of| {
            change("updateBranch", json!({"branchId": of.branch, "name": "Changed"}))
        }),
        row("closeBranch", Some(Action::CloseBranch), ByBranch, |_, of| {
            change("closeBranch", json!({"branchId": of.branch}))
        }),
        row("registerBorrower", Some(Action::RegisterBorrower), ByBranch, |_, of| {
            change("registerBorrower", json!({"branchId": of.branch, "name": "Otieno"}))
        }),
        row("updateBorrower", Some(Action::UpdateBorrower), ByBranch, |_, of| {
            change("updateBorrower", json!({"borrowerId": of.borrower, "name": "Changed"}))
        }),
        row("eraseBorrower", Some(Action::EraseBorrower), ByBranch, |_, of| {
            change("eraseBorrower", json!({"borrowerId": of.joiner}))
        }),
        row("createGroup", Some(Action::CreateGroup), ByBranch, |_, of| {
            change("createGroup", json!({"branchId": of.branch, "name": "New"}))
        }),
        row("updateGroup", Some(Action::UpdateGroup), ByBranch, |_, of| {
            change("updateGroup", json!({"groupId": of.group, "name": "Changed"}))
        }),
        row("addGroupMember", Some(Action::ChangeGroupMembers), ByBranch, |_, of| {
            change("addGroupMember", json!({"groupId": of.group, "borrowerId": of.joiner}))
        }),
        row("updateGroupMember", Some(Action::ChangeGroupMembers), ByBranch, |_, of| {
            change("updateGroupMember", json!({"groupId": of.group, "borrowerId": of.member, "role": "CHAIR"}))
        }),
        row("removeGroupMember", Some(Action::ChangeGroupMembers), ByBranch, |_, of| {
            change("removeGroupMember", json!({"groupId": of.group, "borrowerId": of.member}))
        }),
        row("closeGroup", Some(Action::CloseGroup), ByBranch, |_, of| {
            change("closeGroup", json!({"groupId": of.group}))
        }),
        row("createLoanProduct", Some(Action::CreateProduct), Not, |_, of| {
            change("createLoanProduct", json!({"code": format!("P{}", of.cell), "name": "New", "currency": "KES"}))
        }),
        row("updateLoanProduct", Some(Action::UpdateProduct), ByExistence, |_, of| {
            change("updateLoanProduct", json!({"loanProductId": of.product, "name": "Changed"}))
        }),
        row("retireLoanProduct", Some(Action::RetireProduct), ByExistence, |_, of| {
            change("retireLoanProduct", json!({"loanProductId": of.product}))
        }),
        row("applyForLoan", Some(Action::ApplyForLoan), ByBranch, |world, of| {
            change(
                "applyForLoan",
                with(world.application(&format!("cell-{}", of.cell), "1"), json!({"borrowerId": of.borrower})),
            )
        }),
        row("approveLoan", Some(Action::ApproveLoan), ByBranch, |_, of| {
            change("approveLoan", json!({"loanId": of.loan}))
        }),
        row("rejectLoan", Some(Action::RejectLoan), ByBranch, |_, of| change("rejectLoan", json!({"loanId": of.loan}))),
        row("withdrawLoan", Some(Action::WithdrawLoan), ByBranch, |_, of| {
            change("withdrawLoan", json!({"loanId": of.loan}))
        }),
        row("assignLoanOfficer", Some(Action::AssignOfficer), ByBranch, |_, of| {
            change("assignLoanOfficer", json!({"loanId": of.loan, "officer": "amina"}))
        }),
        row("undoLoanApproval", Some(Action::UndoApproval), ByBranch, |_, of| {
            change("undoLoanApproval", json!({"loanId": of.loan}))
        }),
        row("disburseLoan", Some(Action::DisburseLoan), ByBranch, |_, of| record("disburseLoan", of, json!({}))),
        row("undoDisbursement", Some(Action::UndoDisbursement), ByBranch, |_, of| {
            record("undoDisbursement", of, json!({}))
        }),
        row("recordRepayment", Some(Action::RecordRepayment), ByBranch, |_, of| {
            record("recordRepayment", of, json!({"amount": {"amount": "1", "currency": "KES"}}))
        }),
        row("reverseTransaction", Some(Action::ReverseTransaction), ByBranch, |_, of| {
            record("reverseTransaction", of, json!({"transactionId": of.transaction}))
        }),
        row("addLoanCharge", Some(Action::AddLoanCharge), ByBranch, |_, of| {
            record("addLoanCharge", of, json!({"amount": {"amount": "1", "currency": "KES"}}))
        }),
        row("waiveLoanCharge", Some(Action::WaiveLoanCharge), ByBranch, |_, of| {
            record("waiveLoanCharge", of, json!({"chargeId": of.transaction}))
        }),
        row("waiveInterest", Some(Action::WaiveLoanCharge), ByBranch, |_, of| record("waiveInterest", of, json!({}))),
        row("refundCredit", Some(Action::RefundCredit), ByBranch, |_, of| record("refundCredit", of, json!({}))),
        row("rescheduleLoan", Some(Action::RescheduleLoan), ByBranch, |_, of| {
            record("rescheduleLoan", of, json!({"extraInstallments": 1}))
        }),
        row("chargeOffLoan", Some(Action::ChargeOffLoan), ByBranch, |_, of| record("chargeOffLoan", of, json!({}))),
        row("writeOffLoan", Some(Action::WriteOffLoan), ByBranch, |_, of| record("writeOffLoan", of, json!({}))),
        row("recordRecovery", Some(Action::RecordRecovery), ByBranch, |_, of| {
            record("recordRecovery", of, json!({"amount": {"amount": "1", "currency": "KES"}}))
        }),
        row("closeBusinessDay", Some(Action::CloseBusinessDay), ByBranch, |_, of| {
            change("closeBusinessDay", json!({"branchId": of.branch, "on": "2025-01-01"}))
        }),
        row("auditEvents", Some(Action::ReadAudit), ByBranch, |_, of| {
            query("auditEvents(filter: {branch: {eq: $id}}) { nodes { __typename } totalCount }", &of.branch)
        }),
        row("verifyBooks", Some(Action::VerifyBooks), ByBranch, |_, of| {
            query("verifyBooks(branch: $id) { __typename }", &of.branch)
        }),
    ]
}

/// Something recorded on the loan, under a key that no other cell has.
fn record(name: &str, of: &Things, more: Json) -> (String, Json) {
    change(name, with(json!({"loanId": of.loan, "idempotencyKey": format!("cell-{}", of.cell)}), more))
}

/// Brings a pending loan to where the field has something to do; answers with the transaction it is about.
async fn prepare(world: &World, field: &str, loan: &str, currency: &str, cell: usize) -> Option<String> {
    let recording = [
        "undoLoanApproval",
        "disburseLoan",
        "undoDisbursement",
        "recordRepayment",
        "reverseTransaction",
        "addLoanCharge",
        "waiveLoanCharge",
        "waiveInterest",
        "refundCredit",
        "rescheduleLoan",
        "chargeOffLoan",
        "writeOffLoan",
        "recordRecovery",
    ];
    // The journal has something of a loan that was paid out.
    if !recording.contains(&field) && field != "journalEntries" {
        return None;
    }
    create(&world.api, "approveLoan", json!({"loanId": loan})).await;
    if ["undoLoanApproval", "disburseLoan"].contains(&field) {
        return None;
    }
    let mut last = None;
    let mut steps = vec![("disburseLoan", json!({}))];
    let amount = |amount: &str| json!({"amount": {"amount": amount, "currency": currency}});
    match field {
        "reverseTransaction" => steps.push(("recordRepayment", amount("1"))),
        "waiveLoanCharge" => steps.push(("addLoanCharge", amount("1"))),
        "refundCredit" => steps.push(("recordRepayment", amount("1000000"))),
        "recordRecovery" => steps.push(("writeOffLoan", json!({}))),
        _ => {}
    }
    for (place, (name, input)) in steps.into_iter().enumerate() {
        let key = json!({"loanId": loan, "idempotencyKey": format!("prepare-{cell}-{place}")});
        let text = mutation(name, "transaction { id } userErrors { code message }");
        let answer = world.api.data(&text, json!({"input": with(key, input)})).await;
        assert_eq!(answer[name]["userErrors"], json!([]), "{name}");
        last = answer[name]["transaction"]["id"].as_str().map(str::to_owned);
    }
    last
}

fn root_fields() -> BTreeSet<String> {
    let document = parse_schema(schema::sdl()).unwrap();
    let mut names = BTreeSet::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let is_root = ["Query", "Mutation", "Subscription"].contains(&definition.node.name.node.as_str());
        if let (true, TypeKind::Object(object)) = (is_root, definition.node.kind) {
            names.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
        }
    }
    names
}

#[test]
fn the_matrix_knows_every_root_field() {
    let known: BTreeSet<String> = matrix().iter().map(|row| row.field.to_owned()).collect();
    assert_eq!(known, root_fields(), "tests/integration/graphql/access.rs: say who may use a new root field");
}

#[test]
fn every_action_is_behind_a_field() {
    let used: BTreeSet<Action> = matrix().iter().filter_map(|row| row.action).collect();
    // Behind two fields of Borrower, and behind a kind of payment; each has a test of its own.
    let rest: Vec<&Action> = Action::ALL.iter().filter(|action| !used.contains(action)).collect();
    assert_eq!(rest, [&Action::ReadPersonalData, &Action::GrantGoodwill]);
}

/// How a request ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Absent,
    Forbidden,
}

fn outcome(field: &str, answer: &Answer) -> Outcome {
    assert_eq!(answer.status, 200, "{field}: {}", answer.text);
    if let Some(errors) = answer.body["errors"].as_array() {
        assert!(answer.body["data"].is_null() || answer.body["data"][field].is_null(), "{}", answer.text);
        for error in errors {
            assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{}", answer.text);
        }
        return Outcome::Forbidden;
    }
    let value = &answer.body["data"][field];
    let absent = match field {
        "nodes" => value[0].is_null(),
        "portfolio" => value["count"] == "0",
        _ if value["totalCount"].is_i64() => value["totalCount"] == 0 && value["nodes"] == json!([]),
        _ if value["userErrors"].is_array() => {
            let codes: Vec<&Json> =
                value["userErrors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
            assert!(codes.is_empty() || codes == [&json!("NOT_FOUND")], "{}", answer.text);
            assert_eq!(codes.is_empty(), !value[object(field)].is_null(), "{}", answer.text);
            !codes.is_empty()
        }
        _ => value.is_null(),
    };
    if absent { Outcome::Absent } else { Outcome::Done }
}

pub(super) async fn things(world: &World, field: &str, whose: Whose, cell: usize, fresh: bool) -> Things {
    let mut of = rows(world, whose, cell, fresh).await;
    let prepared = match whose {
        Whose::Own => prepare(world, field, &of.loan, "KES", cell).await,
        Whose::Foreign | Whose::Missing => None,
    };
    of.transaction = prepared.unwrap_or_else(|| "loantx_00000000000000000000000001".to_owned());
    let at = match whose {
        Whose::Own => &world.nbo,
        Whose::Foreign => &world.hcm,
        Whose::Missing => return of,
    };
    of.group = create(&world.api, "createGroup", json!({"branchId": at, "name": "Group"})).await;
    of.joiner = super::world::borrower(&world.api, at, "Joiner").await;
    of.member = super::world::borrower(&world.api, at, "Member").await;
    create(&world.api, "addGroupMember", json!({"groupId": of.group, "borrowerId": of.member})).await;
    of
}

/// Things as far as they are no groups.
async fn rows(world: &World, whose: Whose, cell: usize, fresh: bool) -> Things {
    let id = |prefix: &str| format!("{prefix}_00000000000000000000000001");
    let (group, joiner, member) = (id("group"), id("borrower"), id("borrower"));
    match whose {
        Whose::Own if fresh => {
            let branch = branch(&world.api, &format!("F{cell}"), Some(&world.nbo)).await;
            // Of some interest, so that there is some to waive.
            let application = with(world.application(&format!("fresh-{cell}"), "1000"), json!({"annualRate": "24"}));
            let loan = create(&world.api, "applyForLoan", application).await;
            let product = super::world::product(&world.api, &format!("F{cell}"), "KES").await;
            Things {
                branch,
                borrower: world.wanjiru.clone(),
                loan,
                product,
                group,
                joiner,
                member,
                transaction: String::new(),
                cell,
            }
        }
        Whose::Own => {
            let loan = create(&world.api, "applyForLoan", world.application("own", "1")).await;
            Things {
                branch: world.nbo.clone(),
                borrower: world.wanjiru.clone(),
                loan,
                product: world.kes.clone(),
                group,
                joiner,
                member,
                transaction: String::new(),
                cell,
            }
        }
        Whose::Foreign => {
            let loan = create(&world.api, "applyForLoan", world.foreign_application("foreign", "1")).await;
            let (branch, borrower, product) = (world.hcm.clone(), world.tran.clone(), world.vnd.clone());
            Things { branch, borrower, loan, product, group, joiner, member, transaction: String::new(), cell }
        }
        Whose::Missing => {
            let (branch, borrower, loan, product) = (id("branch"), id("borrower"), id("loan"), id("product"));
            Things { branch, borrower, loan, product, group, joiner, member, transaction: String::new(), cell }
        }
    }
}

async fn ask(client: &Client, row: &Row, world: &World, of: &Things) -> (Outcome, String) {
    let (text, variables) = (row.ask)(world, of);
    let answer = client.post(&json!({"query": text, "variables": variables})).await;
    let mut shown = answer.text.clone();
    for id in [&of.branch, &of.borrower, &of.loan, &of.product, &of.group, &of.joiner, &of.member] {
        shown = shown.replace(id.as_str(), "ID");
    }
    (outcome(row.field, &answer), shown)
}

#[tokio::test]
async fn every_field_obeys_the_policy_for_every_role() {
    let world = World::start().await;
    let mut cell = 0;
    for row in matrix() {
        for role in Role::ALL {
            let allowed = row.action.is_none_or(|action| action.roles().contains(&role));
            let mut client = world.api.as_role(&[role], &["NBO"]);
            if row.is_for_all_branches() {
                cell += 1;
                let of = things(&world, row.field, Whose::Own, cell, true).await;
                let (found, shown) = ask(&client, &row, &world, &of).await;
                assert_eq!(found, Outcome::Forbidden, "{} by {role} of one branch: {shown}", row.field);
                client = world.api.as_role(&[role], &[]);
            }
            let whose = match row.scoped {
                Scoped::ByBranch => &[Whose::Own, Whose::Foreign, Whose::Missing][..],
                Scoped::ByExistence => &[Whose::Own, Whose::Missing],
                Scoped::Not => &[Whose::Own],
            };
            let mut others = BTreeSet::new();
            for whose in whose {
                cell += 1;
                let of =
                    things(&world, row.field, *whose, cell, is_mutation(row.field) || row.field == "journalEntries")
                        .await;
                let (found, shown) = ask(&client, &row, &world, &of).await;
                let expected = match (allowed, whose) {
                    (false, _) => Outcome::Forbidden,
                    (true, Whose::Own) => Outcome::Done,
                    (true, Whose::Foreign | Whose::Missing) => Outcome::Absent,
                };
                assert_eq!(found, expected, "{} by {role}, {whose:?}: {shown}", row.field);
                if *whose != Whose::Own {
                    others.insert(shown);
                }
            }
            assert!(others.len() <= 1, "{} tells {role} a foreign thing from a missing one: {others:#?}", row.field);
        }
    }
}

/// Whether a root field changes something.
fn is_mutation(field: &str) -> bool {
    const VERBS: [&str; 23] = [
        "assign",
        "create",
        "update",
        "add",
        "remove",
        "close",
        "register",
        "erase",
        "retire",
        "apply",
        "approve",
        "reject",
        "withdraw",
        "undo",
        "disburse",
        "record",
        "reverse",
        "waive",
        "refund",
        "reschedule",
        "charge",
        "write",
        "set",
    ];
    VERBS.iter().any(|verb| field.starts_with(verb))
}

#[tokio::test]
async fn a_refusal_names_no_more_than_itself() {
    let world = World::start().await;
    let officer = world.api.as_role(&[Role::Officer], &["NBO"]);
    let loan = world.loan("a", "1").await;
    let text = mutation("approveLoan", "loan { id } userErrors { code }");
    let error = officer.error(&text, json!({"input": {"loanId": loan}})).await;
    assert_eq!(
        error,
        json!({
            "code": "FORBIDDEN",
            "message": "Your roles do not allow this; ask an administrator for a role that does.",
            "path": ["approveLoan"],
        })
    );
    let status = world.api.data("{ loans { nodes { status version } } }", json!({})).await;
    assert_eq!(status["loans"]["nodes"], json!([{"status": "PENDING", "version": 1}]));
}

#[tokio::test]
async fn roles_add_up() {
    let world = World::start().await;
    let loan = world.loan("a", "1").await;
    let both = world.api.as_role(&[Role::Auditor, Role::Manager], &["NBO"]);
    create(&both, "approveLoan", json!({"loanId": loan})).await;
}

#[tokio::test]
async fn numbers_and_references_find_no_more_than_ids_do() {
    let world = World::start().await;
    let reference = with(world.foreign_application("a", "1"), json!({"externalRef": "core-1"}));
    create(&world.api, "applyForLoan", reference).await;
    create(&world.api, "updateBorrower", json!({"borrowerId": world.tran, "externalRef": "crm-1"})).await;
    let local = world.api.as_role(&[Role::Admin], &["NBO"]);
    let queries = [
        "{ found: loan(by: {number: \"L-000000001\"}) { id } }",
        "{ found: loan(by: {externalRef: \"core-1\"}) { id } }",
        "{ found: borrower(by: {number: \"B-000000002\"}) { id } }",
        "{ found: borrower(by: {externalRef: \"crm-1\"}) { id } }",
        "{ found: branch(by: {code: \"HCM\"}) { id } }",
        "{ found: branch(by: {code: \"HQ\"}) { id } }",
    ];
    for query in queries {
        assert!(world.api.data(query, json!({})).await["found"].is_object(), "{query}");
        assert_eq!(local.data(query, json!({})).await, json!({"found": null}), "{query}");
    }
    let text =
        "{ loans(filter: {search: \"core\"}) { totalCount } borrowers(filter: {search: \"crm\"}) { totalCount } }";
    assert_eq!(local.data(text, json!({})).await, json!({"loans": {"totalCount": 0}, "borrowers": {"totalCount": 0}}));
}

#[tokio::test]
async fn a_link_to_another_branchs_row_is_null() {
    let world = World::start().await;
    let loan = with(world.application("a", "1"), json!({"branchId": world.thika}));
    create(&world.api, "applyForLoan", loan).await;
    let local = world.api.as_role(&[Role::Officer], &["THIKA"]);
    let seen =
        json!({"branch": {"code": "THIKA", "parent": null}, "borrower": null, "product": {"code": "STANDARD-KES"}});
    let selection = "branch { code parent { code } } borrower { name } product { code }";
    let data = local
        .data(
            &format!(
                "{{ loans {{ nodes {{ {selection} }} }} loan(by: {{number: \"L-000000001\"}}) {{ {selection} }} }}"
            ),
            json!({}),
        )
        .await;
    assert_eq!(data, json!({"loans": {"nodes": [seen]}, "loan": seen}));
}

#[tokio::test]
async fn who_works_nowhere_sees_nothing() {
    let world = World::start().await;
    world.loan("a", "1").await;
    let actor = Actor {
        subject: "nowhere".to_owned(),
        roles: [Role::Admin].into(),
        branches: BranchGrant::Codes(Vec::new()),
        request_id: None,
    };
    let data = world
        .api
        .as_actor(&actor)
        .data("{ branches { totalCount } borrowers { totalCount } loans { totalCount } portfolio { count } viewer { allBranches branchCodes } }", json!({}))
        .await;
    assert_eq!(
        data,
        json!({
            "branches": {"totalCount": 0}, "borrowers": {"totalCount": 0}, "loans": {"totalCount": 0}, "portfolio": {"count": "0"},
            "viewer": {"allBranches": false, "branchCodes": []},
        })
    );
}

/// An idempotency key cannot be used to look at what the caller may no longer see.
#[tokio::test]
async fn a_repetition_shows_only_what_the_caller_may_see_now() {
    let world = World::start().await;
    let before = world.api.as_someone("amina", &[Role::Officer], &["NBO"]);
    create(&before, "applyForLoan", world.application("key", "1")).await;
    let after = world.api.as_someone("amina", &[Role::Officer], &["HCM"]);
    let errors = refusals(&after, "applyForLoan", world.application("key", "1")).await;
    assert_eq!((&errors[0]["code"], errors.as_array().unwrap().len()), (&json!("NOT_FOUND"), 1));
}

#[tokio::test]
async fn the_viewer_knows_what_it_may_do() {
    let world = World::start().await;
    let officer = world.api.as_someone("amina", &[Role::Officer], &["NBO", "HCM"]);
    let query = "{ viewer { subject roles allBranches branchCodes permissions } }";
    assert_eq!(
        officer.data(query, json!({})).await["viewer"],
        json!({
            "subject": "amina",
            "roles": ["OFFICER"],
            "allBranches": false,
            "branchCodes": ["HCM", "NBO"],
            "permissions": [
                "ReadBranches", "ReadBorrowers", "ReadGroups", "ReadProducts", "ReadLoans", "ReadPortfolio",
                "RegisterBorrower", "UpdateBorrower", "CreateGroup", "UpdateGroup", "ChangeGroupMembers",
                "ApplyForLoan", "WithdrawLoan", "RecordRepayment", "AddLoanCharge", "RecordRecovery"
            ],
        })
    );
    let administrator = world.api.data(query, json!({})).await["viewer"].take();
    assert_eq!((&administrator["allBranches"], &administrator["branchCodes"]), (&json!(true), &json!([])));
    assert_eq!(administrator["permissions"].as_array().unwrap().len(), Action::ALL.len());
}
