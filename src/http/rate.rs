//! How much one principal may ask for: a token bucket each, in points. It decides only; whoever asks turns the refusal
//! into an answer.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use governor::clock::{Clock, MonotonicClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::errors::HttpError;
use super::settings::RateSettings;

/// Pause between two looks for principals to forget. A look goes through all of them, and must not be what a flood of new
/// ones costs each.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Whose bucket pays.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// An authenticated caller, by subject.
    Subject(String),
    /// A client address: of someone who could not be authenticated, or whoever they are.
    Address(IpAddr),
    /// Everyone who arrives while no more principals can be remembered. They share one bucket: the others keep theirs.
    Crowd,
}

/// The buckets. `C` is the time source; tests bring their own.
pub struct RateLimit<C: Clock = MonotonicClock> {
    buckets: RateLimiter<Principal, HashMapStateStore<Principal>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    burst: NonZeroU32,
    cost_per_point: u64,
    max_principals: usize,
    swept: Mutex<Option<C::Instant>>,
}

impl RateLimit<MonotonicClock> {
    /// Buckets that fill with the machine's monotonic clock.
    pub fn new(settings: &RateSettings) -> Self {
        Self::with_clock(settings, MonotonicClock)
    }
}

impl<C: Clock + Clone> RateLimit<C> {
    /// Buckets that fill with `clock`.
    pub fn with_clock(settings: &RateSettings, clock: C) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let burst = at_least_one(settings.burst);
        let quota = Quota::per_second(at_least_one(settings.points_per_second)).allow_burst(burst);
        Self {
            buckets: RateLimiter::new(quota, HashMapStateStore::default(), clock.clone()),
            clock,
            burst,
            cost_per_point: u64::from(settings.cost_per_point.max(1)),
            max_principals: settings.max_principals,
            swept: Mutex::new(None),
        }
    }

    /// Takes the point that every request costs.
    pub fn charge_request(&self, principal: &Principal) -> Result<(), HttpError> {
        self.charge(principal, NonZeroU32::MIN)
    }

    /// Takes what an operation costs beyond the point its request has paid.
    pub fn charge_cost(&self, principal: &Principal, cost: u64) -> Result<(), HttpError> {
        let points = (cost / self.cost_per_point).saturating_sub(1);
        let points = u32::try_from(points).unwrap_or(u32::MAX);
        match NonZeroU32::new(points) {
            Some(points) => self.charge(principal, points),
            None => Ok(()),
        }
    }

    fn charge(&self, principal: &Principal, points: NonZeroU32) -> Result<(), HttpError> {
        // An operation dearer than a whole bucket would never be served; it takes the whole bucket instead.
        let points = points.min(self.burst);
        let principal = if self.is_full() { &Principal::Crowd } else { principal };
        match self.buckets.check_key_n(principal, points) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refused)) => Err(too_many(refused.wait_time_from(self.clock.now()))),
            Err(_) => Err(too_many(Duration::from_secs(1))),
        }
    }

    /// Forgets the principals whose buckets are full again, when there are too many; true when that was not enough.
    fn is_full(&self) -> bool {
        if self.buckets.len() < self.max_principals {
            return false;
        }
        if self.is_time_to_sweep() {
            self.buckets.retain_recent();
        }
        self.buckets.len() >= self.max_principals
    }

    fn is_time_to_sweep(&self) -> bool {
        let now = self.clock.now();
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|last| Duration::from(now.duration_since(last)) >= SWEEP_PAUSE);
        if due {
            *swept = Some(now);
        }
        due
    }
}

fn too_many(wait: Duration) -> HttpError {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HttpError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        format!("Too many requests. Wait {seconds} s before the next one, and ask for less at a time."),
    )
    .retry_after(seconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::header;
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(max_principals: usize) -> (RateLimit<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let settings = RateSettings { points_per_second: 10, burst: 20, cost_per_point: 100, max_principals };
        (RateLimit::with_clock(&settings, clock.clone()), clock)
    }

    fn subject(name: &str) -> Principal {
        Principal::Subject(name.to_owned())
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let (limit, clock) = limit(100);
        for _ in 0..20 {
            limit.charge_request(&subject("a")).unwrap();
        }
        let refused = limit.charge_request(&subject("a")).unwrap_err();
        assert_eq!(
            (refused.status, refused.code, refused.retryable),
            (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", true)
        );
        assert_eq!(refused.headers, [(header::RETRY_AFTER, 1.into())]);
        limit.charge_request(&subject("b")).unwrap();
        limit.charge_request(&Principal::Address(IpAddr::from([127, 0, 0, 1]))).unwrap();
        clock.advance(Duration::from_millis(100));
        limit.charge_request(&subject("a")).unwrap();
        limit.charge_request(&subject("a")).unwrap_err();
    }

    #[test]
    fn a_dear_operation_takes_more() {
        let (limit, clock) = limit(100);
        limit.charge_cost(&subject("a"), 2_000).unwrap();
        limit.charge_cost(&subject("a"), 199).unwrap();
        let refused = limit.charge_cost(&subject("a"), 500).unwrap_err();
        assert_eq!(refused.headers, [(header::RETRY_AFTER, 1.into())]);
        clock.advance(Duration::from_secs(2));
        limit.charge_cost(&subject("a"), 1_000_000).unwrap();
        limit.charge_request(&subject("a")).unwrap_err();
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let (limit, clock) = limit(3);
        for name in ["a", "b", "c"] {
            limit.charge_request(&subject(name)).unwrap();
        }
        for number in 0..20 {
            limit.charge_request(&subject(&number.to_string())).unwrap();
        }
        limit.charge_request(&subject("a newcomer finds the crowd's bucket empty")).unwrap_err();
        assert!(limit.buckets.len() <= 4);
        clock.advance(Duration::from_secs(10));
        limit.charge_request(&subject("later")).unwrap();
        assert_eq!(limit.buckets.len(), 1);
    }

    #[test]
    fn looking_for_whom_to_forget_is_not_what_every_newcomer_costs() {
        let (limit, clock) = limit(3);
        for name in ["a", "b", "c", "too many: looked, and found nobody to forget"] {
            limit.charge_request(&subject(name)).unwrap();
        }
        clock.advance(Duration::from_millis(500));
        limit.charge_request(&subject("too soon to look again")).unwrap();
        assert_eq!(limit.buckets.len(), 4);
        clock.advance(Duration::from_millis(500));
        limit.charge_request(&subject("late enough")).unwrap();
        assert_eq!(limit.buckets.len(), 1);
    }
}
