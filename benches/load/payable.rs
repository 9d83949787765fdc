//! The harness's own loans: paid out today, so that a repayment is the same work for the server and the baseline, with
//! borrowers, a product and branches of their own. They are made, and paid as often as wanted, through the API.

use std::sync::Arc;

use branch_loan_api::ids::{Kind, NodeId};
use serde_json::{Value as Json, json};
use sqlx::Row as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::baseline::pools::{Pools, on};
use crate::target::Target;
use crate::workload::post;

const BRANCHES: u32 = 4;
const AT_ONCE: usize = 8;

/// Loans that only one workload pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Whatever was recorded on them before.
    Any,
    /// So many that in a run each gets a payment or a few.
    Unpaid,
    /// Sixty payments each before anything is measured.
    Sixty,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "loan",
            Self::Unpaid => "unpaid",
            Self::Sixty => "sixty",
        }
    }

    /// How many loans it has.
    fn size(self, quick: bool) -> u32 {
        match (self, quick) {
            (Self::Any, false) => 2_000,
            (Self::Unpaid, false) => 4_000,
            (Self::Sixty, false) => 400,
            (Self::Any | Self::Unpaid, true) => 50,
            (Self::Sixty, true) => 6,
        }
    }

    /// How many payments each has at least.
    fn payments(self) -> i64 {
        if self == Self::Sixty { 60 } else { 0 }
    }

    /// What the external references of today's loans or borrowers begin with.
    fn mark(self, what: &str) -> String {
        format!("bench-{}-{what}-{}", self.name(), chrono::Utc::now().date_naive())
    }

    /// The code of today's product.
    pub fn code(self) -> String {
        format!("BENCH-{}-{}", self.name(), chrono::Utc::now().date_naive()).to_uppercase()
    }

    /// A condition that today's loans or borrowers of the set meet.
    pub fn condition(self, what: &str) -> String {
        format!("external_ref LIKE '{}-%'", self.mark(what))
    }
}

/// The running loans of a set, each with the number of its payments.
pub async fn loans(pools: &Pools, set: Set) -> Vec<(String, i64)> {
    let sql = format!(
        "SELECT l.id, (SELECT count(*) FROM loan_transactions t WHERE t.loan_id = l.id AND t.kind = 'REPAYMENT')
         FROM loans l WHERE l.{} AND l.status = 'DISBURSED' ORDER BY l.id",
        set.condition("loan")
    );
    let loans: Vec<(Uuid, i64)> = on!(pools, pool => {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(pool.read()).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    });
    loans.into_iter().map(|(uuid, payments)| (NodeId { kind: Kind::Loan, uuid }.to_string(), payments)).collect()
}

/// Makes what a set lacks; whether it lacked anything.
pub async fn complete(server: &Arc<Target>, pools: &Pools, set: Set, quick: bool) -> bool {
    let is_new = loans(pools, set).await.is_empty();
    if is_new {
        make(server, set, set.size(quick)).await;
    }
    let behind: Vec<(String, i64)> =
        loans(pools, set).await.into_iter().filter(|(_, payments)| *payments < set.payments()).collect();
    let is_behind = !behind.is_empty();
    pay(server, set, behind).await;
    is_new || is_behind
}

async fn make(server: &Arc<Target>, set: Set, loans: u32) {
    let product = product(server, set).await;
    let mut borrowers = Vec::new();
    for number in 0..BRANCHES {
        let branch = branch(server, set, number).await;
        for borrower in 0..(loans / 40).max(2) {
            borrowers
                .push(self::borrower(server, &branch, &format!("{}-{number}-{borrower}", set.mark("borrower"))).await);
        }
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..loans {
        let (server, places, product) = (server.clone(), places.clone(), product.clone());
        let borrower = borrowers[number as usize % borrowers.len()].clone();
        tasks.spawn(async move {
            let _place = places.acquire().await.unwrap();
            one(&server, &borrower, &product, &format!("{}-{number}", set.mark("loan"))).await;
        });
    }
    tasks.join_all().await;
}

/// Pays each loan until it has its payments.
async fn pay(server: &Arc<Target>, set: Set, loans: Vec<(String, i64)>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (loan, had) in loans {
        let (server, places) = (server.clone(), places.clone());
        tasks.spawn(async move {
            let _place = places.acquire().await.unwrap();
            for number in had..set.payments() {
                let input = json!({
                    "idempotencyKey": format!("{loan}-{number}"), "loanId": loan,
                    "amount": {"amount": "1.00", "currency": "KES"},
                });
                done(&server, "recordRepayment", "RecordRepaymentInput", input, "loan").await;
            }
        });
    }
    tasks.join_all().await;
}

async fn one(server: &Target, borrower: &str, product: &str, name: &str) {
    let input = json!({
        "idempotencyKey": format!("{name}-a"), "borrowerId": borrower, "productId": product, "externalRef": name,
        "principal": {"amount": "600000.00", "currency": "KES"},
    });
    let loan = done(server, "applyForLoan", "ApplyForLoanInput", input, "loan").await;
    done(server, "approveLoan", "ApproveLoanInput", json!({"loanId": loan}), "loan").await;
    let input = json!({"loanId": loan, "idempotencyKey": format!("{name}-d")});
    done(server, "disburseLoan", "DisburseLoanInput", input, "loan").await;
}

async fn product(server: &Target, set: Set) -> String {
    let limit = json!({"amount": "1000000.00", "currency": "KES"});
    let input = json!({
        "code": set.code(), "name": "Bench", "currency": "KES", "defaultAnnualRate": "24", "principalMax": limit,
    });
    done(server, "createLoanProduct", "CreateLoanProductInput", input, "loanProduct").await
}

async fn branch(server: &Target, set: Set, number: u32) -> String {
    let input = json!({"code": format!("{}-{number}", set.code()), "name": format!("Bench {number}"), "currency": "KES", "timeZone": "UTC"});
    done(server, "createBranch", "CreateBranchInput", input, "branch").await
}

async fn borrower(server: &Target, branch: &str, name: &str) -> String {
    let input = json!({"branchId": branch, "name": format!("Borrower {name}"), "externalRef": name});
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
