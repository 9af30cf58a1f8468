//! What conversations were told of packages, where the service remembers the conversation and the
//! client sends only what is new: the notices do not come along, so they are remembered here.
//!
//! Knows: keyed hashes of answers' names, and only the latest of them. What is forgotten is told again.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::recent::Recent;

/// Answers that are remembered at least; twice as many at most.
const MOST: usize = 1 << 12;
/// Packages that are remembered of one conversation.
const MOST_PACKAGES: usize = 256;

/// Packages, and the word for what is thought of them.
pub(super) type Words = BTreeMap<String, String>;

/// A conversation as it was when an answer ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Conversation {
    /// Which one it is.
    pub(super) print: u64,
    /// What it was told.
    pub(super) told: Arc<Words>,
}

/// The conversations, by their latest answers.
#[derive(Debug, Default)]
pub(super) struct Told {
    keys: RandomState,
    answers: Mutex<Answers>,
}

type Answers = Recent<u64, Conversation, MOST>;

impl Told {
    /// The conversation that a user's answer of this name was part of.
    pub(super) fn get(&self, uid: u32, answer: &str) -> Option<Conversation> {
        let key = self.keys.hash_one((uid, answer));
        self.lock().peek(&key).cloned()
    }

    /// A user's answer of this name is the latest of a conversation.
    pub(super) fn put(&self, uid: u32, answer: &str, print: u64, mut told: Words) {
        while told.len() > MOST_PACKAGES {
            told.pop_first();
        }
        let key = self.keys.hash_one((uid, answer));
        let told = Arc::new(told);
        self.lock().insert(key, Conversation { print, told }, 1);
    }

    /// A panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_known_by_its_latest_answers() {
        let told = Told::default();
        let words = Words::from([("pkg:npm/a".to_owned(), "malicious".to_owned())]);
        told.put(1, "resp_1", 7, words.clone());
        let known = told.get(1, "resp_1").unwrap();
        assert_eq!((known.print, &*known.told), (7, &words));
        assert!(told.get(2, "resp_1").is_none(), "another user's");
        for n in 0..MOST * 3 {
            told.put(1, &format!("r{n}"), 8, Words::new());
        }
        assert!(told.get(1, "resp_1").is_none(), "forgotten");
        assert!(told.get(1, &format!("r{}", MOST * 2)).is_some());
        let weights = told.lock().weights();
        assert!(weights.iter().all(|weight| *weight <= MOST));
    }

    #[test]
    fn not_all_packages_of_a_conversation_are_kept() {
        let told = Told::default();
        let words = (0..MOST_PACKAGES * 2).map(|n| (n.to_string(), String::new()));
        told.put(1, "r", 0, words.collect());
        assert_eq!(told.get(1, "r").unwrap().told.len(), MOST_PACKAGES);
    }
}
