//! The two engines. `both_engines!(name, …)` turns `async fn name(engine: Engine)` into the tests `name::sqlite` and
//! `name::postgres`, so that a failure tells the engine.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use branch_loan_api::store::database::StatementObserver;
use branch_loan_api::store::{Database, DatabaseOptions};
use sea_orm::{ConnectOptions, DatabaseConnection, DbBackend};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::postgres::{self, Binaries};

/// Whether a test wants tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    Migrated,
    Nothing,
}

/// A database of a test's own, on one of the engines.
pub struct Engine {
    pub url: String,
    pub backend: DbBackend,
    /// SQLite's file lives as long as this.
    _folder: Option<TempDir>,
}

impl Engine {
    /// The same database of PostgreSQL, for somebody beside whoever has it.
    pub fn again(&self) -> Self {
        Self { url: self.url.clone(), backend: self.backend, _folder: None }
    }

    pub async fn sqlite(schema: Schema) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        if schema == Schema::Migrated {
            std::fs::write(&path, sqlite_template().await).unwrap();
        }
        Self { url: format!("sqlite://{}?mode=rwc", path.display()), backend: DbBackend::Sqlite, _folder: Some(folder) }
    }

    /// `None`, counted and said, when this machine has no PostgreSQL and none is required.
    pub async fn postgres(schema: Schema) -> Option<Self> {
        let binaries = postgres_binaries()?;
        let url = postgres::new_database(binaries, schema == Schema::Migrated).await.unwrap();
        Some(Self { url, backend: DbBackend::Postgres, _folder: None })
    }

    /// A PostgreSQL database made elsewhere.
    pub fn at(url: String) -> Self {
        Self { url, backend: DbBackend::Postgres, _folder: None }
    }

    /// Another database with a schema, on the same engine.
    pub async fn another(&self) -> Self {
        match self.backend {
            DbBackend::Postgres => Self::postgres(Schema::Migrated).await.unwrap(),
            _ => Self::sqlite(Schema::Migrated).await,
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    /// Generous with time, because the tests share two cores; tests about time set their own.
    pub fn options(&self) -> DatabaseOptions {
        DatabaseOptions {
            url: self.url.clone(),
            max_connections: 8,
            acquire_timeout: Duration::from_secs(60),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(60),
        }
    }

    pub async fn connect(&self) -> Database {
        self.connect_observed(None).await
    }

    pub async fn connect_observed(&self, observer: Option<StatementObserver>) -> Database {
        Database::connect(&self.options(), observer).await.unwrap()
    }

    /// A connection past the store, for what a test does or asks by its own SQL.
    pub async fn raw(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.url.clone());
        options.max_connections(1).sqlx_logging(false).acquire_timeout(Duration::from_secs(60));
        sea_orm::Database::connect(options).await.unwrap()
    }
}

/// PostgreSQL's programs, if this machine has them. A skip is printed past the test runner's capture; it is a failure
/// where `REQUIRE_POSTGRES=1` says so.
pub fn postgres_binaries() -> Option<Binaries> {
    static SKIPPED: AtomicU32 = AtomicU32::new(0);
    let found = Binaries::find();
    if found.is_none() {
        let required = std::env::var("REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
        assert!(!required, "REQUIRE_POSTGRES=1, and no initdb and postgres in PG_BIN, PATH or /usr/lib/postgresql");
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        let _ = writeln!(std::io::stderr(), "\nSKIPPED {count} so far: PostgreSQL was not found on this machine");
    }
    found
}

/// A migrated SQLite file, made once.
async fn sqlite_template() -> &'static [u8] {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let engine = Box::pin(Engine::sqlite(Schema::Nothing)).await;
            let database = engine.connect().await;
            database.migrate().await.unwrap();
            // Closing the last connection moves the write-ahead log into the file.
            database.close().await;
            let path = engine.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc");
            std::fs::read(path).unwrap()
        })
        .await
}

/// Makes a test for each engine out of each function.
macro_rules! both_engines {
    ($($name:ident),+ $(,)?) => {
        both_engines!(@ $crate::support::engines::Schema::Migrated; $($name),+);
    };
    (without a schema: $($name:ident),+ $(,)?) => {
        both_engines!(@ $crate::support::engines::Schema::Nothing; $($name),+);
    };
    (@ $schema:expr; $($name:ident),+) => {
        $(mod $name {
            use $crate::support::engines::Engine;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Engine::sqlite($schema).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(engine) = Engine::postgres($schema).await {
                    super::$name(engine).await;
                }
            }
        })+
    };
}

/// Makes a test of each function about what only PostgreSQL does.
macro_rules! postgres_only {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            use $crate::support::engines::{Engine, Schema};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(engine) = Engine::postgres(Schema::Migrated).await {
                    super::$name(engine).await;
                }
            }
        })+
    };
}
