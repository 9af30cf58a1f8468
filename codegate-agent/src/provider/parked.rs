//! Events that wait beside the stream until the calls that they belong to have been judged.
//!
//! Knows: events as bytes, and which strings in them are of which call. Must not know: why a call
//! waits. The events of one call keep their order; those of different calls need not wait for each
//! other.

use std::{collections::VecDeque, ops::Range};

use super::event::Key;
use crate::span::{Edit, escape};

/// Bytes of events that wait, at most.
const MOST_BYTES: usize = 8 << 20;

/// An event, and what is to be done to it.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) event: Vec<u8>,
    pub(super) edits: Vec<Edit>,
    /// Where its strings are that belong to a call which is still to be judged.
    pub(super) strings: Vec<(Key, Range<usize>)>,
    /// Where the number stands that the event has in its stream.
    pub(super) number: Option<Range<usize>>,
}

/// The events that wait, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Parked {
    events: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    waiting: Waiting,
    /// The calls that it is of, judged or not.
    calls: Vec<Key>,
}

impl Parked {
    /// Has an event wait behind the others.
    pub(super) fn put(&mut self, waiting: Waiting) {
        self.bytes += waiting.event.len();
        let calls = waiting.strings.iter().map(|(key, _)| *key).collect();
        self.events.push_back(Entry { waiting, calls });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether no more should wait.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MOST_BYTES
    }

    /// A call has been judged: its strings stay as they are, or (`instead`) the first of them
    /// becomes this, and the others empty.
    pub(super) fn decide(&mut self, key: Key, instead: Option<Vec<u8>>) {
        let refused = instead.is_some();
        let mut instead = instead;
        for event in self.events.iter_mut().map(|entry| &mut entry.waiting) {
            for (_, raw) in event.strings.extract_if(.., |(other, _)| *other == key) {
                if refused {
                    let with = escape(&instead.take().unwrap_or_default(), 1);
                    event.edits.push(Edit { raw, with });
                }
            }
        }
    }

    /// The events that wait no longer.
    pub(super) fn release(&mut self) -> Vec<Waiting> {
        let mut released = Vec::new();
        let mut kept = VecDeque::new();
        // The calls of the events that stay: what is theirs stays behind them.
        let mut busy: Vec<Key> = Vec::new();
        for parked in self.events.drain(..) {
            let waits = !parked.waiting.strings.is_empty();
            if waits || parked.calls.iter().any(|key| busy.contains(key)) {
                busy.extend(&parked.calls);
                kept.push_back(parked);
            } else {
                self.bytes -= parked.waiting.event.len();
                released.push(parked.waiting);
            }
        }
        self.events = kept;
        released
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;
    use crate::span::splice;

    const A: Key = Key {
        index: [0, 0],
        text: 0,
    };
    const B: Key = Key {
        index: [0, 1],
        text: 0,
    };

    fn put(parked: &mut Parked, event: &str, keys: &[Key]) {
        let strings = keys.iter().map(|key| (*key, 0..1)).collect();
        let event = event.as_bytes().to_vec();
        parked.put(Waiting {
            event,
            strings,
            ..Waiting::default()
        });
    }

    fn released(parked: &mut Parked) -> Vec<String> {
        let events = parked.release().into_iter();
        let edited = events.map(|w| splice(&w.event, &w.edits));
        edited
            .map(|event| String::from_utf8(event).unwrap())
            .collect()
    }

    #[test]
    fn the_events_of_a_call_keep_their_order() {
        let mut parked = Parked::default();
        put(&mut parked, "1", &[B]);
        put(&mut parked, "2", &[A, B]);
        put(&mut parked, "3", &[A]);
        parked.decide(A, None);
        assert!(released(&mut parked).is_empty());
        parked.decide(B, None);
        assert_eq!(released(&mut parked), ["1", "2", "3"]);
        assert!(parked.is_empty());
    }

    #[test]
    fn calls_do_not_wait_for_each_other_and_a_refusal_is_said_once() {
        let mut parked = Parked::default();
        for (event, key) in [("a1", A), ("b1", B), ("a2", A)] {
            put(&mut parked, event, &[key]);
        }
        parked.decide(A, Some(b"\"no\"".to_vec()));
        assert_eq!(released(&mut parked), [r#"\"no\"1"#, "2"]);
        parked.decide(B, None);
        assert_eq!(released(&mut parked), ["b1"]);
    }
}
