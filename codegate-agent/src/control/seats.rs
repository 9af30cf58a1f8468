//! So many connections per user at a time: no user can shut the others out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The most connections of one user.
pub(super) const PER_USER: usize = 16;

/// Who sits where.
#[derive(Debug, Clone, Default)]
pub(super) struct Seats {
    taken: Arc<Mutex<HashMap<u32, usize>>>,
}

/// A connection that counts, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    uid: u32,
}

impl Seats {
    pub(super) fn take(&self, uid: u32) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(uid).or_default();
        (*count < PER_USER).then(|| {
            *count += 1;
            Seat {
                seats: self.clone(),
                uid,
            }
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let left = taken
            .get(&self.uid)
            .map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.uid);
        } else {
            taken.insert(self.uid, left);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn one_users_crowd_leaves_the_others_their_seats() {
        let seats = Seats::default();
        let crowd: Vec<_> = (0..PER_USER).map(|_| seats.take(1).unwrap()).collect();
        assert!(seats.take(1).is_none());
        let other = seats.take(2).unwrap();
        drop(crowd);
        assert!(seats.take(1).is_some());
        drop(other);
        assert!(
            seats.taken.lock().unwrap().is_empty(),
            "nothing is kept of those who left"
        );
    }
}
