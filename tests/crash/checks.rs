//! What must hold after a crash, whatever was interrupted: every key has exactly the effect its sender was told of. It
//! is looked for past the server in the database's own rows, through the API, and with the command `verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use branch_loan_api::ids::{Kind, NodeId};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, QueryResult, Statement};
use serde_json::json;
use uuid::Uuid;

use super::requests::{Answer, Done, Operation, Sent, written};
use super::world::World;

/// What should never be.
#[derive(Debug)]
pub enum Violation {
    /// Something acknowledged is not there.
    Lost(String),
    /// Something is there more than once.
    Doubled(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(text) => write!(formatter, "LOST {text}"),
            Self::Doubled(text) => write!(formatter, "DOUBLED {text}"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

/// A transaction as it is stored.
struct Stored {
    id: Uuid,
    loan: Uuid,
    amount: Option<i64>,
}

/// The rows that requests have left.
struct Rows {
    /// Operation and outcome by key.
    keys: BTreeMap<String, Vec<(String, String)>>,
    /// Loans by reference.
    loans: BTreeMap<String, Vec<(Uuid, i64)>>,
    /// Transactions by reference.
    transactions: BTreeMap<String, Vec<Stored>>,
    reversed: BTreeSet<Uuid>,
    /// How often each mutation was done, by the audit trail.
    done: BTreeMap<String, i64>,
}

/// Checks everything on a world's record.
pub async fn check(world: &World) -> Vec<Violation> {
    let rows = Rows::read(&world.database_url).await;
    let mut found = Vec::new();
    for sent in &world.record {
        let told = format!("{} {}: {:?}", sent.request.operation.mutation(), sent.request.key, sent.answer);
        match &sent.answer {
            Answer::Done(done) => rows.check_done(sent, done, &told, &mut found),
            Answer::Refused(_) => rows.check_refused(sent, &told, &mut found),
            Answer::Unknown(_) => found.push(Violation::Other(format!("never settled: {told}"))),
            Answer::Wrong(_) => found.push(Violation::Other(format!("nobody should get this: {told}"))),
        }
    }
    rows.check_totals(&world.record, &mut found);
    check_api(world, &mut found).await;
    let verified = world.place.run(&["verify"]);
    if !verified.status.success() {
        found.push(Violation::Other(format!("verify: {verified:?}")));
    }
    found
}

/// What the server's log must not have.
pub fn check_log(log: &str) -> Vec<Violation> {
    let defects = ["panicked", "a use case failed", "internal error"];
    let lines = log.lines().filter(|line| defects.iter().any(|defect| line.contains(defect)));
    lines.map(|line| Violation::Other(format!("in the log: {line}"))).collect()
}

impl Rows {
    async fn read(url: &str) -> Self {
        let mut options = ConnectOptions::new(url.to_owned());
        options.max_connections(1).sqlx_logging(false);
        let connection = sea_orm::Database::connect(options).await.unwrap();
        let mut rows = Self {
            keys: BTreeMap::new(),
            loans: BTreeMap::new(),
            transactions: BTreeMap::new(),
            reversed: BTreeSet::new(),
            done: BTreeMap::new(),
        };
        for row in select(&connection, "SELECT key, operation, outcome FROM idempotency_keys").await {
            let entry = (text(&row, "operation"), text(&row, "outcome"));
            rows.keys.entry(text(&row, "key")).or_default().push(entry);
        }
        let loans = "SELECT id, external_ref, principal_minor FROM loans WHERE external_ref IS NOT NULL";
        for row in select(&connection, loans).await {
            let entry = (row.try_get("", "id").unwrap(), row.try_get("", "principal_minor").unwrap());
            rows.loans.entry(text(&row, "external_ref")).or_default().push(entry);
        }
        let transactions = "SELECT id, loan_id, external_ref, amount_minor FROM loan_transactions
                            WHERE external_ref IS NOT NULL";
        for row in select(&connection, transactions).await {
            let (id, loan) = (row.try_get("", "id").unwrap(), row.try_get("", "loan_id").unwrap());
            let stored = Stored { id, loan, amount: row.try_get("", "amount_minor").unwrap() };
            rows.transactions.entry(text(&row, "external_ref")).or_default().push(stored);
        }
        for row in select(&connection, "SELECT transaction_id FROM loan_reversals").await {
            rows.reversed.insert(row.try_get("", "transaction_id").unwrap());
        }
        let done = "SELECT operation, count(*) AS n FROM audit_events WHERE outcome = 'DONE' GROUP BY operation";
        for row in select(&connection, done).await {
            rows.done.insert(text(&row, "operation"), row.try_get("", "n").unwrap());
        }
        connection.close().await.unwrap();
        rows
    }

    fn check_done(&self, sent: &Sent, done: &Done, told: &str, found: &mut Vec<Violation>) {
        let (key, operation) = (&sent.request.key, sent.request.operation);
        let loan = NodeId::parse(&done.loan, Kind::Loan).unwrap();
        let transaction = done.transaction.as_ref().map(|id| NodeId::parse(id, Kind::LoanTransaction).unwrap());
        let (mut ids, mut agrees) = (Vec::new(), true);
        match operation {
            Operation::Apply => {
                for (id, principal) in self.loans.get(key).into_iter().flatten() {
                    ids.push(*id);
                    agrees &= *id == loan && Some(*principal) == sent.request.amount;
                }
            }
            Operation::Disburse | Operation::Pay | Operation::Charge | Operation::Refund => {
                for stored in self.transactions.get(key).into_iter().flatten() {
                    ids.push(stored.id);
                    let amount = sent.request.amount.is_none_or(|amount| stored.amount == Some(amount));
                    let shown = match (stored.amount, &done.amount) {
                        (Some(stored), Some(shown)) => written(stored) == *shown,
                        _ => true,
                    };
                    agrees &= Some(stored.id) == transaction && stored.loan == loan && amount && shown;
                }
            }
            Operation::Reverse => ids.extend(transaction.filter(|id| self.reversed.contains(id))),
            // Its effect is counted on the audit trail.
            Operation::Approve => ids.push(loan),
        }
        let claims = self.keys.get(key).map_or(0, Vec::len);
        match (ids.len(), claims) {
            (0, _) | (_, 0) => found.push(Violation::Lost(told.to_owned())),
            (1, 1) if agrees => {}
            (1, 1) => found.push(Violation::Other(format!("another effect than was told: {told}"))),
            _ => found.push(Violation::Doubled(told.to_owned())),
        }
    }

    fn check_refused(&self, sent: &Sent, told: &str, found: &mut Vec<Violation>) {
        let key = &sent.request.key;
        if self.keys.contains_key(key) || self.loans.contains_key(key) || self.transactions.contains_key(key) {
            found.push(Violation::Other(format!("refused and done: {told}")));
        }
    }

    /// Nothing was done that nobody sent, and everything was done as often as it was acknowledged.
    fn check_totals(&self, record: &[Sent], found: &mut Vec<Violation>) {
        let known: BTreeSet<&str> = record.iter().map(|sent| sent.request.key.as_str()).collect();
        let references = self.keys.keys().chain(self.loans.keys()).chain(self.transactions.keys());
        for key in references.filter(|key| !known.contains(key.as_str())) {
            found.push(Violation::Other(format!("nobody sent {key}")));
        }
        for operation in Operation::ALL {
            let acknowledged =
                |sent: &&Sent| sent.request.operation == operation && matches!(sent.answer, Answer::Done(_));
            let expected = i64::try_from(record.iter().filter(acknowledged).count()).unwrap();
            let done = self.done.get(operation.mutation()).copied().unwrap_or(0);
            let name = operation.mutation();
            let text = format!("{name}: acknowledged {expected} times, done {done} times by the audit trail");
            match done.cmp(&expected) {
                std::cmp::Ordering::Less => found.push(Violation::Lost(text)),
                std::cmp::Ordering::Greater => found.push(Violation::Doubled(text)),
                std::cmp::Ordering::Equal => {}
            }
        }
    }
}

/// The same through the API: each loan with its newest transactions, and debits that are credits.
async fn check_api(world: &World, found: &mut Vec<Violation>) {
    let books =
        world.ask("{ trialBalance { balanced totals { debit { amount } credit { amount } } } }", json!({})).await;
    let totals = books["trialBalance"]["totals"].as_array().cloned().unwrap_or_default();
    if books["trialBalance"]["balanced"] != true || totals.iter().any(|total| total["debit"] != total["credit"]) {
        found.push(Violation::Other(format!("debits are not credits: {books}")));
    }
    let acknowledged = world.record.iter().filter_map(|sent| match &sent.answer {
        Answer::Done(done) if sent.request.operation.leaves_transaction() => Some((sent, done)),
        _ => None,
    });
    let mut by_loan: BTreeMap<&str, Vec<(&Sent, &Done)>> = BTreeMap::new();
    for (sent, done) in acknowledged {
        by_loan.entry(&done.loan).or_default().push((sent, done));
    }
    for (loan, all) in by_loan {
        let mut shown: BTreeMap<String, (String, String)> = BTreeMap::new();
        let mut after = None::<String>;
        loop {
            let query =
                "query($id: ID!, $after: String) { loan(by: { id: $id }) { transactions(first: 100, after: $after) {
                nodes { id externalRef amount { amount } } pageInfo { hasNextPage endCursor } } } }";
            let answer = world.ask(query, json!({"id": loan, "after": after})).await;
            let page = &answer["loan"]["transactions"];
            for node in page["nodes"].as_array().into_iter().flatten() {
                let word = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
                let amount = node["amount"]["amount"].as_str().unwrap_or_default().to_owned();
                shown.insert(word("id"), (word("externalRef"), amount));
            }
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
        }
        for (sent, done) in all {
            let expected = (sent.request.key.clone(), done.amount.clone().unwrap_or_default());
            let id = done.transaction.clone().unwrap_or_default();
            if shown.get(&id) != Some(&expected) {
                let told = format!("the API shows {:?} for {sent:?}", shown.get(&id));
                found.push(Violation::Lost(told));
            }
        }
    }
}

async fn select(connection: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap()
}

fn text(row: &QueryResult, column: &str) -> String {
    row.try_get("", column).unwrap()
}
