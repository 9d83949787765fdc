//! A lender with loans in every status, for tests of what can be recorded on them: short ways to bring a loan where a
//! test wants it, and to look at everything a mutation answers.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value as Json, json};

use super::world::{World, create, mutation, with};
use crate::support::engines::Engine;

/// The steps of a loan's life, by their mutations.
pub const STEPS: [(&str, &str); 16] = [
    ("approveLoan", "APPROVE"),
    ("rejectLoan", "REJECT"),
    ("withdrawLoan", "WITHDRAW"),
    ("undoLoanApproval", "UNDO_APPROVAL"),
    ("disburseLoan", "DISBURSE"),
    ("undoDisbursement", "UNDO_DISBURSEMENT"),
    ("recordRepayment", "RECORD_REPAYMENT"),
    ("reverseTransaction", "REVERSE"),
    ("addLoanCharge", "ADD_CHARGE"),
    ("waiveLoanCharge", "WAIVE_CHARGE"),
    ("waiveInterest", "WAIVE_INTEREST"),
    ("refundCredit", "REFUND_CREDIT"),
    ("rescheduleLoan", "RESCHEDULE"),
    ("chargeOffLoan", "CHARGE_OFF"),
    ("writeOffLoan", "WRITE_OFF"),
    ("recordRecovery", "RECORD_RECOVERY"),
];

/// The day every loan was applied for, approved and paid out.
pub const LENT_ON: &str = "2026-01-05";
/// The business date of the branch.
pub const TODAY: &str = "2026-03-02";

/// What is asked of a refusal: everything.
pub const REFUSAL: &str = "userErrors { __typename code message path
    ... on InvalidTransition { from attempted to allowed }
    ... on AmountOutOfRange { min { amount currency } max { amount currency } }
    ... on DateOutOfRange { earliest latest }
    ... on VersionConflict { current }
    ... on IdempotencyKeyMismatch { firstUsedAt } }";

/// What a loan is, as far as recording on it can change it.
pub const LOAN: &str = "id status version creditBalance { amount } balances { total { amount } } recovered { amount }
    schedule { number dueOn total { amount } outstanding { total { amount } } } chargedOffOn closedOn";

pub struct BookDesk {
    pub world: World,
    keys: AtomicU32,
}

impl BookDesk {
    pub async fn open(engine: &Engine) -> Self {
        Self { world: World::on(engine).await, keys: AtomicU32::new(0) }
    }

    /// A key nobody used before.
    pub fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// The input of a mutation on a loan, with a new key.
    pub fn input(&self, loan: &str, more: Json) -> Json {
        with(json!({"loanId": loan, "idempotencyKey": self.key()}), more)
    }

    /// Runs a mutation that records on a loan or decides about it, and gives its whole payload.
    pub async fn answer(&self, name: &str, input: &Json) -> Json {
        let records = !matches!(name, "approveLoan" | "rejectLoan" | "withdrawLoan" | "undoLoanApproval");
        let more = if records { "transaction { id kind on } replay { changed { transaction { id } } }" } else { "" };
        let text = mutation(name, &format!("loan {{ {LOAN} }} {more} replayed {REFUSAL}"));
        self.world.api.data(&text, json!({"input": input})).await[name].take()
    }

    /// Runs one that must succeed.
    pub async fn record(&self, name: &str, loan: &str, more: Json) -> Json {
        let input = self.input(loan, more);
        let answer = self.answer(name, &input).await;
        assert_eq!(answer["userErrors"], json!([]), "{name} {input}");
        answer
    }

    /// Runs one that must be refused and write nothing, and gives the refusals without their sentences.
    pub async fn refused(&self, name: &str, input: &Json) -> Json {
        let mut answer = self.answer(name, input).await;
        assert_eq!(answer["loan"], Json::Null, "{name} {input}: {answer}");
        assert_eq!(answer["replayed"], false);
        let mut errors = answer["userErrors"].take();
        for error in errors.as_array_mut().unwrap() {
            let sentence = error.as_object_mut().unwrap().remove("message").unwrap();
            let sentence = sentence.as_str().unwrap();
            assert!(sentence.ends_with('.') && sentence.len() > 10, "a sentence that says what to do: {sentence}");
        }
        errors
    }

    /// The loan as a query finds it.
    pub async fn loan(&self, id: &str) -> Json {
        let text = format!("query($id: ID!) {{ loan(by: {{id: $id}}) {{ {LOAN} }} }}");
        self.world.api.data(&text, json!({"id": id})).await["loan"].take()
    }

    /// The ids of the loan's transactions of a kind.
    pub async fn transactions(&self, loan: &str, kind: &str) -> Vec<String> {
        let text = "query($id: ID!) { loan(by: {id: $id}) { transactions(first: 100) { nodes { id kind } } } }";
        let nodes = self.world.api.data(text, json!({"id": loan})).await["loan"]["transactions"]["nodes"].take();
        let of_kind = nodes.as_array().unwrap().iter().filter(|one| one["kind"] == kind);
        of_kind.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn pending(&self) -> String {
        let terms = json!({
            "annualRate": "12", "installments": 6, "appliedOn": LENT_ON, "terms": {"defaultAfterDays": 20},
        });
        create(&self.world.api, "applyForLoan", with(self.world.application(&self.key(), "1200"), terms)).await
    }

    pub async fn approved(&self) -> String {
        let loan = self.pending().await;
        self.record("approveLoan", &loan, json!({"on": LENT_ON})).await;
        loan
    }

    /// 1,000 of the 1,200 that were approved, at 12 % in six installments, with a fee in June, paid until today.
    pub async fn disbursed(&self) -> String {
        let loan = self.overdue().await;
        self.record("recordRepayment", &loan, json!({"amount": kes("300"), "on": "2026-02-05"})).await;
        loan
    }

    /// The same, nothing paid: it is defaulted on its twentieth day past due.
    pub async fn overdue(&self) -> String {
        let loan = self.approved().await;
        self.record("disburseLoan", &loan, json!({"amount": kes("1000"), "on": LENT_ON})).await;
        let fee = json!({"amount": kes("10"), "on": LENT_ON, "dueOn": "2026-06-05"});
        self.record("addLoanCharge", &loan, fee).await;
        loan
    }

    /// A loan brought into a status.
    pub async fn in_status(&self, status: &str) -> String {
        let loan = match status {
            "PENDING" => self.pending().await,
            "APPROVED" => self.approved().await,
            "DISBURSED" => self.disbursed().await,
            "DEFAULTED" => self.overdue().await,
            "REJECTED" => self.then("rejectLoan", self.pending().await, json!({})).await,
            "WITHDRAWN" => self.then("withdrawLoan", self.approved().await, json!({})).await,
            "REPAID" => self.then("recordRepayment", self.disbursed().await, json!({"amount": kes("2000")})).await,
            "WRITTEN_OFF" => self.then("writeOffLoan", self.disbursed().await, json!({})).await,
            other => panic!("no such status: {other}"),
        };
        assert_eq!(self.loan(&loan).await["status"], status);
        loan
    }

    async fn then(&self, name: &str, loan: String, more: Json) -> String {
        self.record(name, &loan, more).await;
        loan
    }

    /// What a mutation needs beside the loan to be sensible.
    pub async fn sensible(&self, name: &str, loan: &str) -> Json {
        match name {
            "recordRepayment" | "addLoanCharge" | "recordRecovery" => json!({"amount": kes("5")}),
            "disburseLoan" => json!({"amount": kes("100")}),
            "rescheduleLoan" => json!({"extraInstallments": 2}),
            "waiveLoanCharge" => json!({"chargeId": self.of_loan(loan, &["CHARGE"]).await}),
            "reverseTransaction" => {
                json!({"transactionId": self.of_loan(loan, &["WRITE_OFF", "REPAYMENT", "CHARGE"]).await})
            }
            _ => json!({}),
        }
    }

    /// A transaction of the first of these kinds that the loan has one of; one of nobody's else.
    async fn of_loan(&self, loan: &str, kinds: &[&str]) -> String {
        for kind in kinds {
            if let Some(found) = self.transactions(loan, kind).await.pop() {
                return found;
            }
        }
        "loantx_01gk64aer0e008000000000061".to_owned()
    }
}

pub fn kes(amount: &str) -> Json {
    json!({"amount": amount, "currency": "KES"})
}
