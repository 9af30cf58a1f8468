//! Text in disguise: percent, `\u`, `\x` and XML escapes, base64, hexadecimal, UTF-16. One level of it
//! is taken off.
//!
//! Knows: encodings. Must not know: rules. What has no disguise has no [`Views`], and each byte of a
//! text is in one view of each kind at most, so a text costs a few times its scan in the worst case.

mod encoded;
mod escapes;
mod wide;

use super::{
    landmarks::Words,
    views::{Views, Way},
};

/// What a text hides, whose words are known.
pub(super) fn views(text: &[u8], words: &Words) -> Views {
    let mut views = Views::default();
    escapes::add(text, &mut views);
    encoded::add(text, words, &mut views);
    wide::add(text, &mut views);
    views
}

/// The place, at most `reach` bytes back, behind the line break before a place.
fn line_start(text: &[u8], at: usize, reach: usize) -> usize {
    let from = at.saturating_sub(reach);
    let before = text.get(from..at).unwrap_or_default();
    memchr::memrchr(b'\n', before).map_or(from, |line| from + line + 1)
}

/// The place, at most `reach` bytes on, of the line break behind a place.
fn line_end(text: &[u8], at: usize, reach: usize) -> usize {
    let until = text.len().min(at.saturating_add(reach));
    let behind = text.get(at..until).unwrap_or_default();
    memchr::memchr(b'\n', behind).map_or(until, |line| at + line)
}

/// Whether a byte stands in text that somebody wrote.
fn is_text(byte: u8) -> bool {
    (b' '..0x7f).contains(&byte) || matches!(byte, b'\n' | b'\r' | b'\t')
}
