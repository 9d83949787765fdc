//! Numbers that look random and are not: each row draws from a stream of its own, SHA-256 over the seed, what the row
//! is and which one. A row therefore depends on no other row, and the streams stay the same for as long as SHA-256 does.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::ids::IdSource;

/// The draws that make one row. Their order is part of the data: another order makes other rows.
pub(super) struct Draws {
    name: Vec<u8>,
    block: u64,
    left: Vec<u64>,
}

impl Draws {
    /// The stream of the row `index` of its kind.
    pub(super) fn new(seed: u64, kind: &str, index: u64) -> Self {
        let name = [&seed.to_be_bytes(), &index.to_be_bytes(), kind.as_bytes()].concat();
        Self { name, block: 0, left: Vec::new() }
    }

    fn next(&mut self) -> u64 {
        if let Some(number) = self.left.pop() {
            return number;
        }
        let block = digest(&SHA256, &[self.name.as_slice(), &self.block.to_be_bytes()].concat());
        self.block += 1;
        let (words, _) = block.as_ref().as_chunks::<8>();
        self.left.extend(words.iter().rev().map(|word| u64::from_be_bytes(*word)));
        self.left.pop().unwrap_or_default()
    }

    /// A number from 0 to `limit` − 1, each as likely as the others; 0 when there is no such number.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // The upper half of the product of a 64-bit fraction and the limit.
        let scaled = (u128::from(self.next()) * u128::from(limit)) >> 64;
        u64::try_from(scaled).unwrap_or_default()
    }

    /// A number from `first` to `last`, both included.
    pub(super) fn between(&mut self, first: i64, last: i64) -> i64 {
        let width = u64::try_from(last.saturating_sub(first)).unwrap_or_default();
        first.saturating_add_unsigned(self.below(width.saturating_add(1)))
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of the choices; `None` when there are none.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(choices.len()).unwrap_or_default();
        choices.get(usize::try_from(self.below(count)).unwrap_or_default())
    }

    /// One of the choices, each as likely as its weight; `None` when no weight is positive.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(T, u64)]) -> Option<T> {
        let mut rest = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (choice, weight) in choices {
            match rest.checked_sub(*weight) {
                Some(further) => rest = further,
                None => return Some(*choice),
            }
        }
        None
    }

    /// A moment of the `days` days from `first`, to the millisecond.
    pub(super) fn moment(&mut self, first: DateTime<Utc>, days: i64) -> DateTime<Utc> {
        first + TimeDelta::milliseconds(self.between(0, days * 24 * 60 * 60 * 1_000 - 1))
    }

    /// An id that looks like any other made at that moment (UUIDv7).
    pub(super) fn id(&mut self, created_at: DateTime<Utc>) -> Uuid {
        let tail = (u128::from(self.next()) << 64) | u128::from(self.next());
        id_from(created_at, tail)
    }
}

/// Ids that come out alike every time, those of one moment in the order they are asked for.
pub(super) struct DrawnIds {
    draws: Mutex<(Draws, u128)>,
}

impl DrawnIds {
    /// Ids from a stream of their own.
    pub(super) fn new(draws: Draws) -> Self {
        Self { draws: Mutex::new((draws, 0)) }
    }
}

impl IdSource for DrawnIds {
    fn next(&self, now: DateTime<Utc>) -> Uuid {
        let mut locked = self.draws.lock().unwrap_or_else(PoisonError::into_inner);
        let (draws, asked) = &mut *locked;
        // The twelve bits after the moment count.
        let tail = ((*asked & 0xfff) << 64) | u128::from(draws.next());
        *asked += 1;
        id_from(now, tail)
    }
}

/// The UUIDv7 of a moment and the low 80 bits of `tail`.
pub(super) fn id_from(created_at: DateTime<Utc>, tail: u128) -> Uuid {
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&tail.to_be_bytes()[6..]);
    let millis = u64::try_from(created_at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}
