//! What can go wrong in the database, told apart by what the caller should do about it. Causes are kept for the log;
//! none of this text reaches a user.

use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr, SqlxError};

/// A failed read or write.
#[derive(thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or has no connection free in time. Trying later may work.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] DbErr),
    /// The database's address is not one. Its text is not kept: it may hold a password.
    #[error("the address is not a valid URL")]
    UnreadableAddress,
    /// Another transaction was in the way (40001, 40P01, SQLITE_BUSY). The whole transaction may be tried again.
    #[error("the transaction collided with another: {0}")]
    Collision(#[source] DbErr),
    /// A lock was not granted, or a statement not finished, in the time allowed.
    #[error("the database took too long: {0}")]
    TooSlow(#[source] DbErr),
    /// A unique index already holds the value. The text names the index or its columns.
    #[error("a unique value exists already: {0}")]
    Duplicate(String),
    /// The row changed since it was read.
    #[error("the row was changed by someone else")]
    StaleVersion,
    /// A cursor is unreadable, or belongs to another list, order or filter.
    #[error("the cursor does not fit this list")]
    InvalidCursor,
    /// Text the database cannot hold or look for: it has a NUL character, or is absurdly long.
    #[error("the text cannot be stored or searched for")]
    BadText,
    /// A journal entry without lines, with too many, or whose debits are not its credits: a defect in what made it.
    #[error("a journal entry does not balance")]
    Unbalanced,
    /// A stored value is not what the code could have written.
    #[error("stored data is not readable: {0}")]
    Corrupt(String),
    /// Anything else: a defect, or a database that refuses to work.
    #[error(transparent)]
    Database(DbErr),
}

impl std::fmt::Debug for StoreError {
    /// The kind and the text. The library's own form tells everything PostgreSQL said, and that may be the whole row that
    /// was refused; a debug print ends up in logs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::Unavailable(_) => "Unavailable",
            Self::UnreadableAddress => "UnreadableAddress",
            Self::Collision(_) => "Collision",
            Self::TooSlow(_) => "TooSlow",
            Self::Duplicate(_) => "Duplicate",
            Self::StaleVersion => "StaleVersion",
            Self::InvalidCursor => "InvalidCursor",
            Self::BadText => "BadText",
            Self::Unbalanced => "Unbalanced",
            Self::Corrupt(_) => "Corrupt",
            Self::Database(_) => "Database",
        };
        write!(formatter, "{kind}({self})")
    }
}

impl StoreError {
    /// Whether running the same transaction again may succeed at once.
    #[must_use]
    pub fn is_collision(&self) -> bool {
        matches!(self, Self::Collision(_))
    }

    /// Whether a table that a statement names does not exist.
    pub(super) fn is_missing_table(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let Some(SqlxError::Database(answer)) = cause(error) else { return false };
        // undefined_table; SQLite has one code for all mistakes in a statement.
        answer.code().as_deref() == Some("42P01") || answer.message().starts_with("no such table")
    }

    /// What stands in the way of a connection, as far as it can be told.
    #[must_use]
    pub fn obstacle(&self) -> Obstacle {
        let (Self::Unavailable(error) | Self::Database(error)) = self else { return Obstacle::Other };
        match cause(error) {
            Some(SqlxError::Tls(_)) => Obstacle::Tls,
            Some(SqlxError::Database(answer)) => match answer.code().as_deref() {
                Some(code) if code.starts_with("28") => Obstacle::Login,
                Some("3D000") => Obstacle::NoSuchDatabase,
                Some("53300") => Obstacle::Full,
                Some("57P03") => Obstacle::Starting,
                _ => Obstacle::Other,
            },
            _ => Obstacle::Other,
        }
    }
}

/// What stands in the way of a connection to PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no TLS on the other side, or its certificate is not trusted.
    Tls,
    /// The user, the password or where they come from.
    Login,
    /// There is no database of that name.
    NoSuchDatabase,
    /// It has as many connections as it takes.
    Full,
    /// It starts or stops.
    Starting,
    /// Anything else.
    Other,
}

/// What the driver said, where it was the driver.
fn cause(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(message)) = error.sql_err() {
            return Self::Duplicate(message);
        }
        match &error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => {
                Self::Unavailable(error)
            }
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => match classify(cause) {
                Kind::Collision => Self::Collision(error),
                Kind::TooSlow => Self::TooSlow(error),
                Kind::Unavailable => Self::Unavailable(error),
                Kind::BadText => Self::BadText,
                Kind::Other => Self::Database(error),
            },
            DbErr::Conn(_) => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

/// Whether a statement took longer than it may.
pub(super) fn is_too_slow(error: &DbErr) -> bool {
    cause(error).is_some_and(|cause| matches!(classify(cause), Kind::TooSlow))
}

/// Whether PostgreSQL was at work on a table when it gave up.
pub(super) fn is_about(error: &DbErr, table: &str) -> bool {
    let Some(SqlxError::Database(answer)) = cause(error) else { return false };
    let context = answer.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::r#where);
    context.is_some_and(|context| context.contains(&format!("\"{table}\"")))
}

enum Kind {
    Collision,
    TooSlow,
    Unavailable,
    BadText,
    Other,
}

fn classify(cause: &SqlxError) -> Kind {
    match cause {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Kind::Unavailable,
        SqlxError::Database(database) => match database.code().as_deref() {
            // serialization_failure, deadlock_detected; SQLITE_BUSY and its extended forms, SQLITE_LOCKED
            Some("40001" | "40P01" | "5" | "261" | "517" | "773" | "6" | "262") => Kind::Collision,
            // lock_not_available, query_canceled (the statement timeout)
            Some("55P03" | "57014") => Kind::TooSlow,
            // character_not_in_repertoire, untranslatable_character
            Some("22021" | "22P05") => Kind::BadText,
            // too_many_connections, cannot_connect_now, admin_shutdown, crash_shutdown
            Some("53300" | "57P03" | "57P01" | "57P02") => Kind::Unavailable,
            // SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR_SHMSIZE (no room for the index of the write-ahead log)
            Some("14" | "13" | "4874") => Kind::Unavailable,
            // connection exceptions; insufficient resources (disk full among them)
            Some(code) if code.starts_with("08") || code.starts_with("53") => Kind::Unavailable,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}
