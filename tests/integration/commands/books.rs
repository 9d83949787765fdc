//! Demonstration data in a database of a test's own, and the commands that work on its books.

use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};

use crate::support::engines::Engine;
use crate::support::ledger::{self, Booked};
use crate::support::process::Place;

/// Days that are closed; the demonstration's loans stand as they are at the end of 2025.
pub const FIRST: &str = "2026-01-15";
pub const LAST: &str = "2026-01-17";

/// The books of a demonstration.
pub struct Books {
    pub engine: Engine,
    pub place: Place,
    raw: DatabaseConnection,
}

impl Books {
    /// With so many loans: always the same.
    pub async fn with(engine: Engine, loans: u32) -> Self {
        // Generous with time, because the tests share two cores.
        let place = Place::new()
            .set("DATABASE_URL", &engine.url)
            .set("DATABASE_LOCK_TIMEOUT_MS", 50_000)
            .set("DATABASE_STATEMENT_TIMEOUT_MS", 50_000)
            .set("REQUEST_DEADLINE_MS", 60_000);
        let made = place.run(&["demo", "--loans", &loans.to_string()]).printed();
        assert!(made.contains(&format!("{} loans", loans + 5)), "{made}");
        let raw = engine.raw().await;
        Self { engine, place, raw }
    }

    /// Closes days through one; what it printed, a line a branch.
    pub fn close(&self, through: &str, arguments: &[&str]) -> Vec<String> {
        let printed = self.place.run(&[&["close-day", "--date", through], arguments].concat()).printed();
        printed.lines().map(str::to_owned).collect()
    }

    /// Verifies, and finds nothing.
    #[track_caller]
    pub fn assert_hold(&self) {
        let printed = self.place.run(&["verify"]).printed();
        assert!(printed.starts_with("The books hold: "), "{printed}");
    }

    /// The one number a query answers with.
    pub async fn number(&self, sql: &str) -> i64 {
        self.rows(sql).await[0].try_get_by_index(0).unwrap()
    }

    /// Loans whose days are closed.
    pub async fn running(&self) -> i64 {
        self.number("SELECT count(*) FROM loans WHERE status IN ('DISBURSED', 'DEFAULTED')").await
    }

    /// Loans of which a day is closed.
    pub async fn closed(&self, day: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM loans WHERE accrued_through >= '{day}'")).await
    }

    /// Runs SQL past the store.
    pub async fn sql(&self, statements: &[&str]) {
        for statement in statements {
            self.raw.execute_unprepared(statement).await.unwrap();
        }
    }

    /// Everything that closing days writes, without ids and moments: the journal, the loans, their transactions.
    pub async fn content(&self) -> (Vec<Booked>, Vec<String>) {
        let loans =
            "SELECT number || ' ' || status || ' ' || accrued_interest_minor || ' ' || accrued_fees_minor || ' ' ||
                         accrued_penalties_minor || ' ' || outstanding_penalties_minor || ' ' ||
                         COALESCE(CAST(accrued_through AS text), '-') || ' ' ||
                         COALESCE(CAST(projected_on AS text), '-') || ' ' ||
                         COALESCE(CAST(next_due_on AS text), '-') || ' ' ||
                         COALESCE(CAST(oldest_unpaid_due_on AS text), '-') AS line FROM loans ORDER BY number";
        let transactions = "SELECT o.number || ' ' || t.sequence || ' ' || t.kind || ' ' || t.event AS line
                            FROM loan_transactions t JOIN loans o ON o.id = t.loan_id ORDER BY o.number, t.sequence";
        let branches = "SELECT code || ' ' || COALESCE(CAST(closed_through AS text), '-') AS line
                        FROM branches ORDER BY code";
        let mut lines = Vec::new();
        for sql in [loans, transactions, branches] {
            lines.extend(self.rows(sql).await.iter().map(|row| row.try_get::<String>("", "line").unwrap()));
        }
        (ledger::booked(&self.raw).await, lines)
    }

    async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        self.raw.query_all_raw(Statement::from_string(self.engine.backend, sql)).await.unwrap()
    }
}

/// The number before a word in the lines that `close-day` prints, summed over them.
#[track_caller]
pub fn sum(lines: &[String], of: &str) -> i64 {
    let number = |line: &String| {
        let (before, _) = line.split_once(of).unwrap_or_else(|| panic!("no {of:?} in {line:?}"));
        before.split_whitespace().next_back().unwrap().parse::<i64>().unwrap()
    };
    lines.iter().map(number).sum()
}
