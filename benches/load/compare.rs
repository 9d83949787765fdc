//! Whether two targets do the same work: reads answer with the same bytes, writes with the same but for ids and times, and
//! leave the same rows of a loan.

use branch_loan_api::ids::{Kind, NodeId};
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use crate::baseline::pools::{Pools, on};
use crate::client::Connection;
use crate::target::Target;
use crate::workload::{Shot, Workload};

const SHOTS: usize = 20;
/// What no two targets can agree on.
const OWN: [&str; 3] = ["id", "number", "updatedAt"];

/// What is stored of a loan, each row as a text without ids and times.
const ROWS: [&str; 5] = [
    "SELECT status || ' ' || version || ' ' || outstanding_principal_minor || ' ' || outstanding_interest_minor || ' ' ||
         accrued_interest_minor || ' ' || projected_on || ' ' || next_due_on || ' ' || oldest_unpaid_due_on
     FROM loans WHERE id = $1",
    "SELECT number || ' ' || due_on || ' ' || paid_principal_minor || ' ' || paid_interest_minor || ' ' ||
         paid_in_advance_minor || ' ' || left_minor FROM loan_installments WHERE loan_id = $1 ORDER BY number",
    "SELECT sequence || ' ' || kind || ' ' || value_date || ' ' || amount_minor || ' ' || event
     FROM loan_transactions WHERE loan_id = $1 ORDER BY sequence",
    "SELECT s.amount_minor || ' ' || s.principal_minor || ' ' || s.interest_minor || ' ' || s.balance_after_minor || ' ' ||
         e.kind || ' ' || e.booked_on
     FROM loan_transaction_splits s JOIN loan_transactions t ON t.id = s.transaction_id
     JOIN journal_entries e ON e.id = s.journal_entry_id WHERE s.loan_id = $1 ORDER BY t.sequence",
    "SELECT e.kind || ' ' || l.number || ' ' || l.account || ' ' || l.currency || ' ' || sum(l.debit_minor) || ' ' ||
         sum(l.credit_minor) || ' ' || count(*)
     FROM journal_lines l JOIN journal_entries e ON e.id = l.entry_id WHERE l.loan_id = $1
     GROUP BY e.kind, l.number, l.account, l.currency ORDER BY 1",
];
const AUDIT: &str =
    "SELECT operation || ' ' || outcome || ' ' || roles || ' ' || codes || ' ' || object_kind || ' ' || length(details)
     FROM audit_events WHERE object_id = $1 ORDER BY operation, length(details)";

/// A target's answers to the first requests.
pub async fn answers(target: &Target, shots: &[Shot]) -> Vec<String> {
    let mut answers = Vec::new();
    for shot in shots.iter().take(SHOTS) {
        answers.push(ask(target, shot).await);
    }
    answers
}

/// Compares two targets' answers, each with the target's name.
pub fn alike(workload: Workload, one: (&str, &[String]), other: (&str, &[String])) {
    for (first, second) in one.1.iter().zip(other.1) {
        let alike = if workload.writes() {
            first.len() == second.len() && masked(first) == masked(second)
        } else {
            first == second
        };
        assert!(alike, "{}:\n{}: {first}\n{}: {second}", workload.name(), one.0, other.0);
    }
}

async fn ask(target: &Target, shot: &Shot) -> String {
    let mut bytes = Vec::new();
    shot.load(&mut bytes);
    let mut connection = Connection::open(target.address).await.unwrap();
    let answer = connection.ask(&bytes).await.unwrap();
    let text = String::from_utf8_lossy(answer.body).into_owned();
    assert!(shot.accepts(answer.status, answer.body, true), "{}: {}: {text}", target.name, answer.status);
    text
}

fn masked(text: &str) -> Json {
    let mut value: Json = serde_json::from_str(text).unwrap();
    mask(&mut value);
    value
}

fn mask(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                if OWN.contains(&name.as_str()) { *value = Json::Null } else { mask(value) }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

/// Compares what two databases hold of the loans that were paid.
pub async fn rows(one: &Pools, other: &Pools, loans: &[String]) {
    for loan in loans.iter().take(SHOTS) {
        let id = NodeId::parse(loan, Kind::Loan).unwrap();
        for sql in ROWS.into_iter().chain([AUDIT]) {
            let (first, second) = (texts(one, sql, id).await, texts(other, sql, id).await);
            assert_eq!(first, second, "{loan}: {sql}");
            assert!(!first.is_empty(), "{loan}: {sql}");
        }
    }
}

async fn texts(pools: &Pools, sql: &str, id: Uuid) -> Vec<Option<String>> {
    on!(pools, pool => {
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_all(pool.read()).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
}
