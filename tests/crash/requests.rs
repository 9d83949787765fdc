//! What clients send, and what they understand of the answers. A client in a crash sees one of three things: it was
//! done, it was refused, or it does not know.

use serde_json::{Value as Json, json};

/// Codes of answers after which nobody knows whether it was done.
const IN_DOUBT: [&str; 4] = ["UNAVAILABLE", "TIMEOUT", "OVERLOADED", "RATE_LIMITED"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Approve,
    Disburse,
    Pay,
    Charge,
    Reverse,
    Refund,
}

impl Operation {
    pub const ALL: [Self; 7] =
        [Self::Apply, Self::Approve, Self::Disburse, Self::Pay, Self::Charge, Self::Reverse, Self::Refund];

    /// The mutation, which is the name on the audit trail, too.
    pub fn mutation(self) -> &'static str {
        match self {
            Self::Apply => "applyForLoan",
            Self::Approve => "approveLoan",
            Self::Disburse => "disburseLoan",
            Self::Pay => "recordRepayment",
            Self::Charge => "addLoanCharge",
            Self::Reverse => "reverseTransaction",
            Self::Refund => "refundCredit",
        }
    }

    fn input_type(self) -> String {
        let (first, rest) = self.mutation().split_at(1);
        format!("{}{rest}Input", first.to_uppercase())
    }

    /// Whether it leaves a transaction with the caller's reference.
    pub fn leaves_transaction(self) -> bool {
        matches!(self, Self::Disburse | Self::Pay | Self::Charge | Self::Refund)
    }
}

/// A mutation as it is sent, the first time and every time after.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its idempotency key, which is its reference as well where it can have one.
    pub key: String,
    pub operation: Operation,
    /// The amount it names, in minor units.
    pub amount: Option<i64>,
    input: Json,
}

impl Request {
    /// A request with what the operation needs beside its key.
    pub fn new(key: &str, operation: Operation, amount: Option<i64>, mut input: Json) -> Self {
        input["idempotencyKey"] = json!(key);
        if operation == Operation::Apply || operation.leaves_transaction() {
            input["externalRef"] = json!(key);
        }
        if let Some(amount) = amount {
            let field = if operation == Operation::Apply { "principal" } else { "amount" };
            input[field] = json!({"amount": written(amount), "currency": "KES"});
        }
        Self { key: key.to_owned(), operation, amount, input }
    }

    pub fn body(&self) -> String {
        let transaction = match self.operation {
            Operation::Apply | Operation::Approve => "",
            _ => "transaction { id externalRef amount { amount } }",
        };
        let query = format!(
            "mutation($input: {}!) {{ answer: {}(input: $input) {{ replayed loan {{ id }} {transaction} \
             userErrors {{ code message }} }} }}",
            self.operation.input_type(),
            self.operation.mutation(),
        );
        json!({"query": query, "variables": {"input": self.input}}).to_string()
    }
}

/// Minor units as the API writes them.
pub fn written(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// What a client was told was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub loan: String,
    pub transaction: Option<String>,
    pub amount: Option<String>,
    pub replayed: bool,
}

/// What a client knows after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done(Done),
    /// It was refused, and has done nothing.
    Refused(String),
    /// It may have been done.
    Unknown(String),
    /// An answer that nobody should get.
    Wrong(String),
}

impl Answer {
    /// Reads what came back.
    pub fn read(text: &str) -> Self {
        let Ok(body) = serde_json::from_str::<Json>(text) else { return Self::Unknown(format!("broke off: {text}")) };
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let codes: Vec<_> = errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("")).collect();
        if codes.iter().any(|code| !IN_DOUBT.contains(code)) {
            return Self::Wrong(text.to_owned());
        }
        if let Some(code) = codes.first() {
            return Self::Unknown((*code).to_owned());
        }
        let payload = &body["data"]["answer"];
        match payload["userErrors"][0]["code"].as_str() {
            Some("IDEMPOTENCY_IN_PROGRESS") => return Self::Unknown("IDEMPOTENCY_IN_PROGRESS".to_owned()),
            // Every key and every reference is sent with one input only.
            Some("IDEMPOTENCY_KEY_MISMATCH" | "ALREADY_TAKEN") => return Self::Wrong(text.to_owned()),
            Some(code) => return Self::Refused(code.to_owned()),
            None => {}
        }
        let word = |value: &Json| value.as_str().map(str::to_owned);
        let Some(loan) = word(&payload["loan"]["id"]) else { return Self::Wrong(text.to_owned()) };
        Self::Done(Done {
            loan,
            transaction: word(&payload["transaction"]["id"]),
            amount: word(&payload["transaction"]["amount"]["amount"]),
            replayed: payload["replayed"] == true,
        })
    }
}

/// A request, and what its sender knows of it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub request: Request,
    pub answer: Answer,
}
