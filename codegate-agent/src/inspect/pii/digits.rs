//! What stands around numbers.
//!
//! Knows: bytes. Must not know: what any number means.

use std::ops::Range;

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
