//! Streaming answers, as they come.

use bytes::BytesMut;

use super::{AnswerStream, Restore, Usage, place::Place};

/// What a dialect's events look like.
pub(super) struct Grammar {
    /// The table of an event.
    pub(super) event: Place,
    /// How the deltas of an event of this type are to be read.
    pub(super) reading: fn(&[u8]) -> Reading,
    /// Whether an event of this type ends texts.
    pub(super) ends: fn(&[u8]) -> bool,
    /// Whether a choice has one text at a time, so that another one ends it.
    pub(super) one_at_a_time: bool,
}

/// How deltas are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As text that may be JSON.
    Lexed,
    /// As text that is just that.
    Plain,
    /// Not at all.
    Never,
}

/// A stream.
pub(super) struct Stream {
    grammar: &'static Grammar,
}

impl Stream {
    pub(super) fn new(grammar: &'static Grammar) -> Self {
        Self { grammar }
    }
}

impl AnswerStream for Stream {
    fn push(&mut self, chunk: &[u8], _restore: &mut dyn Restore, out: &mut BytesMut) {
        out.extend_from_slice(chunk);
    }
    fn finish(&mut self, _restore: &mut dyn Restore, _out: &mut BytesMut) {}
    fn model(&self) -> Option<&str> {
        None
    }
    fn usage(&self) -> Usage {
        Usage::default()
    }
}
