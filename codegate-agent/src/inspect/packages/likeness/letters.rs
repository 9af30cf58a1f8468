//! Names, found by the letters that they are made of.
//!
//! A slip of the finger exchanges two letters, adds one or loses one. Which letters a name has once, and
//! which twice, fits into two words of 32 bits: of what is a slip away, no more than two of these bits
//! differ. People seldom slip on the first letter, unless it is struck after the second. So a look at
//! some dozen words, several at a time and one after the other in memory, leaves a handful of names to be
//! compared.

use foldhash::HashMap;

use super::forms::hash;

/// Names of more characters than this have no neighbours here: nobody types them.
pub(super) const LONGEST: usize = 64;
/// Words that are looked at together.
const TOGETHER: usize = 16;
/// First letters that are told apart: as many as there are in ASCII behind the capitals, and signs.
const LETTERS: usize = 64;
/// Lengths that are told apart: two slips may add two characters, and one more ends the range.
const LENGTHS: usize = LONGEST + 4;

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

    /// How many characters the name has.
    pub(super) fn length(&self) -> usize {
        self.length
    }
}

/// Names that are to be found by what is so many slips away. Those with a first letter and a length stand
/// one after the other; each is there once more by its second letter, which may have been struck first.
///
/// Each part has a row of its own, so that what is looked at is short and lies together.
#[derive(Debug, Default)]
pub(super) struct Bags<const SLIPS: usize> {
    /// What was pushed, until it is finished.
    pushed: Vec<(Letters, u32)>,
    once: Vec<u32>,
    twice: Vec<u32>,
    ids: Vec<u32>,
    /// Where those of each first letter and length begin, and where the last ones end.
    starts: Vec<u32>,
}

impl<const SLIPS: usize> Bags<SLIPS> {
    pub(super) fn push(&mut self, name: &str, id: u32) {
        self.pushed.push((Letters::of(name), id));
    }

    /// Makes what was pushed ready to be looked up.
    pub(super) fn finish(&mut self) {
        let pushed = std::mem::take(&mut self.pushed);
        let keyed = pushed.into_iter().flat_map(|(name, id)| {
            let [first, second] = name.first.map(|letter| place(letter, name.length));
            let again = (second != first).then_some(second);
            [first]
                .into_iter()
                .chain(again)
                .map(move |key| (key, id, name))
        });
        let mut names: Vec<_> = keyed.collect();
        names.sort_by_key(|(key, id, _)| (*key, *id));
        let before = |place| names.partition_point(|(key, ..)| *key < place) as u32;
        self.starts = (0..=LETTERS * LENGTHS).map(before).collect();
        self.once = names.iter().map(|(.., name)| name.once).collect();
        self.twice = names.iter().map(|(.., name)| name.twice).collect();
        self.ids = names.iter().map(|(_, id, _)| *id).collect();
    }

    /// All that may be as many slips away, and some that are not.
    pub(super) fn near(&self, name: &Letters, mut each: impl FnMut(u32)) {
        let [first, _] = name.first;
        let start = |length| self.starts.get(place(first, length)).copied();
        let shortest = start(name.length.saturating_sub(SLIPS)).unwrap_or_default();
        let longest = start(name.length + SLIPS + 1).unwrap_or_default();
        let range = shortest as usize..longest as usize;
        let once = self.once.get(range.clone()).unwrap_or_default();
        let is_near = |once: u32| without_bits::<SLIPS>(once ^ name.once) == 0;
        let mut look = |at: usize, once: &[u32]| {
            let near = once.iter().enumerate().filter(|(_, once)| is_near(**once));
            let near = near.filter_map(|(n, once)| self.id(at + n, *once, name));
            near.for_each(&mut each);
        };
        let (blocks, rest) = once.as_chunks::<TOGETHER>();
        for (n, block) in blocks.iter().enumerate() {
            // No branch for each of them, so that several are looked at in one step.
            if block.iter().fold(false, |some, once| some | is_near(*once)) {
                look(range.start + n * TOGETHER, block);
            }
        }
        look(range.end - rest.len(), rest);
    }

    /// The name at a place, if no more bits differ than so many slips change.
    fn id(&self, at: usize, once: u32, name: &Letters) -> Option<u32> {
        let twice = self.twice.get(at)? ^ name.twice;
        let differ = (once ^ name.once).count_ones() + twice.count_ones();
        (differ as usize <= 2 * SLIPS).then_some(*self.ids.get(at)?)
    }
}

/// The place of a letter and a length among all of them. Letters that share one cost a comparison more.
fn place(letter: Option<char>, length: usize) -> usize {
    let letter = letter.map_or(0, |letter| letter as usize % LETTERS);
    letter * LENGTHS + length.min(LENGTHS - 1)
}

/// A word without as many of its lowest bits as so many slips change: subtracting is what all processors
/// do to several words at a time, counting is not.
fn without_bits<const SLIPS: usize>(word: u32) -> u32 {
    (0..2 * SLIPS).fold(word, |word, _| word & word.wrapping_sub(1))
}

/// Names that are to be found with a slip on the first letter: by their hash, and that of what is behind it.
#[derive(Debug, Default)]
pub(super) struct Tails(HashMap<u64, Vec<u32>>);

impl Tails {
    pub(super) fn push(&mut self, name: &str, id: u32) {
        for text in [name, tail(name)] {
            self.0.entry(hash(text)).or_default().push(id);
        }
    }

    /// All whose first letter may be wrong, missing or too much in this name, and some others.
    pub(super) fn near(&self, name: &str, mut each: impl FnMut(u32)) {
        for text in [name, tail(name)] {
            let ids = self.0.get(&hash(text));
            ids.into_iter().flatten().for_each(|id| each(*id));
        }
    }
}

fn tail(name: &str) -> &str {
    let mut rest = name.chars();
    rest.next();
    rest.as_str()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found<const SLIPS: usize>(bags: &Bags<SLIPS>, name: &str) -> Vec<u32> {
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
            let (mut one, mut two) = (Bags::<1>::default(), Bags::<2>::default());
            one.push(&name, 7);
            two.push(&name, 7);
            one.finish();
            two.finish();
            let mut chars: Vec<char> = name.chars().collect();
            for (n, (kind, at, other)) in slips.into_iter().enumerate() {
                // Not at the first letter.
                let at = 2 + at.index(chars.len() - 2);
                match kind {
                    0 => chars.insert(at, chars[at]),
                    1 => chars.swap(at, at - 1),
                    _ => chars[at] = other.chars().next().unwrap_or('x'),
                }
                let slipped: String = chars.iter().collect();
                if n == 0 {
                    prop_assert_eq!(found(&one, &slipped), [7]);
                }
                prop_assert_eq!(found(&two, &slipped), [7]);
            }
        }
    }

    #[test]
    fn what_has_other_letters_or_another_length_is_not_near() {
        let mut bags = Bags::<2>::default();
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
        assert!(found(&Bags::<1>::default(), "requests").is_empty());
        for length in 0..80 {
            found(&bags, &"r".repeat(length));
        }
    }

    #[test]
    fn two_bits_are_taken_away_for_each_slip() {
        assert_eq!(without_bits::<2>(0b1_0110_1000), 0);
        assert_eq!(without_bits::<2>(0b1_0110_1001), 0b1_0000_0000);
        assert_eq!(without_bits::<1>(0b1_0110_1001), 0b1_0110_0000);
    }

    #[test]
    fn a_slip_on_the_first_letter_is_found() {
        let mut tails = Tails::default();
        tails.push("requests", 3);
        let found = |name: &str| {
            let mut found = Vec::new();
            tails.near(name, |id| found.push(id));
            found
        };
        for name in ["tequests", "equests", "trequests"] {
            assert_eq!(found(name), [3], "{name}");
        }
        assert!(found("requestz").is_empty() && found("").is_empty());
    }
}
