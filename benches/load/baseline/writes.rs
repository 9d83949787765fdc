//! Writing by hand: what was decided, before either engine writes it down. Only what the harness asks for is decided: a
//! payment smaller than what is left of the next installment's interest, on the day on which the loan was paid out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use lending::money::{Currency, Money as Amount};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::answers::{Applied, AppliedPayload, ChangedLoan, Data, Id, Money, NewLoan, Repaid, RepaidPayload, moment};
use super::pools::Pools;
use super::reads::text;
use super::token::Caller;
use super::{App, Failure, Shared, caller, json, typeid, write_postgres, write_sqlite};

#[derive(Deserialize)]
struct AmountInput {
    amount: String,
    currency: String,
}

impl AmountInput {
    fn read(&self) -> Result<Amount, Failure> {
        let currency = Currency::parse(&self.currency).map_err(|error| Failure::bad_input(&error.to_string()))?;
        Amount::parse_amount(&self.amount, currency).map_err(|error| Failure::bad_input(&error.to_string()))
    }
}

/// Who asks, what for, and since when.
pub struct Asked {
    pub caller: Caller,
    pub key: String,
    pub fingerprint: Vec<u8>,
    pub request: Uuid,
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
}

impl Asked {
    fn new(caller: Caller, key: String, body: &[u8]) -> Self {
        let now = Utc::now().trunc_subsecs(3);
        let fingerprint = Sha256::digest(body).to_vec();
        Self { caller, key, fingerprint, request: Uuid::now_v7(), now, today: now.date_naive() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepaymentInput {
    idempotency_key: String,
    loan_id: String,
    amount: AmountInput,
}

/// A repayment to write down.
pub struct Repayment {
    pub loan: Uuid,
    pub amount: i64,
    pub currency: &'static str,
    pub transaction: Uuid,
    pub entry: Uuid,
    pub accrual: Uuid,
    pub event: Uuid,
}

/// The loan as it was found, locked.
pub struct Payable {
    pub branch: Uuid,
    pub currency: String,
    pub status: String,
    pub version: i64,
    pub principal_left: i64,
    pub accrued_interest: i64,
    pub installment: i64,
    pub interest_left: i64,
    pub interest_paid: i64,
    pub disbursed_on: NaiveDate,
    pub sequence: i64,
}

#[derive(Serialize)]
struct PaymentEvent {
    kind: &'static str,
    amount: i64,
    payment: &'static str,
}

#[derive(Serialize)]
struct RepaymentFacts<'a> {
    #[serde(rename = "amountMinor")]
    amount_minor: i64,
    currency: &'a str,
    status: &'a str,
    transaction: String,
    version: i64,
}

impl Repayment {
    pub fn event_json(&self) -> String {
        text(&PaymentEvent { kind: "PAYMENT", amount: self.amount, payment: "REPAYMENT" })
    }

    pub fn facts(&self, found: &Payable) -> String {
        text(&RepaymentFacts {
            amount_minor: self.amount,
            currency: self.currency,
            status: &found.status,
            transaction: typeid::write("loantx", self.transaction),
            version: found.version + 1,
        })
    }

    pub fn decide(&self, asked: &Asked, found: &Payable) -> Result<(), Failure> {
        let plain = found.status == "DISBURSED"
            && found.currency == self.currency
            && found.disbursed_on == asked.today
            && self.amount > 0
            && self.amount < found.interest_left
            && found.accrued_interest == found.interest_paid;
        if plain { Ok(()) } else { Err(Failure::bad_input("a repayment the baseline cannot decide on")) }
    }
}

pub async fn repay(State(app): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    let caller = caller(&app, &headers)?;
    let input: RepaymentInput =
        serde_json::from_slice(&body).map_err(|error| Failure::bad_input(&error.to_string()))?;
    let amount = input.amount.read()?;
    let repayment = Repayment {
        loan: typeid::read("loan", &input.loan_id).ok_or_else(|| Failure::bad_input("no id of a loan"))?,
        amount: amount.minor(),
        currency: amount.currency().code(),
        transaction: Uuid::now_v7(),
        entry: Uuid::now_v7(),
        accrual: Uuid::now_v7(),
        event: Uuid::now_v7(),
    };
    let asked = Asked::new(caller, input.idempotency_key, &body);
    let found = match &app.pools {
        Pools::Postgres(pool) => write_postgres::repay(pool.write(), &asked, &repayment).await?,
        Pools::Sqlite(pool) => write_sqlite::repay(pool.write(), &asked, &repayment).await?,
    };
    let loan = ChangedLoan {
        id: input.loan_id,
        status: found.status,
        version: found.version + 1,
        updated_at: moment(asked.now),
    };
    let transaction = Id { id: typeid::write("loantx", repayment.transaction) };
    let record_repayment = RepaidPayload { loan, transaction, user_errors: [] };
    Ok(json(text(&Data { data: Repaid { record_repayment } })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApplicationInput {
    idempotency_key: String,
    borrower_id: String,
    product_id: String,
    principal: AmountInput,
    installments: i64,
}

/// An application to write down.
pub struct Application {
    pub loan: Uuid,
    pub borrower: Uuid,
    pub product: Uuid,
    pub principal: i64,
    pub currency: &'static str,
    pub installments: i64,
    pub event: Uuid,
}

/// What an application refers to.
pub struct Offer {
    pub branch: Uuid,
    pub branch_status: String,
    pub product_status: String,
    pub currency: String,
    pub principal: (i64, i64),
    pub installments: (i64, i64),
    pub rate: i64,
    pub every: i64,
    pub unit: String,
    pub conditions: String,
    pub erased: bool,
    pub number: String,
}

impl Application {
    pub fn facts(&self) -> String {
        format!(
            "{{\"amountMinor\":{},\"currency\":\"{}\",\"status\":\"PENDING\",\"version\":1}}",
            self.principal, self.currency
        )
    }

    pub fn decide(&self, offer: &Offer) -> Result<(), Failure> {
        let within = |value: i64, (min, max): (i64, i64)| (min..=max).contains(&value);
        let good = offer.branch_status == "OPEN"
            && offer.product_status == "ACTIVE"
            && !offer.erased
            && offer.currency == self.currency
            && within(self.principal, offer.principal)
            && within(self.installments, offer.installments);
        if good { Ok(()) } else { Err(Failure::bad_input("an application that would be refused")) }
    }
}

pub async fn apply(State(app): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    let caller = caller(&app, &headers)?;
    let input: ApplicationInput =
        serde_json::from_slice(&body).map_err(|error| Failure::bad_input(&error.to_string()))?;
    let principal = input.principal.read()?;
    let id = |prefix, text: &str| typeid::read(prefix, text).ok_or_else(|| Failure::bad_input("no such id"));
    let application = Application {
        loan: Uuid::now_v7(),
        borrower: id("borrower", &input.borrower_id)?,
        product: id("product", &input.product_id)?,
        principal: principal.minor(),
        currency: principal.currency().code(),
        installments: input.installments,
        event: Uuid::now_v7(),
    };
    let asked = Asked::new(caller, input.idempotency_key, &body);
    let number = write(&app, &asked, &application).await?;
    let loan = NewLoan {
        id: typeid::write("loan", application.loan),
        number,
        status: "PENDING",
        principal: Money::new(application.principal, application.currency.to_owned()),
        applied_on: asked.today,
        version: 1,
    };
    Ok(json(text(&Data { data: Applied { apply_for_loan: AppliedPayload { loan, user_errors: [] } } })))
}

async fn write(app: &Arc<App>, asked: &Asked, application: &Application) -> Result<String, Failure> {
    match &app.pools {
        Pools::Postgres(pool) => write_postgres::apply(pool.write(), asked, application).await,
        Pools::Sqlite(pool) => write_sqlite::apply(pool.write(), asked, application).await,
    }
}

pub fn number(value: i64) -> String {
    format!("L-{value:09}")
}

pub fn used() -> Failure {
    Failure::bad_input("a key that was used before")
}
