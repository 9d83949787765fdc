//! Tells of statements that have ended, without their values.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbBackend;

use super::StatementObserver;

/// A statement that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// Its text, with placeholders where values go.
    pub sql: &'a str,
    /// Whether PostgreSQL ran it, and not SQLite.
    pub is_postgres: bool,
    /// Whether the database refused it.
    pub failed: bool,
    /// How long it took.
    pub took: Duration,
}

/// An observer that tells of every statement, and lets `also` see it.
pub fn observer(
    tell: impl Fn(&Ended<'_>) + Send + Sync + 'static,
    also: Option<StatementObserver>,
) -> StatementObserver {
    Arc::new(move |info: &sea_orm::metric::Info<'_>| {
        tell(&Ended {
            sql: &info.statement.sql,
            is_postgres: info.statement.db_backend == DbBackend::Postgres,
            failed: info.failed,
            took: info.elapsed,
        });
        if let Some(also) = &also {
            also(info);
        }
    })
}
