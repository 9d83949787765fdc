//! What the requests of the matrix are about: things of one's own, of others and of nobody.

use serde_json::json;

use crate::graphql::world::{World, borrower, branch, create, mutation, product, with};

/// Whose things a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Own,
    Foreign,
    Missing,
}

/// The things a request can be about.
pub struct Things {
    pub branch: String,
    pub borrower: String,
    pub loan: String,
    pub product: String,
    pub group: String,
    /// Someone who may join the group, and someone who belongs to it.
    pub joiner: String,
    pub member: String,
    /// A transaction of the loan, where the field is about one.
    pub transaction: String,
    /// A number that no other cell of the matrix has.
    pub cell: usize,
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

pub async fn things(world: &World, field: &str, whose: Whose, cell: usize, fresh: bool) -> Things {
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
    of.joiner = borrower(&world.api, at, "Joiner").await;
    of.member = borrower(&world.api, at, "Member").await;
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
            let product = product(&world.api, &format!("F{cell}"), "KES").await;
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
