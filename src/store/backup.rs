//! Copies of a SQLite database, taken while servers write, and what a copy must be to count as one. PostgreSQL has tools
//! of its own for this.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::error::StoreError;

/// Why a copy does not count as a backup.
#[derive(Debug, thiserror::Error)]
pub enum CopyProblem {
    /// The database cannot be read or the copy cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy does not pass SQLite's own check; the text names what it found first.
    #[error("the copy is damaged ({0})")]
    Damaged(String),
    /// A row of the copy refers to one that is not there.
    #[error("rows of the table {0} refer to rows that do not exist")]
    Dangling(String),
    /// The copy has no schema.
    #[error("the copy has no schema")]
    NoSchema,
}

/// A sound copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundCopy {
    /// The changes of the schema that it has seen, in order.
    pub migrations: Vec<String>,
}

/// Writes the database at a URL into a file, as it is at one moment; whoever writes goes on meanwhile. The file must be
/// empty or not exist. What was deleted or overwritten is not copied. The copy is not synchronized to the disk.
///
/// # Errors
/// [`StoreError::UnreadableAddress`]; otherwise what SQLite answers.
pub async fn copy(url: &str, to: &str, patience: Duration) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::UnreadableAddress)?;
    let options = options.create_if_missing(false).busy_timeout(patience).disable_statement_logging();
    let mut connection = options.connect().await.map_err(failed)?;
    let copied = sqlx::query("VACUUM INTO ?").bind(to).execute(&mut connection).await;
    connection.close().await.map_err(failed)?;
    copied.map(drop).map_err(failed)
}

/// Reads all of a copy that nobody writes to, and leaves no file beside it.
///
/// # Errors
/// [`CopyProblem`].
pub async fn check(copy: &Path) -> Result<SoundCopy, CopyProblem> {
    let options = SqliteConnectOptions::new().filename(copy).read_only(true).immutable(true);
    let mut connection = options.disable_statement_logging().connect().await.map_err(failed)?;
    let checked = check_open(&mut connection).await;
    connection.close().await.map_err(failed)?;
    checked
}

async fn check_open(connection: &mut SqliteConnection) -> Result<SoundCopy, CopyProblem> {
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await.map_err(failed)?;
    if found != "ok" {
        return Err(CopyProblem::Damaged(found));
    }
    let dangling: Option<String> = sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    if let Some(table) = dangling {
        return Err(CopyProblem::Dangling(table));
    }
    let versions = sqlx::query_scalar("SELECT version FROM seaql_migrations ORDER BY version");
    match versions.fetch_all(&mut *connection).await.map_err(failed) {
        Ok(migrations) => Ok(SoundCopy { migrations }),
        Err(error) if error.is_missing_table() => Err(CopyProblem::NoSchema),
        Err(error) => Err(error.into()),
    }
}

fn failed(error: SqlxError) -> StoreError {
    DbErr::Exec(RuntimeErr::SqlxError(error.into())).into()
}
