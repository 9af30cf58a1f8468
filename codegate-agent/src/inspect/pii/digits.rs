//! Where numbers stand: the first look, which has to be cheap, because all text gets it.
//!
//! Knows: bytes. Must not know: what any number means.

use std::ops::Range;

/// Runs of two digits or more, in order.
pub(super) fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = pair(text, at)?;
        let end = start + 2 + leading(text.get(start + 2..)?);
        at = end;
        Some(start..end)
    })
}

/// Where the first two digits stand side by side. Sixteen bytes are looked at in one go.
fn pair(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some((low, high)) = block(text, at) {
        let (low, high) = (digits(low), digits(high));
        if low | high == 0 {
            at += BLOCK;
            continue;
        }
        let pairs = [low & (low >> 8 | high << 56), high & high >> 8];
        if let Some(half) = pairs.iter().position(|pairs| *pairs != 0) {
            let within = pairs.get(half)?.trailing_zeros() as usize / 8;
            return Some(at + half * BLOCK / 2 + within);
        }
        at += BLOCK - 1; // its last byte may be the first of two
    }
    let both = |pair: &[u8]| pair.iter().all(u8::is_ascii_digit);
    Some(at + text.get(at..)?.windows(2).position(both)?)
}

/// Bytes that are looked at in one go.
const BLOCK: usize = 16;

/// The first half of a block that begins at a place, and its second half.
fn block(text: &[u8], at: usize) -> Option<(u64, u64)> {
    let block = text.get(at..)?.first_chunk::<BLOCK>()?;
    let (low, high) = block.split_first_chunk()?;
    Some((
        u64::from_le_bytes(*low),
        u64::from_le_bytes(high.try_into().ok()?),
    ))
}

/// The high bit of each byte that is a digit.
const fn digits(block: u64) -> u64 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    /// What brings ten and more to the high bit.
    const TEN: u64 = 0x7676_7676_7676_7676;
    let values = block ^ ZEROS;
    !(((values & !HIGH) + TEN) | values) & HIGH
}

fn leading(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether a byte can be part of a word, a name or a number.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Where the word begins that a place of the text is in; at most `reach` bytes back.
pub(super) fn word_start(text: &[u8], at: usize, reach: usize) -> usize {
    let before = text.get(at.saturating_sub(reach)..at).unwrap_or_default();
    let inside = before
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric());
    at - inside.count()
}

/// How long the word is that begins at a place of the text; no more than `most` is looked at.
pub(super) fn word_len(text: &[u8], at: usize, most: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let word = rest
        .iter()
        .take(most)
        .take_while(|byte| byte.is_ascii_alphanumeric());
    word.count()
}

/// Whether a range stands for itself: it is not part of a word, a longer number, a version, a path.
pub(super) fn stands_alone(text: &[u8], range: &Range<usize>) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    let (before, farther) = (
        byte(range.start.checked_sub(1)),
        byte(range.start.checked_sub(2)),
    );
    let (after, beyond) = (byte(Some(range.end)), byte(Some(range.end + 1)));
    let joins = |sign: u8, next: u8| match sign {
        b'-' | b'.' | b'/' | b'+' | b'=' | b'%' | b':' => is_word(next),
        b',' | b'\'' => next.is_ascii_digit(),
        _ => false,
    };
    let opens = match before {
        // A name and its value: `id=123`.
        b'=' | b':' => true,
        b'%' | b'\\' | b'$' | b'#' | b'&' | b'+' => false,
        before => !is_word(before) && !joins(before, farther),
    };
    opens && !is_word(after) && !joins(after, beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::single_range_in_vec_init, reason = "one run is meant")]
    fn runs_of_two_digits_are_found_wherever_they_stand() {
        let of = |text: &str| runs(text.as_bytes()).collect::<Vec<_>>();
        assert!(of("").is_empty());
        assert!(of("1").is_empty());
        assert_eq!(of("12"), [0..2]);
        assert!(of("x1y2 z3").is_empty());
        assert_eq!(of("x12y345z"), [1..3, 4..7]);
        assert_eq!(of("1 23 456 7 89"), [2..4, 5..8, 11..13]);
        for before in 0..17 {
            for digits in 2..18 {
                let text = format!("{}{}x", "x".repeat(before), "7".repeat(digits));
                assert_eq!(of(&text), [before..before + digits], "{text}");
            }
        }
    }

    #[test]
    fn every_byte_is_told_from_a_digit() {
        for byte in 0..=u8::MAX {
            for other in [0, b'0', b'9', 0xff] {
                let block = [other, byte, other, byte, byte, other, other, byte];
                let found = digits(u64::from_le_bytes(block)).to_le_bytes();
                assert_eq!(
                    found.map(|high| high == 0x80),
                    block.map(|b| b.is_ascii_digit())
                );
            }
        }
    }

    #[test]
    fn a_part_of_something_longer_does_not_stand_alone() {
        let alone = |text: &str| {
            let start = text.find("123").unwrap_or_default();
            stands_alone(text.as_bytes(), &(start..start + 3))
        };
        for text in [
            "123", "a 123.", "(123)", "\"123\"", "id:123,", "id=123&x", "x 123, 4", "123\n",
        ] {
            assert!(alone(text), "{text}");
        }
        for text in [
            "a123", "1234", "0.123", "123.4", "123-a", "a-123", "x_123", "é123", "123/4", "1,123",
        ] {
            assert!(!alone(text), "{text}");
        }
    }
}
