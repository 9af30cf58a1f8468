//! Events that wait for what comes next, in order.
//!
//! Knows: events as bytes, and edits of them. Must not know: why one waits.

use std::collections::VecDeque;

use bytes::BytesMut;

use crate::span::{Edit, splice};

/// Events, and their bytes, that may wait at a time.
const MOST_EVENTS: usize = 256;
const MOST_BYTES: usize = 1 << 20;

/// The events that wait, the oldest first. The newest of all, which is still being read, is not
/// among them yet; each has a number, counted from the stream's start.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The number of the oldest that waits.
    first: u64,
    current: Pending,
}

#[derive(Debug)]
struct Waiting {
    event: Vec<u8>,
    pending: Pending,
}

/// What is to be done to an event.
#[derive(Debug, Default)]
struct Pending {
    edits: Vec<Edit>,
    /// How many texts have their tail in it.
    holds: u32,
}

impl Queue {
    /// The number of the event that is being read.
    pub(super) fn current(&self) -> u64 {
        self.first + self.waiting.len() as u64
    }

    /// The bytes of an event that waits.
    pub(super) fn event(&self, number: u64) -> Option<&[u8]> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.waiting.get(at).map(|w| w.event.as_slice())
    }

    fn pending(&mut self, number: u64) -> Option<&mut Pending> {
        if number == self.current() {
            return Some(&mut self.current);
        }
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.waiting.get_mut(at).map(|w| &mut w.pending)
    }

    /// Adds an edit to an event.
    pub(super) fn edit(&mut self, number: u64, edit: Edit) {
        if let Some(pending) = self.pending(number) {
            pending.edits.push(edit);
        }
    }

    /// Lets an event wait for one text more.
    pub(super) fn hold(&mut self, number: u64) {
        if let Some(pending) = self.pending(number) {
            pending.holds += 1;
        }
    }

    /// Lets an event wait for one text less.
    pub(super) fn let_go(&mut self, number: u64) {
        if let Some(pending) = self.pending(number) {
            pending.holds = pending.holds.saturating_sub(1);
        }
    }

    /// The event that was read is complete: puts it behind the others, and gives out what no longer
    /// waits.
    pub(super) fn put(&mut self, event: &[u8], out: &mut BytesMut) {
        let pending = std::mem::take(&mut self.current);
        if self.waiting.is_empty() && pending.holds == 0 {
            self.first += 1;
            return write(event, pending.edits, out);
        }
        self.bytes += event.len();
        let event = event.to_vec();
        self.waiting.push_back(Waiting { event, pending });
        self.give(out);
    }

    /// Whether more waits than should: then it is to be let go.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() > MOST_EVENTS || self.bytes > MOST_BYTES
    }

    /// Gives out the events at the front that do not wait.
    pub(super) fn give(&mut self, out: &mut BytesMut) {
        while let Some(next) = self.waiting.pop_front_if(|w| w.pending.holds == 0) {
            self.first += 1;
            self.bytes -= next.event.len();
            write(&next.event, next.pending.edits, out);
        }
    }
}

fn write(event: &[u8], mut edits: Vec<Edit>, out: &mut BytesMut) {
    if edits.is_empty() {
        return out.extend_from_slice(event);
    }
    edits.sort_by_key(|edit| edit.raw.start);
    out.extend_from_slice(&splice(event, &edits));
}
