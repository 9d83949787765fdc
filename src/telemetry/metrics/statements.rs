//! SQL statements: how many and how long. A statement is known here by its first word and nothing else.

use std::time::Duration;

use prometheus::{Histogram, HistogramVec};

use super::family::{Buckets, Families};

/// What statements do, by their first word; anything else is `OTHER`.
const OPERATIONS: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "SET", "VALUES", "OTHER"];

/// Counts statements. The histograms are looked up beforehand: there are many statements a request.
pub struct Statements {
    sqlite: Vec<[Histogram; 2]>,
    postgres: Vec<[Histogram; 2]>,
}

impl Statements {
    pub(super) fn new(families: &mut Families) -> Self {
        let durations = families.durations(
            "db_client_operation_duration_seconds",
            "Time an SQL statement took, as seen from here.",
            &["db_system_name", "db_operation_name", "error_type"],
            Buckets::Statements,
        );
        Self { sqlite: of_engine(&durations, "sqlite"), postgres: of_engine(&durations, "postgresql") }
    }

    /// A statement has ended.
    pub fn ended(&self, is_postgres: bool, sql: &str, failed: bool, took: Duration) {
        let of_engine = if is_postgres { &self.postgres } else { &self.sqlite };
        let operation = operation(sql);
        let index = OPERATIONS.iter().position(|known| *known == operation).unwrap_or_default();
        if let Some(pair) = of_engine.get(index) {
            pair[usize::from(failed)].observe(took.as_secs_f64());
        }
    }
}

fn of_engine(durations: &HistogramVec, engine: &str) -> Vec<[Histogram; 2]> {
    let pair = |operation: &str| ["", "error"].map(|error| durations.with_label_values(&[engine, operation, error]));
    OPERATIONS.iter().map(|operation| pair(operation)).collect()
}

/// What a statement does.
#[must_use]
pub fn operation(sql: &str) -> &'static str {
    let text = sql.trim_start();
    let word = text.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    OPERATIONS.iter().copied().find(|known| known.eq_ignore_ascii_case(word)).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_first_word() {
        assert_eq!(operation("SELECT 1"), "SELECT");
        assert_eq!(operation("  \n insert into loans"), "INSERT");
        assert_eq!(operation("WITH x AS (SELECT 1) DELETE FROM x"), "WITH");
        assert_eq!(operation("PRAGMA cache_size"), "OTHER");
        assert_eq!(operation(""), "OTHER");
    }
}
