//! Names, found by what is left of them when one of their characters is taken away.
//!
//! Two names that are an edit apart leave the same when the right character of each is gone. What is
//! left is never written down: its hash follows from those of the beginnings of the name.

use crate::inspect::packages::hashes::Hashes;

/// Names of more characters than this have no neighbours here: nobody types them.
const LONGEST: usize = 64;
/// An odd number without a pattern.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
/// Its powers.
const POWERS: [u64; LONGEST + 1] = {
    let mut powers = [1_u64; LONGEST + 1];
    let mut i = 1;
    while i <= LONGEST {
        powers[i] = powers[i - 1].wrapping_mul(FACTOR);
        i += 1;
    }
    powers
};
/// Entries that share a word of the filter on average: of what is not there, one look-up in two hundred
/// is in vain.
const SHARED: usize = 4;

/// Hashes, and the names that they are of.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    /// What was pushed, until it is finished.
    pushed: Vec<(u64, u32)>,
    hashes: Hashes,
    /// The name of each hash, by its place.
    ids: Vec<u32>,
    /// Three bits of one word for each hash: most of what is looked up is not there.
    filter: Vec<u64>,
}

impl Deletions {
    pub(super) fn push(&mut self, hash: u64, id: u32) {
        self.pushed.push((hash, id));
    }

    /// Makes what was pushed ready to be looked up.
    pub(super) fn finish(&mut self) {
        let mut entries = std::mem::take(&mut self.pushed);
        entries.sort_unstable();
        entries.dedup();
        let words = (entries.len() / SHARED).max(1).next_power_of_two();
        self.filter = vec![0; words];
        for (hash, _) in &entries {
            if let Some(word) = self.filter.get_mut(place(*hash, words)) {
                *word |= bits(*hash);
            }
        }
        self.ids = entries.iter().map(|(_, id)| *id).collect();
        let hashes = entries.iter().map(|(hash, _)| *hash);
        self.hashes = Hashes::in_order(hashes, entries.len());
    }

    /// Whether a hash may be there; if not, it is not.
    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let word = self.filter.get(place(hash, self.filter.len()));
        let bits = bits(hash);
        word.is_some_and(|word| word & bits == bits)
    }

    /// The names that a hash is of.
    pub(super) fn of(&self, hash: u64) -> impl Iterator<Item = u32> {
        let places = match self.may_have(hash) {
            true => self.hashes.places(hash),
            false => 0..0,
        };
        self.ids.get(places).unwrap_or_default().iter().copied()
    }
}

/// In which of so many words of the filter a hash is.
fn place(hash: u64, words: usize) -> usize {
    (hash >> 18) as usize & words.saturating_sub(1)
}

/// Its bits there.
fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63)
}

/// A name, ready to be shortened.
///
/// The hash of a name is a polynomial of its characters, so what it loses with a character is a sum.
pub(super) struct Beginnings {
    /// The hash before it is mixed.
    whole: u64,
    /// What the hash becomes without this character.
    once: [u64; LONGEST],
    /// Whether a character is the same as the one before it.
    repeats: [bool; LONGEST],
    length: usize,
}

impl Beginnings {
    /// `None` if the name is too long.
    pub(super) fn new(name: &str) -> Option<Self> {
        let mut this = Self {
            whole: 0,
            once: [0; LONGEST],
            repeats: [false; LONGEST],
            length: 0,
        };
        let mut beginnings = [0_u64; LONGEST + 1];
        let mut before = None;
        for c in name.chars() {
            *this.repeats.get_mut(this.length)? = before.replace(c) == Some(c);
            let hash = this.whole.wrapping_mul(FACTOR);
            this.whole = hash.wrapping_add(u64::from(c) + 1);
            this.length += 1;
            *beginnings.get_mut(this.length)? = this.whole;
        }
        let pairs = beginnings.windows(2).take(this.length).enumerate();
        for ((at, pair), once) in pairs.zip(&mut this.once) {
            let [before, after] = pair else { continue };
            let loss = before.wrapping_sub(*after);
            let behind = this.length - 1 - at;
            *once = loss.wrapping_mul(power(behind)).wrapping_add(this.whole);
        }
        Some(this)
    }

    /// Hashes of the name, and of the name without each of its characters.
    pub(super) fn each(&self, mut each: impl FnMut(u64)) {
        each(mixed(self.whole));
        let gone = self.once.iter().zip(&self.repeats).take(self.length);
        for (hash, repeats) in gone {
            // Of a run of the same character, each leaves the same.
            if !repeats {
                each(mixed(*hash));
            }
        }
    }
}

fn power(of: usize) -> u64 {
    POWERS.get(of).copied().unwrap_or_default()
}

/// Spreads what the last characters say over all bits.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    hash ^ (hash >> 29)
}

/// A hash of a text.
pub(super) fn hash(text: &str) -> u64 {
    let step = |hash: u64, c: char| hash.wrapping_mul(FACTOR).wrapping_add(u64::from(c) + 1);
    mixed(text.chars().fold(0, step))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_left_is_hashed_as_it_is_written(name in "[a-c-é]{1,14}") {
            let chars: Vec<char> = name.chars().collect();
            let without = |gone: &[usize]| -> u64 {
                let left = chars.iter().enumerate().filter(|(i, _)| !gone.contains(i));
                hash(&left.map(|(_, c)| *c).collect::<String>())
            };
            let all = 0..chars.len();
            let mut once: HashSet<u64> = all.map(|i| without(&[i])).collect();
            once.insert(without(&[]));
            let beginnings = Beginnings::new(&name).into_iter();
            for name in beginnings {
                let mut found = HashSet::new();
                name.each(|hash| { found.insert(hash); });
                prop_assert_eq!(&found, &once);
            }
        }
    }

    #[test]
    fn what_was_pushed_is_found() {
        let mut deletions = Deletions::default();
        for id in 0..10_000_u32 {
            deletions.push(hash(&id.to_string()), id / 2);
        }
        deletions.finish();
        for id in 0..10_000_u32 {
            assert!(
                deletions
                    .of(hash(&id.to_string()))
                    .any(|found| found == id / 2)
            );
        }
        assert_eq!(deletions.of(hash("x")).count(), 0);
        assert_eq!(Deletions::default().of(1).count(), 0);
    }
}
