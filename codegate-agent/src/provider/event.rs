//! One event of a stream: its deltas, and whose they are.
//!
//! Knows: tables. Must not know: what came before, placeholders.

use std::ops::Range;

use super::{
    Malformed,
    extract::Notes,
    json::{self, Str, Token},
    place::{Note, Place},
    walk::{Sink, walk},
};

/// What one event says. Kept from event to event, so that reading one allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Event {
    /// Its strings that are text, from left to right. Those that are no deltas are only here if
    /// they were asked for.
    pub(super) strings: Vec<Fragment>,
    /// Its type, as it is written; empty if it has none.
    pub(super) kind: Vec<u8>,
    /// The groups that end with it.
    pub(super) finished: Vec<u64>,
    /// The group that it speaks of, if it says so.
    pub(super) group: Option<u64>,
    /// Where its number in the stream stands, if it has one.
    pub(super) number: Option<Range<usize>>,
    scopes: Vec<Scope>,
    whole: bool,
}

/// A string of an event.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    /// Where it stands in the event's data.
    pub(super) string: Str,
    /// Whether it is to be read as nothing but text.
    pub(super) plain: bool,
    /// The text that it is a delta of; `None` if it is a text of its own.
    pub(super) delta: Option<Key>,
}

/// One of the texts of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// By level: the choice, block or item, and the tool call or part in it.
    pub(super) index: [u64; 2],
    /// Which of the texts that stand side by side there.
    pub(super) text: u8,
}

/// An object that is open.
#[derive(Debug, Default)]
struct Scope {
    /// The strings that were there before it.
    strings: usize,
    index: [Option<u64>; 2],
    finished: bool,
}

impl Event {
    /// Reads an event's data; `whole` asks for the strings that are no deltas, too.
    ///
    /// # Errors
    /// Where the data are not JSON.
    pub(super) fn read(
        &mut self,
        data: &[u8],
        root: Place,
        whole: bool,
        notes: &mut Notes,
    ) -> Result<(), Malformed> {
        self.clear();
        self.whole = whole;
        json::utf8(data)?;
        walk(data, root, b"", &mut Reading { event: self, notes })
    }

    fn clear(&mut self) {
        self.strings.clear();
        self.kind.clear();
        self.finished.clear();
        self.group = None;
        self.number = None;
        self.scopes.clear();
    }
}

/// The sink of an event.
struct Reading<'a> {
    event: &'a mut Event,
    notes: &'a mut Notes,
}

impl Sink for Reading<'_> {
    fn string(&mut self, _doc: &[u8], string: &Str, at: Place, _name: &[u8]) {
        let key = |text| Key {
            index: [0; 2],
            text,
        };
        let (delta, plain) = match at {
            Place::Delta(text) => (Some(key(text)), false),
            Place::PlainDelta(text) => (Some(key(text)), true),
            Place::Plain => (None, true),
            _ => (None, false),
        };
        if !string.range.is_empty() && (delta.is_some() || self.event.whole) {
            let string = string.clone();
            self.event.strings.push(Fragment {
                string,
                plain,
                delta,
            });
        }
    }

    fn note(&mut self, doc: &[u8], note: Note, value: &Token) {
        match (note, value) {
            (Note::Type, Token::String(kind)) => {
                let kind = doc.get(kind.range.clone()).unwrap_or_default();
                self.event.kind.extend_from_slice(kind);
            }
            (Note::Number, Token::Number(digits)) => self.event.number = Some(digits.clone()),
            // Some services send an empty reason with each chunk.
            (Note::Finish, Token::String(reason)) if !reason.range.is_empty() => {
                if let Some(scope) = self.event.scopes.last_mut() {
                    scope.finished = true;
                }
            }
            _ => self.notes.take(doc, note, value),
        }
    }

    fn index(&mut self, level: u8, number: u64) {
        let scope = self.event.scopes.last_mut();
        if let Some(to) = scope.and_then(|s| s.index.get_mut(usize::from(level))) {
            *to = Some(number);
        }
    }

    fn open(&mut self) {
        self.event.scopes.push(Scope {
            strings: self.event.strings.len(),
            ..Scope::default()
        });
    }

    /// An object's index may stand behind its deltas: so they get it when it ends.
    fn close(&mut self) {
        let Some(scope) = self.event.scopes.pop() else {
            return;
        };
        let inside = self.event.strings.get_mut(scope.strings..);
        for key in inside
            .into_iter()
            .flatten()
            .filter_map(|f| f.delta.as_mut())
        {
            for (to, from) in key.index.iter_mut().zip(scope.index) {
                *to = from.unwrap_or(*to);
            }
        }
        if scope.finished {
            self.event.finished.push(scope.index[0].unwrap_or_default());
        }
        if self.event.scopes.is_empty() {
            self.event.group = scope.index[0];
        }
    }
}
