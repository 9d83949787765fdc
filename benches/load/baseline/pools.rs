//! The database by hand: as many connections as the server has by default, its time limits, SQLite with one writer and
//! the server's durability.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, PgPool, SqlitePool};

const CONNECTIONS: u32 = 8;

pub enum Pools {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

pub struct Postgres(PgPool);

pub struct Sqlite {
    reader: SqlitePool,
    writer: SqlitePool,
}

impl Postgres {
    pub fn read(&self) -> &PgPool {
        &self.0
    }

    pub fn write(&self) -> &PgPool {
        &self.0
    }
}

impl Sqlite {
    pub fn read(&self) -> &SqlitePool {
        &self.reader
    }

    pub fn write(&self) -> &SqlitePool {
        &self.writer
    }
}

/// The same work on either engine; each gets code of its own, in the types of its driver.
macro_rules! on {
    ($pools:expr, $pool:ident => $body:expr) => {
        match $pools {
            $crate::baseline::pools::Pools::Postgres($pool) => $body,
            $crate::baseline::pools::Pools::Sqlite($pool) => $body,
        }
    };
}
pub(crate) use on;

impl Pools {
    pub async fn open(url: &str) -> Self {
        if url.starts_with("postgres") {
            let options = PgConnectOptions::from_str(url).unwrap().disable_statement_logging();
            let options = options.options([("statement_timeout", "5000"), ("lock_timeout", "3000")]);
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
            return Self::Postgres(Postgres(pool.connect_with(options).await.unwrap()));
        }
        let options = SqliteConnectOptions::from_str(url).unwrap().disable_statement_logging().foreign_keys(true);
        let options = options.busy_timeout(Duration::from_secs(3));
        let writer = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let writer = writer.pragma("cache_size", "-32768");
        let pool = |size| SqlitePoolOptions::new().max_connections(size).test_before_acquire(false);
        Self::Sqlite(Sqlite {
            writer: pool(1).connect_with(writer).await.unwrap(),
            reader: pool(CONNECTIONS).connect_with(options.pragma("query_only", "ON")).await.unwrap(),
        })
    }

    pub async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.0.close().await,
            Self::Sqlite(pool) => {
                pool.reader.close().await;
                pool.writer.close().await;
            }
        }
    }
}
