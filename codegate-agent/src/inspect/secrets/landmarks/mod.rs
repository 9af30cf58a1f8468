//! What stands out in a text: long words, and `@`. They are rare, while the names and words of rules are
//! not; so what cannot match without one is looked for around them only.
//!
//! Knows: bytes. Must not know: rules, or what stands around landmarks.

mod held;

use std::ops::Range;

use crate::inspect::runs;

pub(super) use held::Held;

/// A word with a digit is long from this length on, in bytes.
const LEAST_WITH_DIGIT: usize = 16;

/// Any word is: hardly any name in code.
const LEAST: usize = 32;

/// How far before a landmark is looked, in bytes: a name, its tie, and what its value begins with.
pub(super) const BEFORE: usize = 400;

/// How far behind the start of a long word, if it does not end later.
const BEHIND_WORD: usize = 64;

/// How far behind a sign: the rest of an address or URL, and what ties a password to it.
const BEHIND_SIGN: usize = 128;

/// A kind of landmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landmark {
    LongWord,
    /// `@`.
    Sign,
}

impl Landmark {
    /// How far behind its start is looked at least, in bytes.
    pub(super) fn behind(self) -> usize {
        match self {
            Self::LongWord => BEHIND_WORD,
            Self::Sign => BEHIND_SIGN,
        }
    }
}

/// The parts of a text that are around landmarks, in order and apart.
pub(super) fn surroundings(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut around = all(text).map(|range| around(text, &range)).peekable();
    std::iter::from_fn(move || {
        let mut part = around.next()?;
        while let Some(next) = around.next_if(|next| next.start <= part.end) {
            part.end = part.end.max(next.end);
        }
        Some(part)
    })
}

fn around(text: &[u8], at: &(Landmark, Range<usize>)) -> Range<usize> {
    let (landmark, range) = at;
    let end = range.end.max(range.start + landmark.behind());
    range.start.saturating_sub(BEFORE)..end.min(text.len())
}

/// All landmarks in the order of their starts.
fn all(text: &[u8]) -> impl Iterator<Item = (Landmark, Range<usize>)> {
    let mut words = long_words(text).peekable();
    let mut signs = memchr::memchr_iter(b'@', text).peekable();
    std::iter::from_fn(move || match (words.peek(), signs.peek()) {
        (Some(word), Some(sign)) if word.start > *sign => signs.next().map(sign_at),
        (Some(_), _) => words.next().map(|word| (Landmark::LongWord, word)),
        (None, _) => signs.next().map(sign_at),
    })
}

fn sign_at(at: usize) -> (Landmark, Range<usize>) {
    (Landmark::Sign, at..at + 1)
}

fn long_words(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    runs::of_key_characters::<LEAST_WITH_DIGIT>(text).filter(|run| {
        let word = text.get(run.clone()).unwrap_or_default();
        word.len() >= LEAST || runs::have_digit(word)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
