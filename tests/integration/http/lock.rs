//! A lock on the SQLite file that a test holds, so that a mutation stays in flight until the test lets it go.

use branch_loan_api::config::Config;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use secrecy::ExposeSecret;

use crate::support::server::{PATIENCE, Server, Setup, soon};

/// The write lock of a server's database.
pub struct Lock(DatabaseConnection);

impl Lock {
    pub async fn hold(config: &Config) -> Self {
        let mut options = ConnectOptions::new(config.database.url.expose_secret().to_owned());
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await.unwrap();
        connection.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
        Self(connection)
    }

    pub async fn release(self) {
        self.0.execute_unprepared("ROLLBACK").await.unwrap();
        self.0.close().await.unwrap();
    }
}

pub const CREATE: &str = r#"mutation { createBranch(input: { code: "NBO", name: "Nairobi", currency: "KES",
    timeZone: "Africa/Nairobi" }) { branch { code } userErrors { code } } }"#;

/// A server with one place for mutations, for which they hardly wait, where a mutation waits for the lock as long as a test
/// may.
pub fn one_write_at_a_time() -> Setup {
    let setup = Setup::development().set("WRITES_IN_FLIGHT", 1).set("WRITES_QUEUED", 1).set("QUEUE_WAIT_MS", 100);
    setup.set("DATABASE_LOCK_TIMEOUT_MS", PATIENCE.as_millis())
}

/// Waits until all places for mutations (`WRITES_IN_FLIGHT`) are taken.
pub async fn until_full(server: &Server) {
    soon(async { while server.ask("mutation { __typename }").await.status != 503 {} }).await;
}
