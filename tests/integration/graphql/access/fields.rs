//! The matrix: every root field of the schema, the action it needs, and how to ask it. The test of the audit trail calls
//! its mutations, too.

use branch_loan_api::auth::Action;
use serde_json::{Value as Json, json};

use super::things::Things;
use crate::graphql::world::{World, mutation, object, with};
use crate::support::sdl::SDL;

pub type Ask = fn(&World, &Things) -> (String, Json);

/// A root field: which action it needs, whose things it can be asked about, how to ask.
pub struct Row {
    pub field: &'static str,
    pub action: Option<Action>,
    pub scoped: Scoped,
    pub ask: Ask,
}

impl Row {
    /// Products belong to the lender as a whole: whoever works for some branches only may not change them.
    pub fn is_for_all_branches(&self) -> bool {
        SDL.is_mutation(self.field) && self.field.ends_with("LoanProduct")
    }
}

/// What a field's answer depends on, beside the role.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scoped {
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

pub fn matrix() -> Vec<Row> {
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
