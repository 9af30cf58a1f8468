//! Addresses of crypto currencies, as far as they carry a checksum.
//!
//! Bitcoin: base58check (Bitcoin's own), bech32 (BIP 173) and bech32m (BIP 350). Ethereum: EIP-55;
//! an address in one case alone has no checksum and could be any hash, so it is none.

use std::ops::Range;

use aws_lc_rs::digest::{SHA256, digest};
use sha3::{Digest, Keccak256};

use super::digits::is_word;
use crate::inspect::runs;

const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// The shortest and the longest of them all, in characters.
const SHORTEST: usize = 14;
const LONGEST: usize = 90;

/// Which currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coin {
    Bitcoin,
    Ethereum,
}

/// All addresses, in order. Each is a word of letters and digits that is longer than most.
pub(super) fn find(text: &[u8]) -> impl Iterator<Item = (Range<usize>, Coin)> {
    let words = runs::of_letters_and_digits::<SHORTEST>(text).into_iter();
    words.filter_map(|range| {
        let word = text.get(range.clone())?;
        let (coin, is_address) = looks_like(word)?;
        // Hashes cost more than a look around.
        (stands_alone(text, &range) && is_address(word)).then_some((range, coin))
    })
}

/// Whether a word is an address, by its checksum.
type IsAddress = fn(&[u8]) -> bool;

/// The currency that a word could be an address of, by its beginning and length, and what tells if it is.
fn looks_like(word: &[u8]) -> Option<(Coin, IsAddress)> {
    match (word, word.len()) {
        ([b'1' | b'3', ..], 26..=35) => Some((Coin::Bitcoin, is_base58check)),
        ([b'b', b'c', b'1', ..], ..=LONGEST) => Some((Coin::Bitcoin, is_segwit)),
        ([b'0', b'x', ..], 42) => Some((Coin::Ethereum, is_eip55)),
        _ => None,
    }
}

/// Whether what is around an address leaves it one: `bitcoin:ADDRESS`, `address=ADDRESS`,
/// `/address/ADDRESS`.
fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    let joins = |byte: &u8| is_word(*byte) || b"+/=-.%".contains(byte);
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    let (after, beyond) = (text.get(range.end), text.get(range.end + 1));
    let opens = before.is_none_or(|byte| matches!(byte, b'=' | b'/') || !joins(byte));
    let goes_on = after.is_some_and(joins) && beyond.is_some_and(joins);
    opens && !goes_on && !after.is_some_and(|byte| is_word(*byte))
}

/// One version byte, twenty of a hash, and four of a double SHA-256.
fn is_base58check(address: &[u8]) -> bool {
    let Some(bytes) = base58(address) else {
        return false;
    };
    let (body, check) = bytes.split_at(21);
    let hash = digest(&SHA256, digest(&SHA256, body).as_ref());
    matches!(body.first(), Some(0 | 5)) && hash.as_ref().starts_with(check)
}

/// A number to the base of 58 as 25 bytes, the most significant first.
fn base58(digits: &[u8]) -> Option<[u8; 25]> {
    let mut bytes = [0_u8; 25];
    for digit in digits {
        let mut carry = BASE58.iter().position(|known| known == digit)?;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xFF) as u8;
            carry >>= 8;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(bytes)
}

/// The checksum of version 0 is BIP 173's, that of the others BIP 350's.
fn is_segwit(address: &[u8]) -> bool {
    let value = |byte: &u8| BECH32.iter().position(|known| known == byte);
    let data: Option<Vec<usize>> = address.iter().skip(3).map(value).collect();
    let Some(data) = data else { return false };
    // The name `bc`, stretched.
    let all = [3, 3, 0, 2, 3].into_iter().chain(data.iter().copied());
    let expected = if data.first() == Some(&0) {
        1
    } else {
        0x2BC8_30A3
    };
    polymod(all) == expected
}

fn polymod(values: impl Iterator<Item = usize>) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3B6A_57B2,
        0x2650_8E6D,
        0x1EA1_19FA,
        0x3D42_33DD,
        0x2A14_62B3,
    ];
    values.fold(1_u32, |sum, value| {
        let top = sum >> 25;
        let shifted = (sum & 0x01FF_FFFF) << 5 ^ value as u32;
        let each = GENERATOR.iter().enumerate();
        each.filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(shifted, |sum, (_, with)| sum ^ with)
    })
}

/// A letter is upper case where the Keccak-256 of the lower-case digits has 8 or more.
fn is_eip55(address: &[u8]) -> bool {
    let digits = address.get(2..).unwrap_or_default();
    let mixed =
        digits.iter().any(u8::is_ascii_uppercase) && digits.iter().any(u8::is_ascii_lowercase);
    if !mixed || !digits.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let hash = Keccak256::digest(digits.to_ascii_lowercase());
    let halves = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits
        .iter()
        .zip(halves)
        .all(|(digit, half)| digit.is_ascii_digit() || digit.is_ascii_uppercase() == (half >= 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Coin)> {
        find(text.as_bytes())
            .map(|(range, coin)| (&text[range], coin))
            .collect()
    }

    /// From Bitcoin's documentation, BIP 173, BIP 350 and EIP-55.
    const ADDRESSES: [(&str, Coin); 8] = [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Coin::Bitcoin),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", Coin::Bitcoin),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", Coin::Bitcoin),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Coin::Bitcoin),
        (
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            Coin::Bitcoin,
        ),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Coin::Ethereum),
        ("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", Coin::Ethereum),
        ("0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", Coin::Ethereum),
    ];

    #[test]
    fn addresses_with_a_checksum() {
        for (address, coin) in ADDRESSES {
            for text in [
                format!("to {address}."),
                format!("bitcoin:{address}?amount=1"),
                address.to_owned(),
            ] {
                assert_eq!(found(&text), [(address, coin)], "{text}");
            }
            assert_eq!(found(&format!("x{address}")), []);
            assert_eq!(found(&format!("{address}x")), []);
        }
    }

    #[test]
    fn one_changed_character_and_it_is_none() {
        for (address, _) in ADDRESSES {
            let swapped: String = address
                .chars()
                .rev()
                .enumerate()
                .map(|(at, c)| match (at, c) {
                    (3, 'x') => 'y',
                    (3, _) => 'x',
                    (_, c) => c,
                })
                .collect();
            let text: String = swapped.chars().rev().collect();
            assert_eq!(found(&text), [], "{text}");
        }
        let lower = ADDRESSES[5].0.to_ascii_lowercase();
        assert_eq!(found(&lower), []);
    }
}
