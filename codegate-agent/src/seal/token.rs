//! The grammar of placeholders: `CG_<KIND>_<24 characters of Crockford base32>`.
//!
//! Knows: how one placeholder is written and read. Must not know: texts, keys, the vault.
//!
//! The 24 characters are 120 bits: 100 of the value's keyed MAC, then a checksum of 20. The checksum
//! is a CRC-20 (polynomial [`POLYNOMIAL`], start value all ones, no final inversion) over KIND and
//! MAC, read as 5-bit symbols: each character of KIND as two (its high three bits, its low five),
//! then the MAC's 20. It has no key: anybody can tell a mangled placeholder from a whole one, only
//! the vault can tell whose it is. A change confined to four neighbouring characters of the body is
//! always noticed, and so are any three replaced characters; any other mangling passes once in
//! a million times.

use std::fmt;

use crate::inspect::Kind;

/// What every placeholder begins with.
pub(super) const PREFIX: &[u8] = b"CG_";
/// Characters behind the second underscore.
pub(super) const BODY: usize = 24;
/// Bytes of a MAC: 100 bits, and 4 that are zero.
pub(super) const MAC_LEN: usize = 13;

/// 5-bit symbols of a MAC.
const MAC_SYMBOLS: usize = 20;
/// Bits of the checksum.
const CHECK_BITS: u32 = 20;
const CHECK_MASK: u32 = (1 << CHECK_BITS) - 1;

/// Crockford's base32: the digits, and the upper-case letters without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// x²⁰ + x¹⁹ + x¹⁸ + x¹⁴ + x¹³ + x¹² + x⁵ + x⁴ + x³ + 1.
///
/// Found by search: over the body's 24 symbols its code has distance four, so that any three
/// replaced characters are noticed.
const POLYNOMIAL: u32 = 0x1C_7039;

/// A well-formed placeholder whose checksum holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Placeholder {
    /// What stands there.
    pub kind: Kind,
    /// The keyed MAC of the value: its first 100 bits, the last 4 of these 104 being zero.
    pub(super) mac: [u8; MAC_LEN],
}

impl Placeholder {
    /// The longest placeholder, in bytes.
    pub const MAX_LEN: usize = PREFIX.len() + Kind::MAX + 1 + BODY;
    /// The shortest placeholder, in bytes.
    pub const MIN_LEN: usize = PREFIX.len() + Kind::MIN + 1 + BODY;

    /// The placeholder of a value with this MAC, of which the first 100 bits count.
    pub fn new(kind: Kind, mut mac: [u8; 13]) -> Self {
        mac[MAC_LEN - 1] &= 0xF0;
        Self { kind, mac }
    }

    /// Reads a text that is exactly one placeholder; `None` if its form or its checksum is wrong.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (found, len) = Self::parse_start(text)?;
        (len == text.len()).then_some(found)
    }

    /// Reads the placeholder that a text begins with, and says how long it is.
    pub(super) fn parse_start(text: &[u8]) -> Option<(Self, usize)> {
        let rest = text.strip_prefix(PREFIX)?;
        let at = rest.iter().take(Kind::MAX + 1).position(|&b| b == b'_')?;
        let (kind, rest) = rest.split_at_checked(at)?;
        let kind = Kind::parse(std::str::from_utf8(kind).ok()?)?;
        let body = rest.get(1..=BODY)?.first_chunk()?;
        let placeholder = Self::from_body(kind, body)?;
        Some((placeholder, PREFIX.len() + at + 1 + BODY))
    }

    /// The placeholder with this KIND and these 24 characters, if the checksum holds.
    pub(super) fn from_body(kind: Kind, body: &[u8; BODY]) -> Option<Self> {
        let mut bits = 0_u128;
        for &character in body {
            bits = bits << 5 | u128::from(symbol(character)?);
        }
        // 120 bits: the MAC's hundred become the top of 13 bytes, the rest is the checksum.
        let mac = ((bits >> CHECK_BITS) << 28).to_be_bytes();
        let placeholder = Self {
            kind,
            mac: *mac.first_chunk()?,
        };
        let check = (bits & u128::from(CHECK_MASK)) as u32;
        (checksum(&kind, &placeholder.mac) == check).then_some(placeholder)
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = checksum(&self.kind, &self.mac);
        let bits = mac_bits(&self.mac) << CHECK_BITS | u128::from(check);
        let mut body = [0; BODY];
        for (i, to) in body.iter_mut().rev().enumerate() {
            *to = ALPHABET[(bits >> (5 * i)) as usize & 31];
        }
        let body = std::str::from_utf8(&body).map_err(|_| fmt::Error)?;
        write!(f, "CG_{}_{body}", self.kind)
    }
}

/// The value of a character of Crockford's base32; `None` for any other, lower case included.
pub(super) fn symbol(character: u8) -> Option<u8> {
    const OTHER: u8 = 0xFF;
    const VALUES: [u8; 256] = {
        let mut values = [OTHER; 256];
        let mut i = 0;
        while i < ALPHABET.len() {
            values[ALPHABET[i] as usize] = i as u8;
            i += 1;
        }
        values
    };
    Some(VALUES[usize::from(character)]).filter(|&value| value != OTHER)
}

/// A MAC's 100 bits as a number.
fn mac_bits(mac: &[u8; MAC_LEN]) -> u128 {
    mac.iter().fold(0, |bits, &b| bits << 8 | u128::from(b)) >> 4
}

/// The checksum that the module's documentation describes.
fn checksum(kind: &Kind, mac: &[u8; MAC_LEN]) -> u32 {
    let kind = kind.as_str().bytes().flat_map(|b| [b >> 5, b & 31]);
    let bits = mac_bits(mac);
    let mac = (0..MAC_SYMBOLS).rev().map(|i| (bits >> (5 * i)) as u8 & 31);
    kind.chain(mac).fold(CHECK_MASK, |crc, symbol| {
        let top = (crc >> (CHECK_BITS - 5)) as usize ^ usize::from(symbol);
        (crc << 5 & CHECK_MASK) ^ STEPS[top & 31]
    })
}

/// What a symbol that leaves the checksum at the top does to the rest of it.
const STEPS: [u32; 32] = {
    let mut steps = [0; 32];
    let mut symbol = 0;
    while symbol < 32 {
        let mut crc = (symbol as u32) << (CHECK_BITS - 5);
        let mut bit = 0;
        while bit < 5 {
            crc <<= 1;
            if crc >> CHECK_BITS == 1 {
                crc ^= POLYNOMIAL;
            }
            bit += 1;
        }
        steps[symbol] = crc;
        symbol += 1;
    }
    steps
};

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::seal) fn placeholders() -> impl Strategy<Value = Placeholder> {
        ("[A-Z0-9]{2,12}", any::<[u8; 13]>())
            .prop_map(|(kind, mac)| Placeholder::new(Kind::parse(&kind).unwrap(), mac))
    }

    fn example() -> Placeholder {
        let mac = *b"\x3d\xc9\x44\xf1\x20\x00\xff\x81\x5a\xa5\x10\x02\x7f";
        Placeholder::new(Kind::parse("GITHUB").unwrap(), mac)
    }

    #[test]
    fn the_format_is_frozen() {
        // Reckoned by another program. Whoever changes this breaks every conversation that holds one.
        assert_eq!(example().to_string(), "CG_GITHUB_7Q4M9W9003ZR2PN5201706XV");
        assert_eq!(example().mac[12], 0x70, "the last four bits do not count");
    }

    #[test]
    fn lengths_are_what_they_say() {
        assert_eq!(Placeholder::MAX_LEN, 40);
        let longest = Placeholder::new(Kind::parse("ABCDEFGHIJKL").unwrap(), [7; 13]);
        assert_eq!(longest.to_string().len(), Placeholder::MAX_LEN);
        let shortest = Placeholder::new(Kind::parse("K8").unwrap(), [7; 13]);
        assert_eq!(shortest.to_string().len(), Placeholder::MIN_LEN);
    }

    #[test]
    fn three_replaced_characters_are_always_noticed() {
        // The CRC is linear: a change is missed if what it adds to the checksum is zero. So no
        // one, two or three characters' syndromes may cancel out.
        let syndrome = |at: usize, by: u8| {
            (0..5 * at).fold(u32::from(by), |crc, _| {
                let crc = crc << 1;
                if crc >> CHECK_BITS == 1 {
                    crc ^ POLYNOMIAL
                } else {
                    crc
                }
            })
        };
        let all: Vec<(usize, u32)> = (0..BODY)
            .flat_map(|at| (1..32).map(move |by| (at, syndrome(at, by))))
            .collect();
        let places: std::collections::HashMap<u32, usize> =
            all.iter().map(|&(at, s)| (s, at)).collect();
        assert_eq!(places.len(), all.len(), "two characters may cancel out");
        for (i, &(a, x)) in all.iter().enumerate() {
            assert_ne!(x, 0);
            for &(b, y) in all.iter().skip(i).filter(|&&(b, _)| b > a) {
                let third = places.get(&(x ^ y));
                assert!(third.is_none_or(|&c| c == a || c == b), "{a} {b} {third:?}");
            }
        }
    }

    #[test]
    fn refuses_what_is_nearly_one() {
        let text = example().to_string();
        let body = &text[10..];
        for wrong in [
            text.to_lowercase(),
            text[..text.len() - 1].to_owned(),
            format!("{text}0"),
            format!(" {text}"),
            text.replace('_', "-"),
            format!("CG_G_{body}"),
            format!("CG__{body}"),
            format!("CG_ABCDEFGHIJKLM_{body}"),
            format!("CG_GITHUP_{body}"),
            format!("CG_GITHÜB_{body}"),
            String::new(),
        ] {
            assert_eq!(Placeholder::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(placeholder in placeholders()) {
            let text = placeholder.to_string();
            prop_assert_eq!(Placeholder::parse(text.as_bytes()), Some(placeholder));
        }

        #[test]
        fn one_replaced_byte_is_never_missed(
            placeholder in placeholders(), at in any::<prop::sample::Index>(), by in any::<u8>(),
        ) {
            let mut text = placeholder.to_string().into_bytes();
            let at = at.index(text.len());
            prop_assume!(text[at] != by);
            text[at] = by;
            prop_assert_eq!(Placeholder::parse(&text), None);
        }

        #[test]
        fn swapped_neighbours_are_never_missed(
            placeholder in placeholders(), at in any::<prop::sample::Index>(),
        ) {
            let mut text = placeholder.to_string().into_bytes();
            let at = at.index(text.len() - 1);
            prop_assume!(text[at] != text[at + 1]);
            text.swap(at, at + 1);
            prop_assert_eq!(Placeholder::parse(&text), None);
        }

        #[test]
        fn reads_anything_without_a_panic(text in any::<Vec<u8>>()) {
            prop_assert_eq!(Placeholder::parse(&text), None);
        }
    }
}
