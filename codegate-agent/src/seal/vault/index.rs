//! What the vault holds, in memory: which values, and how often they were seen.
//!
//! Knows: names of values. Must not know: values, the database.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Id;
use crate::inspect::Kind;

/// A value that is durably in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) kind: Kind,
    pub(super) usage: Usage,
}

/// How often a value was found in what was about to leave, and when last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Milliseconds since 1970; 0 if not known.
    pub(super) last_seen: u64,
    pub(super) uses: u64,
}

/// A committed change of the database that the index follows.
#[derive(Debug)]
pub(super) enum Change {
    Added(Id, Kind),
    Removed(Id),
    RemovedAll(u32),
}

/// All values in the vault, in the order of the database's keys.
#[derive(Debug, Default)]
pub(super) struct Index {
    known: BTreeMap<Id, Known>,
    /// Those whose usage the database does not know yet.
    dirty: BTreeSet<Id>,
}

impl Index {
    /// Takes up what the database holds.
    pub(super) fn load(known: impl Iterator<Item = (Id, Known)>) -> Self {
        Self {
            known: known.collect(),
            dirty: BTreeSet::new(),
        }
    }

    pub(super) fn get(&self, id: &Id) -> Option<&Known> {
        self.known.get(id)
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether a user has any value here.
    pub(super) fn holds_any(&self, uid: u32) -> bool {
        self.known.range(of(uid)).next().is_some()
    }

    /// The users that have any value here.
    pub(super) fn users(&self) -> BTreeSet<u32> {
        self.known.keys().map(|id| id.0).collect()
    }

    /// Notes that a value was seen, and says as what it is known; `None` if it is not.
    pub(super) fn touch(&mut self, id: &Id, now: u64) -> Option<Kind> {
        let known = self.known.get_mut(id)?;
        known.usage.last_seen = now;
        known.usage.uses = known.usage.uses.saturating_add(1);
        self.dirty.insert(*id);
        Some(known.kind)
    }

    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Added(id, kind) => {
                let usage = Usage::default();
                self.known.entry(id).or_insert(Known { kind, usage });
            }
            Change::Removed(id) => {
                self.known.remove(&id);
            }
            Change::RemovedAll(uid) => self.known.retain(|id, _| id.0 != uid),
        }
    }

    /// The usage that the database does not know yet. What is not written then must be given back
    /// with [`Index::put_back`].
    pub(super) fn take_dirty(&mut self) -> Vec<(Id, Usage)> {
        std::mem::take(&mut self.dirty)
            .into_iter()
            .filter_map(|id| Some((id, self.known.get(&id)?.usage)))
            .collect()
    }

    pub(super) fn put_back(&mut self, dirty: impl Iterator<Item = Id>) {
        self.dirty.extend(dirty);
    }
}

/// All ids of one user.
pub(super) fn of(uid: u32) -> std::ops::RangeInclusive<Id> {
    (uid, [0; _])..=(uid, [0xFF; _])
}
