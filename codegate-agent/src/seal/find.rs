//! Placeholders in a text: whole ones, mangled ones, and one that may still be on its way.
//!
//! Knows: the grammar of placeholders. Must not know: the vault, JSON, what becomes of a match.
//!
//! A whole placeholder counts wherever it stands, also glued to other words: its checksum is proof
//! enough. A mangled one is only reported, never restored, and here the module favours silence: it
//! speaks up if the checksum holds once case, separators and look-alikes are put right, or if both
//! the frame and the randomness of what stands in it leave little doubt.

mod altered;

use std::{iter::Peekable, ops::Range};

use memchr::memmem::{self, FindIter};

use super::token::{BODY, PREFIX, Placeholder, symbol};
use crate::inspect::Kind;

/// Something of ours in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// A placeholder whose checksum holds.
    Placeholder {
        /// Its bytes.
        range: Range<usize>,
        /// What they say.
        placeholder: Placeholder,
    },
    /// What was clearly a placeholder before somebody altered it: to be told, not to be restored.
    Mangled {
        /// About its bytes.
        range: Range<usize>,
    },
}

/// Finds all placeholders and mangled placeholders, from left to right, none overlapping another.
///
/// A text that is still growing should be given without its [`pending`] end, lest a placeholder
/// that is not yet complete be called mangled.
pub fn find(text: &[u8]) -> impl Iterator<Item = Match> {
    Matches {
        text,
        starts: Starts::new(text),
        end: 0,
    }
}

/// How many bytes at the end of a text could still become a placeholder if more text follows.
///
/// Never counts bytes of a placeholder that is already complete, nor more than
/// [`Placeholder::MAX_LEN`] - 1.
pub fn pending(text: &[u8]) -> usize {
    const LONGEST: usize = Placeholder::MAX_LEN - 1;
    let first = text.len().saturating_sub(LONGEST);
    // A complete placeholder that reaches into the last bytes begins at most as far before them.
    let clean = clean_start(text, first.saturating_sub(LONGEST));
    let settled = last_end(&text[clean..]).map_or(0, |end| clean + end);
    (first.max(settled)..text.len())
        .find(|&start| could_become(&text[start..]))
        .map_or(0, |start| text.len() - start)
}

/// The nearest place at or before `from` that no placeholder straddles: reading may start there.
fn clean_start(text: &[u8], mut from: usize) -> usize {
    let straddling = |from: usize| {
        (from.saturating_sub(Placeholder::MAX_LEN - 1)..from).find(|&start| {
            let found = Placeholder::parse_start(&text[start..]);
            found.is_some_and(|(_, len)| start + len > from)
        })
    };
    while let Some(start) = straddling(from) {
        from = start;
    }
    from
}

/// Where the last whole placeholder ends.
fn last_end(text: &[u8]) -> Option<usize> {
    let mut last = None;
    for start in memmem::find_iter(text, PREFIX) {
        if last.is_none_or(|end| start >= end)
            && let Some((_, len)) = Placeholder::parse_start(&text[start..])
        {
            last = Some(start + len);
        }
    }
    last
}

/// Whether a text is the beginning, but not the whole, of something of a placeholder's form.
fn could_become(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(PREFIX) else {
        return PREFIX.starts_with(text);
    };
    let mut parts = rest.splitn(2, |&b| b == b'_');
    let kind = parts.next().unwrap_or_default();
    let least = if rest.contains(&b'_') { Kind::MIN } else { 0 };
    let body = parts.next().unwrap_or_default();
    (least..=Kind::MAX).contains(&kind.len())
        && kind
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && body.len() < BODY
        && body.iter().all(|&b| symbol(b).is_some())
}

/// The iterator behind [`find`].
struct Matches<'a> {
    text: &'a [u8],
    starts: Starts<'a>,
    /// Where the last match ended.
    end: usize,
}

impl Iterator for Matches<'_> {
    type Item = Match;

    fn next(&mut self) -> Option<Match> {
        loop {
            let start = self.starts.next()?;
            if start < self.end {
                continue;
            }
            if let Some(found) = self.at(start) {
                return Some(found);
            }
        }
    }
}

impl Matches<'_> {
    /// The match that begins at `start`, if one does.
    fn at(&mut self, start: usize) -> Option<Match> {
        let text = &self.text[start..];
        if let Some((placeholder, len)) = Placeholder::parse_start(text) {
            self.end = start + len;
            let range = start..self.end;
            return Some(Match::Placeholder { range, placeholder });
        }
        let len = altered::altered(self.text, start)?;
        // A whole placeholder may be glued to the mangled one: it is not the other's to swallow.
        let whole = (1..len).find(|&at| Placeholder::parse_start(&text[at..]).is_some());
        self.end = start + whole.unwrap_or(len);
        let range = start..self.end;
        Some(Match::Mangled { range })
    }
}

/// The places where `CG` or `cg` stands. (`Cg` and `cG` are not worth two more searches.)
struct Starts<'a> {
    upper: Peekable<FindIter<'a, 'static>>,
    lower: Peekable<FindIter<'a, 'static>>,
}

impl<'a> Starts<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            upper: memmem::find_iter(text, b"CG").peekable(),
            lower: memmem::find_iter(text, b"cg").peekable(),
        }
    }
}

impl Iterator for Starts<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match (self.upper.peek(), self.lower.peek()) {
            (Some(upper), Some(lower)) if lower < upper => self.lower.next(),
            (None, _) => self.lower.next(),
            _ => self.upper.next(),
        }
    }
}

#[cfg(test)]
mod tests;
