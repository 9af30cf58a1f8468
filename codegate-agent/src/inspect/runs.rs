//! Where bytes of one kind stand side by side: the first look for numbers and for words of a certain length,
//! which has to be cheap, because all text gets it.
//!
//! Knows: bytes, 64 at a time: whether each is of the kind is a bit of a word, and what is asked of
//! neighbours is asked of all at once. Must not know: what runs are looked for.

use std::ops::Range;

use wide::u8x16;

/// Bytes that are looked at in one go: a word has a bit for each.
const BLOCK: usize = u64::BITS as usize;
const LANES: usize = 16;

/// A kind of bytes. Zero must not be of it.
trait Kind {
    /// All bits of those that are of it, none of the others.
    fn of(bytes: u8x16) -> u8x16;
}

struct Digit;

struct LetterOrDigit;

struct KeyCharacter;

/// Runs of two decimal digits or more, in order.
pub(super) fn of_digits(text: &[u8]) -> Vec<Range<usize>> {
    runs::<Digit, 2>(text)
}

/// Runs of `LEAST` letters and digits (ASCII) or more, in order. `LEAST` is 64 at most.
pub(super) fn of_letters_and_digits<const LEAST: usize>(text: &[u8]) -> Vec<Range<usize>> {
    runs::<LetterOrDigit, LEAST>(text)
}

/// Runs of `LEAST` or more of the characters that keys are made of, in order. `LEAST` is 64 at most.
pub(super) fn of_key_characters<const LEAST: usize>(text: &[u8]) -> Vec<Range<usize>> {
    runs::<KeyCharacter, LEAST>(text)
}

/// Whether keys are made of it: letters, digits, and what joins them in base64, tokens and URLs.
pub(super) fn is_key_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-./=_~".contains(&byte)
}

/// Whether there is a decimal digit among bytes, of which there are 16 at least.
pub(super) fn have_digit(bytes: &[u8]) -> bool {
    let any = |lanes: &[u8; LANES]| Digit::of(u8x16::new(*lanes)).to_bitmask() != 0;
    let (lanes, _) = bytes.as_chunks();
    bytes.last_chunk().is_some_and(any) || lanes.iter().any(any)
}

impl Kind for Digit {
    #[inline(always)]
    fn of(bytes: u8x16) -> u8x16 {
        is_between(bytes, b'0', b'9')
    }
}

impl Kind for LetterOrDigit {
    #[inline(always)]
    fn of(bytes: u8x16) -> u8x16 {
        is_letter(bytes) | is_between(bytes, b'0', b'9')
    }
}

impl Kind for KeyCharacter {
    #[inline(always)]
    fn of(bytes: u8x16) -> u8x16 {
        let is = |byte| bytes.simd_eq(u8x16::splat(byte));
        let others = is(b'+') | is(b'=') | is(b'_') | is(b'~');
        is_letter(bytes) | is_between(bytes, b'-', b'9') | others
    }
}

#[inline(always)]
fn is_letter(bytes: u8x16) -> u8x16 {
    is_between(bytes | u8x16::splat(0x20), b'a', b'z')
}

#[inline(always)]
fn is_between(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    let above = bytes - u8x16::splat(first);
    above.min(u8x16::splat(last - first)).simd_eq(above)
}

fn runs<K: Kind, const LEAST: usize>(text: &[u8]) -> Vec<Range<usize>> {
    const { assert!(0 < LEAST && LEAST <= BLOCK) };
    let mut found = Found::default();
    let (blocks, rest) = text.as_chunks();
    for block in blocks {
        found.add::<LEAST>(members::<K>(block));
    }
    // Zeros follow the text's end, so that all runs end within a block.
    let mut last = [0; BLOCK];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    found.add::<LEAST>(members::<K>(&last));
    found.runs
}

/// Which bytes of a block are of a kind: the first one's bit is the lowest.
#[inline(always)]
fn members<K: Kind>(block: &[u8; BLOCK]) -> u64 {
    let (lanes, _) = block.as_chunks::<LANES>();
    let bits = lanes
        .iter()
        .map(|lanes| K::of(u8x16::new(*lanes)).to_bitmask());
    bits.rev()
        .fold(0, |all, bits| all << LANES | u64::from(bits))
}

/// What was found in the blocks so far.
#[derive(Default)]
struct Found {
    runs: Vec<Range<usize>>,
    /// Where the next block begins.
    at: usize,
    /// Where the run began that the last block ended in, if it did.
    open: usize,
}

impl Found {
    /// Adds the runs that end in the next block.
    #[inline(always)]
    fn add<const LEAST: usize>(&mut self, members: u64) {
        let at = self.at;
        self.at += BLOCK;
        let leading = members.trailing_ones() as usize;
        if leading == BLOCK {
            return;
        }
        if at + leading - self.open >= LEAST {
            self.runs.push(self.open..at + leading);
        }
        self.open = at + BLOCK - members.leading_ones() as usize;
        self.add_within::<LEAST>(at, members & u64::MAX << leading);
    }

    /// Adds the runs that both begin and end in a block.
    #[inline(always)]
    fn add_within<const LEAST: usize>(&mut self, at: usize, members: u64) {
        let mut starts = followed::<LEAST>(members);
        while starts != 0 {
            let start = starts.trailing_zeros() as usize;
            let end = start + (members >> start).trailing_ones() as usize;
            if end == BLOCK {
                return; // the next block has its end
            }
            self.runs.push(at + start..at + end);
            starts &= u64::MAX << end;
        }
    }
}

/// The bits that others follow, enough for a run.
#[inline(always)]
fn followed<const LEAST: usize>(members: u64) -> u64 {
    let mut starts = members;
    let mut sure = 1;
    while sure < LEAST {
        let more = sure.min(LEAST - sure);
        starts &= starts >> more;
        sure += more;
    }
    starts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_by_one(text: &[u8], least: usize, is: fn(&u8) -> bool) -> Vec<Range<usize>> {
        let mut at = 0;
        let words = text.chunk_by(|a, b| is(a) == is(b)).filter_map(|word| {
            at += word.len();
            let is_run = word.len() >= least && word.first().is_some_and(is);
            is_run.then_some(at - word.len()..at)
        });
        words.collect()
    }

    fn check(text: &[u8]) {
        let digits = of_digits(text);
        assert_eq!(digits, one_by_one(text, 2, u8::is_ascii_digit), "{text:?}");
        let words = of_letters_and_digits::<14>(text);
        assert_eq!(
            words,
            one_by_one(text, 14, u8::is_ascii_alphanumeric),
            "{text:?}"
        );
        let is_key_character = |byte: &u8| is_key_character(*byte);
        let words = of_key_characters::<16>(text);
        assert_eq!(words, one_by_one(text, 16, is_key_character), "{text:?}");
        let words = of_key_characters::<BLOCK>(text);
        assert_eq!(words, one_by_one(text, BLOCK, is_key_character), "{text:?}");
        if text.len() >= LANES {
            let digit = text.iter().any(u8::is_ascii_digit);
            assert_eq!(have_digit(text), digit, "{text:?}");
        }
    }

    #[test]
    fn every_byte_is_told() {
        for byte in 0..=u8::MAX {
            for length in [2, 16, 64] {
                check(&vec![byte; length]);
            }
        }
    }

    #[test]
    fn runs_of_every_length_are_found_at_every_place() {
        for before in 0..2 * BLOCK {
            for length in 1..3 * BLOCK {
                let text = [&b" ".repeat(before)[..], &b"7".repeat(length)].concat();
                check(&text);
                check(&[&text[..], b" 12 x"].concat());
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(words in prop::collection::vec(("[0-9]{0,70}", "[A-Za-z0-9+/_.~=-]{0,70}", any::<u8>()), 0..12)) {
            let text: Vec<u8> = words
                .iter()
                .flat_map(|(digits, word, sign)| [digits.as_bytes(), &[*sign], word.as_bytes(), &[*sign]].concat())
                .collect();
            check(&text);
        }
    }
}
