//! What was seen before, so that it need not be looked at, or told of, again.
//!
//! Knows: keyed hashes of things, and only the latest of them. What is forgotten is new again.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, PoisonError},
};

use crate::recent::Recent;

/// Things that are remembered at least; twice as many at most, sixteen bytes each or so.
const MOST: usize = 1 << 15;

/// A memory of things.
#[derive(Debug, Default)]
pub(super) struct Seen {
    keys: RandomState,
    seen: Mutex<Recent<u64, (), MOST>>,
}

impl Seen {
    /// A thing's keyed hash.
    pub(super) fn print(&self, thing: impl Hash) -> u64 {
        self.keys.hash_one(thing)
    }

    /// Whether this has not been seen before; now it has.
    pub(super) fn is_new(&self, thing: impl Hash) -> bool {
        let hash = self.print(thing);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let new = seen.get(&hash).is_none();
        if new {
            seen.insert(hash, (), 1);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_new_once_and_what_is_used_is_not_forgotten() {
        let seen = Seen::default();
        assert!(seen.is_new(("a", 1)));
        assert!(!seen.is_new(("a", 1)));
        assert!(seen.is_new(("a", 2)));
        for n in 0..MOST * 4 {
            seen.is_new(n);
            assert!(n % 1000 > 0 || !seen.is_new(("a", 1)));
        }
        assert!(seen.is_new(("a", 2)), "forgotten");
        let seen = seen.seen.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(seen.weights().iter().all(|weight| *weight <= MOST));
    }
}
