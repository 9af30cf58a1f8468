//! Answers that arrive bit by bit but are no event streams: lines of JSON, one long document, text.
//!
//! Knows: text. Must not know: any dialect. Only what may still become a placeholder waits.

use bytes::BytesMut;

use super::{Restore, channel::Channel};
use crate::span::escape;

/// A body as one growing text.
#[derive(Debug, Default)]
pub(super) struct Raw {
    channel: Channel,
    held: Vec<u8>,
}

impl Raw {
    pub(super) fn push(&mut self, chunk: &[u8], restore: &mut dyn Restore, out: &mut BytesMut) {
        let restored = self.channel.add(chunk, false, restore);
        self.held.extend_from_slice(chunk);
        let mut at = 0;
        for one in restored {
            out.extend_from_slice(self.held.get(at..one.range.start).unwrap_or_default());
            out.extend_from_slice(&escape(&one.value, one.depth));
            at = one.range.end;
        }
        let settled = self.held.len() - self.channel.held().min(self.held.len());
        out.extend_from_slice(self.held.get(at..settled).unwrap_or_default());
        self.held.drain(..settled);
    }

    pub(super) fn finish(&mut self, restore: &mut dyn Restore, out: &mut BytesMut) {
        self.channel.end(restore);
        out.extend_from_slice(&self.held);
        self.held.clear();
    }
}
