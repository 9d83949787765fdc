//! Randomness that can be repeated: every random test draws from a seed, and says which when it fails. `TEST_SEED=n`
//! runs it again with that one.

use std::ops::{Deref, DerefMut};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A source of random choices that prints its seed when the test that holds it fails.
pub struct Dice {
    seed: u64,
    source: StdRng,
}

impl Dice {
    pub fn new() -> Self {
        let seed = match std::env::var("TEST_SEED") {
            Ok(text) => text.parse().expect("TEST_SEED is a number"),
            Err(_) => rand::rng().random(),
        };
        Self { seed, source: StdRng::seed_from_u64(seed) }
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let index = self.source.random_range(0..from.len());
        &from[index]
    }
}

impl Deref for Dice {
    type Target = StdRng;

    fn deref(&self) -> &StdRng {
        &self.source
    }
}

impl DerefMut for Dice {
    fn deref_mut(&mut self) -> &mut StdRng {
        &mut self.source
    }
}

impl Drop for Dice {
    #[allow(clippy::print_stderr)]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with TEST_SEED={}", self.seed);
        }
    }
}
