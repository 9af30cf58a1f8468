//! A bounded memory of what came last.
//!
//! Knows: nothing of what is remembered. What is new goes into one table; once that is full, it takes the
//! other's place, whose entries are forgotten unless they were asked for meanwhile.

use std::{collections::HashMap, hash::Hash, mem};

/// The latest of some things, by their keys: those that weigh `MOST` together at least, and twice as much
/// at most.
#[derive(Debug)]
pub struct Recent<K, V, const MOST: usize> {
    /// Each with what it weighs.
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    /// What the young ones weigh.
    weight: usize,
}

impl<K, V, const MOST: usize> Default for Recent<K, V, MOST> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            weight: 0,
        }
    }
}

impl<K: Eq + Hash, V, const MOST: usize> Recent<K, V, MOST> {
    /// Remembers a thing; what weighs more than `MOST` by itself has no place here.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        if self.weight + weight > MOST {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        let before = self.young.insert(key, (value, weight));
        self.weight -= before.map_or(0, |(_, weight)| weight);
    }

    /// What is remembered by a key; it stays for longer now.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        if !self.young.contains_key(key) {
            let (key, (value, weight)) = self.old.remove_entry(key)?;
            self.insert(key, value, weight);
        }
        self.peek(key)
    }

    /// The same, to be changed; its weight stays what it was.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.get(key)?;
        self.young.get_mut(key).map(|(value, _)| value)
    }

    /// The same, but it is forgotten when it would have been anyway.
    pub fn peek(&self, key: &K) -> Option<&V> {
        let known = self.young.get(key).or_else(|| self.old.get(key));
        known.map(|(value, _)| value)
    }

    /// What the entries of each table weigh.
    #[cfg(test)]
    pub(crate) fn weights(&self) -> [usize; 2] {
        [&self.young, &self.old].map(|table| table.values().map(|(_, weight)| weight).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten_in_time() {
        let mut recent = Recent::<u32, u32, 10>::default();
        recent.insert(0, 0, 1);
        recent.insert(1, 1, 1);
        for n in 2..100 {
            recent.insert(n, n, 3);
            assert_eq!(recent.get(&0), Some(&0), "{n}");
            let [young, old] = recent.weights();
            assert!(young <= 10 && old <= 10, "{young} {old}");
            assert_eq!(young, recent.weight);
        }
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&99), Some(&99));
    }

    #[test]
    fn a_look_keeps_nothing_and_the_same_key_weighs_once() {
        let mut recent = Recent::<&str, u32, 10>::default();
        recent.insert("a", 1, 4);
        recent.insert("a", 2, 6);
        assert_eq!((recent.peek(&"a"), recent.weights()), (Some(&2), [6, 0]));
        recent.insert("b", 3, 5);
        assert_eq!(recent.peek(&"a"), Some(&2));
        recent.insert("c", 4, 6);
        assert_eq!((recent.peek(&"a"), recent.peek(&"b")), (None, Some(&3)));
    }
}
