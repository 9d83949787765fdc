//! What becomes of a statement whose caller has left: dropping its future does not stop it. On PostgreSQL the connection is
//! closed, which the server notices; on SQLite the statement is interrupted. Either way nothing runs on for nobody, and no
//! connection comes back to its pool in the middle of something. Writes are not cut off: whoever begins one waits for it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::ConnectOptions;
use sea_orm::sqlx::postgres::{PgConnection, PgPoolOptions};
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{Connection as _, Database, Error as SqlxError, Postgres, Sqlite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long PostgreSQL may take over the rest of what a connection that comes back has begun: a ROLLBACK, the end of an
/// answer. What takes longer was cut off in the middle of its work.
const GRACE: Duration = Duration::from_millis(250);

/// How often PostgreSQL looks, while it works on a statement, whether its client is still there.
pub(super) const CLIENT_CHECK_INTERVAL: &str = "500ms";

/// Steps of SQLite's machine between two looks whether the caller is still there: about a millisecond.
const STEPS: i32 = 20_000;

tokio::task_local! {
    /// Cancelled when the work it was made for is dropped unfinished.
    static CALLER: CancellationToken;
}

/// Does `work`. When it is dropped before its end, what it was reading from SQLite stops; PostgreSQL needs no telling.
pub async fn stop_when_abandoned<F: Future>(work: F) -> F::Output {
    let caller = CancellationToken::new();
    let leaving = caller.clone().drop_guard();
    let outcome = CALLER.scope(caller, work).await;
    leaving.disarm();
    outcome
}

/// On whose behalf the current task reads, for tasks of its own.
pub(super) fn caller() -> Option<CancellationToken> {
    CALLER.try_with(CancellationToken::clone).ok()
}

/// Does `work` on behalf of that caller.
pub(super) async fn on_behalf_of<F: Future>(caller: Option<CancellationToken>, work: F) -> F::Output {
    match caller {
        Some(caller) => CALLER.scope(caller, work).await,
        None => work.await,
    }
}

/// Closes connections of PostgreSQL that come back in the middle of a statement. The server finds out within
/// [`CLIENT_CHECK_INTERVAL`] and ends the statement.
pub(super) fn close_what_is_abandoned(pool: PgPoolOptions) -> PgPoolOptions {
    pool.after_release(|connection, _| {
        Box::pin(async move {
            // Waits for what is outstanding, and sends nothing of its own.
            match timeout(GRACE, connection.flush()).await {
                Ok(finished) => finished.map(|()| true),
                Err(_) => Ok(false),
            }
        })
    })
}

/// Interrupts what SQLite's readers do for callers who have left, and closes connections that come back in a transaction
/// (see `database::drop_what_is_stuck`).
pub(super) fn interrupt_what_is_abandoned(options: &mut ConnectOptions) {
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.after_connect(|connection, _| Box::pin(watch(connection)))
            .before_acquire(|connection, _| Box::pin(async move { watch(connection).await.map(|()| true) }))
            .after_release(|connection, _| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        // What was begun when its caller left, the rollback too, is over when the handle is to be had.
                        drop(connection.lock_handle().await?);
                    }
                    Ok(!connection.is_in_transaction())
                })
            })
    });
}

/// An engine whose connections are kept from one statement to the next.
pub(super) trait Awaited: Database {
    /// Who waits for what such a connection does.
    type Waiting: Waiting<Self>;
}

/// Who waits for what a connection does that is kept from one statement to the next.
pub(super) trait Waiting<DB: Database>: Default + Send {
    /// Lets its statements end with the current caller.
    fn begin(&mut self, connection: &mut DB::Connection) -> impl Future<Output = Result<(), SqlxError>> + Send;

    /// Lets them end with nobody.
    fn end(&mut self);
}

impl Awaited for Postgres {
    type Waiting = ();
}

/// A connection whose caller leaves is dropped, and with that closed.
impl Waiting<Postgres> for () {
    async fn begin(&mut self, _: &mut PgConnection) -> Result<(), SqlxError> {
        Ok(())
    }

    fn end(&mut self) {}
}

impl Awaited for Sqlite {
    type Waiting = Watched;
}

/// Where a connection of SQLite looks for its caller: telling it of each would take a detour to its thread.
#[derive(Default)]
pub(super) struct Watched(Option<Arc<Mutex<Option<CancellationToken>>>>);

impl Waiting<Sqlite> for Watched {
    async fn begin(&mut self, connection: &mut SqliteConnection) -> Result<(), SqlxError> {
        if let Some(slot) = &self.0 {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = caller();
            return Ok(());
        }
        let slot = Arc::new(Mutex::new(caller()));
        self.0 = Some(Arc::clone(&slot));
        let has_left = move || {
            let caller = slot.lock().unwrap_or_else(PoisonError::into_inner);
            caller.as_ref().is_some_and(CancellationToken::is_cancelled)
        };
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !has_left());
        Ok(())
    }

    fn end(&mut self) {
        if let Some(slot) = &self.0 {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Lets the connection's statements end with the current caller, and no longer with the one before.
async fn watch(connection: &mut SqliteConnection) -> Result<(), SqlxError> {
    let mut handle = connection.lock_handle().await?;
    match caller() {
        Some(caller) => handle.set_progress_handler(STEPS, move || !caller.is_cancelled()),
        None => handle.remove_progress_handler(),
    }
    Ok(())
}
