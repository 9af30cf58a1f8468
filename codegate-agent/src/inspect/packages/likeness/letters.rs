//! Names, found by the letters that they are made of.
//!
//! Two slips of the finger exchange two letters at most, and add or lose two more of those that are
//! there. Which letters a name has once, and which twice, fits into two words of 32 bits; of what is
//! two slips away, no more than [`MOST`] of these bits differ. People do not slip on the first letter,
//! unless it is struck after the second. So a look at some dozen words, several at a time and one after
//! the other in memory, leaves a handful of names to be compared.

/// Bits that differ at most: each of two slips takes one letter away and brings another.
const MOST: u32 = 4;
/// By how many characters the lengths of the names differ at most.
const LONGER: usize = 2;
/// Words that are looked at together.
const TOGETHER: usize = 16;

/// Which letters a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letters {
    /// At least once.
    once: u32,
    /// At least twice.
    twice: u32,
    length: usize,
    first: [Option<char>; 2],
}

impl Letters {
    pub(super) fn of(name: &str) -> Self {
        let mut first = name.chars();
        let mut letters = Self {
            once: 0,
            twice: 0,
            length: 0,
            first: [first.next(), first.next()],
        };
        for c in name.chars() {
            let bit = 1 << (u32::from(c) % u32::BITS);
            letters.twice |= letters.once & bit;
            letters.once |= bit;
            letters.length += 1;
        }
        letters
    }

    /// Whether two slips may make `name` of what has these letters.
    fn may_become(&self, name: &Self) -> bool {
        let [first, second] = self.first;
        let [typed, _] = name.first;
        let once = (self.once ^ name.once).count_ones();
        (first == typed || second == typed) && once + (self.twice ^ name.twice).count_ones() <= MOST
    }
}

/// Names by their letters: those with a first letter and a length one after the other. Each is there
/// once more by its second letter, which may have been struck first.
#[derive(Debug, Default)]
pub(super) struct Bags {
    keys: Vec<Key>,
    /// The letters that are there, apart from the rest: they are looked at first.
    once: Vec<u32>,
    /// All about each name, and its number.
    names: Vec<(Letters, u32)>,
}

/// A letter, and a length.
type Key = (Option<char>, usize);

impl Bags {
    pub(super) fn push(&mut self, name: &str, id: u32) {
        let letters = Letters::of(name);
        let [first, second] = letters.first;
        let again = (second != first).then_some(second);
        for letter in [first].into_iter().chain(again) {
            self.keys.push((letter, letters.length));
            self.names.push((letters, id));
        }
    }

    /// Makes what was pushed ready to be looked up.
    pub(super) fn finish(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        let names = std::mem::take(&mut self.names);
        let mut all: Vec<_> = keys.into_iter().zip(names).collect();
        all.sort_by_key(|(key, (_, id))| (*key, *id));
        (self.keys, self.names) = all.into_iter().unzip();
        self.once = self.names.iter().map(|(name, _)| name.once).collect();
    }

    /// All that may be two slips away, and some that are not.
    pub(super) fn near(&self, name: &Letters, mut each: impl FnMut(u32)) {
        let [first, _] = name.first;
        let start = |length| self.keys.partition_point(|key| *key < (first, length));
        let shortest = name.length.saturating_sub(LONGER);
        let range = start(shortest)..start(name.length + LONGER + 1);
        let once = self.once.get(range.clone()).unwrap_or_default();
        let names = self.names.get(range).unwrap_or_default();
        for (once, names) in once.chunks(TOGETHER).zip(names.chunks(TOGETHER)) {
            // No branch for each of them, so that several are looked at in one step.
            let near = |some, once: &u32| some | (without_four(once ^ name.once) == 0);
            if once.iter().fold(false, near) {
                let near = names.iter().filter(|(right, _)| right.may_become(name));
                near.for_each(|(_, id)| each(*id));
            }
        }
    }
}

/// A word without its lowest [`MOST`] bits: subtracting is what all processors do to several words at a
/// time, counting is not.
fn without_four(word: u32) -> u32 {
    (0..MOST).fold(word, |word, _| word & word.wrapping_sub(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(bags: &Bags, name: &str) -> Vec<u32> {
        let mut found = Vec::new();
        bags.near(&Letters::of(name), |id| found.push(id));
        found
    }

    proptest! {
        /// What two slips do to a name, at most.
        #[test]
        fn two_slips_away_is_near(
            name in "[a-d0é-]{8,40}", slips in prop::collection::vec((0..3, any::<prop::sample::Index>(), "[a-z0-9]"), 2),
        ) {
            let mut bags = Bags::default();
            bags.push(&name, 7);
            bags.finish();
            let mut chars: Vec<char> = name.chars().collect();
            for (kind, at, other) in slips {
                // Not at the first letter.
                let at = 2 + at.index(chars.len() - 2);
                match kind {
                    0 => chars.insert(at, chars[at]),
                    1 => chars.swap(at, at - 1),
                    _ => chars[at] = other.chars().next().unwrap_or('x'),
                }
            }
            prop_assert_eq!(found(&bags, &chars.into_iter().collect::<String>()), [7]);
        }
    }

    #[test]
    fn what_has_other_letters_or_another_length_is_not_near() {
        let mut bags = Bags::default();
        let names = [
            "requests",
            "beautifulsoup",
            "express-session",
            "requestss-requestss",
        ];
        for (id, name) in (0..).zip(names) {
            bags.push(name, id);
        }
        bags.finish();
        assert_eq!(found(&bags, "reqeustss"), [0]);
        assert_eq!(found(&bags, "erquests"), [0]);
        assert!(found(&bags, "tequests").is_empty());
        assert_eq!(found(&bags, "express-sesion"), [2]);
        assert!(found(&bags, "cryptography").is_empty());
        assert!(found(&bags, "requestss-reques").is_empty());
        assert!(found(&Bags::default(), "requests").is_empty());
        for length in 0..80 {
            found(&bags, &"r".repeat(length));
        }
    }

    #[test]
    fn four_bits_are_taken_away() {
        assert_eq!(without_four(0b1_0110_1000), 0);
        assert_eq!(without_four(0b1_0110_1001), 0b1_0000_0000);
    }
}
