//! What the writer must find fast: the session of a process and a host, and the session that was
//! silent longest.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Id, Session};

/// A session as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) session: Session,
    /// The process's start and the boot it belongs to: with the pid they name a process for good.
    pub(super) start: u64,
    pub(super) boot: String,
    /// The entries still kept: `first..next`.
    pub(super) first: u64,
    pub(super) next: u64,
}

/// A process × a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) uid: u32,
    pub(super) pid: u32,
    pub(super) start: u64,
    pub(super) host: String,
}

/// The sessions in memory.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_key: HashMap<Key, Id>,
    by_age: BTreeSet<(Timestamp, Id)>,
    entries: u64,
    last: Option<Id>,
}

impl Stored {
    pub(super) fn key(&self) -> Key {
        Key {
            uid: self.session.process.uid,
            pid: self.session.process.pid,
            start: self.start,
            host: self.session.host.clone(),
        }
    }

    fn entries(&self) -> u64 {
        self.next.saturating_sub(self.first)
    }
}

impl Index {
    /// From all stored sessions. Those of an earlier boot are not continued: a pid and a start
    /// time could come again.
    pub(super) fn new(sessions: impl IntoIterator<Item = Stored>, boot: &str) -> Self {
        let mut index = Self::default();
        for stored in sessions {
            if stored.boot == boot {
                index.by_key.insert(stored.key(), stored.session.id);
            }
            index
                .by_age
                .insert((stored.session.last, stored.session.id));
            index.entries += stored.entries();
            index.last = index.last.max(Some(stored.session.id));
        }
        index
    }

    pub(super) fn find(&self, key: &Key) -> Option<Id> {
        self.by_key.get(key).copied()
    }

    pub(super) fn fresh_id(&mut self, now: Timestamp) -> Id {
        let id = Id::after(self.last, now);
        self.last = Some(id);
        id
    }

    /// A session changed (`before`: as it was; `None` if it is new).
    pub(super) fn update(&mut self, before: Option<&Stored>, after: &Stored) {
        if let Some(before) = before {
            self.by_age
                .remove(&(before.session.last, before.session.id));
            self.entries = self.entries.saturating_sub(before.entries());
        }
        self.by_key.insert(after.key(), after.session.id);
        self.by_age.insert((after.session.last, after.session.id));
        self.entries += after.entries();
    }

    pub(super) fn remove(&mut self, stored: &Stored) {
        let key = stored.key();
        if self.by_key.get(&key) == Some(&stored.session.id) {
            self.by_key.remove(&key);
        }
        self.by_age
            .remove(&(stored.session.last, stored.session.id));
        self.entries = self.entries.saturating_sub(stored.entries());
    }

    /// The session that was silent longest, if there are more sessions or entries than allowed
    /// (and more than one session).
    pub(super) fn surplus(&self, sessions: usize, entries: u64) -> Option<Id> {
        let count = self.by_age.len();
        let too_many = count > sessions || self.entries > entries;
        let oldest = self.by_age.first().map(|(_, id)| *id);
        oldest.filter(|_| too_many && count > 1)
    }

    /// A session that is named but not stored is forgotten.
    pub(super) fn forget(&mut self, id: Id) {
        self.by_age.retain(|(_, other)| *other != id);
        self.by_key.retain(|_, other| *other != id);
    }
}
