//! The shapes of the answers, field by field in the order in which a client asks for them.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use lending::money::{Currency, Money as Amount};
use serde::Serialize;

#[derive(Serialize)]
pub struct Data<T> {
    pub data: T,
}

#[derive(Serialize)]
pub struct Money {
    pub amount: String,
    pub currency: String,
}

impl Money {
    pub fn new(minor: i64, currency: String) -> Self {
        Self { amount: decimal(minor, &currency), currency }
    }
}

/// Minor units as a decimal.
pub fn decimal(minor: i64, currency: &str) -> String {
    Amount::new(minor, Currency::parse(currency).unwrap()).to_decimal_string()
}

pub fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[derive(Serialize)]
pub struct OneLoan {
    pub loan: Option<Loan>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loan {
    pub id: String,
    pub number: String,
    pub status: String,
    pub principal: Money,
    pub applied_on: NaiveDate,
    pub disbursed_on: Option<NaiveDate>,
    pub version: i64,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct Loans {
    pub loans: Connection,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    pub nodes: Vec<Node>,
    pub page_info: PageInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    pub id: String,
    pub number: String,
    pub status: String,
    pub principal: Money,
    pub applied_on: NaiveDate,
    pub branch: Branch,
    pub borrower: Borrower,
}

#[derive(Serialize, Clone)]
pub struct Branch {
    pub code: String,
    pub name: String,
}

#[derive(Serialize, Clone)]
pub struct Borrower {
    pub number: String,
    pub name: String,
}

#[derive(Serialize)]
pub struct OnePortfolio {
    pub portfolio: Portfolio,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Portfolio {
    pub count: String,
    pub by_currency: Vec<InCurrency>,
    pub by_status: Vec<InStatus>,
}

#[derive(Serialize)]
pub struct InCurrency {
    pub currency: String,
    pub count: String,
    pub principal: Total,
}

#[derive(Serialize)]
pub struct Total {
    pub amount: String,
}

#[derive(Serialize)]
pub struct InStatus {
    pub status: String,
    pub count: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repaid {
    pub record_repayment: RepaidPayload,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RepaidPayload {
    pub loan: ChangedLoan,
    pub transaction: Id,
    pub user_errors: [u8; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedLoan {
    pub id: String,
    pub status: String,
    pub version: i64,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct Id {
    pub id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    pub apply_for_loan: AppliedPayload,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedPayload {
    pub loan: NewLoan,
    pub user_errors: [u8; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewLoan {
    pub id: String,
    pub number: String,
    pub status: &'static str,
    pub principal: Money,
    pub applied_on: NaiveDate,
    pub version: i64,
}
