//! The workloads: each as a list of requests for a kind of target, and what an answer must look like. GraphQL targets get
//! the document and its variables as a client sends them; the baseline has a path or a small JSON body for the same work.

use clap::ValueEnum;
use serde_json::{Value as Json, json};

use crate::facts::Facts;
use crate::payable::Set;

/// What is asked of every target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// A query that needs no database.
    NoDatabase,
    /// One loan by its id, eight fields.
    ById,
    /// The first page of 20 loans, with branch and borrower.
    Page,
    /// The same from somewhere in the middle of the list.
    DeepPage,
    /// The first page alone, measured in the same rounds as the next two.
    #[value(name = "page-1")]
    Page1,
    /// The 1,000th page by its cursor.
    #[value(name = "page-1000")]
    Page1000,
    /// The 10,000th page by its cursor.
    #[value(name = "page-10000")]
    Page10000,
    /// 20 running loans of one branch.
    FilteredPage,
    /// Counts and principal of all loans, by status and currency.
    Portfolio,
    /// What is owed on all loans; the baseline has nothing like it.
    PortfolioOwed,
    /// A repayment of a running loan.
    Repay,
    /// The same of a loan on which nothing was recorded but its disbursement.
    RepayNone,
    /// The same of a loan with 60 payments, measured in the same rounds.
    RepaySixty,
    /// An application for a loan.
    Apply,
    /// Nine loans by their ids, then a repayment.
    Mixed,
}

/// Which form of a request a target understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Graphql,
    Baseline,
}

/// A request, ready to be sent.
#[derive(Debug, Clone)]
pub struct Shot {
    pub bytes: Vec<u8>,
    /// Where its idempotency key stands, which is a new one each time.
    pub key_at: Option<usize>,
    /// What the body of a good answer begins with.
    pub begins: &'static str,
}

/// What stands for a key until the request is sent; a number of the same width takes its place.
pub const KEY: &str = "KKKKKKKKKKKKKKKK";

/// Loans of a page.
pub const PAGE: i64 = 20;

const BY_ID: &str = "query($id: ID!) { loan(by: { id: $id }) { id number status principal { amount currency } appliedOn disbursedOn version updatedAt } }";
const NODE: &str = "nodes { id number status principal { amount currency } appliedOn branch { code name } borrower { number name } } pageInfo { hasNextPage endCursor }";
const REPAY: &str = "mutation($input: RecordRepaymentInput!) { recordRepayment(input: $input) { loan { id status version updatedAt } transaction { id } userErrors { code message } } }";
const APPLY: &str = "mutation($input: ApplyForLoanInput!) { applyForLoan(input: $input) { loan { id number status principal { amount currency } appliedOn version } userErrors { code message } } }";
const PORTFOLIO: &str =
    "{ portfolio { count byCurrency { currency count principal { amount } } byStatus { status count } } }";
const OWED: &str = "{ portfolio { byCurrency { currency outstanding { total { amount } } overdue { amount } } } }";

impl Workload {
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    pub fn writes(self) -> bool {
        self == Self::Apply || self.pays().is_some()
    }

    /// The loans it pays.
    pub fn pays(self) -> Option<Set> {
        match self {
            Self::Repay | Self::Mixed => Some(Set::Any),
            Self::RepayNone => Some(Set::Unpaid),
            Self::RepaySixty => Some(Set::Sixty),
            _ => None,
        }
    }

    /// Which page of all loans it asks for, where that is what sets it apart.
    pub fn page(self) -> Option<i64> {
        match self {
            Self::Page1000 => Some(1_000),
            Self::Page10000 => Some(10_000),
            _ => None,
        }
    }

    /// Whether it is compared with the one before it, so that both take their turns in the same rounds.
    fn follows(self, other: Self) -> bool {
        matches!(
            (other, self),
            (Self::Page1, Self::Page1000 | Self::Page10000)
                | (Self::Page1000, Self::Page10000)
                | (Self::RepayNone, Self::RepaySixty)
        )
    }

    /// The workloads, those that are compared with each other together.
    pub fn groups(workloads: &[Self]) -> Vec<&[Self]> {
        workloads.chunk_by(|one, next| next.follows(*one)).collect()
    }

    /// The requests, in the order in which they are sent, over and over.
    pub fn shots(self, form: Form, path: &str, token: &str, facts: &Facts) -> Vec<Shot> {
        let graphql = |query: &str, variables: Json, begins: &'static str| {
            post(path, token, &json!({"query": query, "variables": variables}).to_string(), begins)
        };
        let by_id = |id: &String| match form {
            Form::Graphql => graphql(BY_ID, json!({"id": id}), LOAN),
            Form::Baseline => get(&format!("/loans/{id}"), token, LOAN),
        };
        let after = |cursor: &String| {
            let query = format!("query($after: String) {{ loans(first: 20, after: $after) {{ {NODE} }} }}");
            match form {
                Form::Graphql => graphql(&query, json!({"after": cursor}), LOANS),
                Form::Baseline => get(&format!("/loans?f={}&after={cursor}", facts.all), token, LOANS),
            }
        };
        let repay = |id: &String| {
            let input = json!({"idempotencyKey": KEY, "loanId": id, "amount": {"amount": "1.00", "currency": "KES"}});
            match form {
                Form::Graphql => graphql(REPAY, json!({"input": input}), REPAID),
                Form::Baseline => post("/repayments", token, &input.to_string(), REPAID),
            }
        };
        match self {
            Self::NoDatabase => vec![match form {
                Form::Graphql => graphql("{ __typename }", json!({}), "{\"data\":{\"__typename\":"),
                Form::Baseline => get("/nothing", token, "{\"data\":{\"__typename\":"),
            }],
            Self::ById => facts.loans.iter().map(by_id).collect(),
            Self::Page | Self::Page1 => vec![match form {
                Form::Graphql => graphql(&format!("{{ loans(first: 20) {{ {NODE} }} }}"), json!({}), LOANS),
                Form::Baseline => get(&format!("/loans?f={}", facts.all), token, LOANS),
            }],
            Self::DeepPage => facts.cursors.iter().map(after).collect(),
            Self::Page1000 | Self::Page10000 => {
                let pages = facts.pages.iter().filter(|(wanted, ..)| Some(*wanted) == self.page());
                pages.map(|(.., cursor)| after(cursor)).collect()
            }
            Self::FilteredPage => {
                let query = format!(
                    "query($branch: ID!) {{ loans(first: 20, filter: {{ status: {{ eq: DISBURSED }}, branch: {{ eq: $branch }}, includeSubBranches: false }}) {{ {NODE} }} }}"
                );
                let one = |(branch, f): &(String, String)| match form {
                    Form::Graphql => graphql(&query, json!({"branch": branch}), LOANS),
                    Form::Baseline => get(&format!("/loans?f={f}&branch={branch}"), token, LOANS),
                };
                facts.branches.iter().map(one).collect()
            }
            Self::Portfolio => vec![match form {
                Form::Graphql => graphql(PORTFOLIO, json!({}), "{\"data\":{\"portfolio\":{"),
                Form::Baseline => get("/portfolio", token, "{\"data\":{\"portfolio\":{"),
            }],
            Self::PortfolioOwed => match form {
                Form::Graphql => vec![graphql(OWED, json!({}), "{\"data\":{\"portfolio\":{")],
                Form::Baseline => Vec::new(),
            },
            Self::Repay | Self::RepayNone | Self::RepaySixty => {
                self.pays().into_iter().flat_map(|set| facts.payable(set)).map(repay).collect()
            }
            Self::Apply => {
                let one = |borrower: &String| {
                    let input = json!({
                        "idempotencyKey": KEY, "borrowerId": borrower, "productId": facts.product,
                        "principal": {"amount": "12500.00", "currency": "KES"}, "installments": 12,
                    });
                    match form {
                        Form::Graphql => graphql(APPLY, json!({"input": input}), APPLIED),
                        Form::Baseline => post("/applications", token, &input.to_string(), APPLIED),
                    }
                };
                facts.borrowers.iter().map(one).collect()
            }
            Self::Mixed => {
                let mut payable = facts.payable(Set::Any).iter().cycle();
                let mut shots = Vec::new();
                for nine in facts.loans.chunks(9) {
                    shots.extend(nine.iter().map(by_id));
                    shots.extend(payable.next().map(repay));
                }
                shots
            }
        }
    }

    /// The document of a first page, which tells what cursors of its list look like.
    pub fn first_page(branch: Option<&str>, path: &str, token: &str) -> Shot {
        let filter = branch.map(|branch| {
            format!(
                "(filter: {{ status: {{ eq: DISBURSED }}, branch: {{ eq: \"{branch}\" }}, includeSubBranches: false }})"
            )
        });
        let query = format!("{{ loans{} {{ pageInfo {{ endCursor }} }} }}", filter.unwrap_or_default());
        post(path, token, &json!({"query": query}).to_string(), LOANS)
    }
}

const LOAN: &str = "{\"data\":{\"loan\":{\"id\":\"";
const LOANS: &str = "{\"data\":{\"loans\":{";
const REPAID: &str = "{\"data\":{\"recordRepayment\":{\"loan\":{\"id\":\"";
const APPLIED: &str = "{\"data\":{\"applyForLoan\":{\"loan\":{\"id\":\"";

/// The header; a server that recognizes nobody is sent none.
fn authorization(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") }
}

fn get(path: &str, token: &str, begins: &'static str) -> Shot {
    let text = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{}\r\n", authorization(token));
    Shot { bytes: text.into_bytes(), key_at: None, begins }
}

/// A request with a JSON body.
pub fn post(path: &str, token: &str, body: &str, begins: &'static str) -> Shot {
    let text = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{}content-type: application/json\r\n\
         accept: application/graphql-response+json\r\ncontent-length: {}\r\n\r\n{body}",
        authorization(token),
        body.len()
    );
    Shot { key_at: text.find(KEY), bytes: text.into_bytes(), begins }
}

impl Shot {
    /// Whether a body is a good answer: it begins as it should, and no list of errors ends it or stands in it.
    pub fn accepts(&self, status: u16, body: &[u8], closely: bool) -> bool {
        let errors = || crate::client::find(body, b"\"errors\":[").is_some();
        let refused = || self.key_at.is_some() && crate::client::find(body, b"\"userErrors\":[]").is_none();
        status == 200
            && body.starts_with(self.begins.as_bytes())
            && body.ends_with(b"}")
            && !body.ends_with(b"]}")
            && !(closely && errors())
            && !refused()
    }
}
