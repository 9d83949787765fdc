//! Keys that the issuer publishes at an address. One task fetches them, ahead of the time they run out; requests read
//! what it left and never fetch. While the issuer is down the last good keys stay in use for as long as it takes: its
//! tokens end by themselves, and an outage of the issuer must not become one of ours. To drop a key while it cannot be
//! reached, restart the server.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use http::Uri;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::client::{Client, FetchError};
use super::set::KeySet;
use crate::auth::error::AuthSetupError;

/// When the issuer is asked.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Pace {
    /// Keys are kept this long when the issuer does not say: a key it withdraws is refused ten minutes later.
    pub(in crate::auth) usual: Duration,
    /// At least this long: some issuers forbid caching, and still must not be asked for every request.
    pub(in crate::auth) least: Duration,
    /// At most this long: a withdrawn key must not live for a year.
    pub(in crate::auth) most: Duration,
    /// The pause after the first failure; it doubles with each further one.
    pub(in crate::auth) first_retry: Duration,
    /// The longest pause between failures.
    pub(in crate::auth) last_retry: Duration,
    /// Tokens with unknown keys make the server ask at most this often, whoever sends them and however many.
    pub(in crate::auth) floor: TimeDelta,
    /// The longest wait of a request for such a look.
    pub(in crate::auth) wait: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            usual: Duration::from_secs(600),
            least: Duration::from_secs(60),
            most: Duration::from_secs(24 * 3600),
            first_retry: Duration::from_secs(1),
            last_retry: Duration::from_secs(30),
            floor: TimeDelta::seconds(10),
            wait: Duration::from_secs(3),
        }
    }
}

impl Pace {
    /// From an answer to the next look. A fifth of the time is left for an issuer that is down just then.
    pub(in crate::auth) fn after_answer(&self, told: Option<Duration>) -> Duration {
        told.unwrap_or(self.usual).clamp(self.least, self.most) / 5 * 4
    }

    /// From a failure to the next look; `failures` counts those in a row, from 1.
    pub(in crate::auth) fn after_failure(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first_retry.saturating_mul(doubled).min(self.last_retry)
    }
}

/// A key set that follows its issuer.
pub(in crate::auth) struct IssuerKeys {
    client: Client,
    pace: Pace,
    /// None until the issuer has answered once.
    keys: ArcSwapOption<KeySet>,
    rounds: Mutex<Rounds>,
    /// The last round that has ended.
    ended: watch::Sender<u64>,
    demanded: Notify,
}

/// Looks at the issuer, numbered from 1.
#[derive(Default)]
struct Rounds {
    /// The last one that has begun.
    begun: u64,
    /// The one that the last demand waits for.
    demanded: u64,
    /// When that demand was made.
    demanded_at: Option<DateTime<Utc>>,
}

/// What the task remembers from one round to the next.
#[derive(Default)]
struct Contact {
    failures: u32,
    /// The last good answer: the same again changes nothing.
    text: Bytes,
}

impl IssuerKeys {
    /// Asks nobody yet.
    pub(in crate::auth) fn new(url: &Uri, ca_file: Option<&Path>) -> Result<Self, AuthSetupError> {
        Ok(Self::with(Client::new(url, ca_file)?, Pace::default()))
    }

    pub(in crate::auth) fn with(client: Client, pace: Pace) -> Self {
        Self {
            client,
            pace,
            keys: ArcSwapOption::empty(),
            rounds: Mutex::default(),
            ended: watch::Sender::new(0),
            demanded: Notify::new(),
        }
    }

    /// The last good keys.
    pub(in crate::auth) fn current(&self) -> Option<Arc<KeySet>> {
        self.keys.load_full()
    }

    /// Has the issuer looked at and waits for that, for a bounded time. All who ask at the same time wait for the same
    /// look. `None` when the last demand is too recent. Before the first answer the task tries by itself, and there is
    /// only the try under way to wait for: it must not cost the demand that a new key may need a moment later.
    pub(in crate::auth) fn look_again(&self, now: DateTime<Utc>) -> Option<BoxFuture<'_, ()>> {
        let round = if self.keys.load().is_some() { self.demand(now)? } else { self.under_way()? };
        let mut ended = self.ended.subscribe();
        Some(Box::pin(async move {
            // In time or not, the caller goes on with the keys there are.
            let _ = timeout(self.pace.wait, ended.wait_for(|ended| *ended >= round)).await;
        }))
    }

    fn under_way(&self) -> Option<u64> {
        let begun = self.rounds().begun.max(1);
        (*self.ended.borrow() < begun).then_some(begun)
    }

    fn demand(&self, now: DateTime<Utc>) -> Option<u64> {
        let mut rounds = self.rounds();
        if *self.ended.borrow() < rounds.demanded {
            return Some(rounds.demanded);
        }
        // A clock that was set back does not stop the looking.
        if rounds.demanded_at.is_some_and(|at| at <= now && now - at < self.pace.floor) {
            return None;
        }
        rounds.demanded_at = Some(now);
        // A round under way may have been answered before the key was there.
        rounds.demanded = rounds.begun.saturating_add(1);
        self.demanded.notify_one();
        Some(rounds.demanded)
    }

    /// Keeps the keys fresh, for as long as it is polled.
    pub(in crate::auth) async fn follow(&self) {
        let mut contact = Contact::default();
        loop {
            let round = self.begin();
            let pause = self.look(&mut contact).await;
            self.ended.send_replace(round);
            tokio::select! {
                () = sleep(pause) => {}
                () = self.demanded.notified() => {}
            }
        }
    }

    fn begin(&self) -> u64 {
        let mut rounds = self.rounds();
        rounds.begun = rounds.begun.saturating_add(1);
        rounds.begun
    }

    /// One round; answers with the pause until the next. The log has a line when something changes, not for each round.
    async fn look(&self, contact: &mut Contact) -> Duration {
        match self.fetch(contact).await {
            Ok(told) => {
                if contact.failures > 0 {
                    tracing::info!("the issuer's key set can be fetched again");
                }
                contact.failures = 0;
                self.pace.after_answer(told)
            }
            Err(cause) => {
                let url = self.client.url();
                match (contact.failures, self.keys.load().is_some()) {
                    (0, true) => {
                        tracing::warn!(%url, %cause, "AUTH_JWKS_URL cannot be fetched; the last good keys stay in use");
                    }
                    (0, false) => {
                        tracing::warn!(%url, %cause, "AUTH_JWKS_URL cannot be fetched; no token can be checked until it can");
                    }
                    _ => tracing::debug!(%url, %cause, "AUTH_JWKS_URL still cannot be fetched"),
                }
                contact.failures = contact.failures.saturating_add(1);
                self.pace.after_failure(contact.failures)
            }
        }
    }

    async fn fetch(&self, contact: &mut Contact) -> Result<Option<Duration>, FetchError> {
        let answer = self.client.fetch().await?;
        if answer.text != contact.text {
            let keys = KeySet::parse(&answer.text).map_err(FetchError::Unusable)?;
            let keys = self.keys.swap(Some(Arc::new(keys)));
            contact.text = answer.text;
            match keys {
                None => tracing::info!("the issuer's keys are there"),
                Some(_) => tracing::info!("the issuer's keys have changed"),
            }
        }
        Ok(answer.told)
    }

    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
