//! Active loans by the hundred thousand: ten are made through the use cases, and everything stored of them is copied by
//! the database, the same on every run. They were paid out on ten days in a row and have 6 to 12 monthly installments.

use std::collections::BTreeMap;

use branch_loan_api::service::loan_books::{Record, What};
use branch_loan_api::service::loan_decisions::Decide;
use branch_loan_api::service::loans::ApplyForLoan;
use chrono::{Days, NaiveDate};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::support::inputs::{amount, application, approve};
use crate::support::services::{World, admin};

/// Loans that are copied.
const ORIGINALS: i32 = 10;
/// So many days after the last of them was paid out, the first installment of the first one is due.
pub const DAYS_WITHOUT_ARREARS: u64 = 20;
/// What is stored of a loan, in the order of who refers to whom, and the order of each table's rows.
const TABLES: [(&str, &str); 6] = [
    ("loans", "o.id, n.n"),
    ("loan_transactions", "o.loan_id, n.n, o.sequence"),
    ("loan_installments", "o.loan_id, n.n, o.number"),
    ("journal_entries", "o.id, n.n"),
    ("journal_lines", "o.entry_id, n.n, o.number"),
    ("loan_transaction_splits", "o.loan_id, n.n"),
];
/// Columns that hold an id of something that is copied.
const IDS: [&str; 6] = ["id", "loan_id", "transaction_id", "journal_entry_id", "entry_id", "reverses_id"];

fn start() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 6, 1).unwrap()
}

/// The day after the last loan was paid out.
pub fn first_day() -> NaiveDate {
    start().checked_add_days(Days::new(ORIGINALS.unsigned_abs().into())).unwrap()
}

/// Fills an empty database; answers with how many loans there are.
pub async fn fill(world: &World, loans: i32, branches: i32) -> u64 {
    originals(world, branches).await;
    let raw = world.engine.raw().await;
    let copies = (loans / ORIGINALS).saturating_sub(1);
    for (table, _) in TABLES {
        raw.execute_unprepared(&format!("CREATE TEMPORARY TABLE original_{table} AS SELECT * FROM {table}"))
            .await
            .unwrap();
    }
    for (table, order) in TABLES {
        let sql = copy(&raw, world.engine.is_postgres(), table, copies, branches).await + " ORDER BY " + order;
        raw.execute_unprepared(&sql).await.unwrap();
    }
    world.services.tidy_portfolio().await.unwrap();
    if world.engine.is_postgres() {
        raw.execute_unprepared("VACUUM (ANALYZE)").await.unwrap();
    }
    raw.close().await.unwrap();
    ((copies + 1) * ORIGINALS).unsigned_abs().into()
}

async fn originals(world: &World, branches: i32) {
    world.clock.set(&format!("{}T09:00:00Z", start()));
    let (branch, borrower, product) = world.parties().await;
    for number in 1..branches {
        world.branch(&format!("NBO-{number:04}"), Some(&branch)).await;
    }
    for number in 0..ORIGINALS {
        let on = start().checked_add_days(Days::new(number.unsigned_abs().into())).unwrap();
        world.clock.set(&format!("{on}T09:00:00Z"));
        let key = format!("original-{number}");
        let input = ApplyForLoan {
            principal: amount(&format!("{}.00", 9_000 + 371 * number), "KES"),
            annual_rate: Some("17.5".to_owned()),
            installments: Some(6 + number % 7),
            ..application(&key, &borrower, &product)
        };
        let loan = world.services.apply_for_loan(&admin(), &input).await.unwrap().loan;
        world.services.decide(&admin(), &Decide { on: Some(on), ..approve(loan.id) }).await.unwrap();
        let disbursement = Record {
            idempotency_key: key,
            loan: loan.id,
            on: Some(on),
            what: What::Disburse { amount: None },
            external_ref: None,
            expected_version: None,
        };
        world.services.record(&admin(), &disbursement).await.unwrap();
    }
}

/// The statement that copies the originals of a table.
async fn copy(raw: &DatabaseConnection, is_postgres: bool, table: &str, copies: i32, branches: i32) -> String {
    // Between the moment an id begins with and the count it ends with: ids stay in the order of time.
    let copied = |column: &str| {
        if is_postgres {
            let digits = format!("replace(CAST(o.{column} AS text), '-', '')");
            format!("CAST(substr({digits}, 1, 17) || lpad(to_hex(n.n), 11, '0') || substr({digits}, 29) AS uuid)")
        } else {
            format!("unhex(substr(hex(o.{column}), 1, 17) || printf('%011x', n.n) || substr(hex(o.{column}), 29))")
        }
    };
    let mut values = BTreeMap::new();
    for column in columns(raw, is_postgres, table).await {
        let value = match (table, column.as_str()) {
            (_, column) if IDS.contains(&column) => copied(column),
            ("loans", "number") => "o.number || '-' || n.n".to_owned(),
            (_, "branch_id") => "b.id".to_owned(),
            (_, column) => format!("o.{column}"),
        };
        values.insert(column, value);
    }
    let names: Vec<&str> = values.keys().map(String::as_str).collect();
    let expressions: Vec<&str> = values.values().map(String::as_str).collect();
    let numbers = if is_postgres {
        format!("SELECT n FROM generate_series(1, {copies}) AS n")
    } else {
        format!("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {copies}) SELECT n FROM s")
    };
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM ({numbers}) n
         JOIN (SELECT id, row_number() OVER (ORDER BY code) - 1 AS place FROM branches) b ON b.place = n.n % {branches}
         CROSS JOIN original_{table} o",
        names.join(", "),
        expressions.join(", ")
    )
}

/// The columns that are written; computed ones are not.
async fn columns(raw: &DatabaseConnection, is_postgres: bool, table: &str) -> Vec<String> {
    let sql = if is_postgres {
        format!(
            "SELECT CAST(column_name AS text) AS name FROM information_schema.columns
             WHERE table_name = '{table}' AND table_schema = 'public' AND is_generated = 'NEVER'"
        )
    } else {
        format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0")
    };
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}
