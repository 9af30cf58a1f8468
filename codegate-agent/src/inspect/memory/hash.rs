//! A fast keyed hash of texts: who does not have the key cannot make two texts agree.
//!
//! Knows: bytes. Must not know: what they are.
//!
//! NH over 64-bit words for blocks of [`BLOCK`] bytes (Black et al., "UMAC", 1999), the blocks' sums
//! under two polynomials modulo 2⁶¹−1. Two different texts agree for at most one key in 2⁵⁵ or so,
//! which is enough where nobody sees a hash and the key is gone with the process.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

/// Bytes that are summed up at once.
const BLOCK: usize = 1 << 10;
/// Words of a block.
const WORDS: usize = BLOCK / 8;
/// A Mersenne prime.
const PRIME: u64 = (1 << 61) - 1;

/// A key, and the hashes under it.
#[derive(Clone)]
pub(super) struct KeyedHash {
    words: Box<[u64; WORDS]>,
    points: [u64; 2],
}

impl KeyedHash {
    /// A key that nobody knows: the system's randomness, spread by the keyed hash that the standard
    /// library makes of it.
    pub(super) fn random() -> Self {
        let source = RandomState::new();
        let number = |at: usize| {
            let mut hasher = source.build_hasher();
            hasher.write_usize(at);
            hasher.finish()
        };
        Self {
            words: Box::new(std::array::from_fn(number)),
            points: [number(WORDS) % PRIME, number(WORDS + 1) % PRIME],
        }
    }

    /// The hash of a text, and of two numbers with it.
    pub(super) fn of(&self, text: &[u8], with: [u64; 2]) -> [u64; 2] {
        let mut sums = [text.len() as u64; 2];
        for block in text.chunks(BLOCK) {
            let sum = self.block(block);
            // Three numbers of less than 2⁶¹ that tell the sum.
            let parts = [sum, sum >> 43, sum >> 86].map(|part| (part as u64) & ((1 << 43) - 1));
            self.add(&mut sums, parts);
        }
        let [a, b] = with;
        self.add(&mut sums, [a & PRIME, b & PRIME, 1]);
        sums
    }

    fn add(&self, sums: &mut [u64; 2], parts: [u64; 3]) {
        for (sum, point) in sums.iter_mut().zip(self.points) {
            *sum = parts.iter().fold(*sum, |sum, part| step(sum, point, *part));
        }
    }

    /// NH of up to a block.
    fn block(&self, block: &[u8]) -> u128 {
        let (pairs, rest) = block.as_chunks::<16>();
        let mut last = [0; 16];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        let last = (!rest.is_empty()).then_some(&last);
        let (keys, _) = self.words.as_chunks::<2>();
        let pairs = pairs.iter().chain(last);
        let product = |(pair, key): (&[u8; 16], &[u64; 2])| {
            let both = u128::from_le_bytes(*pair);
            let (a, b) = (both as u64, (both >> 64) as u64);
            u128::from(a.wrapping_add(key[0])) * u128::from(b.wrapping_add(key[1]))
        };
        let products = pairs.zip(keys).map(product);
        products.fold(0, u128::wrapping_add)
    }
}

/// `sum × point + part`, modulo the prime.
fn step(sum: u64, point: u64, part: u64) -> u64 {
    let product = u128::from(sum) * u128::from(point) + u128::from(part);
    let folded = (product as u64 & PRIME) + (product >> 61) as u64;
    if folded >= PRIME {
        folded - PRIME
    } else {
        folded
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_that_differ_in_a_bit_a_length_or_a_number_have_other_hashes() {
        let hash = KeyedHash::random();
        let text: Vec<u8> = (0..3000_u32).map(|i| ((i * i) >> 3) as u8).collect();
        let mut seen = HashSet::new();
        assert!(seen.insert(hash.of(&text, [0, 0])));
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 1 << (at % 8);
            assert!(seen.insert(hash.of(&other, [0, 0])), "{at}");
            assert!(seen.insert(hash.of(&text[..at], [0, 0])), "{at}");
        }
        assert!(seen.insert(hash.of(&text, [1, 0])));
        assert!(seen.insert(hash.of(&text, [0, 1])));
        for zeros in 0..2100 {
            assert!(
                seen.insert(hash.of(&vec![0; zeros + 3001], [0, 0])),
                "{zeros}"
            );
        }
    }

    #[test]
    fn blocks_in_another_order_have_another_hash_and_keys_differ() {
        let (a, b) = (vec![1; BLOCK], vec![2; BLOCK]);
        let hash = KeyedHash::random();
        let of = |blocks: [&[u8]; 2]| hash.of(&blocks.concat(), [0, 0]);
        assert_ne!(of([&a, &b]), of([&b, &a]));
        assert_eq!(of([&a, &b]), of([&a, &b]));
        assert_ne!(KeyedHash::random().of(&a, [0, 0]), hash.of(&a, [0, 0]));
    }
}
