//! A set of hashes in little room, of which a look-up touches one line of memory: among millions, what
//! is not in the caches is all that it costs.
//!
//! Hashes in order are cut into as many equal parts as there are lines, and of each only the next 32 bits
//! are kept. Another hash is taken for one of millions once in a thousand million times.

use std::ops::Range;

/// How many hashes a line has room for: with what is before them, it is as long as those of caches.
const ROOM: usize = 15;
/// How many it gets on average. One in fifty then finds no room.
const USUAL: usize = 11;
/// Where there is no hash.
const FREE: u32 = u32::MAX;

/// Hashes in order, each with its place among them.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    lines: Vec<Line>,
    /// Those for which their lines had no room, with their places.
    spilled: Vec<(u64, u32)>,
    count: usize,
}

/// The first hashes of a part, in order, and how many there are in the parts before.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Line {
    before: u32,
    rests: [u32; ROOM],
}

impl Hashes {
    /// From hashes in order, of which there are about so many.
    pub(super) fn in_order(hashes: impl Iterator<Item = u64>, about: usize) -> Self {
        let mut this = Self {
            lines: vec![Line::FREE; about / USUAL + 1],
            ..Self::default()
        };
        let mut at = 0;
        for hash in hashes {
            let (line, rest) = this.split(hash);
            for passed in this.lines.iter_mut().take(line + 1).skip(at + 1) {
                passed.before = this.count as u32;
            }
            at = line;
            this.push(hash, line, rest);
        }
        this.spilled.shrink_to_fit();
        this
    }

    fn push(&mut self, hash: u64, line: usize, rest: u32) {
        let place = self.count as u32;
        let line = self.lines.get_mut(line);
        let free = line.and_then(|line| line.rests.get_mut((place - line.before) as usize));
        match free {
            Some(free) => *free = rest,
            None => self.spilled.push((hash, place)),
        }
        self.count += 1;
    }

    /// The places of a hash, from 0: none if it is not there, several if it was given as often.
    pub(super) fn places(&self, hash: u64) -> Range<usize> {
        let (line, rest) = self.split(hash);
        let Some(line) = self.lines.get(line) else {
            return 0..0;
        };
        let below = line.rests.iter().filter(|other| **other < rest).count();
        let same = line.rests.iter().filter(|other| **other == rest).count();
        let first = line.before as usize + below;
        let last = line.rests.last();
        if last.is_none_or(|last| *last == FREE || *last > rest) {
            return first..first + same;
        }
        // Those that found no room come right behind those that did.
        let spilled = self.spilled(hash);
        let first = spilled
            .first()
            .map_or(first, |(_, place)| *place as usize - same);
        first..first + same + spilled.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether a hash is there.
    pub(super) fn has(&self, hash: u64) -> bool {
        !self.places(hash).is_empty()
    }

    /// Those like this one for which there was no room.
    fn spilled(&self, hash: u64) -> &[(u64, u32)] {
        let from = self.spilled.partition_point(|(other, _)| *other < hash);
        let rest = self.spilled.get(from..).unwrap_or_default();
        let same = rest.iter().take_while(|(other, _)| *other == hash).count();
        rest.get(..same).unwrap_or_default()
    }

    /// The line of a hash, and what is kept of it there.
    fn split(&self, hash: u64) -> (usize, u32) {
        let scaled = u128::from(hash) * self.lines.len() as u128;
        let rest = (scaled >> u32::BITS) as u32;
        ((scaled >> u64::BITS) as usize, rest.min(FREE - 1))
    }
}

impl Line {
    const FREE: Self = Self {
        before: 0,
        rests: [FREE; ROOM],
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_hash_has_its_places(seeds in prop::collection::vec(any::<u16>(), 0..400), wrong in 1..5_usize) {
            let spread = |seed: &u16| u64::from(*seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut hashes: Vec<u64> = seeds.iter().map(spread).collect();
            hashes.sort_unstable();
            // How many there are may be known but roughly.
            let set = Hashes::in_order(hashes.iter().copied(), hashes.len() * wrong / 2);
            let mut expected: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
            for (place, hash) in hashes.iter().enumerate() {
                expected.entry(*hash).or_default().push(place);
            }
            for (hash, places) in &expected {
                prop_assert_eq!(&set.places(*hash).collect::<Vec<_>>(), places);
            }
            for seed in 0..u16::MAX {
                let hash = spread(&seed);
                prop_assert_eq!(set.has(hash), expected.contains_key(&hash));
            }
        }
    }

    #[test]
    fn an_empty_set_has_nothing() {
        assert!(!Hashes::default().has(0));
        assert!(!Hashes::in_order([].into_iter(), 0).has(u64::MAX));
    }
}
