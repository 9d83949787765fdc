//! Every argument that takes an id, with the kinds of thing it takes, and how to ask the fields that have one.

use branch_loan_api::auth::Action;
use branch_loan_api::ids::Kind::{self, *};
use serde_json::{Value as Json, json};

use super::sides::Side;
use crate::support::sdl::SDL;

/// Things a caller's id may be the id of, where any will do. Products are everybody's and have no other side.
const ANYTHING: &[Kind] = &[Branch, Borrower, Loan, Group, LoanTransaction, JournalEntry, AuditEvent];

/// The arguments of loans' filters stand under several fields.
const LOAN_FILTER: &[(&str, Kind)] =
    &[("borrower", Borrower), ("branch", Branch), ("group", Group), ("product", LoanProduct)];

/// Which kinds of id an argument takes; none for one that is not known.
pub fn kinds(name: &str) -> &'static [Kind] {
    for of in ["Group.loans", "Query.loans", "Query.portfolio"] {
        for (field, kind) in LOAN_FILTER {
            if ["eq", "in"].iter().any(|operator| name == format!("{of}(filter.{field}.{operator})")) {
                return std::slice::from_ref(kind);
            }
        }
    }
    match name {
        "Query.node(id)" | "Query.nodes(ids)" => ANYTHING,
        "Query.auditEvents(filter.objectId.eq)" | "Query.auditEvents(filter.objectId.in)" => &[Borrower, Loan, Group],
        "Query.auditEvents(filter.branch.eq)"
        | "Query.auditEvents(filter.branch.in)"
        | "Query.borrowers(filter.branch.eq)"
        | "Query.borrowers(filter.branch.in)"
        | "Query.branch(by.id)"
        | "Query.branches(filter.parent.eq)"
        | "Query.branches(filter.parent.in)"
        | "Query.branches(filter.under.eq)"
        | "Query.branches(filter.under.in)"
        | "Query.collectionSheet(branch)"
        | "Query.groups(filter.branch.eq)"
        | "Query.groups(filter.branch.in)"
        | "Query.journalEntries(filter.branch.eq)"
        | "Query.journalEntries(filter.branch.in)"
        | "Query.ledgerAccounts(branch)"
        | "Query.simulateLoan(input.branchId)"
        | "Query.trialBalance(branch)"
        | "Query.verifyBooks(branch)"
        | "Mutation.addBranchHolidays(input.branchId)"
        | "Mutation.applyForLoan(input.branchId)"
        | "Mutation.closeBranch(input.branchId)"
        | "Mutation.closeBusinessDay(input.branchId)"
        | "Mutation.createBranch(input.parentId)"
        | "Mutation.createGroup(input.branchId)"
        | "Mutation.registerBorrower(input.branchId)"
        | "Mutation.removeBranchHolidays(input.branchId)"
        | "Mutation.setBranchRestDays(input.branchId)"
        | "Mutation.updateBranch(input.branchId)"
        | "Mutation.updateBranch(input.parentId)" => &[Branch],
        "Query.borrower(by.id)"
        | "Mutation.addGroupMember(input.borrowerId)"
        | "Mutation.applyForLoan(input.borrowerId)"
        | "Mutation.eraseBorrower(input.borrowerId)"
        | "Mutation.removeGroupMember(input.borrowerId)"
        | "Mutation.updateBorrower(input.borrowerId)"
        | "Mutation.updateGroupMember(input.borrowerId)" => &[Borrower],
        "Query.collectionSheet(group)"
        | "Query.group(by.id)"
        | "Mutation.addGroupMember(input.groupId)"
        | "Mutation.applyForLoan(input.groupId)"
        | "Mutation.closeGroup(input.groupId)"
        | "Mutation.removeGroupMember(input.groupId)"
        | "Mutation.updateGroup(input.groupId)"
        | "Mutation.updateGroupMember(input.groupId)" => &[Group],
        "Query.loanProduct(by.id)"
        | "Query.simulateLoan(input.productId)"
        | "Mutation.applyForLoan(input.productId)"
        | "Mutation.retireLoanProduct(input.loanProductId)"
        | "Mutation.updateLoanProduct(input.loanProductId)" => &[LoanProduct],
        "Query.journalEntries(filter.loan.eq)"
        | "Query.journalEntries(filter.loan.in)"
        | "Query.loan(by.id)"
        | "Mutation.addLoanCharge(input.loanId)"
        | "Mutation.approveLoan(input.loanId)"
        | "Mutation.assignLoanOfficer(input.loanId)"
        | "Mutation.chargeOffLoan(input.loanId)"
        | "Mutation.disburseLoan(input.loanId)"
        | "Mutation.recordRecovery(input.loanId)"
        | "Mutation.recordRepayment(input.loanId)"
        | "Mutation.refundCredit(input.loanId)"
        | "Mutation.rejectLoan(input.loanId)"
        | "Mutation.rescheduleLoan(input.loanId)"
        | "Mutation.reverseTransaction(input.loanId)"
        | "Mutation.undoDisbursement(input.loanId)"
        | "Mutation.undoLoanApproval(input.loanId)"
        | "Mutation.waiveInterest(input.loanId)"
        | "Mutation.waiveLoanCharge(input.loanId)"
        | "Mutation.withdrawLoan(input.loanId)"
        | "Mutation.writeOffLoan(input.loanId)" => &[Loan],
        "Loan.simulate(events.chargeWaiver.chargeId)"
        | "Loan.simulate(events.reversal.transactionId)"
        | "Query.journalEntries(filter.transaction.eq)"
        | "Query.journalEntries(filter.transaction.in)"
        | "Query.simulateLoan(input.events.chargeWaiver.chargeId)"
        | "Query.simulateLoan(input.events.reversal.transactionId)"
        | "Mutation.reverseTransaction(input.transactionId)"
        | "Mutation.waiveLoanCharge(input.chargeId)" => &[LoanTransaction],
        _ => &[],
    }
}

/// The action that reading a thing by `node` needs.
pub fn reading(kind: Kind) -> Action {
    match kind {
        Branch => Action::ReadBranches,
        Borrower => Action::ReadBorrowers,
        LoanProduct => Action::ReadProducts,
        Loan | LoanTransaction => Action::ReadLoans,
        Group => Action::ReadGroups,
        JournalEntry => Action::ReadLedger,
        AuditEvent => Action::ReadAudit,
    }
}

/// How to ask a field of a query about something.
pub struct Question {
    /// What it is asked with, as far as it is not the id in question.
    pub arguments: Json,
    /// What is selected of it.
    selection: &'static str,
    /// The field it stands in, with the id of what that is about.
    within: Option<(&'static str, String)>,
}

/// The question for an argument of a field of a query; none for a field that is not known.
pub fn question(name: &str, own: &Side) -> Option<Question> {
    const ROWS: &str = "{ nodes { __typename } totalCount }";
    const SIMULATION: &str = "{ balances { __typename } journal { on } userErrors { code path message } }";
    let of = name.split('(').next().unwrap();
    let mut within = None;
    let (arguments, selection) = match of {
        "Query.node" | "Query.nodes" | "Query.branch" | "Query.borrower" | "Query.loanProduct" | "Query.loan" => {
            (json!({}), "{ __typename }")
        }
        "Query.group" => (json!({}), "{ __typename members { role } loans { totalCount } }"),
        "Query.branches" | "Query.borrowers" | "Query.groups" | "Query.journalEntries" => (json!({}), ROWS),
        "Query.auditEvents" => (json!({}), "{ nodes { __typename } totalCount unsealed }"),
        "Query.loans" => (json!({}), "{ nodes { __typename } totalCount totals { count } }"),
        "Group.loans" => {
            within = Some(("group", own.group.clone()));
            (json!({}), "{ nodes { __typename } totalCount totals { count } }")
        }
        "Query.portfolio" => {
            let sums = "{ count byStatus { count } byBranch { count } byProduct { count } byCurrency { count } }";
            (json!({}), sums)
        }
        "Query.collectionSheet" => {
            let sheet = "{ on rows { totalCount } totals { count } groups { count } }";
            (json!({"branch": own.branch, "on": "2026-12-31"}), sheet)
        }
        "Query.trialBalance" => (json!({}), "{ balanced rows { account } totals { currency } }"),
        "Query.ledgerAccounts" => (json!({}), "{ account balances { amount } }"),
        "Query.verifyBooks" => (json!({}), "{ __typename loans count }"),
        "Query.simulateLoan" => {
            let input = json!({"productId": own.product, "principal": {"amount": "100", "currency": "KES"}});
            let mut arguments = json!({"input": input});
            if name.contains("(input.events") {
                arguments["input"]["events"] = events(name);
            }
            (arguments, SIMULATION)
        }
        "Loan.simulate" => {
            within = Some(("loan", own.loan.clone()));
            (json!({"events": events(name)}), SIMULATION)
        }
        _ => return None,
    };
    Some(Question { arguments, selection, within })
}

/// An event that lacks nothing but its id.
fn events(name: &str) -> Json {
    match name.contains(".reversal.") {
        true => json!([{"reversal": {"on": "2026-03-02"}}]),
        false => json!([{"chargeWaiver": {"on": "2026-03-02"}}]),
    }
}

impl Question {
    /// The request, with these arguments.
    pub fn request(&self, of: &str, arguments: &Json) -> Json {
        let (_, field) = of.split_once('.').unwrap();
        let names: Vec<&String> = arguments.as_object().unwrap().keys().collect();
        let mut declared: Vec<String> =
            names.iter().map(|name| format!("${name}: {}", SDL.argument_type(of, name))).collect();
        let given: Vec<String> = names.iter().map(|name| format!("{name}: ${name}")).collect();
        let given = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
        let mut text = format!("{field}{given} {}", self.selection);
        let mut variables = arguments.clone();
        if let Some((outer, id)) = &self.within {
            declared.push("$within: ID!".to_owned());
            text = format!("{outer}(by: {{id: $within}}) {{ {text} }}");
            variables["within"] = json!(id);
        }
        let declared = if declared.is_empty() { String::new() } else { format!("({})", declared.join(", ")) };
        json!({"query": format!("query Ask{declared} {{ {text} }}"), "variables": variables})
    }
}

/// Whether even one's own thing is not found there: what is only imagined has no transactions on record.
pub fn finds_nothing(name: &str) -> bool {
    name.starts_with("Query.simulateLoan(input.events.")
}
