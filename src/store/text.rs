//! The text of a statement that is always the same but for its values: it is written once, and not for every request.

use std::sync::OnceLock;

use sea_orm::{DbBackend, Statement, StatementBuilder, Value, Values};

/// A text for either engine.
pub(super) struct Text {
    postgres: OnceLock<String>,
    sqlite: OnceLock<String>,
}

impl Text {
    pub(super) const fn new() -> Self {
        Self { postgres: OnceLock::new(), sqlite: OnceLock::new() }
    }

    /// The statement with these values, which are those of the one that `build` makes, in their order.
    pub(super) fn with<S: StatementBuilder>(
        &self,
        backend: DbBackend,
        values: Vec<Value>,
        build: impl FnOnce() -> S,
    ) -> Statement {
        let text = if backend == DbBackend::Postgres { &self.postgres } else { &self.sqlite };
        let sql = text.get_or_init(|| {
            let first = backend.build(&build());
            debug_assert_eq!(first.values.as_ref(), Some(&Values(values.clone())), "{}", first.sql);
            first.sql
        });
        Statement::from_sql_and_values(backend, sql, values)
    }
}
