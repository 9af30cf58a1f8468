//! One text of a stream, as its deltas arrive: what of it may still become a placeholder, how deep
//! in JSON it stands, and whether the model mangled a placeholder in it.
//!
//! Knows: decoded text. Must not know: events, and how they are held.

use std::ops::Range;

use super::{Restore, lexer::Lexer};
use crate::seal::{self, Match};

/// A text that is still growing.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// Its end, if that could still become a placeholder.
    tail: Vec<u8>,
    /// Has followed the text up to the tail.
    lexer: Lexer,
    /// The text's end, in which mangled placeholders are looked for.
    recent: Recent,
}

/// A value for a stretch of a text.
pub(super) struct Restored {
    /// The placeholder's place in the text: what was held of it, then what was added.
    pub(super) range: Range<usize>,
    /// Its value, as it is.
    pub(super) value: zeroize::Zeroizing<Vec<u8>>,
    /// How many JSON strings it stands in.
    pub(super) depth: u8,
}

impl Channel {
    /// Bytes of the text's end that are held back.
    pub(super) fn held(&self) -> usize {
        self.tail.len()
    }

    /// Adds a delta. The ranges of what can be restored now count from the start of what was held
    /// before, which the delta follows.
    pub(super) fn add(
        &mut self,
        text: &[u8],
        plain: bool,
        restore: &mut dyn Restore,
    ) -> Vec<Restored> {
        self.recent.add(text, restore);
        if self.tail.is_empty() && memchr::memmem::find(text, b"CG_").is_none() {
            self.settle(text, plain);
            return Vec::new();
        }
        let mut all = std::mem::take(&mut self.tail);
        all.extend_from_slice(text);
        let (restored, at) = restored(&all, plain, &mut self.lexer, restore);
        self.settle(all.get(at..).unwrap_or_default(), plain);
        restored
    }

    /// Follows a text that holds no whole placeholder, and keeps its tail.
    fn settle(&mut self, text: &[u8], plain: bool) {
        let held = match text.last() {
            Some(b'A'..=b'Z' | b'0'..=b'9' | b'_') => seal::pending(text),
            // Of no placeholder: most deltas end here.
            _ => 0,
        };
        let (settled, tail) = text.split_at(text.len() - held);
        if !plain {
            self.lexer.feed(settled);
        }
        self.tail.extend_from_slice(tail);
    }

    /// Gives up on the tail: it is only text.
    pub(super) fn release(&mut self, plain: bool) {
        let tail = std::mem::take(&mut self.tail);
        if !plain {
            self.lexer.feed(&tail);
        }
    }

    /// The text has ended.
    pub(super) fn end(&mut self, restore: &mut dyn Restore) {
        self.tail.clear();
        self.recent.end(restore);
    }
}

/// The values of the placeholders in a text, and where the last of them ends.
pub(super) fn restored(
    text: &[u8],
    plain: bool,
    lexer: &mut Lexer,
    restore: &mut dyn Restore,
) -> (Vec<Restored>, usize) {
    let mut all = Vec::new();
    let mut at = 0;
    for found in seal::find(text) {
        let Match::Placeholder { range, placeholder } = found else {
            continue;
        };
        if !plain {
            lexer.feed(text.get(at..range.start).unwrap_or_default());
        }
        let depth = lexer.depth();
        if !plain {
            lexer.feed(text.get(range.clone()).unwrap_or_default());
        }
        at = range.end;
        if let Some(value) = restore.value(&placeholder) {
            all.push(Restored {
                range,
                value,
                depth,
            });
        }
    }
    (all, at)
}

/// A window over a text, wide enough for any mangled placeholder.
///
/// Mangled ones are only reported, so nothing waits for them; and as one may be spread over many
/// deltas, they are looked for when enough has come together.
#[derive(Debug, Default)]
struct Recent {
    bytes: Vec<u8>,
}

impl Recent {
    /// How much comes together before it is looked at.
    const ENOUGH: usize = 1024;
    /// No mangled placeholder is longer, with a separator of five characters at each gap.
    const LONGEST: usize = 128;

    fn add(&mut self, text: &[u8], restore: &mut dyn Restore) {
        self.bytes.extend_from_slice(text);
        if self.bytes.len() >= Self::ENOUGH {
            self.look(self.bytes.len() - Self::LONGEST, restore);
        }
    }

    fn end(&mut self, restore: &mut dyn Restore) {
        self.look(self.bytes.len(), restore);
    }

    /// Reports what begins before `until`, and forgets what was looked at.
    fn look(&mut self, until: usize, restore: &mut dyn Restore) {
        let mut done = until;
        for found in seal::find(&self.bytes) {
            let (Match::Placeholder { range, .. } | Match::Mangled { range }) = &found;
            if range.start >= until {
                break;
            }
            done = done.max(range.end);
            if let Match::Mangled { range } = found {
                restore.mangled(self.bytes.get(range).unwrap_or_default());
            }
        }
        self.bytes.drain(..done.min(self.bytes.len()));
    }
}
