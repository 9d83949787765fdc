//! The harness's own loans: paid out today, so that a repayment is the same work for the server and the baseline, with
//! borrowers, a product and branches of their own. They are made through the API.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::target::Target;
use crate::workload::post;

const BRANCHES: u32 = 4;
const AT_ONCE: usize = 8;

/// What the external references of today's loans or borrowers begin with.
pub fn mark(what: &str) -> String {
    format!("bench-{what}-{}", chrono::Utc::now().date_naive())
}

/// The code of today's product.
pub fn code() -> String {
    format!("BENCH-{}", chrono::Utc::now().date_naive())
}

/// Makes so many.
pub async fn make(server: &Arc<Target>, loans: u32) {
    let product = product(server).await;
    let mut borrowers = Vec::new();
    for number in 0..BRANCHES {
        let branch = branch(server, number).await;
        for borrower in 0..(loans / 40).max(2) {
            borrowers.push(self::borrower(server, &branch, number, borrower).await);
        }
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..loans {
        let (server, places, product) = (server.clone(), places.clone(), product.clone());
        let borrower = borrowers[number as usize % borrowers.len()].clone();
        tasks.spawn(async move {
            let _place = places.acquire().await.unwrap();
            one(&server, &borrower, &product, number).await;
        });
    }
    tasks.join_all().await;
}

async fn one(server: &Target, borrower: &str, product: &str, number: u32) {
    let name = format!("{}-{number}", mark("loan"));
    let input = json!({
        "idempotencyKey": format!("{name}-a"), "borrowerId": borrower, "productId": product, "externalRef": name,
        "principal": {"amount": "600000.00", "currency": "KES"},
    });
    let loan = done(server, "applyForLoan", "ApplyForLoanInput", input, "loan").await;
    done(server, "approveLoan", "ApproveLoanInput", json!({"loanId": loan}), "loan").await;
    let input = json!({"loanId": loan, "idempotencyKey": format!("{name}-d")});
    done(server, "disburseLoan", "DisburseLoanInput", input, "loan").await;
}

async fn product(server: &Target) -> String {
    let limit = json!({"amount": "1000000.00", "currency": "KES"});
    let input = json!({
        "code": code(), "name": "Bench", "currency": "KES", "defaultAnnualRate": "24", "principalMax": limit,
    });
    done(server, "createLoanProduct", "CreateLoanProductInput", input, "loanProduct").await
}

async fn branch(server: &Target, number: u32) -> String {
    let input = json!({"code": format!("{}-{number}", code()), "name": format!("Bench {number}"), "currency": "KES", "timeZone": "UTC"});
    done(server, "createBranch", "CreateBranchInput", input, "branch").await
}

async fn borrower(server: &Target, branch: &str, of: u32, number: u32) -> String {
    let name = format!("{}-{of}-{number}", mark("borrower"));
    let input = json!({"branchId": branch, "name": format!("Borrower {of} {number}"), "externalRef": name});
    done(server, "registerBorrower", "RegisterBorrowerInput", input, "borrower").await
}

/// A mutation that must succeed; the id of what it was about.
async fn done(server: &Target, mutation: &str, input_type: &str, input: Json, what: &str) -> String {
    let query = format!(
        "mutation($input: {input_type}!) {{ done: {mutation}(input: $input) {{ {what} {{ id }} userErrors {{ message }} }} }}"
    );
    let body = json!({"query": query, "variables": {"input": input}}).to_string();
    let answer = server.ask(&post(&server.path, &server.token, &body, "")).await;
    answer["data"]["done"][what]["id"].as_str().unwrap_or_else(|| panic!("{mutation}: {answer}")).to_owned()
}
