//! A set of hashes in little room: those that begin with the same bits share a bucket, and of each
//! only the 32 bits after these are kept.
//!
//! A look-up touches two lines of memory. Among millions of hashes another one is taken for one of
//! them once in a thousand million times.

use std::ops::Range;

/// How many hashes share a bucket on average.
const SHARED: usize = 4;
/// The most first bits that choose a bucket.
const MOST_BITS: u32 = 28;

/// Hashes in order, each with its place among them.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    /// So many first bits choose the bucket.
    bits: u32,
    /// Where each bucket begins in `rests`, and where the last one ends.
    starts: Vec<u32>,
    /// The bits after those that choose the bucket.
    rests: Vec<u32>,
}

impl Hashes {
    /// From hashes in order, of which there are about so many.
    pub(super) fn in_order(hashes: impl Iterator<Item = u64>, about: usize) -> Self {
        let bits = (about / SHARED).max(1).ilog2().min(MOST_BITS);
        let buckets = 1_usize << bits;
        let mut this = Self {
            bits,
            starts: Vec::with_capacity(buckets + 1),
            rests: Vec::with_capacity(about),
        };
        for hash in hashes {
            let bucket = this.bucket(hash);
            this.starts.resize(bucket + 1, this.rests.len() as u32);
            this.rests.push(this.rest(hash));
        }
        this.starts.resize(buckets + 1, this.rests.len() as u32);
        this.rests.shrink_to_fit();
        this
    }

    /// The places of a hash, from 0: none if it is not there, several if it was given as often.
    pub(super) fn places(&self, hash: u64) -> Range<usize> {
        let bucket = self.bucket(hash);
        let Some([from, to]) = self.starts.get(bucket..bucket + 2) else {
            return 0..0;
        };
        let (from, to) = (*from as usize, *to as usize);
        let of_bucket = self.rests.get(from..to).unwrap_or_default();
        let rest = self.rest(hash);
        let before = of_bucket.iter().take_while(|other| **other < rest).count();
        let same = of_bucket.iter().skip(before);
        let same = same.take_while(|other| **other == rest).count();
        from + before..from + before + same
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rests.len()
    }

    /// Whether a hash is there.
    pub(super) fn has(&self, hash: u64) -> bool {
        !self.places(hash).is_empty()
    }

    fn bucket(&self, hash: u64) -> usize {
        hash.checked_shr(u64::BITS - self.bits).unwrap_or_default() as usize
    }

    fn rest(&self, hash: u64) -> u32 {
        (hash >> (u32::BITS - self.bits)) as u32
    }
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
