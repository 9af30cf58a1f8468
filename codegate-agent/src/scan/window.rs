//! Reading what may be of any size through a window that moves over it.
//!
//! Knows: bytes. Must not know: what is looked for, but for how far it reaches ([`CONTEXT`]).
//!
//! Two windows have twice [`CONTEXT`] in common: what begins in one half of that is judged with the
//! first window, what begins in the other half with the second, and either sees a whole [`CONTEXT`]
//! before and behind it. So the outcome does not depend on where a window ends.

use std::{
    io::{self, Read},
    ops::Range,
};

/// How much is looked at together, in bytes: nearly all files fit, and so are seen whole.
pub(super) const WINDOW: usize = 4 << 20;

/// No finding is longer, nor depends on anything farther away, in bytes (a PEM key may have 64 KiB).
pub(super) const CONTEXT: usize = 128 << 10;

/// A window, used for one file after another.
#[derive(Debug)]
pub(super) struct Window {
    buffer: Vec<u8>,
    filled: usize,
    /// Where the buffer begins in the file.
    base: u64,
    /// What begins before this place of the buffer has been judged.
    judged: usize,
    /// There is no more to read.
    ended: bool,
    /// There is no more to show.
    shown: bool,
}

/// What the window shows.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// The bytes.
    pub(super) bytes: &'a [u8],
    /// Where they begin in the file.
    pub(super) base: u64,
    /// Where what is to be judged now begins: only what stands in here was not judged before, nor
    /// will be again.
    pub(super) starts: Range<usize>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; WINDOW],
            filled: 0,
            base: 0,
            judged: 0,
            ended: false,
            shown: false,
        }
    }

    /// Goes to the start of another file.
    pub(super) fn restart(&mut self) {
        (self.filled, self.base, self.judged) = (0, 0, 0);
        (self.ended, self.shown) = (false, false);
    }

    /// The first bytes of a file, up to so many: they may say that nobody wants the rest.
    pub(super) fn peek(&mut self, from: &mut dyn Read, bytes: usize) -> io::Result<&[u8]> {
        self.fill(from, bytes)?;
        Ok(self.buffer.get(..self.filled).unwrap_or_default())
    }

    /// Moves on; `None` behind the end.
    pub(super) fn advance(&mut self, from: &mut dyn Read) -> io::Result<Option<View<'_>>> {
        if self.shown {
            return Ok(None);
        }
        self.slide();
        self.fill(from, WINDOW)?;
        self.shown = self.ended;
        let limit = match self.ended {
            true => self.filled,
            false => self.filled - CONTEXT,
        };
        let starts = self.judged..limit;
        self.judged = limit;
        Ok(Some(View {
            bytes: self.buffer.get(..self.filled).unwrap_or_default(),
            base: self.base,
            starts,
        }))
    }

    /// Forgets what is too far back to matter.
    fn slide(&mut self) {
        let gone = self.judged.saturating_sub(CONTEXT);
        self.buffer.copy_within(gone..self.filled, 0);
        self.base += gone as u64;
        self.filled -= gone;
        self.judged -= gone;
    }

    /// Reads until there are so many bytes, or no more.
    fn fill(&mut self, from: &mut dyn Read, bytes: usize) -> io::Result<()> {
        while !self.ended && self.filled < bytes {
            let room = self.buffer.get_mut(self.filled..bytes).unwrap_or_default();
            match from.read(room) {
                Ok(0) => self.ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    /// Every place of a text of some windows is judged once, with its context.
    #[test]
    fn every_place_is_judged_once_with_its_context() {
        for len in [0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW + 12_345] {
            let text: Vec<u8> = (0..len).map(|at| (at / 7) as u8).collect();
            let mut window = Window::new();
            let mut from = &text[..];
            let mut judged = 0;
            while let Some(view) = window.advance(&mut from).unwrap() {
                let base = view.base as usize;
                assert_eq!(base + view.starts.start, judged);
                judged = base + view.starts.end;
                let until = base + view.bytes.len();
                assert_eq!(view.bytes, &text[base..until]);
                assert!(base == 0 || view.starts.start >= CONTEXT);
                assert!(until == len || until - judged >= CONTEXT);
            }
            assert_eq!(judged, len);
        }
    }

    #[test]
    fn a_look_at_the_start_reads_no_more_and_changes_nothing() {
        for len in [0, 5, 8, 9, WINDOW + 1] {
            let text: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let mut window = Window::new();
            let mut from = &text[..];
            let start = window.peek(&mut from, 8).unwrap();
            assert_eq!(start, &text[..len.min(8)]);
            assert_eq!(from.len(), len.saturating_sub(8));
            let view = window.advance(&mut from).unwrap().unwrap();
            assert_eq!(view.bytes, &text[..len.min(WINDOW)]);
            let is_more = window.advance(&mut from).unwrap().is_some();
            assert_eq!(is_more, len > WINDOW);
        }
    }

    #[test]
    fn another_file_begins_at_its_start() {
        let mut window = Window::new();
        for text in ["first, and longer", "second"] {
            window.restart();
            let mut from = text.as_bytes();
            let view = window.advance(&mut from).unwrap().unwrap();
            assert_eq!((view.bytes, view.base), (text.as_bytes(), 0));
            assert!(window.advance(&mut from).unwrap().is_none());
        }
    }
}
