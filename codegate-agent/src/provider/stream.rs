//! Streaming answers: placeholders become values again, each event goes on as soon as it can, and
//! what needs no edit goes on byte for byte.
//!
//! Knows: events, deltas, and the tables of a dialect. Must not know: sockets, whose the secrets
//! are.
//!
//! A placeholder may be spread over several events. The events that hold its beginning wait, whole,
//! and so do those behind them, for order is kept. Once it is complete its value is put where it
//! began, and its other parts are taken out of their events; nothing is added or dropped, so ids,
//! indexes and sequence numbers stay.

use bytes::BytesMut;
use zeroize::Zeroizing;

use super::{
    AnswerStream, Restore, Usage, Watch,
    event::Key,
    events::Events,
    parts::{Part, Tools},
    place::Place,
    raw::Raw,
    sse::{Splitter, looks_like_events},
    tree::View,
};
use crate::seal::Placeholder;

/// What a dialect's events look like.
pub(super) struct Grammar {
    /// The table of an event.
    pub(super) event: Place,
    /// How the deltas of an event of this type are to be read.
    pub(super) reading: fn(&[u8]) -> Reading,
    /// Whether an event of this type ends the texts of the group that it speaks of, or, if it
    /// speaks of none, all texts.
    pub(super) ends: fn(&[u8]) -> bool,
    /// Whether a group has one text at a time, so that another one ends it.
    pub(super) one_at_a_time: bool,
    /// What a delta is part of, by its event's type.
    pub(super) role: fn(&[u8], Key) -> Role,
    /// The calls that begin in an event: their places, and their tools.
    pub(super) begins: for<'a> fn(View<'a>) -> Vec<([u64; 2], String)>,
    /// Whether a call is the client's only if it has begun in such an event: those that the service
    /// runs itself look the same otherwise.
    pub(super) announced: bool,
    /// The parts of the answer that stand whole in an event.
    pub(super) repeats: for<'a> fn(View<'a>, &'a Tools) -> Vec<Part<'a>>,
    /// Whether texts are repeated by later events.
    pub(super) repeating: bool,
}

/// How a stream is cut into events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Framing {
    /// As server-sent events.
    #[default]
    Events,
    /// Each line is the data of one.
    Lines,
}

/// What a delta is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// What the model says to the user.
    Text,
    /// The arguments of a call, in JSON.
    Call,
    /// The input of a call, which is just text.
    Input,
    /// Something else: thoughts, a refusal.
    Other,
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

/// A streaming answer of any dialect.
pub(super) struct Stream {
    shape: Shape,
    splitter: Splitter,
    events: Events,
    raw: Raw,
    told: Vec<Vec<u8>>,
}

/// What the body turned out to be.
enum Shape {
    /// Its first bytes, from which this cannot be told yet.
    Unknown(Vec<u8>),
    Events,
    Raw,
}

impl Stream {
    /// A stream that may turn out to be none.
    pub(super) fn new(grammar: &'static Grammar) -> Self {
        Self {
            shape: Shape::Unknown(Vec::new()),
            ..Self::framed(grammar, Framing::Events)
        }
    }

    /// A stream that is cut in this way, whatever it begins with.
    pub(super) fn framed(grammar: &'static Grammar, framing: Framing) -> Self {
        Self {
            shape: Shape::Events,
            splitter: Splitter::new(framing),
            events: Events::new(grammar, framing),
            raw: Raw::default(),
            told: Vec::new(),
        }
    }

    /// Takes bytes of a body whose shape is known.
    fn pass(&mut self, chunk: &[u8], watch: &mut dyn Watch, out: &mut BytesMut) {
        let told = &mut self.told;
        let watch = &mut Once { watch, told };
        match self.shape {
            Shape::Raw => self.raw.push(chunk, watch, out),
            _ => {
                let events = &mut self.events;
                self.splitter
                    .feed(chunk, |item| events.item(item, watch, out));
            }
        }
    }
}

impl AnswerStream for Stream {
    fn push(&mut self, chunk: &[u8], watch: &mut dyn Watch, out: &mut BytesMut) {
        let Shape::Unknown(start) = &mut self.shape else {
            return self.pass(chunk, watch, out);
        };
        start.extend_from_slice(chunk);
        let shape = match looks_like_events(start) {
            Some(true) => Shape::Events,
            Some(false) => Shape::Raw,
            None => return,
        };
        let start = std::mem::take(start);
        self.shape = shape;
        self.pass(&start, watch, out);
    }

    fn finish(&mut self, watch: &mut dyn Watch, out: &mut BytesMut) {
        if let Shape::Unknown(start) = &mut self.shape {
            let start = std::mem::take(start);
            out.extend_from_slice(&start);
        }
        let told = &mut self.told;
        let watch = &mut Once { watch, told };
        let events = &mut self.events;
        self.splitter.finish(|item| events.item(item, watch, out));
        self.events.finish(watch, out);
        self.raw.finish(watch, out);
    }

    fn model(&self) -> Option<&str> {
        self.events.notes.model.as_deref()
    }

    fn id(&self) -> Option<&str> {
        self.events.notes.answer.as_deref()
    }

    fn usage(&self) -> Usage {
        self.events.notes.usage()
    }
}

/// Tells of each mangled placeholder once: aggregates repeat what the deltas said.
struct Once<'a> {
    watch: &'a mut dyn Watch,
    told: &'a mut Vec<Vec<u8>>,
}

impl Restore for Once<'_> {
    fn value(&mut self, placeholder: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
        self.watch.value(placeholder)
    }

    fn mangled(&mut self, text: &[u8]) {
        /// More than this are told again and again.
        const MOST: usize = 64;
        if !self.told.iter().any(|told| told == text) {
            self.watch.mangled(text);
            if self.told.len() < MOST {
                self.told.push(text.to_vec());
            }
        }
    }
}

impl Watch for Once<'_> {
    fn watches(&self) -> bool {
        self.watch.watches()
    }

    fn passage(&mut self, markdown: &str) -> Option<String> {
        self.watch.passage(markdown)
    }

    fn closing(&mut self) -> Option<String> {
        self.watch.closing()
    }

    fn command(&mut self, command: &str) -> Option<String> {
        self.watch.command(command)
    }

    fn replaced(
        &mut self,
        original: &str,
        reason: &str,
        written: &dyn Fn(&str) -> String,
    ) -> String {
        self.watch.replaced(original, reason, written)
    }

    fn guards(&self, name: &str) -> bool {
        self.watch.guards(name)
    }

    fn file(&mut self, name: &str, content: &str, whole: bool) -> Option<String> {
        self.watch.file(name, content, whole)
    }

    fn unchecked(&mut self) -> Option<String> {
        self.watch.unchecked()
    }
}
