//! The text of a statement that is always the same but for its values: it is written once, and not for every request.

use std::sync::OnceLock;

use sea_orm::{DbBackend, Statement, StatementBuilder, Value, Values};
use uuid::Uuid;

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

/// The texts of a statement whose only values are the ids of what it is about.
pub(super) struct TextByIds {
    one: Text,
    /// An array, which SQLite does not have.
    many: Text,
}

impl TextByIds {
    pub(super) const fn new() -> Self {
        Self { one: Text::new(), many: Text::new() }
    }

    /// The statement for these ids, which is the one that `build` makes of them with [`super::find::among`].
    pub(super) fn with<S: StatementBuilder>(
        &self,
        backend: DbBackend,
        ids: &[Uuid],
        build: impl FnOnce() -> S,
    ) -> Statement {
        match (backend, ids) {
            (_, [only]) => self.one.with(backend, vec![(*only).into()], build),
            (DbBackend::Postgres, _) => self.many.with(backend, vec![ids.to_vec().into()], build),
            _ => backend.build(&build()),
        }
    }
}
