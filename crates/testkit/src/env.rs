//! Time and chance that a test moves itself.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use canvass_types::{Clock, Entropy, Time};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// A clock that stands still until it is moved. It has whole seconds.
#[derive(Debug)]
pub struct ManualClock {
    second: AtomicI64,
}

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self { second: AtomicI64::new(time.as_second()) }
    }

    /// Shows this moment from now on; backwards is allowed.
    pub fn set(&self, time: Time) {
        self.second.store(time.as_second(), Ordering::SeqCst);
    }

    /// Moves on by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Moves on by so many days of 24 hours.
    pub fn advance_days(&self, days: u32) {
        self.advance(i64::from(days) * 86_400);
    }

    /// What it shows.
    #[must_use]
    pub fn time(&self) -> Time {
        Time::from_second(self.second.load(Ordering::SeqCst))
    }
}

impl Default for ManualClock {
    /// The morning of 24 November 2026, UTC.
    fn default() -> Self {
        Self::at("2026-11-24T06:30:00Z".parse().expect("a moment"))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.time().timestamp()
    }
}

/// Chance that repeats: block `n` is the SHA-256 of the seed and `n`.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    block: u64,
    rest: Vec<u8>,
}

impl SeededEntropy {
    /// The stream of this seed, from its beginning.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, state: Mutex::default() }
    }

    /// A number below `limit`, close to uniform for the small limits of tests; 0 for a limit of 0.
    #[must_use]
    pub fn below(&self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(limit).unwrap_or(0)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in buffer {
            if state.rest.is_empty() {
                let mut hash = Sha256::new();
                hash.update(b"canvass/testkit/entropy");
                hash.update(self.seed.to_le_bytes());
                hash.update(state.block.to_le_bytes());
                state.rest = hash.finalize().to_vec();
                state.block += 1;
            }
            *byte = state.rest.pop().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_however_they_are_taken() {
        let (whole, parts, other) = (SeededEntropy::new(7), SeededEntropy::new(7), SeededEntropy::new(8));
        let mut expected = [0; 100];
        whole.fill(&mut expected);
        let mut found = [0; 100];
        for part in found.chunks_mut(13) {
            parts.fill(part);
        }
        assert_eq!(expected, found);
        other.fill(&mut found);
        assert_ne!(expected, found);
        assert!(whole.below(3) < 3);
        assert_eq!(whole.below(0), 0);
    }

    #[test]
    fn a_clock_moves_when_told() {
        let clock = ManualClock::default();
        let before = clock.time();
        assert_eq!(clock.time(), before);
        clock.advance_days(1);
        assert_eq!(Time::new(clock.now()), before.plus_days(1));
        clock.set(before);
        assert_eq!(clock.time(), before);
    }
}
