//! What stands out in a text: long words, and `@`. They are rare, while the names and words of rules are
//! not; so what cannot match without one is looked for around them only.
//!
//! Knows: bytes. Must not know: rules, or what stands around landmarks.

mod held;

use std::ops::Range;

use crate::inspect::runs;

pub(super) use held::Held;

/// The shortest word that may be a landmark, in bytes: it has a digit.
pub(super) const LEAST: usize = 16;

/// The shortest one without a digit: it has both cases, and hardly any name in code is that long.
const LEAST_OF_LETTERS: usize = 32;

/// A kind of landmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landmark {
    /// A long word of the characters that keys are made of.
    LongWord,
    /// `@` in a URL or address.
    Sign,
}

impl Landmark {
    /// All kinds.
    pub(super) const ALL: [Self; 2] = [Self::LongWord, Self::Sign];

    /// How far before it is looked, in bytes: a name, its tie, and what its value begins with; a URL or address.
    pub(super) fn before(self) -> usize {
        match self {
            Self::LongWord => 300,
            Self::Sign => 400,
        }
    }

    /// How far behind its start, in bytes, if it does not end later: the rest of a URL or address, and what ties
    /// a password to it.
    pub(super) fn behind(self) -> usize {
        match self {
            Self::LongWord => 64,
            Self::Sign => 128,
        }
    }

    fn around(self, at: &Range<usize>) -> Range<usize> {
        at.start.saturating_sub(self.before())..at.end.max(at.start + self.behind())
    }
}

/// The words of a text that are long enough to be looked at, in order.
#[derive(Debug)]
pub(super) struct Words(Vec<Range<usize>>);

impl Words {
    /// The runs of [`LEAST`] or more of the characters that keys are made of.
    pub(super) fn of(text: &[u8]) -> Self {
        Self(runs::of_key_characters::<LEAST>(text))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Range<usize>> {
        self.0.iter()
    }

    /// Calls `on_part` for each part of their text that is around landmarks of a kind, in order and apart.
    pub(super) fn around<E>(
        &self,
        landmark: Landmark,
        text: &[u8],
        on_part: impl FnMut(Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        if landmark == Landmark::Sign {
            let signs = memchr::memchr_iter(b'@', text).map(|at| at..at + 1);
            return apart(landmark, text, signs, on_part);
        }
        let is_long = |word: &&Range<usize>| text.get((*word).clone()).is_some_and(is_long);
        let words = self.iter().filter(is_long).cloned();
        apart(landmark, text, words, on_part)
    }
}

/// Calls `on_part` for what is around each of these places; where that overlaps, it is one part.
fn apart<E>(
    landmark: Landmark,
    text: &[u8],
    places: impl Iterator<Item = Range<usize>>,
    on_part: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let mut around = places.map(|place| landmark.around(&place)).peekable();
    let mut parts = std::iter::from_fn(|| {
        let mut part = around.next()?;
        while let Some(next) = around.next_if(|next| next.start <= part.end) {
            part.end = part.end.max(next.end);
        }
        part.end = part.end.min(text.len());
        Some(part)
    });
    parts.try_for_each(on_part)
}

fn is_long(word: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| word.iter().any(is);
    let of_both_cases = || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    runs::have_digit(word) || word.len() >= LEAST_OF_LETTERS && of_both_cases()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
