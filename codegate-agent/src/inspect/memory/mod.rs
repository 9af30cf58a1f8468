//! What was found before in texts that come again: a conversation is sent again with each turn, and
//! only what is new in it has to be scanned.
//!
//! Knows: keyed hashes of texts, and findings, which hold no value. Must not know: how texts are
//! scanned.
//!
//! Each user has a memory of their own, so that nobody can tell by the time that a request takes what
//! others have sent. It is bounded, and forgets what was not asked for the longest.

mod hash;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use self::hash::KeyedHash;
use super::Inspection;
use crate::recent::Recent;

/// How many segments, and findings in them, one of a user's two tables holds: with segments of 16 KiB
/// some 250 MB of text, in two megabytes.
const MOST: usize = 1 << 14;
/// How many users have a memory at a time.
const USERS: usize = 64;

type Key = [u64; 2];

/// The memory of all users.
pub(super) struct Memory {
    hash: KeyedHash,
    users: Mutex<HashMap<u32, Arc<Mutex<Tables>>>>,
}

/// One user's memory.
pub(super) struct Owned<'a> {
    hash: &'a KeyedHash,
    tables: Arc<Mutex<Tables>>,
}

type Tables = Recent<Key, Arc<Inspection>, MOST>;

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            hash: KeyedHash::random(),
            users: Mutex::default(),
        }
    }

    /// The memory of a user.
    pub(super) fn of(&self, uid: u32) -> Owned<'_> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= USERS && !users.contains_key(&uid) {
            users.clear();
        }
        Owned {
            hash: &self.hash,
            tables: Arc::clone(users.entry(uid).or_default()),
        }
    }
}

impl Owned<'_> {
    /// What is found in a part of a view, by the part's range: remembered, or found by `scan` now.
    pub(super) fn recall(
        &self,
        view: &[u8],
        part: std::ops::Range<usize>,
        scan: impl FnOnce() -> Inspection,
    ) -> Arc<Inspection> {
        let key = self.hash.of(view, [part.start as u64, part.end as u64]);
        if let Some(known) = self.tables().get(&key) {
            return Arc::clone(known);
        }
        let found = Arc::new(scan());
        let weight = 1 + found.sealed.len() + found.reported.len();
        // What would take all the room is not worth remembering.
        if weight <= MOST / 4 {
            self.tables().insert(key, Arc::clone(&found), weight);
        }
        found
    }

    fn tables(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn remembers(memory: &Memory, uid: u32, text: &[u8]) -> bool {
        let mut scanned = false;
        memory.of(uid).recall(text, 0..text.len(), || {
            scanned = true;
            Inspection::default()
        });
        !scanned
    }

    #[test]
    fn what_was_seen_is_remembered_for_its_user_only() {
        let memory = Memory::new();
        assert!(!remembers(&memory, 1, b"text"));
        assert!(remembers(&memory, 1, b"text"));
        assert!(!remembers(&memory, 1, b"other"));
        assert!(!remembers(&memory, 2, b"text"));
        let part = memory.of(1).recall(b"text", 1..4, Inspection::default);
        assert_eq!(*part, Inspection::default());
    }

    #[test]
    fn it_is_bounded_and_what_is_asked_for_stays() {
        let memory = Memory::new();
        assert!(!remembers(&memory, 1, b"again and again"));
        for number in 0..5 * MOST {
            remembers(&memory, 1, &number.to_le_bytes());
            if number % (MOST / 4) == 0 {
                assert!(remembers(&memory, 1, b"again and again"), "{number}");
            }
        }
        assert!(!remembers(&memory, 1, &0_usize.to_le_bytes()));
        let tables = memory.of(1).tables;
        let tables = tables.lock().unwrap();
        assert!(tables.weights().iter().sum::<usize>() <= 2 * MOST);
        drop(tables);
        for uid in 2..2 * USERS as u32 {
            remembers(&memory, uid, b"text");
        }
        assert!(memory.users.lock().unwrap().len() <= USERS);
    }
}
