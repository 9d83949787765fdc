//! The one server behind the replica's address. A name or a balancer may lead to several, and how far one of them has come
//! says nothing of the others: so the connections that are read from go to the server that is followed, or are closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::ConnectOptions;
use sea_orm::sqlx::{Error as SqlxError, query_scalar};
use tokio::time::Instant;

use crate::store::abandonment;

/// What tells one server from another, and from itself before its last start.
const SERVER: &str = "SELECT pg_postmaster_start_time()::text";

/// The server that is followed, and since when.
#[derive(Debug, Clone, Default)]
pub(super) struct Followed(Arc<Mutex<Option<(String, Instant)>>>);

impl Followed {
    /// Notes which server it is.
    pub(super) fn is(&self, server: &str) {
        let mut followed = self.lock();
        if followed.as_ref().is_none_or(|(name, _)| name != server) {
            *followed = Some((server.to_owned(), Instant::now()));
        }
    }

    fn matches(&self, server: &str) -> bool {
        self.lock().as_ref().is_some_and(|(name, _)| name == server)
    }

    fn since(&self) -> Option<Instant> {
        self.lock().as_ref().map(|(_, since)| *since)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a pool to that server: who connects to another one is turned away, and what was connected before it was
    /// followed is closed.
    pub(super) fn keep(&self, options: &mut ConnectOptions) {
        let (connecting, taking) = (self.clone(), self.clone());
        options.map_sqlx_postgres_pool_opts(move |pool| {
            let followed = connecting.clone();
            abandonment::close_what_is_abandoned(pool).after_connect(move |connection, _| {
                let followed = followed.clone();
                Box::pin(async move {
                    let server: String = query_scalar(SERVER).fetch_one(&mut *connection).await?;
                    match followed.matches(&server) {
                        true => Ok(()),
                        false => Err(SqlxError::Protocol("this is not the replica that is followed".to_owned())),
                    }
                })
            })
        });
        options.map_sqlx_postgres_before_acquire(move |_, kept| {
            let is_its = taking.since().is_some_and(|since| kept.age < since.elapsed());
            Box::pin(std::future::ready(Ok(is_its)))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_followed_at_first_and_a_change_begins_anew() {
        let followed = Followed::default();
        assert!(!followed.matches("monday") && followed.since().is_none());
        followed.is("monday");
        let since = followed.since();
        followed.is("monday");
        assert!(followed.matches("monday") && followed.since() == since);
        followed.is("tuesday");
        assert!(!followed.matches("monday") && followed.since() > since);
    }
}
