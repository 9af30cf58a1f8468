//! Which packages have no record, without asking the file: nearly all that are looked up.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Bits for each package: one look-up in thirty asks the file in vain.
const BITS: usize = 32;

/// A bit for each package with records.
#[derive(Debug)]
pub(super) struct Filter(Vec<u64>);

impl Filter {
    /// Room for so many packages.
    pub(super) fn with_room(packages: u64) -> Self {
        let words = (packages as usize).saturating_mul(BITS) / 64;
        Self(vec![0; words.max(1).next_power_of_two()])
    }

    pub(super) fn add(&mut self, key: (u8, &str)) {
        let (word, bit) = self.place(key);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether a package may have records; if not, it has none.
    pub(super) fn may_have(&self, key: (u8, &str)) -> bool {
        let (word, bit) = self.place(key);
        self.0.get(word).is_none_or(|word| word & bit != 0)
    }

    fn place(&self, key: (u8, &str)) -> (usize, u64) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        let word = (hash >> 6) as usize & (self.0.len() - 1);
        (word, 1 << (hash & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_there_and_little_else() {
        let mut filter = Filter::with_room(1000);
        let names: Vec<String> = (0..2000).map(|i| format!("name-{i}")).collect();
        for name in names.iter().take(1000) {
            filter.add((1, name));
        }
        let (there, not) = names.split_at(1000);
        assert!(there.iter().all(|name| filter.may_have((1, name))));
        let by_chance = not.iter().filter(|name| filter.may_have((1, name))).count();
        assert!(by_chance < 100, "{by_chance}");
        assert!(!Filter::with_room(0).may_have((1, "x")));
    }
}
